"""What a process counts and times, for `/metrics`, in Prometheus' terms. Times are in seconds.

Each process counts for itself: scrape each. Nothing here names a person, a company or a word that was written.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST

_registry = CollectorRegistry()
ProcessCollector(registry=_registry)

answers_running = Gauge("chat_answers_running", "Answers that this process writes now.", registry=_registry)
answers_ended = Counter("chat_answers_ended", "Answers by how they ended.", ["status"], registry=_registry)
answers_swept = Counter(
    "chat_answers_swept", "Answers of lost processes that this one marked interrupted.", registry=_registry
)
upstream_errors = Counter(
    "chat_upstream_errors", "Answers that a provider cut or refused, by kind.", ["kind"], registry=_registry
)
addresses_refused = Counter(
    "chat_addresses_refused",
    "Addresses of providers that were not saved, since they may not be called.",
    registry=_registry,
)
tokens = Counter("chat_tokens", "Tokens as the providers counted them.", ["kind"], registry=_registry)
titles = Counter(
    "chat_titles",
    "Titles that providers were to make: made, useless, no_room in a budget, failed.",
    ["outcome"],
    registry=_registry,
)
first_token = Histogram(
    "chat_first_token_seconds",
    "From the claim of an answer to its first words.",
    buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60),
    registry=_registry,
)
frame_delay = Histogram(
    "chat_frame_delay_seconds",
    "From the arrival of text to the frame that holds it, handed to the server.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5),
    registry=_registry,
)
sockets = Gauge("chat_sockets", "Open sockets.", registry=_registry)
sockets_closed = Counter(
    "chat_sockets_closed", "Sockets that the server closed, by code.", ["code"], registry=_registry
)
followers = Gauge("chat_log_followers", "Readers of answers that are being written.", registry=_registry)
refusals = Counter("chat_refusals", "Requests that were refused, by status.", ["status"], registry=_registry)
csp_reports = Counter(
    "chat_csp_reports",
    "Reports of browsers that a page met its content security policy, by directive.",
    ["directive"],
    registry=_registry,
)
refused = Counter(
    "chat_refused",
    "What ran into a limit and was refused, by the limit's name.",
    ["limit"],
    registry=_registry,
)
sign_in_refusals = Counter(
    "chat_sign_in_refusals",
    "Tries to get in that were refused: over the limit, wrong, by a provider, with a dead link, without a proof.",
    ["why"],
    registry=_registry,
)
loop_lag = Histogram(
    "chat_event_loop_lag_seconds",
    "How late the event loop wakes who waits for a moment.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
    registry=_registry,
)
removed = Counter(
    "chat_conversations_removed",
    "Conversations that were removed, by age, by their owner or with a person.",
    ["why"],
    registry=_registry,
)
erasures = Counter(
    "chat_erasures", "Erasures of people, by what became of them.", ["state"], registry=_registry
)
database_failures = Counter(
    "chat_database_failures",
    "Work of the server's own that had to wait for the database.",
    ["what"],
    registry=_registry,
)
redis_failures = Counter(
    "chat_redis_failures", "Times that a line to Redis broke or could not be had.", registry=_registry
)


def text() -> bytes:
    """All of it, in the text format."""
    return generate_latest(_registry)

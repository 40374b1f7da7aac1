"""What a process counts, and who may know; and the number that ties a request's lines together."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from chatsite.logs import Numbered
from conversations import generation, metrics, trace
from conversations.database import in_database
from conversations.providers.recorded import RecordedUpstream, Script
from tests.conftest import Cast
from tests.test_generation import begin, ended, text_from

TOKEN = "token-of-the-tests"


@pytest.mark.parametrize(
    ("token", "asked", "status"),
    [
        ("", {}, 200),
        ("", {"REMOTE_ADDR": "::1"}, 200),
        ("", {"REMOTE_ADDR": "10.0.0.7"}, 404),
        ("", {"REMOTE_ADDR": ""}, 404),
        ("", {"REMOTE_ADDR": "10.0.0.7", "HTTP_AUTHORIZATION": "Bearer "}, 404),
        ("", {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 404),
        ("", {"HTTP_X_FORWARDED_PROTO": "https"}, 404),
        ("", {"HTTP_FORWARDED": "for=127.0.0.1"}, 404),
        (TOKEN, {}, 200),
        (TOKEN, {"REMOTE_ADDR": "10.0.0.7"}, 404),
        (TOKEN, {"REMOTE_ADDR": "10.0.0.7", "HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}, 200),
        (TOKEN, {"REMOTE_ADDR": "10.0.0.7", "HTTP_AUTHORIZATION": f"Bearer {TOKEN}x"}, 404),
        (TOKEN, {"REMOTE_ADDR": "10.0.0.7", "HTTP_AUTHORIZATION": "Bearer \xe9"}, 404),
        (TOKEN, {"HTTP_X_FORWARDED_FOR": "10.0.0.7", "HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}, 200),
    ],
)
def test_who_may_read_the_metrics(
    db: None, client: Client, settings: Settings, token: str, asked: dict[str, Any], status: int
) -> None:
    settings.METRICS_TOKEN = token
    reply = client.get("/metrics", **asked)
    assert reply.status_code == status
    assert (b"chat_answers_running" in reply.content) == (status == 200)


def counted() -> dict[str, float]:
    """All that is counted, by name and labels."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in families
        for sample in family.samples
    }


async def test_an_answer_is_counted(live_cast: Cast, running: RecordedUpstream) -> None:
    before = counted()
    turn = await begin(live_cast)
    await ended(turn)
    after = counted()

    def grew(name: str) -> float:
        return after[name] - before.get(name, 0)

    assert grew("chat_answers_ended_total done") == 1
    assert grew("chat_tokens_total prompt") == 34
    assert grew("chat_tokens_total completion") == 100
    assert grew("chat_first_token_seconds_count") == 1
    assert after["chat_answers_running"] == 0


async def test_what_a_provider_did_is_counted(live_cast: Cast, running: RecordedUpstream) -> None:
    before = counted()
    running.scripts.append(Script(status=401))
    await ended(await begin(live_cast))
    after = counted()
    assert after["chat_upstream_errors_total auth"] == before.get("chat_upstream_errors_total auth", 0) + 1
    assert after["chat_answers_ended_total failed"] == before.get("chat_answers_ended_total failed", 0) + 1


def test_a_refusal_is_counted(db: None, client: Client) -> None:
    before = counted().get("chat_refusals_total 404", 0)
    client.get("/nowhere")
    assert counted()["chat_refusals_total 404"] == before + 1


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("0af7651916cd43dd8448eb211c80319c", True),
        ("a b", False),
        ("short", False),
        ("x" * 65, False),
        ("é" * 9, False),
    ],
)
def test_a_request_has_a_number(db: None, client: Client, given: str, kept: bool) -> None:
    """The proxy's where it gave a sound one."""
    number = client.get("/readyz", headers={"X-Request-ID": given})["X-Request-ID"]
    assert (number == given) == kept
    assert re.fullmatch("[A-Za-z0-9._-]{8,64}", number)


async def test_the_lines_of_an_answer_bear_the_number_of_its_request(
    live_cast: Cast, running: RecordedUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.addFilter(Numbered())
    caplog.set_level(logging.INFO, "conversations")
    running.scripts.append(Script(pieces=("some",), headers={"x-request-id": "of-the-provider"}))
    token = trace.request_id.set("of-the-request")
    try:
        turn = await begin(live_cast)
    finally:
        trace.request_id.reset(token)
    await text_from(turn)
    await ended(turn)
    (line,) = [record for record in caplog.records if "the provider's request" in record.getMessage()]
    assert line.__dict__["request_id"] == "of-the-request"
    assert "of-the-provider" in line.getMessage()


async def test_no_words_are_counted(live_cast: Cast, running: RecordedUpstream) -> None:
    turn = await begin(live_cast, "a canary in a question")
    await ended(turn)
    said = metrics.text().decode()
    for word in ("canary", "Coca", live_cast.member.username + '"', str(turn.conversation.pk)):
        assert word not in said
    assert await in_database(generation.sweep_all) == 0

"""From an endpoint's row to the server that is called: address and key of the environment, or the recorded upstream.

The only place that reads provider keys from the settings. A key goes to the address of the environment alone,
never to one that was typed into a form.
"""

from __future__ import annotations

from typing import cast

from django.conf import settings

from conversations import providers
from conversations.models import Endpoint
from conversations.providers import recorded

RECORDED_NOTICE = "Recorded answers: no key is set"


def is_recorded(endpoint: Endpoint) -> bool:
    """Whether the recorded upstream stands in, because the environment names no server or no key."""
    if endpoint.base_url:
        return False
    return not {
        "mistral": settings.MISTRAL_API_KEY,
        "cohere": settings.CO_API_KEY,
        "openai": settings.OPENAI_BASE_URL,
    }[endpoint.wire]


def notice(endpoint: Endpoint) -> str:
    """The hint under the composer: what is live. Empty when the real provider answers."""
    return RECORDED_NOTICE if is_recorded(endpoint) else ""


def resolve(endpoint: Endpoint) -> providers.Endpoint:
    """The server to call for `endpoint`. Starts the recorded upstream where it stands in."""
    wire = wire_of(endpoint)
    if endpoint.base_url:
        return providers.Endpoint(wire=wire, label=endpoint.name, base_url=endpoint.base_url, api_key="")
    if is_recorded(endpoint):
        return providers.Endpoint(
            wire=wire, label=endpoint.name, base_url=recorded.base_url(wire), api_key=""
        )
    base_url, api_key = {
        "mistral": (settings.MISTRAL_BASE_URL, settings.MISTRAL_API_KEY),
        "cohere": (settings.COHERE_BASE_URL, settings.CO_API_KEY),
        "openai": (settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY),
    }[endpoint.wire]
    return providers.Endpoint(wire=wire, label=endpoint.name, base_url=base_url, api_key=api_key)


def clocks() -> providers.Clocks:
    """The patience with every upstream, in seconds."""
    return providers.Clocks(
        connect=settings.UPSTREAM_CONNECT_TIMEOUT,
        first_token=settings.UPSTREAM_FIRST_TOKEN_TIMEOUT,
        silence=settings.UPSTREAM_SILENCE_TIMEOUT,
        total=settings.UPSTREAM_TOTAL_TIMEOUT,
    )


def wire_of(endpoint: Endpoint) -> providers.WireName:
    """The name of its protocol in the table of wires: the column's choices are the table's keys."""
    return cast(providers.WireName, endpoint.wire)

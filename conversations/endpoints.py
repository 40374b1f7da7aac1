"""From an endpoint's row to the server that is called: address and key, or the recorded upstream.

The only place that reads provider keys from the settings, and that has sealed ones opened. The environment's key goes
to the address of the environment alone, never to one that was typed into a form. Whether a company may use a provider,
and whether this site may call its address, is asked here each time, whatever was true when it was saved.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext, gettext_noop

from conversations import keys, providers, sealing
from conversations.keys import KeyOf
from conversations.models import Endpoint
from conversations.providers import ErrorKind, ProviderError, addresses, recorded

RECORDED_NOTICE = gettext_noop("Recorded answers: no key is set")


@dataclass(frozen=True, slots=True)
class Server:
    """Who is called, and by whose key; `recorded` where the recorded upstream stands in."""

    called: providers.Endpoint
    key_of: KeyOf | None = None
    recorded: bool = False


def is_recorded(endpoint: Endpoint) -> bool:
    """Whether the recorded upstream stands in for who has no key of their own: no server or no key is known."""
    return _stands_in(endpoint, keyed=keys.of(endpoint, None) is not None)


def notice(endpoint: Endpoint, company_id: uuid.UUID) -> str:
    """The hint under the composer: what is live. Empty when the real provider answers."""
    return notices([(endpoint, company_id)])[0]


def notices(asked: Sequence[tuple[Endpoint, uuid.UUID]]) -> list[str]:
    """The hint for each provider and company, with one query at most."""
    kept = keys.kept(asked) if any(_stands_in(endpoint, keyed=False) for endpoint, _ in asked) else set()
    return [
        gettext(RECORDED_NOTICE)
        if _stands_in(endpoint, keyed=bool({(endpoint.pk, company), (endpoint.pk, None)} & kept))
        else ""
        for endpoint, company in asked
    ]


def resolve(endpoint: Endpoint, company_id: uuid.UUID | None) -> Server:
    """The server to call for a company. Starts the recorded upstream where it stands in.

    Raises ProviderError for a provider of another company, for an address that this site does not call, and for a key
    that cannot be opened.
    """
    if endpoint.company_id not in {None, company_id}:
        raise ProviderError(ErrorKind.ENDPOINT, "The provider")
    wire, label = wire_of(endpoint), endpoint.name
    kept = keys.of(endpoint, company_id)
    if _stands_in(endpoint, keyed=kept is not None):
        return Server(providers.Endpoint(wire, label, recorded.base_url(wire), local=True), recorded=True)
    base_url, api_key = _environment(endpoint)
    local = True
    if endpoint.base_url:
        base_url, api_key = endpoint.base_url, ""
        try:
            local = allowed().is_local(base_url)
        except addresses.NotAllowed:
            raise ProviderError(ErrorKind.ADDRESS, label, "Its address is not on the lists.") from None
    key_of = KeyOf.ENVIRONMENT if api_key else None
    if kept is not None:
        key_of = KeyOf.COMPANY if kept.company_id else KeyOf.PROVIDER
        try:
            api_key = keys.opened(kept)
        except sealing.Unreadable:
            raise ProviderError(ErrorKind.KEY, label, "Its sealed key cannot be opened.") from None
    return Server(providers.Endpoint(wire, label, base_url, api_key, local=local), key_of)


def address(endpoint: Endpoint) -> str:
    """Where `endpoint` is called: its own address, else the environment's; empty where there is neither."""
    return endpoint.base_url or _environment(endpoint)[0]


def has_key(endpoint: Endpoint) -> bool:
    """Whether the environment has a key that goes to `endpoint`."""
    return not endpoint.base_url and bool(_environment(endpoint)[1])


def allowed() -> addresses.Allowed:
    """What may be called: what the lists of the environment name, and the environment's own addresses, as they are."""
    own = (settings.MISTRAL_BASE_URL, settings.COHERE_BASE_URL, settings.OPENAI_BASE_URL)
    return _allowed(tuple(settings.UPSTREAM_HOSTS), tuple(settings.LOCAL_UPSTREAMS), own)


def is_own(url: str) -> bool:
    """Whether an address leads to a server that the environment names as the site's own."""
    return place(url) in allowed().local


def place(url: str) -> addresses.Place | None:
    """Which server an address of http(s) leads to; None for any other."""
    try:
        parts = urlsplit(url)
        return parts.scheme, str(parts.hostname), parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (KeyError, ValueError):
        return None


@functools.lru_cache(maxsize=4)
def _allowed(public: tuple[str, ...], local: tuple[str, ...], own: tuple[str, ...]) -> addresses.Allowed:
    own_places = set()
    for base_url in filter(None, own):
        parts = urlsplit(base_url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        own_places.add((parts.scheme, str(parts.hostname), port))
    return addresses.Allowed(
        public=frozenset(("https", host, port or 443) for host, port in map(addresses.listed, public)),
        local=frozenset(
            (scheme, host, port)
            for host, port in map(addresses.listed, local)
            if port is not None
            for scheme in ("http", "https")
        )
        | own_places,
    )


def _stands_in(endpoint: Endpoint, *, keyed: bool) -> bool:
    if endpoint.base_url:
        return False
    base_url, api_key = _environment(endpoint)
    return not base_url if endpoint.wire == "openai" else not (api_key or keyed)


def _environment(endpoint: Endpoint) -> tuple[str, str]:
    """The address and the key that the environment has for the protocol of `endpoint`."""
    return {
        "mistral": (settings.MISTRAL_BASE_URL, settings.MISTRAL_API_KEY),
        "cohere": (settings.COHERE_BASE_URL, settings.CO_API_KEY),
        "openai": (settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY),
    }[endpoint.wire]


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

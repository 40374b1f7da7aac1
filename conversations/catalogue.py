"""The models that a provider lists, for the form in which one is chosen. Kept for some minutes.

Nobody waits for it: it is asked beside the page, for a few seconds at most, and a name can always be typed.
"""

from __future__ import annotations

import uuid

from asgiref.sync import async_to_sync
from django.core.cache import cache
from django.utils.crypto import salted_hmac

from conversations import endpoints, providers
from conversations.models import Endpoint
from conversations.providers import http, opening, stream

KEPT_SECONDS = 600
FAILURE_KEPT_SECONDS = 30  # so that a provider that is down costs one person a wait, not everybody
CLOCKS = providers.Clocks(connect=2.0, first_token=4.0, silence=4.0, total=4.0)


def models(endpoint: Endpoint, company_id: uuid.UUID | None) -> list[providers.ModelInfo] | None:
    """What `endpoint` offers to a company, by whose key it is asked; None where it cannot be had at the moment."""
    try:
        server = endpoints.resolve(endpoint, company_id).called
    except providers.ProviderError:
        return None
    name = _name(endpoint, server)
    kept = cache.get(name)
    if kept is None:
        try:
            found = sorted(async_to_sync(_listed)(server), key=lambda model: model.id)
        except providers.ProviderError:
            found = None
        kept = (found,)
        cache.set(name, kept, FAILURE_KEPT_SECONDS if found is None else KEPT_SECONDS)
    listed: list[providers.ModelInfo] | None = kept[0]
    return listed


def _name(endpoint: Endpoint, server: providers.Endpoint) -> str:
    """What a list is kept under. Another key may see other models, so it is in it, as nobody can read it."""
    asked = f"{endpoint.pk} {server.wire} {server.base_url} {server.api_key}"
    return "models-" + salted_hmac("conversations.catalogue", asked, algorithm="sha256").hexdigest()


async def _listed(server: providers.Endpoint) -> list[providers.ModelInfo]:
    # A client of its own: the event loop may be one that ends with this call.
    async with http.new_client(local=server.local) as client:
        return await stream.list_models(
            server, clocks=CLOCKS, client=client, retries=opening.Retries(limit=0)
        )

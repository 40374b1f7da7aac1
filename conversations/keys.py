"""The keys of providers that are kept in the database: set, taken away, and opened for a call.

Nothing else reads or writes a sealed key. What is given here in clear is handed on and not kept: it stands in no row,
log, message or error.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext

from conversations import sealing
from conversations.models import Company, Endpoint, Generation, ProviderKey

KeyOf = Generation.KeyOf

SHORTEST = 6
LONGEST = 500
_SHOWN_FROM = 16  # of a shorter key, four characters would be much of it


def problem(text: str) -> str:
    """What is wrong with a key as it was given, in a sentence that does not repeat it; empty where nothing is."""
    if not (text.isascii() and text.isprintable() and " " not in text):
        return gettext("A key has no spaces and no letters but plain ones. Copy it again.")
    if not SHORTEST <= len(text) <= LONGEST:
        said = gettext("A key has between %(least)s and %(most)s characters. Copy it again.")
        return said % {"least": SHORTEST, "most": LONGEST}
    return ""


def put(endpoint: Endpoint, company: Company | None, text: str, *, by: User) -> ProviderKey:
    """Set or replace the key of `company` at `endpoint`, or the one for all companies. Raises ValueError for no key."""
    if problem(text):
        raise ValueError("This is no key.")
    with transaction.atomic():
        Endpoint.objects.select_for_update().get(
            pk=endpoint.pk
        )  # of two who set the first key, one replaces it
        found = ProviderKey.objects.filter(endpoint=endpoint, company=company).first()
        key = found or ProviderKey(endpoint=endpoint, company=company)
        key.sealed = sealing.seal(text, key.sealing_context)
        key.last4 = text[-4:] if len(text) >= _SHOWN_FROM else ""
        key.set_at, key.set_by = timezone.now(), by
        key.save()
    return key


def remove(endpoint: Endpoint, company: Company | None) -> bool:
    """Take a key away; False where there was none."""
    gone, _ = ProviderKey.objects.filter(endpoint=endpoint, company=company).delete()
    return bool(gone)


def of(endpoint: Endpoint, company_id: uuid.UUID | None) -> ProviderKey | None:
    """The key that `company_id` calls `endpoint` with: its own, else the one for all, else None."""
    if endpoint._state.adding:
        return None
    mine = endpoint.keys.filter(Q(company=None) | Q(company_id=company_id))
    found = {key.company_id: key for key in mine}
    return found.get(company_id) or found.get(None)


def each_of(endpoints: Sequence[Endpoint], company: Company) -> dict[int, ProviderKey]:
    """The key that a company calls each of these providers with, where there is one, by the provider's id."""
    mine = ProviderKey.objects.filter(Q(company=None) | Q(company=company), endpoint__in=endpoints)
    # The company's own comes last, and so counts.
    ordered = mine.select_related("set_by").order_by(F("company").asc(nulls_first=True))
    return {key.endpoint_id: key for key in ordered}


def kept(asked: Iterable[tuple[Endpoint, uuid.UUID]]) -> set[tuple[int, uuid.UUID | None]]:
    """At which of these providers there is a key of these companies, or one for all; by their ids."""
    pairs = [(endpoint.pk, company) for endpoint, company in asked]
    companies = Q(company=None) | Q(company__in={company for _, company in pairs})
    found = ProviderKey.objects.filter(companies, endpoint__in={endpoint for endpoint, _ in pairs})
    return set(found.values_list("endpoint_id", "company_id"))


def opened(key: ProviderKey) -> str:
    """The key in clear, for a call. Raises sealing.Unreadable."""
    return sealing.unseal(key.sealed, key.sealing_context)

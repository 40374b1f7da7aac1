"""A company's own keys at the providers that it can choose: its managers set, replace and take them away.

Addresses are the operator's, so a key goes where the operator says; the page names that place. What a key is stands on
no page: only its last four signs, since when, and by whom.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from conversations import access, endpoints, keys
from conversations.admin import problems
from conversations.admin.key_forms import KeyForm, described
from conversations.admin.workplace import doors, settings
from conversations.models import Company, Endpoint, ProviderKey


@dataclass(frozen=True, slots=True)
class Row:
    """A provider on the page: where it is, what it is called with, and the form for another key."""

    endpoint: Endpoint
    place: str
    own: bool
    says: str
    form: KeyForm


@require_safe
@doors.of_managers
def listed(request: HttpRequest, company: Company) -> HttpResponse:
    """The providers, each with the key that it is called with."""
    return _page(request, company)


@sensitive_post_parameters("key")
@require_POST
@doors.of_managers
@transaction.atomic
def put(request: HttpRequest, company: Company, endpoint_id: int) -> HttpResponse:
    """Set or replace the company's own key."""
    endpoint = access.offered_endpoint(company, endpoint_id)
    form = KeyForm(endpoint, request.POST)
    if not form.is_valid():
        return _page(request, company, refused=form)
    keys.put(endpoint, company, form.cleaned_data["key"], by=cast(User, request.user))
    sentence = _("Set the company's own key for %(provider)s.") % {"provider": endpoint}
    settings.log(request, company, sentence)
    return _done(request, company, endpoint, sentence)


@require_POST
@doors.of_managers
@transaction.atomic
def remove(request: HttpRequest, company: Company, endpoint_id: int) -> HttpResponse:
    """Take the company's own key away."""
    endpoint = access.offered_endpoint(company, endpoint_id)
    sentence = _("Took away the company's own key for %(provider)s.") % {"provider": endpoint}
    if not keys.remove(endpoint, company):
        none = _("There is no key of your own for %(provider)s.") % {"provider": endpoint}
        return _done(request, company, endpoint, none)
    settings.log(request, company, sentence)
    return _done(request, company, endpoint, sentence)


def _page(request: HttpRequest, company: Company, *, refused: KeyForm | None = None) -> HttpResponse:
    offered = list(access.offered_endpoints(company))
    kept = keys.each_of(offered, company)
    recorded = endpoints.notices([(endpoint, company.pk) for endpoint in offered])
    rows = [
        Row(
            endpoint=endpoint,
            place=_place(endpoint),
            own=endpoint.pk in kept and kept[endpoint.pk].company_id is not None,
            says=_says(kept.get(endpoint.pk), endpoint, notice),
            form=refused if refused and refused.endpoint == endpoint else KeyForm(endpoint),
        )
        for endpoint, notice in zip(offered, recorded, strict=True)
    ]
    context = {"title": _("Provider keys"), "here": "keys", "rows": rows, "problems": problems.found(refused)}
    return doors.page(request, "keys.html", company, context, status=400 if refused else 200)


def _place(endpoint: Endpoint) -> str:
    """Where a key goes; empty where that is nowhere. A server within the site's networks is not named to companies."""
    parts = urlsplit(endpoints.address(endpoint))
    if not parts.hostname:
        return ""
    if parts.scheme != "https":
        return _("A server of this site.")
    return _("Called at %(place)s.") % {"place": parts.hostname}


def _says(key: ProviderKey | None, endpoint: Endpoint, notice: str) -> str:
    if key is not None and key.company_id is not None:
        return described(key)
    if notice:
        return f"{notice}."
    if key is None and not endpoints.has_key(endpoint):
        return _("Called without a key.")
    return _("Called with the site's key.")


def _done(request: HttpRequest, company: Company, endpoint: Endpoint, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    return redirect(f"{reverse('admin:review_keys', args=[company.pk])}#provider-{endpoint.pk}")

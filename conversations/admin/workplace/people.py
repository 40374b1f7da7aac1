"""What is kept of one person, for managers of a company and for operators: to hand it out, to hold it, to erase it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_POST, require_safe

from conversations import access, erasing, holds, reading
from conversations.admin.workplace import doors, settings
from conversations.exports import downloads
from conversations.exports.person import PersonExport
from conversations.models import Company, Conversation, Erasure, Reading
from conversations.posting import Refused, clean
from conversations.reading import REASON_CHARS, Sitting
from conversations.views.data import as_file

PAGE_SIZE = 100
WITHOUT_REASON = gettext_noop(
    "Say why you take it away: that you do is put on record with your name. Nothing was handed out."
)
TOO_LONG = gettext_noop("Shorten your reason to %(most)s characters. Nothing was handed out.")
ASKED = gettext_noop("The erasure has begun. It goes on by itself; this page says how far it is.")

KINDS = (  # what rows are called that have no other name in `erasing`
    gettext_noop("budgets"),
    gettext_noop("conversations"),
    gettext_noop("email addresses"),
    gettext_noop("folders"),
    gettext_noop("imports"),
    gettext_noop("messages"),
    gettext_noop("notes"),
    gettext_noop("reviews"),
    gettext_noop("sign ins"),
)


@require_safe
@doors.of_managers
def listed(request: HttpRequest, company: Company) -> HttpResponse:
    """Who belongs to the company, or did and has left anything, by name; in pages that begin behind a name."""
    after = request.GET.get("after", "").replace("\0", "")
    found = list(access.people_of(company).filter(username__gt=after).order_by("username")[: PAGE_SIZE + 1])
    roles = {each.user_id: each.get_role_display() for each in company.memberships.filter(user__in=found)}
    context = {
        "title": _("Personal data"),
        "here": "people",
        "people": [(person, roles.get(person.pk, "")) for person in found[:PAGE_SIZE]],
        "after": after,
        "next": found[PAGE_SIZE - 1].username if len(found) > PAGE_SIZE else "",
    }
    return doors.page(request, "people.html", company, context)


@require_safe
@doors.of_managers
def page(request: HttpRequest, company: Company, person_id: int) -> HttpResponse:
    """What can be done with what is kept of one person at the company."""
    person = access.person_of(company, person_id)
    return doors.page(request, "person.html", company, {"here": "people", **_context(person, company)})


@require_POST
@doors.of_managers
def data(request: HttpRequest, company: Company, person_id: int) -> HttpResponseBase:
    """All of one person's at the company, as a file, on record first."""
    person = access.person_of(company, person_id)
    return _file(request, person, company, lambda: access.managed_company(_fresh(request), company.pk))


@require_POST
@doors.of_managers
def hold(request: HttpRequest, company: Company, person_id: int) -> HttpResponse:
    """Have nothing of one person's removed at the company."""
    person = access.person_of(company, person_id)
    with transaction.atomic():
        made = holds.place(company, request.POST.get("reason", ""), cast(User, request.user), person=person)
        settings.log(request, company, _("Placed the hold %(hold)s on a person.") % {"hold": made.pk})
    messages.success(request, _("Held. Nothing of this person’s is removed here until the hold is lifted."))
    return redirect("admin:review_person", company.pk, person.pk)


@require_POST
@doors.of_managers
def erase(request: HttpRequest, company: Company, person_id: int) -> HttpResponse:
    """Erase one person at the company."""
    person = access.person_of(company, person_id)
    erasing.ask(person, company, by=cast(User, request.user), typed=request.POST.get("username", ""))
    messages.success(request, _(ASKED), extra_tags="erasures")
    return redirect("admin:review_keeping", company.pk)


@require_safe
@doors.of_managers
def receipt(request: HttpRequest, company: Company, erasure_id: int) -> HttpResponse:
    """What went and what had to stay, as a file."""
    return _receipt(access.erasure(company, erasure_id))


# -- The same everywhere, for operators -----------------------------------------------------------------------------


def _of_operators(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A page for operators, on which a refusal is a sentence; a 404 for everybody else."""

    def guarded(request: HttpRequest, person_id: int) -> HttpResponseBase:
        person = access.account(request.user, person_id)
        try:
            response = view(request, person)
        except Refused as refusal:
            said = {"sentence": refusal.sentence, "title": _("That was not done")}
            response = doors.counted(refusal, _page(request, "refused.html", said, status=refusal.status))
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    return guarded


@require_safe
@_of_operators
def account(request: HttpRequest, person: User) -> HttpResponse:
    """What can be done with all that is kept of an account."""
    return _page(request, "person.html", _context(person, None))


@require_POST
@_of_operators
def account_data(request: HttpRequest, person: User) -> HttpResponseBase:
    """All of one person's, as a file, on record at each company first."""
    return _file(request, person, None, lambda: access.account(_fresh(request), person.pk))


@require_POST
@_of_operators
def account_erase(request: HttpRequest, person: User) -> HttpResponse:
    """Erase one person everywhere."""
    erasing.ask(person, None, by=cast(User, request.user), typed=request.POST.get("username", ""))
    messages.success(request, _(ASKED))
    return redirect("admin:review_account", person.pk)


@require_safe
def account_receipt(request: HttpRequest, erasure_id: int) -> HttpResponse:
    """The receipt of any erasure, for operators."""
    return _receipt(access.any_erasure(request.user, erasure_id))


# -- What both have in common ---------------------------------------------------------------------------------------


def _context(person: User, company: Company | None) -> dict[str, Any]:
    preview = erasing.preview(person, company)
    return {
        "title": person.get_username(),
        "person": person,
        "preview": preview,
        "gone": [(_(kind), number) for kind, number in preview.gone.items()],
        "stays": [(_(kind), number) for kind, number in preview.stays.items()],
        "held": next((each for each in preview.holds if each.person_id), None),
        "most": erasing.COUNTED,
        "erasures": Erasure.objects.filter(person=person, company=company).order_by("-pk"),
        "reason_chars": REASON_CHARS,
    }


def _page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    shared = {**admin.site.each_context(request), "is_nav_sidebar_enabled": False}
    return TemplateResponse(request, f"admin/review/{template}", shared | context, status=status)


def _file(
    request: HttpRequest, person: User, company: Company | None, still: Callable[[], object]
) -> StreamingHttpResponse:
    """The file. Each batch asks anew whether it may leave, and is on record before."""
    reader, reason = cast(User, request.user), " ".join(clean(request.POST.get("reason", "")).split())
    if not reason:
        raise Refused(_(WITHOUT_REASON), status=400)
    if len(reason) > REASON_CHARS:
        raise Refused(_(TOO_LONG) % {"most": REASON_CHARS}, status=413)
    companies = [company] if company else list(reading.companies_of(person))
    download = uuid.uuid4()

    def before(conversations: list[Conversation]) -> None:
        still()
        for each in {c.persona.company for c in conversations}:
            shown = [c for c in conversations if c.persona.company_id == each.pk]
            reading.look(Sitting(download, reader, each, reason), shown, Reading.What.EXPORT)

    handing = downloads.begin(reader, PersonExport(person, company, before).stream())
    try:
        reading.person_exported(reader, person, companies, reason)
    except BaseException:
        handing.close()
        raise
    return as_file(handing, person)


def _receipt(erasure: Erasure) -> HttpResponse:
    text = json.dumps(erasing.receipt(erasure), ensure_ascii=False, indent=2) + "\n"
    headers = {
        "Content-Disposition": f'attachment; filename="erasure-{erasure.pk}.json"',
        "Cache-Control": "no-store, private",
    }
    return HttpResponse(text, content_type="application/json", headers=headers)


def _fresh(request: HttpRequest) -> User:
    """Who asks, as the database has them now."""
    return User.objects.get(pk=cast(User, request.user).pk)

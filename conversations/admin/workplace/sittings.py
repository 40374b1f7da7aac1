"""The way in: which company, for what reason; and the way from a masked name to a person's."""

from __future__ import annotations

import uuid

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from conversations import access
from conversations import reading as record
from conversations.admin.workplace import doors
from conversations.models import Company
from conversations.posting import clean
from conversations.reading import REASON_CHARS, Sitting

_BLANK_LETTERS = (
    "\u115f\u1160\u3164\uffa0"  # fillers of Hangul: letters by their category, and nothing to be seen
)


@require_safe
def choose(request: HttpRequest) -> HttpResponse:
    """To the one company that the person reviews for, or the choice between several."""
    companies = list(access.reviewed_companies(request.user)[:200])
    if len(companies) == 1:
        return redirect("admin:review_queue", companies[0].pk)
    context = {**admin.site.each_context(request), "title": _("Review"), "companies": companies}
    return TemplateResponse(request, "admin/review/companies.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@doors.of_reviewers
def begin(request: HttpRequest, company: Company) -> HttpResponse:
    """Ask for the reason of a sitting, and begin it."""
    back = request.POST.get("next") or request.GET.get("next", "")
    root = reverse("admin:review")
    if not (back.startswith(root) and url_has_allowed_host_and_scheme(back, None)):
        back = root
    reason = " ".join(clean(request.POST.get("reason", "")).split())
    problem = ""
    if request.method == "POST":
        if _visible(reason) >= 3 and len(reason) <= REASON_CHARS:
            doors.begin(request, company, reason)
            return redirect(back)
        problem = (
            _("Shorten your reason to %(most)s characters.") % {"most": REASON_CHARS}
            if len(reason) > REASON_CHARS
            else _(
                "Say in a few words why you are going to read people’s conversations: three letters at least. "
                "Nothing is shown before."
            )
        )
    context = {
        "title": _("Before you read"),
        "next": back,
        "reason": reason if request.method == "POST" else doors.reason(request, company),
        "problem": problem,
        "suggestions": (
            _("Review of the queue"),
            _("A person asked for help"),
            _("A complaint about an answer"),
        ),
    }
    return doors.page(request, "sitting.html", company, context, status=400 if problem else 200)


@require_POST
@doors.of_reviewers
def end(request: HttpRequest, company: Company) -> HttpResponse:
    """End the sitting before its hour is over."""
    doors.end(request, company)
    messages.success(
        request, _("Your sitting has ended. Names are masked again, and the next look asks for a reason.")
    )
    return redirect("admin:review_queue", company.pk)


@require_POST
@doors.reading
def unmask(request: HttpRequest, sitting: Sitting, conversation_id: uuid.UUID) -> HttpResponse:
    """Show for the rest of the sitting whose conversation it is."""
    owner = record.unmask(sitting, conversation_id)
    doors.show_name(request, sitting.company, owner)
    messages.success(request, _("The name is shown until you end this sitting. That you asked is on record."))
    back = request.POST.get("next", "")
    if back.startswith(reverse("admin:review")) and url_has_allowed_host_and_scheme(back, None):
        return redirect(back)
    return redirect("admin:review")


def _visible(text: str) -> int:
    """How many letters and digits `text` shows: blanks and signs alone are no reason, nor is what nobody can see."""
    return sum(character.isalnum() and character not in _BLANK_LETTERS for character in text)

"""What stands before every page of the workplace: a company of one's own, and for reading, a reason on record."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urlsplit

from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from conversations import access, metrics
from conversations.models import Company
from conversations.posting import Refused
from conversations.reading import Sitting

P = ParamSpec("P")

SITTING_SECONDS = 3_600  # of silence, after which the reason is asked again
_RENEW_SECONDS = 60  # the session is written at most so often

CompanyView = Callable[Concatenate[HttpRequest, Company, P], HttpResponseBase]
ReadingView = Callable[Concatenate[HttpRequest, Sitting, P], HttpResponseBase]


def of_reviewers(view: CompanyView[P]) -> Callable[..., HttpResponseBase]:
    """A page for who reviews for the company of the address; a 404 for everybody else."""
    return _of_a_company(access.reviewed_company, view)


def of_managers(view: CompanyView[P]) -> Callable[..., HttpResponseBase]:
    """A page for who manages the company of the address; a 404 for everybody else."""
    return _of_a_company(access.managed_company, view)


def reading(view: ReadingView[P]) -> Callable[..., HttpResponseBase]:
    """A page on which people's words stand: for reviewers, in a sitting. Without one, the way leads to its reason."""

    def guarded(
        request: HttpRequest, company: Company, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        found = sitting(request, company)
        if found is None:
            back = request.get_full_path() if request.method in {"GET", "HEAD"} else ""
            address = reverse("admin:review_sitting", args=[company.pk])
            return redirect(f"{address}?{urlencode({'next': back})}" if back else address)
        return view(request, found, *args, **kwargs)

    return of_reviewers(guarded)


def begin(request: HttpRequest, company: Company, reason: str) -> None:
    """Begin a sitting of the session's person, for `reason`."""
    fresh = {"id": str(uuid.uuid4()), "reason": reason, "unmasked": [], "seen": _now()}
    request.session["sittings"] = {**request.session.get("sittings", {}), str(company.pk): fresh}


def end(request: HttpRequest, company: Company) -> None:
    """End the sitting, if there is one: names are masked again, and the next look asks for a reason."""
    kept = request.session.get("sittings", {})
    request.session["sittings"] = {key: value for key, value in kept.items() if key != str(company.pk)}


def reason(request: HttpRequest, company: Company) -> str:
    """For what the sitting under way is; empty where there is none. Asking does not keep it alive."""
    kept = request.session.get("sittings", {}).get(str(company.pk))
    return kept["reason"] if kept is not None and _now() - kept["seen"] <= SITTING_SECONDS else ""


def sitting(request: HttpRequest, company: Company) -> Sitting | None:
    """The sitting under way, which this look keeps alive; None where there is none or it has gone stale."""
    kept = request.session.get("sittings", {}).get(str(company.pk))
    if kept is None or _now() - kept["seen"] > SITTING_SECONDS:
        return None
    if _now() - kept["seen"] > _RENEW_SECONDS:
        kept["seen"] = _now()
        request.session.modified = True
    reader = cast(User, request.user)
    return Sitting(uuid.UUID(kept["id"]), reader, company, kept["reason"], frozenset(kept["unmasked"]))


def show_name(request: HttpRequest, company: Company, person: User) -> None:
    """For the rest of the sitting, `person` goes by name."""
    kept = request.session["sittings"][str(company.pk)]
    kept["unmasked"] = sorted({*kept["unmasked"], person.pk})
    request.session.modified = True


def page(
    request: HttpRequest, template: str, company: Company, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """A page of the workplace of `company`. `here` in the context is its name among the tabs."""
    shared = {
        **admin.site.each_context(request),
        "is_nav_sidebar_enabled": False,  # the tabs lead around here, and a ledger is wide
        "company": company,
        "reading_for": reason(request, company),
        "manages": access.managed_companies(request.user).filter(pk=company.pk).exists(),
    }
    return TemplateResponse(request, f"admin/review/{template}", shared | context, status=status)


def _of_a_company(
    scope: Callable[[access.AnyPerson, uuid.UUID], Company], view: CompanyView[P]
) -> Callable[..., HttpResponseBase]:
    @wraps(view)
    def guarded(request: HttpRequest, /, company_id: uuid.UUID, **kwargs: Any) -> HttpResponseBase:
        company = scope(request.user, company_id)
        try:
            response = view(request, company, **kwargs)  # type: ignore[call-arg]
        except Refused as refusal:
            context = {
                "title": _("That was not done"),
                "sentence": refusal.sentence,
                "back": came_from(request),
            }
            response = counted(
                refusal, page(request, "refused.html", company, context, status=refusal.status)
            )
        # What people wrote is nobody else's: not a cache's, not the next person's at this machine.
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    return guarded


def counted(refusal: Refused, response: HttpResponse) -> HttpResponse:
    """The page that says a refusal, which counts where it is a limit's and says when to come again."""
    if refusal.limit:
        metrics.refused.labels(refusal.limit).inc()
    if refusal.retry_after:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def came_from(request: HttpRequest) -> str:
    """The page of the administration that a form stood on; empty where it does not say, or says another place."""
    path = urlsplit(request.headers.get("Referer", "")).path
    return path if path.startswith(reverse("admin:index")) else ""


def _now() -> int:
    return int(timezone.now().timestamp())

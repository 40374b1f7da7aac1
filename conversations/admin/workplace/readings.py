"""The record of readings, for the managers of a company: to be read, and nothing else."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from conversations.admin.workplace import doors
from conversations.models import Company, Reading

PAGE_SIZE = 100


@require_safe
@doors.of_managers
def listed(request: HttpRequest, company: Company) -> HttpResponse:
    """Who read whose conversation, newest first, in pages that begin `before` an id."""
    before = request.GET.get("before", "")
    rows = Reading.objects.filter(company=company).order_by("-pk")
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE_SIZE + 1])
    context = {
        "title": "Record of readings",
        "here": "readings",
        "readings": found[:PAGE_SIZE],
        "before": before,
        "next": found[PAGE_SIZE - 1].pk if len(found) > PAGE_SIZE else None,
    }
    return doors.page(request, "readings.html", company, context)

"""The record of readings, for the managers of a company: to be read, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from conversations.admin.workplace import doors
from conversations.models import Company, Reading
from conversations.reading import masked_name

PAGE_SIZE = 100
MANY_AT_ONCE = {Reading.What.LIST, Reading.What.SEARCH, Reading.What.EXPORT}  # a page, or a piece of a file


@dataclass(frozen=True, slots=True)
class _Look:
    """One line of the record, and whose conversation it was, as the page says it."""

    reading: Reading
    owner: str


@require_safe
@doors.of_managers
def listed(request: HttpRequest, company: Company) -> HttpResponse:
    """Who read whose conversation, newest first, in pages that begin `before` an id.

    Who was read stays masked as on every other page: else a look at the record would be a way around the mask.
    """
    before = request.GET.get("before", "")
    rows = Reading.objects.filter(company=company).order_by("-pk")
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE_SIZE + 1])
    shown = _shown(request, company)
    looks = [
        _Look(row, row.owner_name if row.owner_id in shown else masked_name(company, row.owner_id))
        for row in found[:PAGE_SIZE]
    ]
    context = {
        "title": gettext("Record of readings"),
        "here": "readings",
        "acts": [list(together) for _, together in groupby(looks, _act)],
        "before": before,
        "next": found[PAGE_SIZE - 1].pk if len(found) > PAGE_SIZE else None,
    }
    return doors.page(request, "readings.html", company, context)


def _act(look: _Look) -> tuple[object, ...]:
    """What lines have in common that were written for the same page or file: they stand as one."""
    row = look.reading
    if row.what not in MANY_AT_ONCE:
        return (row.pk,)
    return row.reader_id, row.sitting, row.what, row.reason, row.at.replace(second=0, microsecond=0)


def _shown(request: HttpRequest, company: Company) -> frozenset[int | None]:
    """Whom this reader knows by name already: themselves, and whose name they asked for in the sitting, on record."""
    sitting = doors.sitting(request, company)
    return frozenset({request.user.pk}) | (sitting.unmasked if sitting else frozenset())

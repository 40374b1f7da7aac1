"""What a person left outside of their own conversations, kind by kind: which rows, and what becomes of them.

Each pass goes by key, some hundred rows at a time, and may be done twice. Rows that stay are made to point at an
account without a name: the person's own, which loses it at the end, or one that was made for an erasure at one company.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext_noop

from conversations import histories
from conversations.erasing import names
from conversations.erasing.handled import READINGS, REFERENCES, Fate, Reference
from conversations.models import Erasure, Export, Feedback, Flag, Folder, Hold, Judgement, Reading

BATCH = 500
WITHOUT_REASON = "The reason went with the person who gave it."
REASONS = ((Reading, "reason"), (Export, "reason"), (Hold, "reason"), (Hold, "lifted_reason"))
NO_WORDS = "…"  # a search for nothing finds nothing, where one that was left out would find everything

Rows = QuerySet[Any, Any]


@dataclass(frozen=True, slots=True)
class Pass:
    """One kind of rows. What `act` does with some of them is no more than the receipt says by `stays`."""

    kind: str
    rows: Callable[[Erasure], Rows]
    act: Callable[[Erasure, Rows], object]
    stays: bool


def passes() -> tuple[Pass, ...]:
    """All of them, in their order: words first, then what pointed at who wrote them."""
    own = (
        Pass(gettext_noop("corrections and replies"), _judgements, _unsay, stays=False),
        Pass(gettext_noop("exports made"), _exports, _anonymous_exports, stays=True),
        Pass(
            gettext_noop("lines of readings by the person"), _of("reader_id"), _anonymous_reader, stays=True
        ),
        Pass(gettext_noop("lines of readings of the person"), _of("owner_id"), _anonymous_owner, stays=True),
        Pass(gettext_noop("holds placed or lifted"), _holds, _anonymous_holds, stays=True),
        *(_naming(model, field) for model, field in REASONS),
        Pass(
            gettext_noop("folders with nothing left in them"),
            _empty_folders,
            lambda _, rows: rows.delete(),
            stays=False,
        ),
        Pass(
            gettext_noop("entries in histories"),
            _log,
            lambda erasure, rows: rows.update(user=erasure.stand_in),
            stays=True,
        ),
    )
    return (*own, *(_by_table(column, each) for column, each in REFERENCES.items() if each.fate in _ACTS))


def do_next(erasure: Erasure, after: str) -> str | None:
    """Do a batch behind `after`, which names a pass and the last key; gives back where it came to, None at the end."""
    number, _, key = after.partition(" ")
    index = int(number or 0)
    all_passes = passes()
    if index >= len(all_passes):
        return None
    todo = all_passes[index]
    rows = todo.rows(erasure)
    ahead = rows.filter(pk__gt=key) if key else rows
    ids = list(ahead.order_by("pk").values_list("pk", flat=True)[:BATCH])
    if not ids:
        return f"{index + 1} "
    todo.act(erasure, models.QuerySet(rows.model).filter(pk__in=ids))
    tally = erasure.stays if todo.stays else erasure.gone
    tally[todo.kind] = tally.get(todo.kind, 0) + len(ids)
    return f"{index} {ids[-1]}"


def companies(erasure: Erasure) -> list[str]:
    """Where the person has or had a place, or left anything: asked before any of it goes."""
    if erasure.company_id is not None:
        return [str(erasure.company_id)]
    found: set[Any] = set(names.places(erasure.person).values_list("of__company", flat=True))
    ways = {column: each.company for column, each in REFERENCES.items() if each.company}
    for column, way in (ways | READINGS).items():
        label, _, field = column.rpartition(".")
        rows: Rows = models.QuerySet(apps.get_model(label)).filter(**{field: erasure.person_id})
        found |= set(rows.order_by().values_list(way, flat=True).distinct())
    return sorted(str(company) for company in found if company is not None)


def count(erasure: Erasure, most: int) -> dict[str, dict[str, int]]:
    """How many rows of each kind would go and stay, `most` at most."""
    found: dict[str, dict[str, int]] = {"gone": {}, "stays": {}}
    for todo in passes():
        if number := todo.rows(erasure)[:most].count():
            found["stays" if todo.stays else "gone"][todo.kind] = number
    return found


_ACTS: dict[Fate, Callable[[str], Callable[[Erasure, Rows], object]]] = {
    Fate.DELETED: lambda field: lambda erasure, rows: rows.delete(),
    Fate.CLEARED: lambda field: lambda erasure, rows: rows.update(**{field: None}),
    Fate.STAYS: lambda field: lambda erasure, rows: rows.update(**{field: erasure.stand_in}),
}


def _by_table(column: str, reference: Reference) -> Pass:
    label, _, field = column.rpartition(".")
    model = apps.get_model(label)

    def rows(erasure: Erasure) -> Rows:
        found: Rows = models.QuerySet(model).filter(**{field: erasure.person_id})
        if erasure.company_id is None:
            return found
        return found.filter(**{reference.company: erasure.company_id}) if reference.company else found.none()

    with translation.override("en"):  # receipts are the same in every language
        kind = reference.kind or str(model._meta.verbose_name_plural)
    return Pass(kind, rows, _ACTS[reference.fate](field), stays=reference.fate is not Fate.DELETED)


def _judgements(erasure: Erasure) -> Rows:
    found = Judgement.objects.filter(~Q(correction="") | ~Q(reply=""), review__reviewer=erasure.person_id)
    return found.filter(review__entry__company=erasure.company_id) if erasure.company_id else found


def _unsay(erasure: Erasure, rows: Rows) -> None:
    """Take the words out of judgements, and out of what the people were told of them. The grades stay."""
    for said in (Feedback, Flag):
        told = rows.filter(record__message=OuterRef("message"), reply=OuterRef("reply"))
        said.objects.filter(Exists(told)).exclude(reply="").update(reply="")
    rows.update(correction="", reply="")


def _exports(erasure: Erasure) -> Rows:
    found = Export.objects.filter(by=erasure.person_id)
    return found.filter(company=erasure.company_id) if erasure.company_id else found


def _anonymous_exports(erasure: Erasure, rows: Rows) -> None:
    searching = list(rows.filter(filters__has_key="text"))
    for export in searching:
        export.filters["text"] = NO_WORDS
    Export.objects.bulk_update(searching, ["filters"])
    rows.update(by=erasure.stand_in, by_name=erasure.pseudonym, reason=WITHOUT_REASON)


def _of(column: str) -> Callable[[Erasure], Rows]:
    def rows(erasure: Erasure) -> Rows:
        # Nobody else changes the record of readings, which its own query set refuses.
        found: Rows = models.QuerySet(Reading).filter(**{column: erasure.person_id})
        return found.filter(company=erasure.company_id) if erasure.company_id else found

    return rows


def _anonymous_reader(erasure: Erasure, rows: Rows) -> None:
    rows.update(reader_id=_stand_in(erasure), reader_name=erasure.pseudonym, reason=WITHOUT_REASON)


def _anonymous_owner(erasure: Erasure, rows: Rows) -> None:
    rows.update(owner_id=_stand_in(erasure), owner_name=erasure.pseudonym)


def _naming(model: type[models.Model], field: str) -> Pass:
    """The reasons that others gave, for reading the person's chats or for something else, and that name the person."""

    def rows(erasure: Erasure) -> Rows:
        named = [Q(**{f"{field}__icontains": name}) for name in names.of(erasure.person)]
        found: Rows = models.QuerySet(model).filter(company__in=erasure.companies)
        return found.filter(reduce(or_, named)) if named else found.none()

    def act(erasure: Erasure, found: Rows) -> None:
        put, most = names.scrub(erasure), getattr(model._meta.get_field(field), "max_length", None)
        named = list(found.only("pk", field))
        for row in named:
            setattr(row, field, put(getattr(row, field))[:most])
        models.QuerySet.bulk_update(models.QuerySet(model), named, [field])

    return Pass(gettext_noop("reasons of others that named the person"), rows, act, stays=True)


def _empty_folders(erasure: Erasure) -> Rows:
    """How somebody sorted chats that are all gone says something of them. Everywhere all folders go, further down."""
    mine = Folder.objects.filter(owner=erasure.person_id, conversations=None)
    return mine if erasure.company_id else mine.none()


def _holds(erasure: Erasure) -> Rows:
    found = Hold.objects.filter(Q(placed_by=erasure.person_id) | Q(lifted_by=erasure.person_id))
    return found.filter(company=erasure.company_id) if erasure.company_id else found


def _anonymous_holds(erasure: Erasure, rows: Rows) -> None:
    placed, lifted = rows.filter(placed_by=erasure.person_id), rows.filter(lifted_by=erasure.person_id)
    placed.update(reason=WITHOUT_REASON, placed_by=erasure.stand_in)
    lifted.update(lifted_reason=WITHOUT_REASON, lifted_by=erasure.stand_in)


def _log(erasure: Erasure) -> Rows:
    found = LogEntry.objects.filter(user=erasure.person_id)
    return found.filter(histories.of_companies([erasure.company_id])) if erasure.company_id else found


def _stand_in(erasure: Erasure) -> int:
    return erasure.stand_in_id or erasure.person_id

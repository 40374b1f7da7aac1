"""Finding answers of a company in its ledger: what can be asked, and the query that it becomes.

Callers have been through `access`, and show nobody's words without `reading.py`. Pages go by id, which grows with
the order in which answers ended: `page` costs the same wherever in the list it stands.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection
from django.db.models import Case, Q, QuerySet, Value, When
from django.utils import timezone

from conversations import search, words
from conversations.models import AnswerLabel, AnswerRecord, Company, EntryReason, PersonaVersion, QueueEntry

PAGE = 50
LAST = search.IMPORTED  # no id of the ledger is so high
RATINGS = ("good", "bad", "none")
# An answer is in the ledger seconds after its end, and in the order of the ends but for what several processes do at
# once. Hardly one is filed behind others that ended so much later, and never as many as are asked for a bound.
LATE = timedelta(days=1)
ASKED = 20

Unseen = QuerySet[QueueEntry] | None


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for; None where anything will do. Days are the site's, and `until` is the last one included.

    `unknown` names what was asked for in a way that nothing can be: then nothing is found, instead of everything.
    """

    text: str | None = None
    persona: uuid.UUID | None = None
    version: int | None = None
    model: str | None = None
    rating: str | None = None  # "good", "bad" or "none"
    verdict: int | None = None
    label: int | None = None
    rule: int | None = None
    finish: str | None = None
    error: str | None = None  # a kind, or "any"
    since: date | None = None
    until: date | None = None
    unknown: frozenset[str] = frozenset()

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filters:
        """The filters of an address's query."""
        read = cls._read(query)
        given = {name for name in cls.names() if query.get(name, "").strip()}
        return replace(read, unknown=frozenset(name for name in given if getattr(read, name) is None))

    @classmethod
    def names(cls) -> list[str]:
        """The parameters of an address that are filters."""
        return [name for name in cls.__slots__ if name != "unknown"]

    @classmethod
    def _read(cls, query: Mapping[str, str]) -> Filters:
        return cls(
            text=_text(query.get("text", "")),
            persona=_uuid(query.get("persona", "")),
            version=_number(query.get("version", "")),
            model=_text(query.get("model", "")),
            rating=_choice(query.get("rating", ""), RATINGS),
            verdict=_number(query.get("verdict", "")),
            label=_number(query.get("label", "")),
            rule=_number(query.get("rule", "")),
            finish=_text(query.get("finish", "")),
            error=_text(query.get("error", "")),
            since=_day(query.get("since", "")),
            until=_day(query.get("until", "")),
        )

    def as_query(self) -> dict[str, str]:
        """The same as parameters of an address, and for a manifest; only what is set."""
        return {name: str(value) for name in self.names() if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True)
class Page:
    """Ids of answers, the newest first, and where the list goes on: `before` an id, and `after` one."""

    ids: list[int]
    before: int | None
    after: int | None


def answers(company: Company, filters: Filters) -> QuerySet[AnswerRecord]:
    """The answers of `company` that `filters` let through, without trials, in no order yet: sort by id."""
    found = _ledger(company, filters)
    if filters.text is None:
        return found
    query = words.parse(filters.text)
    return found.filter(pk__in=search.subquery(_tags(company, filters), query)) if query else found.none()


def page(
    company: Company,
    filters: Filters,
    *,
    before: int | None = None,
    after: int | None = None,
    size: int = PAGE,
    unseen: Unseen = None,
) -> Page:
    """A page of `answers`: the newest, those `before` an id, or the nearest `after` one.

    By a verdict or a label no conversation is found that has an entry among `unseen`: who reads this is to judge it
    without knowing what was said of it.
    """
    forward = before is None and after is not None
    filters = _resolved(filters)
    above, below = _bounds(company, filters)
    above = max(above, after or 0) if forward else above
    below = min(below, before) if before is not None else below
    found = _ids(company, filters, above, below, oldest=forward, limit=size + 1, unseen=unseen)
    more, found = len(found) > size, found[:size]
    if forward:
        found.reverse()
    return Page(
        found,
        before=found[-1] if found and (more or forward) else None,
        after=(found[0] if found else below - 1) if (before is not None or (forward and more)) else None,
    )


def _ids(
    company: Company, filters: Filters, above: int, below: int, *, oldest: bool, limit: int, unseen: Unseen
) -> list[int]:
    ledger = _ledger(company, filters, unseen).filter(pk__gt=above, pk__lt=below)
    ledger = ledger.order_by(*(column if oldest else f"-{column}" for column in _order(filters)))
    if filters.text is None:
        return list(ledger.values_list("pk", flat=True)[:limit])
    tags, query = _tags(company, filters), words.parse(filters.text)
    if not query or filters.unknown:
        return []
    changing = replace(filters, persona=None, version=None, model=None, finish=None, error=None)
    if changing == Filters(text=filters.text):
        return search.ids(tags, query, above=above, below=below, oldest=oldest, limit=limit)
    also, found = _ledger(company, changing, unseen), list[int]()
    if filters.rating in {"good", "bad"} or any(
        (filters.verdict, filters.label, filters.rule)
    ):  # which few have
        size = search.looked_up_at_once()
        few = list(ledger.values_list("pk", flat=True)[:size])
        if len(few) < size or connection.vendor == "postgresql":
            found = search.among(few, tags, query)[:limit]
            if len(few) < size or len(found) == limit:
                return found
            above, below = (few[-1], below) if oldest else (above, few[-1])
    return found + search.ids(
        tags, query, above=above, below=below, oldest=oldest, limit=limit - len(found), also=also
    )


_TAGS = ("persona", "version", "model", "finish", "error")  # what the index of words knows of an answer too


def _tags(company: Company, filters: Filters) -> list[str]:
    asked = {name: value for name in _TAGS if (value := getattr(filters, name)) is not None}
    if asked.get("error") == "any":
        asked["error"] = ""
    return [search.tag("company", company.pk), *(search.tag(name, value) for name, value in asked.items())]


def _ledger(company: Company, filters: Filters, unseen: Unseen = None) -> QuerySet[AnswerRecord]:
    """What of `filters` the ledger knows: all but words."""
    found = AnswerRecord.objects.filter(company=company, trial=False)
    if filters.unknown:
        return found.none()
    if filters.label is not None:
        found = found.filter(pk__in=AnswerLabel.objects.filter(label=filters.label).values("record"))
    if filters.rule is not None:
        found = found.filter(pk__in=EntryReason.objects.filter(rule=filters.rule).values("record"))
    if unseen is not None and (filters.verdict, filters.label) != (None, None):
        found = found.exclude(conversation__in=unseen.filter(company=company).values("conversation"))
    leads = filters.label is None and filters.rule is None
    for condition in _conditions(filters):
        found = found.filter(condition if leads or connection.vendor != "sqlite" else _unindexed(condition))
        leads = False
    if filters.since:
        found = found.filter(ended_at__gte=_midnight(filters.since))
    if filters.until:
        found = found.filter(ended_at__lt=_midnight(filters.until + timedelta(days=1)))
    return found


def _conditions(filters: Filters) -> Iterator[Q]:
    """What is asked of a record's own columns, from what few have to what many have."""
    if filters.error is not None:
        yield Q(error_kind__isnull=False) if filters.error == "any" else Q(error_kind=filters.error)
    if filters.rating in {"good", "bad"}:
        yield Q(
            good__in=[filters.rating == "good"]
        )  # by itself a boolean is no comparison that takes an index
    if filters.verdict is not None:
        yield Q(verdict=filters.verdict)
    if filters.version is not None:
        yield _one("version", filters.version)
    if filters.finish is not None:
        yield Q(finish_reason=filters.finish)
    if filters.model is not None:
        yield _one("model", filters.model)
    if filters.persona is not None:
        yield Q(persona=filters.persona)
    if filters.rating == "none":
        yield Q(good__isnull=True)


def _order(filters: Filters) -> list[str]:
    """By id, in which that of one version or model is the order of an index too; see `_one`."""
    if connection.vendor == "postgresql" and filters.version is not None:
        return ["version_id", "pk"]
    if connection.vendor == "postgresql" and filters.model is not None:
        return ["company_id", "model", "pk"]
    return ["pk"]


def _one(column: str, value: object) -> Q:
    """The rows of one version or model, of which there are none for months.

    PostgreSQL takes them for evenly spread, and would walk those months by id. To it this is a range, within which only
    the column's own index has the order that is asked for.
    """
    if connection.vendor == "postgresql":
        return Q(**{f"{column}__gte": value, f"{column}__lte": value})
    return Q(**{column: value})


def _unindexed(condition: Q) -> Case:
    """The same, for which SQLite takes no index: without statistics it would choose between several by chance."""
    return Case(When(condition, then=Value(True)), default=Value(False))


def _resolved(filters: Filters) -> Filters:
    """With what persona, version and model say together of the version: each alone may be of every second answer."""
    asked = {"persona": filters.persona, "pk": filters.version, "model": filters.model}
    given = {name: value for name, value in asked.items() if value is not None}
    if len(given) < 2:
        return filters
    fitting = PersonaVersion.objects.filter(**given).values_list("pk", flat=True)[:2]
    if not fitting:
        return replace(filters, unknown=frozenset(given))
    return replace(filters, persona=None, model=None, version=fitting[0]) if len(fitting) == 1 else filters


def _bounds(company: Company, filters: Filters) -> tuple[int, int]:
    """Ids between which all answers of the asked days lie, by the index of times."""
    ended = AnswerRecord.objects.filter(company=company).values_list("pk", flat=True)
    above: Iterable[int] = ()
    below: Iterable[int] = ()
    if filters.since:
        early = ended.filter(ended_at__lt=_midnight(filters.since) - LATE)
        above = early.order_by("-ended_at")[:ASKED]
    if filters.until:
        late = ended.filter(ended_at__gt=_midnight(filters.until + timedelta(days=1)) + LATE)
        below = late.order_by("ended_at")[:ASKED]
    return min(above, default=0), max(below, default=LAST)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min)).astimezone(UTC)


def _text(value: str) -> str | None:
    return value.replace("\0", "").strip()[:200] or None


def _choice(value: str, among: Collection[str]) -> str | None:
    return value if value in among else None


def _number(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None


def _uuid(value: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(value)
    except ValueError:
        return None


def _day(value: str) -> date | None:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return day if 1970 <= day.year <= 9998 else None

"""What a company used in a span of days: answers, people, tokens, waiting, failures and ratings, by what is asked.

Reads the ledger alone, so nobody's words. One query gives a line for each day and version, with the waiting times and
the people as lists of numbers in it; they are counted here. Figures of one line cannot be added up to those of several
where people or percentiles are concerned, which is why the lists are needed. Percentiles are exact to the millisecond,
and memory grows with how many different ones there are, not with the answers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import accumulate, groupby
from math import ceil
from typing import Any

from django.db.models import Aggregate, Case, Count, F, Q, QuerySet, Sum, TextField, When
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from conversations.models import AnswerRecord, Company, Generation, PersonaVersion

TOKENS_IN = Coalesce("prompt_tokens", "estimated_prompt")  # as budgets count them
AMOUNTS = {
    "tokens_in": TOKENS_IN,
    "tokens_out": Coalesce("completion_tokens", "estimated_completion"),
    "money": F("cost"),
}
MAX_DAYS = 366
BY_WEEK = 92  # days, beyond which a span is looked at by weeks
EARLIEST = date(2000, 1, 1)

FAILED = (Generation.Status.FAILED, Generation.Status.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class Span:
    """From the beginning of `first` to the end of `last`, in days of the site's time zone."""

    first: date
    last: date

    @classmethod
    def until_today(cls, days: int) -> Span:
        """The last so many days, of which today is one."""
        today = timezone.localdate(timezone=timezone.get_default_timezone())
        return cls(today - timedelta(days=days - 1), today)

    @property
    def days(self) -> list[date]:
        """All of them, those without an answer too."""
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    @property
    def is_long(self) -> bool:
        """Whether it is looked at by weeks: a day's rates say little where there are so many of them."""
        return (self.last - self.first).days >= BY_WEEK

    @property
    def weeks(self) -> list[date]:
        """The first days of its weeks, the last of which ends with it; the first one may be shorter."""
        starts = [self.last - timedelta(days=n) for n in range(6, (self.last - self.first).days + 7, 7)]
        return [max(start, self.first) for start in reversed(starts)]

    def week_of(self, day: date) -> date:
        """The first day of the week that `day` is in."""
        return max(day - timedelta(days=6 - (self.last - day).days % 7), self.first)

    def bounds(self) -> tuple[datetime, datetime]:
        """The moment of the beginning, and the one before which it ends."""
        return _midnight(self.first), _midnight(self.last + timedelta(days=1))


@dataclass(slots=True)
class Figures:
    """What was used, of a day, a persona, whatever. Trials are among the answers; they are nobody's."""

    answers: int = 0
    trials: int = 0
    failed: int = 0
    cut: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    money: int = 0  # millionths of the currency, of the answers whose price is known
    unpriced: int = 0  # answers whose tokens are known and whose price is not
    estimated: int = 0  # answers whose tokens are estimates: the provider reported none
    rated_good: int = 0
    rated_bad: int = 0
    people: int = 0
    first_token_p50: int | None = None
    first_token_p95: int | None = None

    @property
    def failure_rate(self) -> float | None:
        """Of all answers, how many failed or were interrupted; from 0 to 1."""
        return self.failed / self.answers if self.answers else None

    @property
    def rating(self) -> float | None:
        """Of the rated answers, how many are good; from 0 to 1."""
        rated = self.rated_good + self.rated_bad
        return self.rated_good / rated if rated else None


@dataclass(frozen=True, slots=True)
class Line:
    """The figures of one day, persona, version, model or company."""

    what: Any
    figures: Figures


@dataclass(frozen=True, slots=True)
class Usage:
    """A span, whole and by each of its parts. Days and weeks run forward, without gaps; the rest from the most on."""

    span: Span
    total: Figures
    days: list[Line]
    weeks: list[Line]  # only of a long span
    companies: list[Line]
    personas: list[Line]
    versions: list[Line]
    models: list[Line]


def of_company(company: Company, span: Span) -> Usage:
    """What one company used."""
    return _usage(Company.objects.filter(pk=company.pk), span)


def of_all(span: Span) -> Usage:
    """What all companies used. For operators."""
    return _usage(Company.objects.all(), span)


def percentiles(counts: Mapping[int, int], *shares: float) -> list[int | None]:
    """Of values and how often each is there: for each share, the smallest value that no fewer than that share of all
    are at or below (the nearest rank)."""
    if not counts:
        return [None for _ in shares]
    values = sorted(counts)
    ranks = list(accumulate(counts[value] for value in values))
    return [values[bisect_left(ranks, ceil(round(share * ranks[-1], 6)))] for share in shares]


def _usage(companies: QuerySet[Company], span: Span) -> Usage:
    """Fold the lines of the query, a day at a time, into tallies by version and model; and those into the rest."""
    by_day: dict[date, Figures] = {}
    by_week: dict[date, _Tally] = {}
    parts: dict[tuple[int, str], _Tally] = {}
    for day, rows in groupby(_lines(companies, span), key=lambda row: row["day"]):
        tally = _Tally()
        for row in rows:
            part = parts.setdefault((row["of"], row["asked"]), _Tally())
            tally.add_row(row, into=part)
        by_day[day] = tally.figures()
        if span.is_long:
            by_week.setdefault(span.week_of(day), _Tally()).add(tally)
    versions = PersonaVersion.objects.select_related("persona__company").in_bulk({pk for pk, _ in parts})
    rows_of = [(versions[pk], model, tally) for (pk, model), tally in parts.items()]
    total = _Tally()
    for tally in parts.values():
        total.add(tally)
    return Usage(
        span=span,
        total=total.figures(),
        days=[Line(day, by_day.get(day, Figures())) for day in span.days],
        weeks=[Line(week, by_week.get(week, _Tally()).figures()) for week in span.weeks if span.is_long],
        companies=_by((version.persona.company, tally) for version, _, tally in rows_of),
        personas=_by((version.persona, tally) for version, _, tally in rows_of),
        # Each saved draft is a row of its own, and all of a persona's are one line.
        versions=_by(((version.persona, version.number), tally) for version, _, tally in rows_of),
        models=_by((model, tally) for _, model, tally in rows_of),
    )


def _lines(companies: QuerySet[Company], span: Span) -> Iterator[Mapping[str, Any]]:
    """A line for each day, version and model. One range of the index by company and time for each company."""
    begin, end = span.bounds()
    records = AnswerRecord.objects.filter(company__in=companies, ended_at__gte=begin, ended_at__lt=end)
    lines = (
        records.annotate(day=_LocalDay("ended_at", span), of=F("version_id"), asked=F("model"))
        .values("day", "of", "asked")  # annotations all, as it is grouped in their order, and so sorted once
        .annotate(
            answers=Count("pk"),
            trials=Count("pk", filter=Q(trial=True)),
            failed=Count("pk", filter=Q(status__in=FAILED)),
            cut=Count("pk", filter=Q(finish_reason="length")),
            **{name: Sum(amount, default=0) for name, amount in AMOUNTS.items()},
            unpriced=Count(TOKENS_IN, filter=Q(cost=None)),
            estimated=Count("estimated_prompt"),
            rated_good=Count("pk", filter=Q(good=True)),
            rated_bad=Count("pk", filter=Q(good=False)),
            waits=_Listed(F("first_token_ms")),
            people=_Listed(Case(When(trial=False, then="person_id"))),  # who tries a version is none of them
        )
        .order_by("day", "of", "asked")
    )
    yield from lines.iterator(chunk_size=500)


SUMS = ("answers", "trials", "failed", "cut", *AMOUNTS, "unpriced", "estimated", "rated_good", "rated_bad")


@dataclass(slots=True)
class _Tally:
    """What figures are made of, to be added up. Milliseconds and people are left as the digits that came."""

    sums: Counter[str] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)
    people: set[str] = field(default_factory=set)

    def add_row(self, row: Mapping[str, Any], *, into: _Tally) -> None:
        """Add a line of the query to this tally and to another. Counting a list is several times as quick as adding
        up counts, and this is where the time goes."""
        waits = row["waits"].split(",") if row["waits"] else []
        people = set(row["people"].split(",")) if row["people"] else set()
        for tally in (self, into):
            for name in SUMS:
                tally.sums[name] += row[name]
            tally.waits.update(waits)
            tally.people |= people

    def add(self, other: _Tally) -> None:
        self.sums.update(other.sums)
        self.waits.update(other.waits)
        self.people |= other.people

    def figures(self) -> Figures:
        p50, p95 = percentiles({int(wait): count for wait, count in self.waits.items()}, 0.5, 0.95)
        sums = {name: self.sums[name] for name in SUMS}
        return Figures(**sums, people=len(self.people), first_token_p50=p50, first_token_p95=p95)


def _by(pairs: Iterable[tuple[Any, _Tally]]) -> list[Line]:
    """The tallies that are of the same, put together."""
    found: dict[Any, _Tally] = {}
    for what, tally in pairs:
        found.setdefault(what, _Tally()).add(tally)
    lines = [Line(what, tally.figures()) for what, tally in found.items()]
    return sorted(lines, key=lambda line: -line.figures.answers)


class _Listed(Aggregate):
    """All values of a column but nulls, as one text with commas."""

    function = "GROUP_CONCAT"
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        template = "STRING_AGG((%(expressions)s)::text, ',')"
        return self.as_sql(compiler, connection, template=template, **more)


class _LocalDay(TruncDate):
    """The day of the site's time zone. On SQLite by its own functions: Django's calls Python for every row."""

    def __init__(self, expression: str, span: Span) -> None:
        self.span = span
        super().__init__(expression, tzinfo=timezone.get_default_timezone())

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        column, parameters = compiler.compile(self.lhs)

        def day(offset: int) -> str:
            """Without fractions of a second, which SQLite would round up, into the next day at the end of one."""
            return (
                f"DATE(SUBSTR({column}, 1, 19), '{offset:+d} seconds')"
                if offset
                else f"SUBSTR({column}, 1, 10)"
            )

        *changes, (_, last) = _offsets(self.span)
        sql = day(last)
        for until, offset in reversed(changes):
            sql = f"CASE WHEN {column} < '{until:%Y-%m-%d %H:%M:%S}' THEN {day(offset)} ELSE {sql} END"
        return sql, parameters * (2 * len(changes) + 1)


def _offsets(span: Span) -> list[tuple[datetime, int]]:
    """The offsets from UTC in force in a span, in seconds, each with the moment that it ends."""
    zone = timezone.get_default_timezone()
    moment, end = span.bounds()
    found: list[tuple[datetime, int]] = []
    while moment < end:
        following = min(moment + timedelta(hours=12), end)
        if _offset(moment, zone) != _offset(following, zone):
            low, high = moment, following
            while high - low > timedelta(seconds=1):
                middle = (low + (high - low) / 2).replace(microsecond=0)
                low, high = (middle, high) if _offset(middle, zone) == _offset(low, zone) else (low, middle)
            found.append((high, _offset(moment, zone)))
        moment = following
    return [*found, (end, _offset(end - timedelta(seconds=1), zone))]


def _offset(moment: datetime, zone: tzinfo) -> int:
    offset = moment.astimezone(zone).utcoffset() or timedelta()
    return int(offset.total_seconds())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.get_default_timezone()).astimezone(UTC)

"""Finding answers of a company in its ledger: what can be asked, and the query that it becomes.

Callers have been through `access.py`, and show nobody's words without `reading.py`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from conversations.models import AnswerRecord, Company


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for; None where anything will do. Days are the site's, and `until` is the last one included."""

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

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filters:
        """The filters of an address's query. What makes no sense is left out."""
        return cls(
            persona=_uuid(query.get("persona", "")),
            version=_number(query.get("version", "")),
            model=_text(query.get("model", "")),
            rating=_text(query.get("rating", "")),
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
        return {name: str(value) for name in self.__slots__ if (value := getattr(self, name)) is not None}


def answers(company: Company, filters: Filters) -> QuerySet[AnswerRecord]:
    """The answers of `company` that `filters` let through, without trials, in no order yet: sort by id."""
    found = AnswerRecord.objects.filter(company=company, trial=False)
    plain = {
        "persona": filters.persona,
        "version": filters.version,
        "model": filters.model,
        "verdict": filters.verdict,
        "labels__label": filters.label,
        "reasons__rule": filters.rule,
        "finish_reason": filters.finish,
    }
    found = found.filter(**{name: value for name, value in plain.items() if value is not None})
    if filters.rating in {"good", "bad"}:
        found = found.filter(good=filters.rating == "good")
    elif filters.rating == "none":
        found = found.filter(good__isnull=True)
    if filters.error == "any":
        found = found.filter(error_kind__isnull=False)
    elif filters.error:
        found = found.filter(error_kind=filters.error)
    if filters.since:
        found = found.filter(ended_at__gte=_midnight(filters.since))
    if filters.until:
        found = found.filter(ended_at__lt=_midnight(filters.until + timedelta(days=1)))
    return found


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min)).astimezone(UTC)


def _text(value: str) -> str | None:
    return value.replace("\0", "").strip()[:200] or None


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

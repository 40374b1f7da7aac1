"""A year of answers as a company might have them, for the pictures of its figures. Run inside `manage.py shell`."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from conversations.models import AnswerRecord, Generation, Persona, PersonaVersion

DAYS = 365
PEOPLE = 60


def fill() -> None:
    """More from month to month, few at weekends, and one bad day of the provider's."""
    dice = random.Random(7)
    User.objects.bulk_create(User(username=f"colleague{number}") for number in range(PEOPLE))
    people = list(User.objects.filter(username__startswith="colleague").values_list("pk", flat=True))
    now = timezone.now()
    for persona in Persona.objects.select_related("current"):
        old = persona.current
        assert old is not None
        new = PersonaVersion.objects.create(
            persona=persona, number=2, system_prompt="Keep it short.", endpoint=old.endpoint, model=old.model
        )
        share = {"Coca Cola guide": 30, "Coca Cola historian": 9}.get(persona.name, 3)
        AnswerRecord.objects.bulk_create(
            record
            for ago in range(DAYS)
            for record in _a_day(
                dice, old if ago > 18 else new, people, now - timedelta(days=ago), ago, share
            )
        )


def _a_day(
    dice: random.Random, version: PersonaVersion, people: list[int], day: datetime, ago: int, share: int
) -> Iterator[AnswerRecord]:
    weekend = day.weekday() > 4
    most = share * (0.15 if weekend else 1) * (1.4 - ago / DAYS)
    for _ in range(round(dice.uniform(0.6, 1) * most)):
        failed = dice.random() < (0.3 if ago == 11 else 0.015)
        trial = dice.random() < 0.03
        rated = dice.random() < 0.15 and not trial
        yield AnswerRecord(
            company_id=version.persona.company_id,
            persona_id=version.persona_id,
            version=version,
            person_id=None if trial else people[int(PEOPLE * dice.random() ** 2)],
            trial=trial,
            model=version.model,
            status=Generation.Status.FAILED if failed else Generation.Status.DONE,
            finish_reason="" if failed else "length" if dice.random() < 0.06 else "stop",
            error_kind="unavailable" if failed else None,
            prompt_tokens=dice.randint(200, 4_000),
            completion_tokens=None if failed else dice.randint(20, 700),
            first_token_ms=None if failed else int(dice.lognormvariate(6.4 if ago > 18 else 6.1, 0.5)),
            ended_at=day.replace(microsecond=0) - timedelta(minutes=dice.randrange(300)),
            good=dice.random() < (0.78 if ago > 18 else 0.9) if rated else None,
        )

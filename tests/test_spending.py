"""The ledger under any sequence of what can happen: what is held is that of the answers that run, what is spent that
of the others."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import models, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations import personas, posting, providers, spending
from conversations.generation import store
from conversations.models import Budget, Charge, Generation
from conversations.posting import Refused
from conversations.providers.parameters import LONGEST
from tests.conftest import Cast
from tests.test_budgets import budget, price
from tests.test_posting import start

Status = Generation.Status
FIRST = date(2026, 1, 29)

EVENTS = st.one_of(
    st.tuples(
        st.just("ask"), st.sampled_from(["guide", "historian"]), st.sampled_from(["member", "member2"])
    ),
    st.tuples(st.just("end"), st.integers(0, 9), st.integers(0, 5_000)),
    st.tuples(st.just("fail"), st.integers(0, 9)),
    st.tuples(st.just("stop"), st.integers(0, 9)),
    st.tuples(st.just("delete"), st.integers(0, 9)),
    st.tuples(st.just("sweep")),
    st.tuples(st.just("settle lost")),
    st.tuples(st.just("midnight")),
    st.tuples(st.just("budget"), st.sampled_from(["persona", "person"])),
)


class Ledger:
    """What happens to a company, one thing after the other."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.leases: dict[uuid.UUID, tuple[posting.Turn, uuid.UUID]] = {}
        self.day = FIRST

    def do(self, what: str, *facts: Any) -> None:
        if what == "ask":
            self.ask(*facts)
        elif what == "budget":
            owner = {"persona": self.cast.guide} if facts[0] == "persona" else {"person": self.cast.member}
            if not Budget.objects.filter(**owner).exists():
                budget(self.cast.coca_cola, 60_000, **owner)
        elif what == "midnight":
            self.day += timedelta(days=1)
        elif what == "sweep":
            store.sweep(store.beats())
        elif what == "settle lost":
            spending.settle_lost(alone=True)
        elif self.leases:
            turn, lease = list(self.leases.values())[facts[0] % len(self.leases)]
            self.end(what, turn, lease, *facts[1:])

    def ask(self, persona: str, person: str) -> None:
        owner = getattr(self.cast, person)
        try:
            turn = posting.start(owner, getattr(self.cast, persona), "hello", client_id=uuid.uuid4())
        except Refused as refusal:
            if refusal.limit != "budget":
                raise
            return
        lease = uuid.uuid4()
        store.claim(turn.generation, lease)
        self.leases[turn.generation.pk] = turn, lease

    def end(self, what: str, turn: posting.Turn, lease: uuid.UUID, tokens: int = 0) -> None:
        """Any number of times: of all ends the first counts."""
        if what == "delete":
            Generation.objects.filter(pk=turn.generation.pk).delete()
            return
        status = {"end": Status.DONE, "fail": Status.FAILED, "stop": Status.STOPPED}[what]
        usage = providers.UsageReport(tokens, tokens) if what == "end" else None
        store.finish(turn.generation.pk, lease, store.Outcome(status, "", usage=usage, prompt_estimate=30))


def expected(of: Budget) -> tuple[int, int]:
    """What is spent and held, added up charge by charge."""
    spent = reserved = 0
    for charge in Charge.objects.filter(company=of.company_id, day__gte=of.began):
        if of.persona_id not in (None, charge.persona_id) or of.person_id not in (None, charge.person_id):
            continue
        money = of.unit == Budget.Unit.MONEY
        if charge.settled_at is None:
            reserved += (charge.reserved_money or 0) if money else charge.reserved_tokens
        else:
            spent += (charge.money or 0) if money else charge.tokens
    return spent, reserved


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EVENTS, max_size=25))
def test_what_is_held_and_spent_is_what_the_ledger_says(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, events: list[tuple[Any, ...]]
) -> None:
    with transaction.atomic():
        ledger = Ledger(cast)
        monkeypatch.setattr(spending, "today", lambda: ledger.day)
        price(cast.guide)
        budget(cast.coca_cola, 200_000)
        budget(cast.coca_cola, None, soft=1, unit=Budget.Unit.MONEY, period=Budget.Period.DAY)
        for event in events:
            ledger.do(*event)
            for each in Budget.objects.all():
                assert (each.spent, each.reserved) == expected(each), event
                assert each.reserved >= 0
        live = Generation.objects.live().values_list("pk", flat=True)
        spending.settle_lost(alone=True)
        assert set(Charge.objects.filter(settled_at=None).values_list("pk", flat=True)) == set(live)
        transaction.set_rollback(True)


def test_no_length_is_more_than_a_database_can_add_up(cast: Cast) -> None:
    """Versions are checked now; older ones may say anything that fitted a column."""
    version = cast.guide.current
    assert version is not None
    rows: Any = models.QuerySet(type(version))
    rows.filter(pk=version.pk).update(max_tokens=2**31 - 1)
    version.refresh_from_db()
    assert "max_tokens" in personas.problems(version)
    rows.filter(pk=version.pk).update(context_length=2**31 - 1)
    version.refresh_from_db()
    assert "context_length" in personas.problems(version)
    turn = start(cast)
    charge = Charge.objects.get(pk=turn.generation.pk)
    assert charge.reserved_completion == LONGEST
    assert store.sweep_all() == 1

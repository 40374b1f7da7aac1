"""Every answer is reserved before it is asked for and settled when it ends, once, whatever happens to it meanwhile."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from conversations import budgets, estimates, filing, generation, posting, providers, spending
from conversations.database import in_database
from conversations.generation import keeper, store
from conversations.generation.runner import RUNS
from conversations.generation.sweeping import Watch
from conversations.models import (
    AnswerRecord,
    Budget,
    Charge,
    Company,
    Conversation,
    Generation,
    Persona,
    Price,
)
from conversations.posting import Refused
from conversations.providers.recorded import RecordedUpstream, Script
from tests.conftest import Cast
from tests.races import at_once
from tests.test_generation import begin, ended, until
from tests.test_posting import reload
from tests.test_titles import titled

Status = Generation.Status
Unit, Period = Budget.Unit, Budget.Period
PRICES = {"prompt": Decimal("2"), "completion": Decimal("6")}  # a million tokens
USAGE = providers.UsageReport(prompt_tokens=12, completion_tokens=30)
ANSWER = 100  # tokens: the longest answer of the guide


def budget(
    company: Company,
    hard: int | None = 1_000_000,
    *,
    unit: str = Unit.TOKENS,
    period: str = Period.MONTH,
    **facts: Any,
) -> Budget:
    made = Budget(company=company, hard=hard, unit=unit, period=period, **facts)
    budgets.save(made)
    return made


def price(persona: Persona, **prices: Decimal) -> Price:
    assert persona.current is not None
    facts = {"endpoint": persona.current.endpoint, "model": persona.current.model}
    return Price.objects.create(**facts, **(prices or PRICES))


def owner(cast: Cast, whose: str) -> dict[str, Any]:
    """What makes a budget that of the company, a persona or a person."""
    owners: dict[str, dict[str, Any]] = {
        "company": {},
        "persona": {"persona": cast.guide},
        "person": {"person": cast.member},
    }
    return owners[whose]


def ask(
    cast: Cast, text: str = "What is Coca Cola?", *, by: User | None = None, persona: Persona | None = None
) -> posting.Turn:
    return posting.start(by or cast.member, persona or cast.guide, text, client_id=uuid.uuid4())


def finish(
    turn: posting.Turn, status: Generation.Status = Status.DONE, text: str = "An answer.", **facts: Any
) -> bool:
    lease = uuid.uuid4()
    job = store.claim(turn.generation, lease)
    assert job is not None
    facts = {"prompt_estimate": job.prompt_estimate} | facts
    return store.finish(turn.generation.pk, lease, store.Outcome(status, text, **facts))


def charge(turn: posting.Turn) -> Charge:
    return Charge.objects.get(pk=turn.generation.pk)


def figures(of: Budget) -> tuple[int, int]:
    """What is spent and what is held."""
    of.refresh_from_db()
    return of.spent, of.reserved


def outcome(send: Callable[[], object]) -> int:
    try:
        send()
    except Refused as refusal:
        return refusal.status
    return 200


# -- Reserving and settling -------------------------------------------------------------------------


def test_an_answer_is_reserved_with_its_turn_and_settled_with_its_end(cast: Cast) -> None:
    price(cast.guide)
    tokens, money = budget(cast.coca_cola), budget(cast.coca_cola, unit=Unit.MONEY)
    turn = ask(cast)
    held = charge(turn)
    assert (held.settled_at, held.money, held.reserved_completion) == (None, None, ANSWER)
    assert held.reserved_prompt >= estimates.estimated_tokens("What is Coca Cola?")
    assert held.reserved_money == 2 * held.reserved_prompt + 6 * held.reserved_completion
    assert figures(tokens) == (0, held.reserved_tokens)
    assert figures(money) == (0, held.reserved_money)
    assert finish(turn, usage=USAGE)
    settled = charge(turn)
    assert (settled.prompt_tokens, settled.completion_tokens, settled.estimated) == (12, 30, False)
    assert settled.money == 2 * 12 + 6 * 30
    assert (figures(tokens), figures(money)) == ((42, 0), (204, 0))


def test_every_budget_that_an_answer_counts_in_is_counted_and_no_other(cast: Cast) -> None:
    counting = [
        budget(cast.coca_cola),
        budget(cast.coca_cola, period=Period.DAY),
        budget(cast.coca_cola, persona=cast.guide),
        budget(cast.coca_cola, person=cast.member),
    ]
    others = [
        budget(cast.coca_cola, persona=cast.historian),
        budget(cast.coca_cola, person=cast.member2),
        budget(cast.globex),
        budget(cast.globex, person=cast.member),
    ]
    turn = ask(cast)
    assert {figures(each) for each in counting} == {(0, charge(turn).reserved_tokens)}
    finish(turn, usage=USAGE)
    assert {figures(each) for each in counting} == {(42, 0)}
    assert {figures(each) for each in others} == {(0, 0)}


def test_what_the_provider_bills_counts_before_what_it_counted(cast: Cast) -> None:
    turn = ask(cast)
    finish(turn, usage=providers.UsageReport(700, 90, billed_prompt_tokens=12, billed_completion_tokens=30))
    assert (charge(turn).prompt_tokens, charge(turn).completion_tokens) == (12, 30)


def test_without_a_report_an_estimate_is_settled_which_says_so(cast: Cast) -> None:
    turn = ask(cast)
    finish(turn, Status.STOPPED, "abc" * 100, reasoning="hm " * 50)
    settled = charge(turn)
    assert settled.estimated
    assert settled.completion_tokens == estimates.estimated_tokens("abc" * 100 + "hm " * 50)
    sent = ("You are an assistant for the company Coca Cola", "What is Coca Cola?")
    assert settled.prompt_tokens == sum(map(estimates.estimated_tokens, sent))


@pytest.mark.parametrize(
    ("status", "text", "spends"),
    [
        (Status.FAILED, "", False),  # refused, or not reached: nothing is billed
        (Status.FAILED, "half", True),
        (Status.STOPPED, "", True),  # the call was made
        (Status.INTERRUPTED, "", True),
    ],
)
def test_what_ends_before_its_first_word(
    cast: Cast, status: Generation.Status, text: str, spends: bool
) -> None:
    whole = budget(cast.coca_cola)
    turn = ask(cast)
    finish(turn, status, text)
    spent, reserved = figures(whole)
    assert (spent > 0, reserved) == (spends, 0)
    assert charge(turn).estimated is spends


def test_stopped_before_anybody_asked_nothing_is_spent(cast: Cast) -> None:
    whole = budget(cast.coca_cola)
    turn = ask(cast)
    store.request_stop(turn.conversation.pk)
    assert figures(whole) == (0, 0)
    assert charge(turn).settled_at is not None


def test_a_continued_answer_is_charged_for_what_it_adds(cast: Cast) -> None:
    first = ask(cast)
    finish(first, text="It is a " * 30, finish_reason="length", usage=USAGE)
    turn = posting.continue_(cast.member, reload(first.answer), client_id=uuid.uuid4())
    assert charge(turn).reserved_prompt >= estimates.estimated_tokens("It is a " * 30)
    finish(turn, Status.STOPPED, "It is a " * 30 + "drink", inherited_chars=len("It is a " * 30))
    assert charge(turn).completion_tokens == estimates.estimated_tokens("drink")


def test_regenerating_and_trying_count(cast: Cast) -> None:
    whole, own = budget(cast.coca_cola), budget(cast.coca_cola, person=cast.manager)
    first = ask(cast)
    finish(first, usage=USAGE)
    finish(posting.regenerate(cast.member, reload(first.answer), client_id=uuid.uuid4()), usage=USAGE)
    assert figures(whole) == (84, 0)
    assert cast.guide.current is not None
    finish(posting.try_(cast.manager, cast.guide.current, "Try", client_id=uuid.uuid4()), usage=USAGE)
    assert (figures(whole), figures(own)) == ((126, 0), (42, 0))


def test_the_same_request_twice_is_one_charge(cast: Cast) -> None:
    whole, client_id = budget(cast.coca_cola), uuid.uuid4()
    for _ in range(3):
        turn = posting.start(cast.member, cast.guide, "hello", client_id=client_id)
    assert figures(whole) == (0, charge(turn).reserved_tokens)
    assert Charge.objects.count() == 1


async def test_an_answer_of_a_provider_is_settled_by_its_report(
    live_cast: Cast, running: RecordedUpstream
) -> None:
    """Through the runner, with a refusal before that is retried: one charge, of what the answer reported."""
    running.scripts.append(Script(status=503, headers={"Retry-After": "0"}))
    whole = await in_database(budget, live_cast.coca_cola)
    turn = await begin(live_cast)
    answer = await ended(turn)
    assert len(running.log.requests) == 2
    assert answer.status == Status.DONE
    settled = await in_database(charge, turn)
    assert (settled.prompt_tokens, settled.completion_tokens) == (
        answer.prompt_tokens,
        answer.completion_tokens,
    )
    assert settled.completion_tokens
    await titled()
    title = await in_database(Charge.objects.get, pk=turn.conversation.pk)
    assert await in_database(figures, whole) == (settled.tokens + title.tokens, 0)


@pytest.mark.parametrize("tokens", [0, 5])
async def test_a_stopped_answer_is_settled_by_an_estimate(
    live_cast: Cast, running: RecordedUpstream, tokens: int
) -> None:
    running.scripts.append(Script(pieces=("some ",) * 20, hang_after=tokens))
    turn = await begin(live_cast)
    assert await running.log.arrived(1)
    if tokens:
        await until(turn, lambda text: text == "some " * tokens)
    await generation.stop(turn.conversation.pk)
    settled = await in_database(charge, turn)
    assert settled.estimated
    assert settled.prompt_tokens
    assert settled.completion_tokens == (estimates.estimated_tokens("some " * tokens) if tokens else 0)


async def test_an_answer_deleted_while_it_runs_is_settled_all_the_same(
    live_cast: Cast, running: RecordedUpstream
) -> None:
    running.scripts.append(Script(pieces=("some ",) * 20, hang_after=5))
    whole = await in_database(budget, live_cast.coca_cola)
    turn = await begin(live_cast)
    await until(turn, lambda text: text == "some " * 5)
    task = RUNS[turn.generation.pk].task
    await in_database(turn.conversation.delete)
    await keeper.save()
    await task
    settled = await in_database(charge, turn)
    assert settled.settled_at is not None
    assert settled.completion_tokens == estimates.estimated_tokens("some " * 5)
    assert await in_database(figures, whole) == (settled.tokens, 0)


# -- What happens to a process ----------------------------------------------------------------------


def test_the_sweep_settles_what_its_process_left(live_cast: Cast) -> None:
    """Between reservation and settlement the process dies: before the call, in the middle of it."""
    whole = budget(live_cast.coca_cola)
    waiting, written = ask(live_cast), ask(live_cast)
    assert store.claim(written.generation, uuid.uuid4())
    store.save(
        [store.Progress(written.generation.pk, written.answer.pk, "half an answer", None)], uuid.uuid4()
    )
    Conversation.objects.get(pk=written.conversation.pk).messages.filter(pk=written.answer.pk).update(
        text="half"
    )
    assert figures(whole)[1] > 0
    assert store.sweep(store.beats()) == 2
    assert (charge(waiting).prompt_tokens, charge(waiting).completion_tokens) == (0, 0)
    settled = charge(written)
    assert settled.estimated
    assert settled.completion_tokens == estimates.estimated_tokens("half")
    assert figures(whole) == (settled.tokens, 0)


def test_what_was_deleted_while_its_process_died_is_settled_by_what_was_reserved(
    live_cast: Cast, settings: Settings
) -> None:
    whole = budget(live_cast.coca_cola)
    turn, alive = ask(live_cast), ask(live_cast)
    held = charge(turn).reserved_tokens
    turn.conversation.delete()
    assert spending.settle_lost() == 0  # a process may run it yet
    Charge.objects.update(made_at=timezone.now() - timedelta(seconds=2 * settings.UPSTREAM_TOTAL_TIMEOUT + 1))
    assert sorted(at_once(*[spending.settle_lost] * 2)) == [0, 1]
    assert charge(turn).estimated
    assert charge(alive).settled_at is None
    assert figures(whole) == (held, charge(alive).reserved_tokens)


async def test_the_keeper_looks_for_charges_that_nobody_settles(live_cast: Cast) -> None:
    turn = await in_database(ask, live_cast)
    await in_database(turn.conversation.delete)
    await in_database(partial(Charge.objects.update, made_at=timezone.now() - timedelta(days=1)))
    await keeper.sweep(Watch())
    assert (await in_database(charge, turn)).settled_at is not None


def test_alone_all_is_settled_at_once(live_cast: Cast) -> None:
    whole = budget(live_cast.coca_cola)
    deleted, _ = ask(live_cast), ask(live_cast)
    deleted.conversation.delete()
    assert store.sweep_all() == 1
    assert not Charge.objects.filter(settled_at=None).exists()
    assert figures(whole)[1] == 0


def test_of_several_finishers_one_settles(live_cast: Cast) -> None:
    whole = budget(live_cast.coca_cola)
    for number in range(10):
        turn, lease = ask(live_cast), uuid.uuid4()
        assert store.claim(turn.generation, lease)
        done = store.Outcome(Status.DONE, "the answer", usage=USAGE)
        calls: list[Callable[[], Any]] = [
            partial(store.finish, turn.generation.pk, lease, done),
            partial(store.sweep, store.beats()),
        ]
        at_once(*calls)
        settled = charge(turn)
        before = sum(each.tokens for each in Charge.objects.exclude(pk=turn.generation.pk))
        assert figures(whole) == (before + settled.tokens, 0), number


def test_settling_again_changes_nothing(cast: Cast) -> None:
    whole = budget(cast.coca_cola)
    turn = ask(cast)
    finish(turn, usage=USAGE)
    with transaction.atomic():
        assert spending.settle({turn.generation.pk: spending.Used(9_999, 9_999), uuid.uuid4(): None}) == 0
    assert figures(whole) == (42, 0)


# -- The end of a budget ----------------------------------------------------------------------------


def test_of_fifty_questions_at_once_with_a_budget_for_one_one_runs(live_cast: Cast) -> None:
    trial = ask(live_cast)
    room = charge(trial).reserved_tokens
    finish(trial, Status.FAILED, "")
    whole = budget(live_cast.coca_cola, 2 * room - 1)
    people = (live_cast.member, live_cast.member2, live_cast.reviewer)
    asks = [partial(outcome, partial(ask, live_cast, by=people[number % 3])) for number in range(50)]
    assert sorted(at_once(*asks)) == [200] + [429] * 49
    taken = Generation.objects.live().get()
    assert figures(whole) == (0, room)
    lease = uuid.uuid4()
    assert store.claim(taken, lease)
    assert store.finish(taken.pk, lease, store.Outcome(Status.DONE, "An answer.", usage=USAGE))
    assert figures(whole) == (42, 0)
    assert Charge.objects.filter(money=None, prompt_tokens=12, completion_tokens=30).count() == 1
    assert Charge.objects.count() == 2  # with the first, which was free


def test_questions_and_ends_at_once_keep_the_ledger_right(live_cast: Cast) -> None:
    """Sends, ends and a budget that is made, all at once and in every order: nothing is lost or counted twice."""
    budget(live_cast.coca_cola, period=Period.DAY)
    turns = [ask(live_cast) for _ in range(10)]
    calls: list[Callable[[], Any]] = [partial(finish, turn, usage=USAGE) for turn in turns]
    calls += [partial(ask, live_cast, by=live_cast.member2, persona=live_cast.historian) for _ in range(10)]

    def make() -> None:
        with transaction.atomic():
            spending.lock(live_cast.coca_cola.pk)
            budget(live_cast.coca_cola, persona=live_cast.guide)
            budget(live_cast.coca_cola)

    at_once(*calls, make)
    for each in Budget.objects.all():
        before = figures(each)
        spending.count_anew(each)
        assert (each.spent, each.reserved) == before


@pytest.mark.parametrize("whose", ["company", "persona", "person"])
@pytest.mark.parametrize("unit", Unit.values)
def test_a_question_that_has_no_room_is_refused_with_what_is_kept_and_whom_to_ask(
    cast: Cast, whose: str, unit: str
) -> None:
    price(cast.guide)
    facts = owner(cast, whose)
    whole = budget(cast.coca_cola, 1_000_000, unit=unit, **facts)
    Budget.objects.update(spent=1_000_000)
    with pytest.raises(Refused) as refusal:
        ask(cast)
    said = refusal.value
    assert (said.status, said.limit) == (429, "budget")
    has = {"company": "Coca Cola has", "persona": "The persona Coca Cola guide has", "person": "You have"}[
        whose
    ]
    what, renews = ("money", "It renews on") if unit == Unit.MONEY else ("tokens", "They renew on")
    assert said.sentence.startswith(f"{has} used up this month's {what}. {renews} ")
    assert said.sentence.endswith("Your text is kept. The managers of Coca Cola can help sooner.")
    assert not any(figure in said.sentence for figure in ("1000000", "1,000,000"))
    assert 0 < said.retry_after <= 31 * 86_400
    assert not Conversation.objects.exists()
    assert figures(whole) == (1_000_000, 0)


def test_too_little_left_and_held_by_others_are_said_apart(cast: Cast) -> None:
    whole = budget(cast.coca_cola, 1_000)
    Budget.objects.update(spent=990)
    with pytest.raises(Refused, match="too little of this month's tokens left for an answer"):
        ask(cast)
    Budget.objects.update(spent=0)
    Budget.objects.update(reserved=990)
    with pytest.raises(Refused, match="Send again when one has ended") as refusal:
        ask(cast)
    assert refusal.value.retry_after == spending.HELD_SECONDS
    assert figures(whole) == (0, 990)


def test_the_last_token_can_be_spent_and_one_more_not(cast: Cast) -> None:
    first = ask(cast)
    room = charge(first).reserved_tokens
    finish(first, Status.FAILED, "")
    assert outcome(lambda: (budget(cast.coca_cola, room), ask(cast))) == 200
    Budget.objects.update(hard=room - 1, reserved=0)
    assert outcome(lambda: ask(cast)) == 429


def test_a_running_answer_goes_past_a_budget_that_is_lowered_and_the_next_is_refused(cast: Cast) -> None:
    whole = budget(cast.coca_cola)
    turn = ask(cast)
    whole.refresh_from_db()
    whole.hard = 10
    budgets.save(whole)
    assert finish(turn, usage=USAGE)
    assert reload(turn.answer).generation.status == Status.DONE
    assert figures(whole) == (42, 0)
    assert (
        outcome(lambda: posting.post(cast.member, turn.conversation, "more", client_id=uuid.uuid4())) == 429
    )


def test_a_soft_mark_refuses_nobody_and_tells_its_person_alone(cast: Cast) -> None:
    budget(cast.coca_cola, 50, person=cast.member, soft=40)
    budget(cast.coca_cola, None, soft=10)
    Budget.objects.filter(person=cast.member).update(spent=40)
    Budget.objects.filter(person=None).update(spent=1_000)
    told = partial(budgets.told, companies={cast.coca_cola.pk})
    assert told(cast.member.pk) == ["80 % of your share of this month's tokens is used."]
    assert told(cast.member2.pk) == []
    assert outcome(lambda: ask(cast, by=cast.member2)) == 200
    Budget.objects.filter(person=cast.member).update(spent=50)
    assert told(cast.member.pk)[0].startswith("Your share of this month's tokens is used up until ")
    two = budgets.told(cast.member.pk, {cast.coca_cola.pk, cast.globex.pk})
    assert two[0].startswith("Coca Cola: Your share")
    Budget.objects.filter(person=cast.member).update(hard=None, spent=1_200)
    assert told(cast.member.pk) == [
        "You have used 1,200 tokens of this month's tokens, more than was meant for you."
    ]


def test_a_model_without_a_price_is_refused_where_money_ends_and_nowhere_else(cast: Cast) -> None:
    soft = budget(cast.coca_cola, None, soft=5, unit=Unit.MONEY)
    turn = ask(cast)
    finish(turn, usage=USAGE)
    assert (charge(turn).money, figures(soft)) == (None, (0, 0))
    assert budgets.unpriced(cast.coca_cola.pk) == [
        "command-r-plus-08-2024 at Cohere",
        "mistral-large-latest at Mistral",
    ]
    soft.hard = 1_000_000
    budgets.save(soft)
    with pytest.raises(Refused, match="the price of this persona's model is not known") as refusal:
        ask(cast)
    assert (refusal.value.status, refusal.value.limit) == (409, "price")
    price(cast.guide)
    assert outcome(lambda: ask(cast)) == 200
    assert budgets.unpriced(cast.coca_cola.pk) == ["command-r-plus-08-2024 at Cohere"]


def test_a_price_counts_as_it_was_when_the_question_was_asked(cast: Cast) -> None:
    priced = price(cast.guide, prompt=Decimal("0.15"), completion=Decimal("0.000001"))
    turn = ask(cast)
    Price.objects.filter(pk=priced.pk).update(prompt=99)
    finish(turn, usage=USAGE)
    assert charge(turn).money == 2  # 12 * 0.15 millionths and a little, rounded up
    filing.file_ended()
    assert AnswerRecord.objects.get().cost == 2


def test_without_a_longest_answer_what_the_context_holds_is_reserved(cast: Cast) -> None:
    turn = ask(cast, persona=cast.historian)
    assert charge(turn).reserved_completion == estimates.DEFAULT_CONTEXT_LENGTH


@pytest.mark.parametrize("word", ["7", "ក", "𒀀", "Zürich "])
@pytest.mark.parametrize("number", [1, 500, 30_000])
def test_no_text_has_more_tokens_than_are_reserved_for_it(cast: Cast, word: str, number: int) -> None:
    """Of digits, of Khmer and of what has no words, tokenizers make a token of each byte."""
    text = word * (number // len(word.encode()) + 1)
    turn = ask(cast, text)
    finish(turn, text=text, usage=USAGE)
    turn = posting.post(cast.member, turn.conversation, text, client_id=uuid.uuid4())
    job = store.claim(turn.generation, uuid.uuid4())
    assert job is not None
    sent = [job.request.system, *(message.text for message in job.request.messages)]
    assert sum(len(each.encode()) for each in sent) <= charge(turn).reserved_prompt


def test_a_long_conversation_reserves_what_fits_and_no_less_than_is_sent(cast: Cast) -> None:
    turn = ask(cast, "q" * 30_000)
    finish(turn, text="a" * 30_000, usage=USAGE)
    for number in range(4):
        turn = posting.post(
            cast.member, turn.conversation, f"{number}" + "q" * 30_000, client_id=uuid.uuid4()
        )
        job = store.claim(turn.generation, uuid.uuid4())
        assert job is not None
        sent = sum(len(message.text) for message in job.request.messages)
        assert sent <= charge(turn).reserved_prompt <= 3 * estimates.DEFAULT_CONTEXT_LENGTH
        store.sweep(store.beats())


# -- Periods ----------------------------------------------------------------------------------------


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the day that it is."""

    def turn_to(*day: int) -> None:
        monkeypatch.setattr(spending, "today", lambda: date(*day))

    return turn_to


def test_a_period_begins_with_nothing_used(cast: Cast, calendar: Callable[..., None]) -> None:
    calendar(2026, 1, 31)
    month, day = budget(cast.coca_cola), budget(cast.coca_cola, period=Period.DAY)
    finish(ask(cast), usage=USAGE)
    assert (figures(month), figures(day)) == ((42, 0), (42, 0))
    calendar(2026, 2, 1)
    assert budgets.state(month).spent == 0
    finish(ask(cast), usage=USAGE)
    finish(ask(cast), usage=USAGE)
    calendar(2026, 2, 2)
    finish(ask(cast), usage=USAGE)
    assert (figures(month), figures(day)) == ((126, 0), (42, 0))
    assert (month.began, day.began) == (date(2026, 2, 1), date(2026, 2, 2))


def test_an_answer_counts_in_the_month_in_which_it_was_asked_for(
    cast: Cast, calendar: Callable[..., None]
) -> None:
    calendar(2026, 1, 31)
    month = budget(cast.coca_cola)
    old = ask(cast)
    calendar(2026, 2, 1)
    new = ask(cast)
    assert figures(month) == (0, charge(new).reserved_tokens)
    finish(old, usage=USAGE)
    assert figures(month) == (0, charge(new).reserved_tokens)
    finish(new, usage=USAGE)
    assert figures(month) == (42, 0)
    assert sorted(Charge.objects.values_list("day", flat=True)) == [date(2026, 1, 31), date(2026, 2, 1)]


def test_a_clock_that_is_behind_counts_in_the_period_that_has_begun(
    cast: Cast, calendar: Callable[..., None]
) -> None:
    calendar(2026, 2, 1)
    month = budget(cast.coca_cola)
    calendar(2026, 1, 31)
    finish(ask(cast), usage=USAGE)
    assert figures(month) == (42, 0)
    assert month.began == date(2026, 2, 1)


@pytest.mark.parametrize(
    ("period", "day", "begins", "ends"),
    [
        (Period.DAY, date(2026, 12, 31), date(2026, 12, 31), date(2027, 1, 1)),
        (Period.MONTH, date(2026, 12, 31), date(2026, 12, 1), date(2027, 1, 1)),
        (Period.MONTH, date(2028, 2, 1), date(2028, 2, 1), date(2028, 3, 1)),
    ],
)
def test_periods(period: str, day: date, begins: date, ends: date) -> None:
    assert (spending.period_start(period, day), spending.next_period(period, day)) == (begins, ends)


def test_days_are_those_of_the_site(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TIME_ZONE = "Pacific/Kiritimati"
    moment = timezone.now().replace(year=2026, month=5, day=31, hour=12)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    assert spending.today() == date(2026, 6, 1)


def test_a_budget_made_later_counts_what_was_used_and_what_runs(cast: Cast) -> None:
    finish(ask(cast), usage=USAGE)
    finish(ask(cast, persona=cast.historian, by=cast.member2), usage=USAGE)
    held = charge(ask(cast))
    room = held.reserved_tokens
    assert figures(budget(cast.coca_cola)) == (84, room)
    assert figures(budget(cast.coca_cola, persona=cast.guide)) == (42, room)
    assert figures(budget(cast.coca_cola, person=cast.member2)) == (42, 0)
    assert figures(budget(cast.coca_cola, unit=Unit.MONEY)) == (0, 0)
    assert figures(budget(cast.globex)) == (0, 0)
    assert (
        outcome(lambda: (Budget.objects.all().delete(), budget(cast.coca_cola, 84 + room), ask(cast))) == 429
    )


# -- What outlives what -----------------------------------------------------------------------------


def test_what_was_spent_outlives_conversation_person_and_persona(cast: Cast) -> None:
    whole, own = budget(cast.coca_cola), budget(cast.coca_cola, person=cast.member)
    turn = ask(cast)
    finish(turn, usage=USAGE)
    turn.conversation.delete()
    assert (figures(whole), figures(own)) == ((42, 0), (42, 0))
    cast.member.memberships.all().delete()
    cast.member.delete()
    assert figures(whole) == (42, 0)
    assert not Budget.objects.filter(pk=own.pk).exists()
    Persona.objects.filter(pk=cast.guide.pk).update(current=None, draft=None)
    Persona.objects.get(pk=cast.guide.pk).delete()
    spending.count_anew(whole)
    assert (whole.spent, whole.reserved) == (42, 0)
    assert (charge(turn).person, charge(turn).persona) == (None, None)


def test_an_answer_whose_persona_and_person_are_gone_is_settled_where_it_was_reserved(cast: Cast) -> None:
    whole, other = budget(cast.coca_cola), budget(cast.coca_cola, persona=cast.historian)
    turn = ask(cast)
    turn.conversation.delete()
    Persona.objects.filter(pk=cast.guide.pk).update(current=None, draft=None)
    Persona.objects.get(pk=cast.guide.pk).delete()
    store.finish(turn.generation.pk, uuid.uuid4(), store.Outcome(Status.STOPPED, "", usage=USAGE))
    assert (figures(whole), figures(other)) == ((42, 0), (0, 0))


def test_the_ledger_begins_with_what_was_used_in_the_last_month(cast: Cast) -> None:
    for days, tokens in ((0, 7), (30, 5), (40, 100)):
        AnswerRecord.objects.create(
            **{
                "company": cast.coca_cola,
                "persona": cast.guide,
                "version": cast.guide.current,
                "person": cast.member,
            },
            **{"model": "m", "status": Status.DONE, "ended_at": timezone.now() - timedelta(days=days)},
            prompt_tokens=tokens,
        )
    migration = import_module("conversations.migrations.0019_budgets")
    migration.begin_ledger(apps, None)
    assert sorted(Charge.objects.values_list("prompt_tokens", "completion_tokens")) == [(5, 0), (7, 0)]
    assert figures(budget(cast.coca_cola, period=Period.DAY)) == (7, 0)


# -- Rows, and what a question costs ----------------------------------------------------------------


@pytest.mark.parametrize(
    "facts",
    [
        {"hard": 0},
        {"hard": None},
        {"hard": 10, "soft": 11},
        {"hard": 10, "soft": 0},
        {"hard": 10, "both": True},
    ],
)
def test_the_database_refuses_what_is_no_budget(cast: Cast, facts: dict[str, Any]) -> None:
    if facts.pop("both", False):
        facts |= {"persona": cast.guide, "person": cast.member}
    with pytest.raises(IntegrityError), transaction.atomic():
        Budget.objects.create(
            company=cast.coca_cola, unit=Unit.TOKENS, period=Period.DAY, began=date(2026, 1, 1), **facts
        )


@pytest.mark.parametrize("whose", ["company", "persona", "person"])
def test_there_is_one_budget_of_a_kind(cast: Cast, whose: str) -> None:
    facts = owner(cast, whose)
    made = budget(cast.coca_cola, **facts)
    budget(cast.coca_cola, period=Period.DAY, **facts)
    made.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        made.save(force_insert=True)


def test_a_question_asks_no_more_of_the_database_however_many_budgets_there_are(cast: Cast) -> None:
    """One row of the ledger where there are none, one statement more where there are some."""

    def queries() -> list[str]:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            turn = ask(cast)
        finish(turn, usage=USAGE)
        return [query["sql"] for query in captured.captured_queries]

    queries()
    none = queries()
    assert sum('INSERT INTO "conversations_charge"' in sql for sql in none) == 1
    assert sum("conversations_budget" in sql for sql in none) == 1
    for whose in ("company", "persona", "person"):
        for unit in Unit.values:
            budget(cast.coca_cola, unit=unit, **owner(cast, whose))
    price(cast.guide)
    some = queries()
    assert len(some) == len(none) + 1
    assert sum("UPDATE conversations_budget" in sql for sql in some) == 1


@pytest.mark.parametrize(
    "text", ["9E999999", "1E400000", "1E999999999", "1_000", "１２", "9" * 17, "0x10", "1e3"]
)
def test_a_number_that_would_take_a_while_is_refused_at_once(text: str) -> None:
    began = time.process_time()
    for unit in ("tokens", "money"):
        with pytest.raises(ValidationError, match="above zero"):
            budgets.parse(text, unit)
    assert time.process_time() - began < 0.1

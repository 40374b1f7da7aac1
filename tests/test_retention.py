"""Chats go when their time is over, whole, once, and with nothing of their words left; what is held stays."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import IntegrityError, connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from conversations import (
    access,
    expiry,
    feedback,
    filing,
    holds,
    posting,
    rechecks,
    removal,
    retention,
    standing,
)
from conversations.database import in_database
from conversations.generation import keeper
from conversations.models import (
    AnswerRecord,
    Company,
    Conversation,
    Generation,
    Message,
    Period,
    Persona,
    QueueEntry,
    Reading,
    RetentionRun,
)
from conversations.posting import Refused
from tests.answers import ended, ended_in
from tests.conftest import Cast
from tests.everywhere import WORD, age, ledger, person_of, rows_of, says, with_word
from tests.races import at_once
from tests.test_rechecks import CLOSED, opened


def keep(company: Company, days: int | None, persona: Persona | None = None) -> None:
    """A period that is in force already."""
    Period.objects.update_or_create(
        company=company, persona=persona, defaults={"days": days, "earlier_days": None, "waits_until": None}
    )


def old(cast: Cast, days: float = 40, **more: Any) -> Conversation:
    """A chat that nobody has written in for so long, filed."""
    turn = ended(cast, **more)
    filing.file_ended()
    age(turn.conversation, days)
    return turn.conversation


def run() -> None:
    """All that is due, as the keeper does it."""
    for _ in range(1_000):
        if not expiry.work():
            return


def clean() -> None:
    """All that the keeper removes, and what that leaves in the database's files."""
    while any(work() for work in keeper.REMOVING.values()):
        pass


def there(*conversations: Conversation) -> list[bool]:
    kept = set(Conversation.objects.values_list("pk", flat=True))
    return [each.pk in kept for each in conversations]


# -- What goes --------------------------------------------------------------------------------------


def test_what_is_older_goes_and_the_rest_stays(live_cast: Cast) -> None:
    keep(live_cast.coca_cola, 30)
    aged, young = old(live_cast, 31), old(live_cast, 29)
    foreign = old(live_cast, 400, by=live_cast.outsider, persona=live_cast.helpdesk)
    before = rows_of(live_cast.globex)
    run()
    assert there(aged, young, foreign) == [False, True, True]
    assert rows_of(live_cast.globex) == before


def test_nothing_goes_without_a_period(live_cast: Cast) -> None:
    aged = old(live_cast, 4_000)
    run()
    keep(live_cast.coca_cola, None)
    run()
    assert there(aged) == [True]
    assert not RetentionRun.objects.exists()


def test_a_personas_own_period_is_shorter(live_cast: Cast) -> None:
    keep(live_cast.coca_cola, 30)
    keep(live_cast.coca_cola, 7, live_cast.guide)
    keep(live_cast.coca_cola, 90, live_cast.historian)  # from before the company's was shortened
    guide, historian = old(live_cast, 8), old(live_cast, 31, persona=live_cast.historian)
    younger = old(live_cast, 8, persona=live_cast.historian)
    run()
    assert there(guide, historian, younger) == [False, False, True]


def test_none_of_the_words_are_left_and_the_figures_are(live_cast: Cast) -> None:
    person = person_of(live_cast, live_cast.coca_cola)
    person.username, person.first_name, person.last_name, person.email = "plain", "", "", ""
    person.save()
    turn = says(person, live_cast.coca_cola, live_cast)
    Reading.objects.all()._raw_delete("default")  # which stay, with the name that this one was given
    age(turn.conversation, 40)
    figures = ledger()
    assert with_word()
    keep(live_cast.coca_cola, 30)
    clean()
    assert ledger() == figures
    assert AnswerRecord.objects.filter(person=person, message=None, conversation=None).count() == 1
    assert with_word() == []


def test_who_read_it_stays_on_record(live_cast: Cast) -> None:
    person = person_of(live_cast, live_cast.coca_cola)
    turn = says(person, live_cast.coca_cola, live_cast)
    age(turn.conversation, 40)
    before = list(Reading.objects.values())
    keep(live_cast.coca_cola, 30)
    run()
    assert there(turn.conversation) == [False]
    assert list(Reading.objects.values()) == before


def test_a_receipt_says_what_went_and_what_was_held(live_cast: Cast) -> None:
    keep(live_cast.coca_cola, 30)
    gone = [old(live_cast) for _ in range(3)]
    ended_in(gone[0])
    filing.file_ended()
    age(gone[0], 40)
    held = old(live_cast, 50)
    holds.place(live_cast.coca_cola, "A dispute", live_cast.reviewer, conversation=held)
    run()
    receipt = RetentionRun.objects.get()
    assert (receipt.conversations, receipt.messages, receipt.held) == (3, 8, 1)
    assert (receipt.company, receipt.persona_id, receipt.days) == (
        live_cast.coca_cola,
        live_cast.guide.pk,
        30,
    )
    assert receipt.finished_at is not None
    run()
    assert RetentionRun.objects.count() == 1  # what is held is looked at once a day


# -- What stays -------------------------------------------------------------------------------------


def test_what_is_under_review_stays(live_cast: Cast) -> None:
    keep(live_cast.coca_cola, 30)
    waiting, claimed, done = old(live_cast), old(live_cast), old(live_cast)
    QueueEntry.objects.create(company=live_cast.coca_cola, conversation=waiting)
    QueueEntry.objects.create(
        company=live_cast.coca_cola, conversation=claimed, claimed_by=live_cast.reviewer
    )
    QueueEntry.objects.create(company=live_cast.coca_cola, conversation=done, status="done")
    run()
    assert there(waiting, claimed, done) == [True, True, False]


def test_what_is_held_stays_until_it_is_lifted(live_cast: Cast) -> None:
    keep(live_cast.coca_cola, 30)
    held, of_person, free = old(live_cast), old(live_cast, by=live_cast.member2), old(live_cast)
    holds.place(live_cast.coca_cola, "A dispute", live_cast.reviewer, conversation=held)
    hold = holds.place(live_cast.coca_cola, "A court", live_cast.manager, person=live_cast.member2)
    run()
    assert there(held, of_person, free) == [True, True, False]
    holds.lift(hold, "It is over", live_cast.manager)
    with pytest.raises(Refused, match="lifted already"):
        holds.lift(hold, "It is over", live_cast.manager)
    RetentionRun.objects.update(started_at=timezone.now() - timedelta(days=1))
    run()
    assert there(held, of_person) == [True, False]


def test_a_hold_at_another_company_holds_nothing_here(live_cast: Cast) -> None:
    keep(live_cast.coca_cola, 30)
    holds.place(live_cast.globex, "Theirs", live_cast.outsider, person=live_cast.member)
    chat = old(live_cast)
    run()
    assert there(chat) == [False]


def test_running_answers_and_unfiled_ones_stay(live_cast: Cast) -> None:
    keep(live_cast.coca_cola, 30)
    live = posting.start(live_cast.member, live_cast.guide, "And?", client_id=uuid.uuid4()).conversation
    rated = old(live_cast)
    unfiled = ended(live_cast).conversation
    feedback.rate(live_cast.member, rated.messages.get(role="assistant"), good=True)
    for each in (live, unfiled, rated):
        age(each, 40)
    run()
    assert there(live, unfiled, rated) == [True, True, True]
    RetentionRun.objects.update(started_at=timezone.now() - timedelta(days=1))
    filing.file_ended()
    run()
    assert there(live, unfiled, rated) == [True, False, False]
    assert AnswerRecord.objects.filter(good=True).count() == 1


# -- Races ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attempt", range(6))
def test_a_question_meets_a_chat_or_a_clear_answer(live_cast: Cast, attempt: int) -> None:
    keep(live_cast.coca_cola, 30)
    chat = old(live_cast)

    def ask() -> object:
        try:
            return posting.post(live_cast.member, chat, "Still there?", client_id=uuid.uuid4())
        except Refused as refused:
            return refused

    at_once(run, ask)
    asked = ask()
    if there(chat) == [True]:
        assert isinstance(asked, Refused)  # the first question is being answered
        assert asked.status == 409
        assert Message.objects.filter(conversation=chat).count() == 4
    else:
        assert isinstance(asked, Refused)
        assert (asked.status, asked.sentence) == (410, standing.REMOVED.sentence)
        assert not Message.objects.filter(conversation=chat.pk).exists()
        assert not Generation.objects.filter(conversation=chat.pk).exists()


def long_chat(cast: Cast, person: User, turns: int = 6) -> Conversation:
    """One that is longer than what is removed at once, with everything hanging on its first answer."""
    chat = says(person, cast.coca_cola, cast).conversation
    for number in range(turns - 1):
        ended_in(chat, f"{WORD} {number}", question=f"{WORD}?")
    posting.regenerate(
        person, chat.messages.filter(role="assistant").latest("created_at"), client_id=uuid.uuid4()
    )
    Generation.objects.live().update(status="stopped", finished_at=timezone.now())
    filing.file_ended()
    age(chat, 40)
    return chat


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little is removed at once."""
    monkeypatch.setattr(removal, "MESSAGES", 4)


@pytest.mark.usefixtures("short")
def test_a_long_chat_is_closed_at_once_and_removed_in_pieces(live_cast: Cast) -> None:
    """Nobody sees half of it: neither its owner nor a reviewer, on a page, in a list, by a question or in a file."""
    person = person_of(live_cast, live_cast.coca_cola)
    chat = long_chat(live_cast, person)
    figures, messages = ledger(), chat.messages.count()
    keep(live_cast.coca_cola, 30)
    assert expiry.work()
    assert chat.messages.count() == messages
    receipt = RetentionRun.objects.get()
    assert (receipt.conversations, receipt.messages) == (1, messages)
    with pytest.raises(access.NotVisible):
        access.conversation(person, chat.pk)
    with pytest.raises(access.NotVisible):
        access.reviewed_conversation(live_cast.coca_cola, chat.pk)
    assert not access.conversations(person).exists()
    with pytest.raises(Refused, match="was removed") as refused:
        posting.post(person, chat, "Still there?", client_id=uuid.uuid4())
    assert refused.value.status == 410
    with pytest.raises(Refused, match="was removed"):
        holds.place(live_cast.coca_cola, "A dispute", live_cast.admin, conversation=chat)
    keep(live_cast.coca_cola, None)  # which brings back nothing
    pieces = 0
    rows = number_of_rows()
    while expiry.work():
        pieces += 1
        before, rows = rows, number_of_rows()
        assert before - rows <= 4 * removal.MESSAGES  # a message, how it was made, and what was said of it
    assert pieces > 4
    assert there(chat) == [False]
    assert (receipt.conversations, receipt.messages) == (1, messages)
    assert ledger() == figures
    Reading.objects.all()._raw_delete("default")
    User.objects.filter(pk=person.pk).update(username="x", first_name="", last_name="", email="")
    clean()
    assert with_word() == []


@pytest.mark.usefixtures("short")
def test_two_processes_remove_a_long_chat_together(live_cast: Cast) -> None:
    chat = long_chat(live_cast, person_of(live_cast, live_cast.coca_cola))
    messages = chat.messages.count()
    keep(live_cast.coca_cola, 30)
    while any(at_once(expiry.work, expiry.work)):
        pass
    assert there(chat) == [False]
    assert RetentionRun.objects.get().messages == messages


@pytest.mark.usefixtures("short")
async def test_a_page_of_a_long_chat_closes_as_it_does(live_cast: Cast) -> None:
    chat = await in_database(lambda: long_chat(live_cast, live_cast.member))
    await in_database(keep, live_cast.coca_cola, 30)
    tab = await opened(f"/ws/c/{chat.pk}/", live_cast.member)
    await in_database(expiry.work)
    await rechecks.look()
    assert await tab.receive_output() == CLOSED


def number_of_rows() -> int:
    """In all tables."""
    return sum(model._base_manager.count() for model in apps.get_models(include_auto_created=True))


def test_two_processes_do_each_batch_once(live_cast: Cast) -> None:
    keep(live_cast.coca_cola, 30)
    for number in range(7):
        old(live_cast, 40 + number)
    for _ in range(20):
        at_once(expiry.work, expiry.work)
    receipt = RetentionRun.objects.get()
    assert (receipt.conversations, receipt.messages) == (7, 14)
    assert not Conversation.objects.exists()


def test_a_run_goes_on_where_it_stood(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conversations.removal.CONVERSATIONS", 2)
    keep(live_cast.coca_cola, 30)
    chats = [old(live_cast, 40 - number) for number in range(5)]
    holds.place(live_cast.coca_cola, "A dispute", live_cast.manager, conversation=chats[0])
    assert expiry.work()
    assert there(*chats) == [True, False, True, True, True]
    assert expiry.work()
    assert there(*chats) == [True, False, False, False, True]
    run()
    assert there(*chats) == [True, False, False, False, False]
    assert RetentionRun.objects.get().held == 1


def test_a_longer_period_ends_a_run(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conversations.removal.CONVERSATIONS", 1)
    keep(live_cast.coca_cola, 30)
    chats = [old(live_cast, 41), old(live_cast, 40)]
    assert expiry.work()
    keep(live_cast.coca_cola, 365)
    run()
    assert there(*chats) == [False, True]


def test_the_keeper_does_it_by_itself(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(live_cast.coca_cola, 30)
    chat = old(live_cast)
    monkeypatch.setattr(keeper, "REMOVE_EVERY", 0.01)

    async def kept() -> None:
        keeper.ensure()
        async with asyncio.timeout(20):
            while await asyncio.to_thread(there, chat) == [True]:  # noqa: ASYNC110 (another task's work)
                await asyncio.sleep(0.01)
        await keeper.close()

    asyncio.run(kept())


# -- The change of a period -------------------------------------------------------------------------


def change(
    company: Company,
    days: int | None,
    confirmed: int | None = None,
    persona: Persona | None = None,
    **at: Any,
) -> retention.Change:
    now = timezone.now() + timedelta(**at)
    return retention.change(retention.period(company, persona), days, confirmed=confirmed, now=now)


def test_a_shorter_period_waits_a_day_and_can_be_taken_back(live_cast: Cast) -> None:
    chat = old(live_cast)
    with pytest.raises(retention.Grown):
        change(live_cast.coca_cola, 30)
    made = change(live_cast.coca_cola, 30, 1)
    assert made.waits
    run()
    assert there(chat) == [True]
    back = retention.take_back(retention.period(live_cast.coca_cola), now=timezone.now())
    assert (back.after, back.waits) == (None, False)
    assert back.sentence == "Chats are kept for ever, and not only 30 days."


def test_after_a_day_it_is_in_force(live_cast: Cast) -> None:
    chat = old(live_cast)
    change(live_cast.coca_cola, 30, 1, hours=-25)
    with pytest.raises(Refused, match="in force already"):
        retention.take_back(retention.period(live_cast.coca_cola), now=timezone.now())
    run()
    assert there(chat) == [False]


def test_a_longer_period_needs_no_preview_and_holds_at_once(live_cast: Cast) -> None:
    keep(live_cast.coca_cola, 30)
    made = change(live_cast.coca_cola, 90)
    assert (made.before, made.after, made.waits) == (30, 90, False)
    change(live_cast.coca_cola, None)
    assert retention.in_force(now=timezone.now()) == {}


def test_a_change_within_the_wait_keeps_what_is_in_force(live_cast: Cast) -> None:
    keep(live_cast.coca_cola, 365)
    change(live_cast.coca_cola, 30, 0)
    longer = change(live_cast.coca_cola, 60)  # less than was confirmed: no second preview, and no longer wait
    assert (longer.before, longer.after, longer.waits) == (365, 60, True)
    shorter = change(live_cast.coca_cola, 20, 0)
    assert (shorter.before, shorter.after, shorter.waits) == (365, 20, True)
    assert set(retention.in_force(now=timezone.now()).values()) == {365}
    row = retention.period(live_cast.coca_cola)
    assert set(retention.in_force(now=row.waits_until).values()) == {20}  # type: ignore[arg-type]


def test_the_preview_counts_what_would_go(live_cast: Cast) -> None:
    keep(live_cast.coca_cola, 100)
    first, last = old(live_cast, 90), old(live_cast, 40)
    old(live_cast, 29.5)  # which is old enough when the wait is over
    old(live_cast, 10)
    old(live_cast, 200)  # goes anyway
    other = old(live_cast, 60, persona=live_cast.historian)
    holds.place(live_cast.coca_cola, "A dispute", live_cast.manager, conversation=other)
    found = retention.preview(retention.period(live_cast.coca_cola), 30, now=timezone.now())
    assert [(loss.persona, loss.number, loss.held) for loss in found.losses] == [
        ("Coca Cola guide", 3, 0),
        ("Coca Cola historian", 1, 1),
    ]
    first.refresh_from_db()
    last.refresh_from_db()
    assert found.losses[0].oldest == first.active_at
    assert (found.number, found.capped, found.many) == (4, False, "4")


def test_the_preview_stops_counting(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "COUNTED", 2)
    for _ in range(3):
        old(live_cast)
    found = retention.preview(retention.period(live_cast.coca_cola), 30, now=timezone.now())
    assert (found.number, found.many) == (2, "2 or more")
    change(live_cast.coca_cola, 30, 2)  # how many more there are was not said, so it cannot have grown


def test_the_preview_is_one_query_however_many_personas(
    live_cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(10):
        Persona.objects.create(company=live_cast.coca_cola, name=f"Another {number}")
    row = retention.period(live_cast.coca_cola)
    with django_assert_max_num_queries(5):
        retention.preview(row, 30, now=timezone.now())


@pytest.mark.parametrize(("confirmed", "taken"), [(0, False), (4, True), (14, True)])
def test_what_grew_much_since_is_asked_again(live_cast: Cast, confirmed: int, taken: bool) -> None:
    for _ in range(14):
        old(live_cast)
    if taken:
        assert change(live_cast.coca_cola, 30, confirmed).waits
    else:
        with pytest.raises(retention.Grown):
            change(live_cast.coca_cola, 30, confirmed)
        assert not Period.objects.exists()


def test_a_persona_cannot_keep_longer_than_its_company(live_cast: Cast) -> None:
    keep(live_cast.coca_cola, 30)
    with pytest.raises(Refused, match="can only be shorter"):
        change(live_cast.coca_cola, 31, persona=live_cast.guide)
    for days in (0, 36_501):
        with pytest.raises(Refused, match="1 to 36,500 days"):
            change(live_cast.coca_cola, days)
    made = change(live_cast.coca_cola, 7, 0, live_cast.guide)
    assert made.sentence.startswith(
        "Chats with Coca Cola guide are kept 7 days (before: as long as the company’s)"
    )


# -- Speed ------------------------------------------------------------------------------------------


def test_what_is_due_is_found_by_an_index(live_cast: Cast) -> None:
    receipt = RetentionRun.objects.create(
        company=live_cast.coca_cola, persona=live_cast.guide, days=30, cutoff=timezone.now(),
        after=timezone.now() - timedelta(days=400), after_id=uuid.uuid4(),
    )  # fmt: skip
    due = expiry._due(receipt).order_by("active_at", "pk").values_list("pk", "active_at")[:50]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET enable_seqscan = off")
    plan = due.explain()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("RESET enable_seqscan")
    assert "chats_of_a_persona_by_age" in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


def test_nothing_to_do_is_no_work(live_cast: Cast) -> None:
    clean()  # what tests before have left
    assert not any(work() for work in keeper.REMOVING.values())


def test_one_run_that_fails_keeps_no_other_waiting(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(live_cast.coca_cola, 30)
    keep(live_cast.globex, 30)
    bad = old(live_cast)
    good = old(live_cast, by=live_cast.outsider, persona=live_cast.helpdesk)

    def failing(candidates: list[uuid.UUID], still: Any) -> removal.Removed:
        if bad.pk in candidates:
            raise IntegrityError("something hangs on it")
        return original(candidates, still)

    original = removal.remove
    RetentionRun.objects.create(
        company=live_cast.coca_cola,
        persona=live_cast.guide,
        days=30,
        cutoff=timezone.now() - timedelta(days=30),
    )
    monkeypatch.setattr(removal, "remove", failing)
    run()
    assert there(bad, good) == [True, False]
    monkeypatch.undo()
    run()
    assert there(bad) == [False]

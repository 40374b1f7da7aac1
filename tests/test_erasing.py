"""Erasing a person: none of their words nor their name is left anywhere, and the figures are as they were.

Every column of every model of every app has to be in the table of `erasing/handled.py`: a new one fails here first.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, models
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from conversations import (
    erasing,
    feedback,
    filing,
    generation,
    histories,
    holds,
    posting,
    rechecks,
    removal,
    traces,
)
from conversations.database import in_database
from conversations.erasing import handled, passes, receipts, steps
from conversations.generation import keeper
from conversations.generation.runner import RUNS
from conversations.models import (
    AnswerRecord,
    Company,
    CompanyEntry,
    Conversation,
    Erasure,
    Export,
    Feedback,
    Generation,
    Invitation,
    Judgement,
    Membership,
    Note,
    Persona,
    QueueEntry,
    Reading,
)
from conversations.posting import Refused
from conversations.providers.recorded import RecordedUpstream, Script
from conversations.removal import plan
from tests.answers import ended
from tests.conftest import Cast
from tests.everywhere import (
    NAME,
    WORD,
    carry_out,
    columns,
    dump,
    ledger,
    log,
    person_of,
    rows_of,
    says,
    session_of,
    with_word,
    works,
)
from tests.exporting import lines_of
from tests.races import at_once
from tests.test_rechecks import CLOSED, opened, path_of_a_chat

TEXT = (models.CharField, models.TextField, models.JSONField, models.BinaryField, models.FileField)


def erase(person: User, cast: Cast, company: object = None) -> Erasure:
    asked = erasing.ask(person, company, by=cast.admin, typed=person.username)  # type: ignore[arg-type]
    return carry_out(asked)


@pytest.fixture
def person(live_cast: Cast) -> User:
    """Somebody who said and did everything that one can, at both companies."""
    found = person_of(live_cast, live_cast.coca_cola, live_cast.globex)
    for company, persona, other in (
        (live_cast.coca_cola, live_cast.guide, live_cast.member),
        (live_cast.globex, live_cast.helpdesk, live_cast.outsider),
    ):
        says(found, company, live_cast)
        works(found, company, ended(live_cast, "Theirs", by=other, persona=persona), live_cast)
    session_of(found)
    return found


# -- The table --------------------------------------------------------------------------------------


def test_every_column_that_points_at_an_account_is_dealt_with() -> None:
    found = {
        name for name, column in columns() if column.is_relation and issubclass(column.related_model, User)
    }
    assert found == set(handled.REFERENCES)


def test_every_column_of_text_is_dealt_with() -> None:
    found = {name for name, column in columns() if isinstance(column, TEXT) and not column.is_relation}
    assert found == set(handled.TEXTS)


def test_what_goes_with_a_chat_goes_with_it() -> None:
    """What the table says of the removal of chats is what the removal does."""
    gone = {step.model._meta.label for step in plan() if not step.field}
    said = {name for name, text in handled.TEXTS.items() if text is handled.Text.WITH_CHAT}
    said |= {name for name, each in handled.REFERENCES.items() if each.fate is handled.Fate.WITH_CHAT}
    assert {name.rpartition(".")[0] for name in said} <= gone


def test_every_table_that_loses_words_is_cleaned() -> None:
    """On PostgreSQL, where a deleted row is there until it is vacuumed."""
    personal = {handled.Text.WITH_CHAT, handled.Text.WORDS, handled.Text.NAME}
    found = {column.model._meta.db_table for name, column in columns() if handled.TEXTS.get(name) in personal}
    assert found | {"conversations_search"} == set(traces.TABLES)


def test_whatever_stays_is_explained() -> None:
    assert {each.kind for each in passes.passes() if each.stays} == set(receipts.WHY)


def test_a_receipt_is_the_same_in_whichever_language_somebody_asks() -> None:
    kinds = [each.kind for each in passes.passes()]
    with translation.override("de"):
        assert [each.kind for each in passes.passes()] == kinds


def test_the_person_of_these_tests_has_a_canary_everywhere(person: User) -> None:
    """Else the tests below would search for what was never there."""
    personal = {handled.Text.WITH_CHAT, handled.Text.WORDS, handled.Text.NAME}
    empty = []
    for name, column in columns():
        if handled.TEXTS.get(name) in personal and column.name not in {"password", "session_data"}:
            values = column.model._base_manager.values_list(column.name, flat=True)
            if not any(
                WORD in json.dumps(value, default=lambda data: bytes(data).decode()) for value in values
            ):
                empty.append(name)
    assert empty == []
    pointing = [
        name
        for name, column in columns()
        if name in handled.REFERENCES
        and handled.REFERENCES[name].fate is not handled.Fate.ACCOUNT
        and "Erasure" not in name
        and not column.model._base_manager.filter(**{column.name: person}).exists()
    ]
    assert pointing == []
    found = with_word()
    assert len(found) > 20
    assert any("bytes" in each for each in found) is (connection.vendor == "sqlite")


# -- Everywhere -------------------------------------------------------------------------------------


def test_nothing_of_an_erased_person_is_left(person: User, live_cast: Cast) -> None:
    figures, people = ledger(), _people()
    done = erase(person, live_cast)
    assert done.stage == Erasure.Stage.DONE, done.stage
    assert with_word() == []
    assert ledger() == figures
    assert _people() == people
    person.refresh_from_db()
    assert (person.username, person.is_active, person.email) == (f"erased person {done.pk}", False, "")
    assert not person.has_usable_password()
    assert person.last_login is None


def test_the_receipt_says_what_went_and_what_stayed(person: User, live_cast: Cast) -> None:
    said = erasing.receipt(erase(person, live_cast))
    assert said["gone"]["conversations"] == 2
    assert said["gone"]["messages"] == 6
    assert said["gone"]["notes"] == 4
    assert said["gone"]["corrections and replies"] == 2
    assert said["gone"]["sessions"] == 1
    stays = {each["what"]: each["number"] for each in said["stays"]}
    assert stays["answers in the ledger"] == 2
    assert stays["lines of readings of the person"] == 2
    assert stays["exports made"] == 2
    assert all(each["why"] for each in said["stays"])
    assert WORD not in json.dumps(said)


def test_what_others_wrote_is_as_it_was(person: User, live_cast: Cast) -> None:
    other = Conversation.objects.get(owner=live_cast.outsider)
    before = list(other.messages.order_by("pk").values())
    graded = Judgement.objects.filter(record__conversation=other).count()
    erase(person, live_cast)
    assert list(other.messages.order_by("pk").values()) == before
    assert Judgement.objects.filter(record__conversation=other).count() == graded
    assert Feedback.objects.filter(message__conversation=other).count() == 1


def test_what_is_kept_of_readings_and_exports_names_the_pseudonym(person: User, live_cast: Cast) -> None:
    done = erase(person, live_cast)
    assert {r.owner_name for r in Reading.objects.filter(owner_id=person.pk)} == {done.pseudonym}
    assert {r.reader_name for r in Reading.objects.filter(reader_id=person.pk)} == {done.pseudonym}
    assert Reading.objects.filter(reason=f"about {done.pseudonym}").count() == 2
    kept = Export.objects.filter(by=person)
    assert {(each.by_name, each.reason) for each in kept} == {(done.pseudonym, passes.WITHOUT_REASON)}
    assert all(
        lines_of(each).count(b"\r\n") <= 1 for each in kept
    )  # its search finds nothing, not everything


def test_it_goes_on_after_a_crash_at_any_step(person: User, live_cast: Cast) -> None:
    """Each step anew, from what the database has; a process that did not hear of the last one does nothing."""
    asked = erasing.ask(person, None, by=live_cast.admin, typed=NAME)
    seen = 0
    while (fresh := _load(asked)).stage != Erasure.Stage.TRACES:
        stale = _load(asked)
        assert erasing.advance(fresh)
        assert not erasing.advance(stale)
        seen += 1
    assert seen > 10
    carry_out(asked)
    assert with_word() == []


def test_a_step_that_breaks_off_changes_nothing(
    person: User, live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = erasing.ask(person, None, by=live_cast.admin, typed=NAME)
    before = dump(without=("sqlite_sequence",))

    def broken(erasure: Erasure) -> None:
        original(erasure)
        raise RuntimeError("the power fails")

    original = steps._STEPS[Erasure.Stage.CONVERSATIONS]
    monkeypatch.setitem(steps._STEPS, Erasure.Stage.CONVERSATIONS, broken)
    with pytest.raises(RuntimeError, match="power"):
        erasing.advance(_load(asked))
    assert dump(without=("sqlite_sequence",)) == before
    monkeypatch.undo()
    carry_out(asked)
    assert with_word() == []


def test_two_processes_erase_together_once(person: User, live_cast: Cast) -> None:
    asked = erasing.ask(person, None, by=live_cast.admin, typed=NAME)
    for _ in range(200):
        at_once(erasing.work, erasing.work)
        if _load(asked).finished_at:
            break
    done = _load(asked)
    assert done.stage == Erasure.Stage.DONE
    assert done.gone["conversations"] == 2
    assert done.stays["answers in the ledger"] == 2
    assert with_word() == []


def test_asked_twice_it_is_the_same(person: User, live_cast: Cast) -> None:
    first = erasing.ask(person, None, by=live_cast.admin, typed=NAME)
    assert erasing.ask(person, None, by=live_cast.admin, typed="whatever") == first
    carry_out(first)
    with pytest.raises(Refused, match="erased already"):
        erasing.ask(_user(person), None, by=live_cast.admin, typed=_user(person).username)


def test_a_long_chat_goes_in_pieces_and_counts_as_one(
    person: User, live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once_ = erasing.preview(person, None).gone
    monkeypatch.setattr(removal, "MESSAGES", 1)
    done = erase(person, live_cast)
    assert done.stage == Erasure.Stage.DONE
    assert {kind: done.gone[kind] for kind in ("conversations", "messages", "generations", "reviews")} == {
        "conversations": 2, "messages": 6, "generations": 2, "reviews": 2,
    }  # fmt: skip
    assert at_once_["messages"] == 6
    assert with_word() == []


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite keeps no values in its statistics")
def test_no_words_stay_in_the_statistics_of_the_database(person: User, live_cast: Cast) -> None:
    ended(live_cast, "Of somebody else")  # of a table without rows PostgreSQL makes no new ones
    tables = ["auth_user", "conversations_message", "conversations_conversation"]
    found = "concat(most_common_vals::text, histogram_bounds::text)"
    kept = f"SELECT count(*) FROM pg_stats WHERE tablename = ANY(%s) AND {found} LIKE %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute(kept, [tables, f"%{WORD}%"])
        assert cursor.fetchone()[0] > 0
        erase(person, live_cast)
        cursor.execute(kept, [tables, f"%{WORD}%"])
        assert cursor.fetchone()[0] == 0


def test_the_ledger_is_complete_before_the_words_go(live_cast: Cast) -> None:
    person = person_of(live_cast, live_cast.coca_cola)
    ended(live_cast, WORD, by=person)  # and not filed yet
    erase(person, live_cast)
    assert AnswerRecord.objects.filter(person=person).count() == 1
    assert with_word() == []


# -- At one company ---------------------------------------------------------------------------------


def test_at_one_company_the_other_is_not_touched(person: User, live_cast: Cast) -> None:
    before, figures, people = rows_of(live_cast.globex), ledger(), _people()
    done = erase(person, live_cast, live_cast.coca_cola)
    assert done.stage == Erasure.Stage.DONE
    assert rows_of(live_cast.globex) == before
    assert (ledger(), _people()) == (figures, people)
    person.refresh_from_db()
    assert (person.username, person.is_active) == (NAME, True)
    assert [place.company for place in person.memberships.all()] == [live_cast.globex]
    left = json.dumps(rows_of(live_cast.coca_cola), default=str)
    assert WORD not in left
    for rows in rows_of(live_cast.coca_cola).values():
        for row in rows:
            assert person.pk not in [row.get(key) for key in ("person_id", "by_id", "owner_id", "reader_id")]
    with pytest.raises(Refused, match="closed"):
        posting.start(person, live_cast.guide, "Again?", client_id=uuid.uuid4())


@pytest.mark.parametrize("name", ["Coca", "Removed", "fields"])
def test_a_name_that_is_a_word_elsewhere_stays_there(live_cast: Cast, name: str) -> None:
    """Of who is called so at Globex nothing stands in Coca Cola's histories, nor is a company's own name theirs."""
    person = User.objects.create_user(name)
    place = Membership.objects.create(user=person, company=live_cast.globex)
    removed = "Removed the budget of the whole company, tokens a day (ends at 5 tokens)."
    facts = json.dumps([{"changed": {"fields": ["Role"]}}])
    kept = [
        log(live_cast.admin, live_cast.coca_cola, removed),
        log(live_cast.admin, live_cast.coca_cola, f"Added the budget of {name}, tokens a day."),
        log(live_cast.admin, live_cast.guide, "Published version 7."),
        log(live_cast.manager, Membership.objects.get(user=live_cast.member), facts),
        log(live_cast.admin, live_cast.globex, removed),
        log(live_cast.admin, Membership.objects.get(user=live_cast.outsider), facts),
    ]
    before = [(each.object_repr, each.change_message) for each in kept]
    told = log(live_cast.admin, live_cast.globex, f"Added the budget of {name}, tokens a day.")
    lost = log(live_cast.admin, Membership(pk=9, user=person, company=live_cast.coca_cola), facts)
    log(live_cast.admin, place, facts)
    lost.of.delete()  # as of an entry whose company nothing tells any more
    done = erase(person, live_cast)
    after = LogEntry.objects.in_bulk([each.pk for each in kept])
    assert [(after[each.pk].object_repr, after[each.pk].change_message) for each in kept] == before
    told.refresh_from_db()
    assert told.change_message == f"Added the budget of {done.pseudonym}, tokens a day."
    about = LogEntry.objects.filter(content_type__model="membership").values_list("object_repr", flat=True)
    assert {each for each in about if "outsider" not in each and "member" not in each} == {
        f"{done.pseudonym} at Globex",
        f"{done.pseudonym} at Coca Cola",
    }


def test_what_was_said_where_somebody_has_lost_their_place_goes_too(live_cast: Cast) -> None:
    """Nothing points at them there any more but the entry about the place."""
    person = User.objects.create_user(NAME)
    log(live_cast.admin, Membership(pk=9, user=person, company=live_cast.coca_cola), "")
    log(live_cast.admin, live_cast.coca_cola, f"Removed the budget of {NAME}, tokens a day.")
    erase(person, live_cast)
    assert with_word() == []


def test_entries_are_a_companys_by_its_number(live_cast: Cast) -> None:
    """Not by its name, with which another's may end; also of rows that are gone, and of invitations."""
    ours = Company.objects.create(name="Cola")
    theirs = Company.objects.create(name="Coffee at Cola")
    person = User.objects.create_user(NAME)
    for company in (ours, theirs):
        Membership.objects.create(user=person, company=company, role="manager")
    other = log(person, Membership(pk=8, user=live_cast.member, company=theirs), "")
    mine = [
        log(person, Membership(pk=9, user=live_cast.member, company=ours), ""),
        log(person, Persona(company=ours, name="Long gone"), ""),
        log(person, Invitation(company=ours, role="member"), "Taken back."),
    ]
    done = erase(person, live_cast, ours)
    assert {LogEntry.objects.get(pk=each.pk).user for each in mine} == {done.stand_in}
    assert LogEntry.objects.get(pk=other.pk).user == person


def test_entries_from_before_are_a_companys_too(live_cast: Cast) -> None:
    """By the rows that there are; of a place that somebody lost by the whole name of the company."""
    theirs = Company.objects.create(name="Coffee at Coca Cola")
    gone, place = Membership(pk=2**30, user=live_cast.outsider), Membership.objects.get(user=live_cast.member)
    entries = {}
    for row, company in (
        (live_cast.guide, live_cast.coca_cola),
        (place, live_cast.coca_cola),
        (gone, live_cast.coca_cola),
        (gone, theirs),
        (live_cast.outsider, None),
    ):
        gone.company = company or theirs
        entries[log(live_cast.admin, row, "").pk] = company and company.pk
    CompanyEntry.objects.all().delete()
    import_module("conversations.migrations.0024_kept_apart").keep(apps, None)
    kept = dict(CompanyEntry.objects.values_list("entry", "company"))
    assert {pk: kept.get(pk) for pk in entries} == entries


def test_the_administration_keeps_whose_row_it_was(live_cast: Cast) -> None:
    client = Client()
    client.force_login(live_cast.manager)
    place = Membership.objects.get(user=live_cast.member2)
    client.post(reverse("admin:conversations_membership_change", args=[place.pk]), {"role": "reviewer"})
    client.post(reverse("admin:conversations_membership_delete", args=[place.pk]), {"post": "yes"})
    client.post(
        reverse("admin:conversations_invitation_add"),
        {"company": live_cast.coca_cola.pk, "role": "member", "note": "", "days": 7},
    )
    entries = LogEntry.objects.filter(
        histories.of_companies([live_cast.coca_cola.pk]), user=live_cast.manager
    )
    assert [each.action_flag for each in entries.order_by("pk")] == [CHANGE, DELETION, ADDITION]


# -- What stands against it -------------------------------------------------------------------------


def test_a_hold_refuses_it_and_changes_nothing(person: User, live_cast: Cast) -> None:
    holds.place(live_cast.globex, "A court asked", live_cast.admin, person=person)
    before = dump()
    with pytest.raises(Refused, match="1 hold, the first since") as refused:
        erasing.ask(person, None, by=live_cast.admin, typed=NAME)
    assert refused.value.status == 409
    assert dump() == before
    assert erase(person, live_cast, live_cast.coca_cola).stage == Erasure.Stage.DONE  # where nobody holds it


def test_a_review_postpones_it(person: User, live_cast: Cast) -> None:
    entry = QueueEntry.objects.filter(conversation__owner=person).first()
    assert entry is not None
    QueueEntry.objects.filter(pk=entry.pk).update(status="open", closed_at=None)
    assert erasing.preview(person, None).postponed == 1
    waiting = erase(person, live_cast)
    assert (waiting.stage, waiting.postponed) == (Erasure.Stage.CONVERSATIONS, 1)
    assert list(Conversation.objects.filter(owner=person)) == [entry.conversation]
    assert not _user(person).is_active
    QueueEntry.objects.filter(pk=entry.pk).update(status="done", closed_at=timezone.now())
    assert carry_out(waiting).stage == Erasure.Stage.DONE
    assert with_word() == []


@pytest.mark.parametrize("typed", ["", "somebody", f"{NAME}x"])
def test_the_name_has_to_be_typed(person: User, live_cast: Cast, typed: str) -> None:
    with pytest.raises(Refused, match="not the username"):
        erasing.ask(person, None, by=live_cast.admin, typed=typed)
    assert _user(person).is_active


def test_nobody_erases_themselves_nor_the_last_operator(live_cast: Cast) -> None:
    with pytest.raises(Refused, match="themselves"):
        erasing.ask(live_cast.admin, None, by=live_cast.admin, typed="admin")
    with pytest.raises(Refused, match="only operator"):
        erasing.ask(live_cast.admin, None, by=None, typed="admin")


# -- Meanwhile --------------------------------------------------------------------------------------


async def test_an_answer_that_runs_is_stopped_first(live_cast: Cast, running: RecordedUpstream) -> None:
    person = await in_database(person_of, live_cast, live_cast.coca_cola)
    running.scripts.append(Script(pieces=(f"{WORD} so far ", "and more"), hang_after=1))
    turn = await in_database(posting.start, person, live_cast.guide, WORD, client_id=uuid.uuid4())
    await generation.start(turn.generation)
    assert await running.log.arrived(1)
    asked = await in_database(lambda: erasing.ask(person, None, by=live_cast.admin, typed=NAME))
    await keeper.save()  # as it does each second
    assert await running.log.requests[0].client_left()
    while run := RUNS.get(turn.generation.pk):
        await run.task
    assert (await in_database(carry_out, asked)).stage == Erasure.Stage.DONE
    assert await in_database(with_word) == []
    assert await in_database(AnswerRecord.objects.filter(person=person, status="stopped").count) == 1


@pytest.mark.parametrize("everywhere", [True, False])
async def test_sockets_close_and_sessions_end(live_cast: Cast, everywhere: bool) -> None:
    """At one company its sockets alone, and of a session what was typed there: the rest is other companies'."""
    tab = await opened(await path_of_a_chat(live_cast), live_cast.member)
    await in_database(Membership.objects.create, user=live_cast.member, company=live_cast.globex)
    turn = await in_database(lambda: ended(live_cast, by=live_cast.member, persona=live_cast.helpdesk))
    elsewhere = await opened(f"/ws/c/{turn.conversation.pk}/", live_cast.member)
    key = await in_database(sitting_at, live_cast.member, live_cast.coca_cola, live_cast.globex)
    company = None if everywhere else live_cast.coca_cola
    asked = await in_database(
        lambda: erasing.ask(live_cast.member, company, by=live_cast.admin, typed="member")
    )
    await rechecks.look()
    assert await tab.receive_output() == CLOSED
    done = await in_database(carry_out, asked)
    await rechecks.look()
    if everywhere:
        assert not await in_database(Session.objects.exists)
        assert done.gone["sessions"] == 3
        return
    assert await elsewhere.receive_nothing()
    assert await in_database(Session.objects.count) == 3
    held = await in_database(SessionStore(key).load)
    assert list(held["sittings"]) == [str(live_cast.globex.pk)]
    assert (done.gone.get("sessions"), done.gone["reasons typed in sessions"]) == (None, 1)


@pytest.mark.parametrize("attempt", range(5))
def test_a_question_comes_in_whole_or_not_at_all(live_cast: Cast, attempt: int) -> None:
    person = person_of(live_cast, live_cast.coca_cola)
    said = ended(live_cast, "An answer", by=person)

    def ask() -> object:
        try:
            return posting.post(person, said.conversation, WORD, client_id=uuid.uuid4())
        except Refused as refused:
            return refused.status

    def go() -> object:
        return erasing.ask(person, None, by=live_cast.admin, typed=NAME)

    asked, erasure = at_once(ask, go)
    assert isinstance(erasure, Erasure)
    assert isinstance(asked, posting.Turn) or asked == 403
    Generation.objects.live().update(status="stopped", finished_at=timezone.now())  # as its runner does
    assert carry_out(erasure).stage == Erasure.Stage.DONE
    assert with_word() == []
    assert Conversation.objects.filter(owner=person).count() == 0


# -- Again ------------------------------------------------------------------------------------------


def test_receipts_erase_again_what_a_backup_brought_back(person: User, live_cast: Cast) -> None:
    """As after a restore: the account is there as it was, and no erasure is known."""
    account = User.objects.filter(pk=person.pk).values().get()
    kept = erasing.receipt(erase(person, live_cast))
    Erasure.objects.all().delete()
    User.objects.filter(pk=person.pk).update(**account)
    Membership.objects.create(user=person, company=live_cast.coca_cola)
    says(_user(person), live_cast.coca_cola, live_cast)
    todo, sentences = erasing.again([kept])
    assert (len(todo), sentences) == (1, [])
    assert carry_out(todo[0]).stage == Erasure.Stage.DONE
    assert with_word() == []
    assert erasing.again([kept]) == ([], [f"Erasure {kept['erasure']}: was done already."])


def test_receipts_erase_nobody_else(person: User, live_cast: Cast) -> None:
    kept = erasing.receipt(erase(person, live_cast))
    assert erasing.again([kept | {"account": live_cast.member.pk}])[0] == []
    assert erasing.again([kept | {"account": 987654}])[0] == []
    assert _user(live_cast.member).is_active
    with pytest.raises(Refused, match="no receipt"):
        erasing.again([{"format": "another/1"}])


def test_it_is_not_done_before_the_log_is_emptied(person: User, live_cast: Cast) -> None:
    """A reader that goes on looking at a moment keeps SQLite's log of writes: nobody else waits for it."""
    if connection.vendor != "sqlite":
        return
    reader = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM auth_user").fetchone()
    waiting = erase(person, live_cast)
    assert (waiting.stage, waiting.cursor) == (Erasure.Stage.TRACES, traces.WAITING)
    assert not erasing.work()
    reader.close()
    assert carry_out(waiting).stage == Erasure.Stage.DONE
    assert with_word() == []


def test_notes_and_flags_of_others_stay(person: User, live_cast: Cast) -> None:
    other = Conversation.objects.get(owner=live_cast.outsider)
    kept = Note.objects.create(conversation=other, author=live_cast.admin, text="Theirs")
    feedback.rate(live_cast.outsider, other.messages.get(role="assistant"), good=True)
    filing.file_ended()
    erase(person, live_cast)
    kept.refresh_from_db()
    assert kept.text == "Theirs"


def sitting_at(person: User, *companies: Company) -> str:
    """The key of a session in which the person said for each company why they read."""
    store = SessionStore()
    store["_auth_user_id"] = str(person.pk)
    store["sittings"] = {str(each.pk): {"reason": f"A complaint at {each}"} for each in companies}
    store.save()
    return str(store.session_key)


def _people() -> dict[object, int]:
    """How many people the ledger knows of each company, as its usage counts them."""
    counted: dict[object, int] = {}
    for company, person in AnswerRecord.objects.values_list("company", "person").distinct():
        counted[company] = counted.get(company, 0) + (person is not None)
    return counted


def _load(erasure: Erasure) -> Erasure:
    return Erasure.objects.select_related("person", "stand_in", "company").get(pk=erasure.pk)


def _user(person: User) -> User:
    return User.objects.get(pk=person.pk)


def test_the_account_keeps_its_place_in_no_company(person: User, live_cast: Cast) -> None:
    erase(person, live_cast)
    assert not Membership.objects.filter(user=person).exists()
    assert not Session.objects.exists()
    with pytest.raises(ObjectDoesNotExist):
        User.objects.get(username=NAME)

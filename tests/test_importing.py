"""Chats brought in from elsewhere: what comes out of a file, that it is marked, found and kept like any other, and that
nothing is lost or doubled whatever happens in between."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from conversations import (
    access,
    deleting,
    erasing,
    expiry,
    filing,
    importing,
    order,
    posting,
    recall,
    retention,
    thread,
)
from conversations.generation import store
from conversations.importing import working
from conversations.models import (
    AnswerRecord,
    Charge,
    Conversation,
    Export,
    Folder,
    Generation,
    Import,
    Imported,
    ImportPiece,
    Membership,
    Message,
)
from tests.answers import _end as end
from tests.answers import ended, ended_in
from tests.conftest import Cast
from tests.everywhere import carry_out
from tests.exporting import export_of, lines_of, received, signed_in
from tests.importing import (
    Turn,
    brought_in,
    chatgpt,
    conversation,
    node,
    question_and_answer,
    read,
    send,
    zipped,
)
from tests.test_person_export import client_of, lines, my_data, of

BRANCHED = conversation(
    ("q1", "user", None, "The first question"),
    ("a1", "assistant", "q1", "One answer"),
    ("a2", "assistant", "q1", "Another **answer**"),
    ("q2", "user", "a1", "And then?"),
    ("a3", "assistant", "q2", "Nothing more"),
    title="  A title\nof two lines ",
    current="a3",
)


@pytest.fixture
def me(live_cast: Cast) -> User:
    return live_cast.member


def shown(chat: Conversation) -> list[str]:
    """The texts of the branch that is shown."""
    return [turn.text for turn in thread.thread(chat).turns]


# -- What comes out of a file ---------------------------------------------------------------------------


def test_a_conversation_comes_in_with_its_branches(live_cast: Cast, me: User) -> None:
    file = brought_in(me, live_cast.guide, chatgpt(BRANCHED))
    assert (file.status, file.sentence, file.chats, file.messages, file.bad) == ("done", "", 1, 5, 0)
    chat = access.conversations(me).get()
    assert (chat.title, chat.persona) == ("A title of two lines", live_cast.guide)
    assert chat.created_at == datetime(2023, 11, 14, 22, 13, 20, 250_000, tzinfo=UTC)
    assert chat.active_at == datetime(2023, 11, 14, 22, 15, 0, 500_000, tzinfo=UTC)
    assert shown(chat) == ["The first question", "One answer", "And then?", "Nothing more"]
    versions = Message.objects.filter(parent__text="The first question").order_by("created_at")
    assert [each.text for each in versions] == ["One answer", "Another **answer**"]
    assert {each.origin for each in Imported.objects.all()} == {"", "gpt-4o"}
    assert not ImportPiece.objects.exists()


def test_it_is_marked_and_nobody_here_claims_it(live_cast: Cast, me: User) -> None:
    brought_in(me, live_cast.guide, chatgpt(BRANCHED))
    chat = access.conversations(me).get()
    page = client_of(me).get(reverse("conversation", args=[chat.pk])).content.decode()
    assert page.count('class="imported"') == 4
    assert page.count('aria-label="Imported answer"') == 2
    assert "gpt-4o" in page
    assert "secret prompt" not in page
    assert 'aria-label="Coca Cola guide"' not in page
    assert "Good answer" not in page
    assert not Generation.objects.exists()
    filing.file_ended()
    assert not AnswerRecord.objects.exists()
    assert not Charge.objects.exists()


def test_what_its_page_does_not_show_stays_out(live_cast: Cast, me: User) -> None:
    chat = conversation(("q", "user", None, "Look it up"))
    chat["mapping"] |= {
        "t1": node("t1", "assistant", "q", "search('x')", recipient="browser"),
        "t2": node("t2", "tool", "t1", "a tool's result"),
        "t3": node("t3", "assistant", "t2", "", content={"content_type": "thoughts", "thoughts": ["hm"]}),
        "a1": node("a1", "assistant", "t3", "Found\ue200cite\ue202turn0\ue201 it."),
        "a2": node("a2", "assistant", "a1", "And more."),
        "hid": node("hid", "user", "a2", "hidden", is_visually_hidden_from_conversation=True),
        "q2": node(
            "q2", "user", "hid", "",
            content={"content_type": "multimodal_text", "parts": [{"content_type": "image_asset_pointer"}, "This?"]},
        ),
        "a3": node("a3", "assistant", "q2", "", content={"content_type": "code", "text": "print(1)"}),
    }  # fmt: skip
    chat["current_node"] = "a3"
    brought_in(me, live_cast.guide, chatgpt(chat))
    assert shown(access.conversations(me).get()) == [
        "Look it up",
        "Found it.\n\nAnd more.",
        "*[A picture was here.]*\n\nThis?",
        "```\nprint(1)\n```",
    ]


def test_a_zip_is_looked_into(live_cast: Cast, me: User) -> None:
    data = zipped(chat_html=b"<html>", conversations_json=chatgpt(question_and_answer()))
    file = brought_in(me, live_cast.guide, data, name="whatever.txt")
    assert (file.status, file.chats) == ("done", 1)
    several = {f"x/conversations-{n}_json": chatgpt(question_and_answer(n)) for n in (1, 2, 3)}
    assert brought_in(me, live_cast.guide, zipped(**several)).chats == 3


def test_a_single_conversation_and_a_byte_order_mark_are_taken(live_cast: Cast, me: User) -> None:
    one = json.dumps(question_and_answer(7), indent=2).encode()
    assert brought_in(me, live_cast.guide, b"\xef\xbb\xbf \n" + one).chats == 1


def test_a_person_goes_on_in_it(live_cast: Cast, me: User) -> None:
    brought_in(me, live_cast.guide, chatgpt(BRANCHED))
    chat = access.conversations(me).get()
    turn = ended_in(chat, "From here on")
    assert [m.text for m in store._said(turn.generation)][:-1] == [
        "The first question", "One answer", "And then?", "Nothing more", "And then?",
    ]  # fmt: skip
    imported = Message.objects.get(text="Nothing more")
    again = posting.regenerate(me, imported, client_id=uuid.uuid4())
    assert again.generation.version == live_cast.guide.current
    end(again, "Made here", {})
    with pytest.raises(posting.Refused, match="complete"):
        posting.continue_(me, imported, client_id=uuid.uuid4())
    client = client_of(me)
    for name in ("feedback", "flag"):
        response = client.post(reverse(name, args=[chat.pk, imported.pk]), {"good": "1", "flag": "1"})
        assert response.status_code == 409
    for form in ("markdown", "html", "json"):
        assert b"gpt-4o" in received(client.get(reverse("one_chat", args=[chat.pk, form])))


def test_reviewers_meet_it_marked_where_somebody_went_on(live_cast: Cast, me: User) -> None:
    brought_in(me, live_cast.guide, chatgpt(BRANCHED))
    chat = access.conversations(me).get()
    ended_in(chat, "From here on")
    address = reverse("admin:review_conversation", args=[live_cast.coca_cola.pk, chat.pk])
    page = signed_in(live_cast.reviewer, live_cast.coca_cola).get(address).content.decode()
    assert page.count('aria-label="Imported answer"') == 2
    assert "Answer 1 of Coca Cola guide" in page
    lines = lines_of(export_of(live_cast, Export.Kind.CONVERSATIONS)).decode().splitlines()
    (told,) = map(json.loads, lines)
    assert [(m.get("imported"), "answer" in m) for m in told["messages"]] == [
        ("", False), ("gpt-4o", False), ("", False), ("gpt-4o", False), (None, False), (None, True),
    ]  # fmt: skip


# -- Found and ordered like any other --------------------------------------------------------------------


def test_it_is_found_by_its_owner_alone(live_cast: Cast, me: User) -> None:
    brought_in(me, live_cast.guide, chatgpt(question_and_answer(1), question_and_answer(2)))
    (hit,) = recall.found(me, "zqasked1 zqanswered1")
    assert hit.message == Message.objects.get(text__startswith="zqasked1").pk
    assert [hit.message for hit in recall.found(me, '"Number 2"')] == [None]
    assert recall.found(live_cast.member2, "zqasked1") == []
    order.rename(hit.conversation, "zqrenamed")
    assert len(recall.found(me, "zqrenamed")) == 1
    assert recall.found(me, '"Number 1"') == []
    Conversation.objects.all().delete()
    assert recall.found(me, "zqrenamed") == recall.found(me, "zqasked2") == []


def test_what_was_said_here_is_found_first(live_cast: Cast, me: User) -> None:
    brought_in(me, live_cast.guide, chatgpt(question_and_answer(1, "common")))
    ended(live_cast, "common", question="common")
    filing.file_ended()
    found = [hit.conversation.title for hit in recall.found(me, "common")]
    assert found == ["common", "Number 1"]


def test_reviewers_do_not_find_it(live_cast: Cast, me: User) -> None:
    from conversations import search, words

    brought_in(me, live_cast.guide, chatgpt(question_and_answer(1)))
    ended(live_cast, "zqasked1")
    filing.file_ended()
    tags = [search.tag("company", live_cast.coca_cola.pk)]
    assert len(search.ids(tags, words.parse("zqasked1"), limit=10)) == 1


# -- Kept and removed like any other ---------------------------------------------------------------------


def test_what_is_past_its_days_is_left_out_and_the_rest_goes_in_time(live_cast: Cast, me: User) -> None:
    row = retention.period(live_cast.coca_cola)
    row.days = 30
    row.save()
    young = question_and_answer(1) | {"update_time": datetime.now(UTC).timestamp()}
    file = brought_in(me, live_cast.guide, chatgpt(question_and_answer(2), young))
    assert (file.status, file.chats, file.too_old) == ("done", 1, 1)
    Conversation.objects.update(active_at=datetime(2024, 1, 1, tzinfo=UTC))
    while expiry.work():
        pass
    assert not Message.objects.exists()
    assert not Imported.objects.exists()


def test_it_goes_with_its_owner(live_cast: Cast, me: User) -> None:
    brought_in(me, live_cast.guide, chatgpt(BRANCHED, {"title": "zqbad"}))
    send(me, live_cast.guide, chatgpt(question_and_answer(1)))
    carry_out(erasing.ask(me, None, by=live_cast.admin, typed=me.username))
    for model in (Conversation, Imported, Import, ImportPiece):
        assert not model.objects.exists(), model


# -- Again, and after something happened -----------------------------------------------------------------


def everything() -> list[tuple[Any, ...]]:
    return sorted(Message.objects.values_list("pk", "parent", "text", "conversation", "created_at"))


def test_doing_it_again_doubles_nothing(live_cast: Cast, me: User) -> None:
    data = chatgpt(BRANCHED, question_and_answer(1))
    brought_in(me, live_cast.guide, data)
    before = everything()
    file = brought_in(me, live_cast.historian, data)
    assert (file.chats, file.known, file.messages) == (0, 2, 0)
    assert everything() == before
    assert Imported.objects.count() == len(before)


def test_a_chat_that_stands_twice_in_a_file_comes_once(live_cast: Cast, me: User) -> None:
    file = brought_in(me, live_cast.guide, chatgpt(BRANCHED, BRANCHED, question_and_answer(2), BRANCHED))
    assert (file.status, file.sentence, file.messages, file.bad) == ("done", "", 7, 0)
    assert Conversation.objects.count() == 2


def test_two_people_have_the_same_chat_each(live_cast: Cast, me: User) -> None:
    for person in (me, live_cast.member2):
        brought_in(person, live_cast.guide, chatgpt(BRANCHED))
    assert access.conversations(me).get().pk != access.conversations(live_cast.member2).get().pk


def test_what_has_grown_since_is_added(live_cast: Cast, me: User) -> None:
    grown = json.loads(json.dumps(question_and_answer(1)))
    brought_in(me, live_cast.guide, chatgpt(grown))
    grown["mapping"]["q2"] = node("q2", "user", "a", "And now?", 1.7e9 + 50)
    grown["current_node"] = "q2"
    file = brought_in(me, live_cast.guide, chatgpt(grown))
    assert (file.chats, file.known, file.messages) == (1, 0, 1)
    chat = access.conversations(me).get()
    assert shown(chat)[-1] == "And now?"
    ended_in(chat, "Said here")
    grown["mapping"]["a2"] = node("a2", "assistant", "q2", "Said there", 1.7e9 + 60)
    grown["current_node"] = "a2"
    brought_in(me, live_cast.guide, chatgpt(grown))
    chat = access.conversations(me).get()
    assert shown(chat)[-1] == "Said here"  # who has gone on here is not taken away from it
    assert Message.objects.filter(text="Said there").exists()


def test_what_was_deleted_a_moment_ago_is_brought_back(live_cast: Cast, me: User) -> None:
    ended(live_cast, "Mine")
    brought_in(me, live_cast.guide, chatgpt(BRANCHED))
    data = my_data(me)
    for file in (data, chatgpt(BRANCHED)):
        deleting.delete(list(access.conversations(me)))
        assert not access.conversations(me).exists()
        brought_in(me, live_cast.guide, file, name="person.jsonl")
        assert access.conversations(me).count() == (2 if file is data else 1)


def test_one_s_own_export_changes_nothing_where_it_was_made(live_cast: Cast, me: User) -> None:
    ended(live_cast, "Mine")
    brought_in(me, live_cast.guide, chatgpt(BRANCHED))
    before = everything()
    file = brought_in(me, live_cast.guide, my_data(me), name="person.jsonl")
    assert (file.status, file.known, file.chats) == ("done", 2, 0)
    assert everything() == before


def test_another_process_goes_on_where_one_ended(
    live_cast: Cast, me: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "ENTRIES", 2)
    file = send(me, live_cast.guide, chatgpt(*map(question_and_answer, range(10))))
    importing.work()
    monkeypatch.setattr(working, "_reader", None)  # what a process knows of it is gone with it
    importing.work()
    file.refresh_from_db()
    assert (file.position, file.chats) == (4, 4)
    assert read(file).chats == 10
    assert Conversation.objects.count() == 10


def test_of_two_processes_one_does_it(live_cast: Cast, me: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "ENTRIES", 2)
    send(me, live_cast.guide, chatgpt(*map(question_and_answer, range(9))))
    readers: list[Any] = [None, None]
    for turn in range(40):  # they take turns, also by twos and threes
        which = (turn * 7 // 3) % 2
        monkeypatch.setattr(working, "_reader", readers[which])
        importing.work()
        readers[which] = working._reader
    file = Import.objects.get()
    assert (file.status, file.chats, file.known, file.bad) == ("done", 9, 0, 0)


def test_a_step_that_another_process_made_is_made_once(live_cast: Cast, me: User) -> None:
    send(me, live_cast.guide, chatgpt(question_and_answer(1)))
    stale = Import.objects.select_related("person", "persona__company").get()
    Import.objects.update(step=1)
    working._advance(stale)
    assert not Conversation.objects.exists()
    assert Import.objects.get().position == 0


def test_a_long_chat_is_written_in_parts(live_cast: Cast, me: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conversations.importing.writing.MESSAGES", 7)
    turns: list[Turn] = [("m0", "user", None, "text 0")]
    turns += [(f"m{n}", ("user", "assistant")[n % 2], f"m{n - 1}", f"text {n}") for n in range(1, 40)]
    file = brought_in(me, live_cast.guide, chatgpt(conversation(*turns)))
    assert (file.chats, file.messages, file.step) == (1, 40, 6)
    assert shown(access.conversations(me).get()) == [f"text {n}" for n in range(40)]


def test_who_leaves_meanwhile_gets_no_more(live_cast: Cast, me: User) -> None:
    file = send(me, live_cast.guide, chatgpt(question_and_answer(1)))
    Membership.objects.filter(user=me).delete()
    file = read(file)
    assert (file.status, file.sentence) == (
        "failed",
        "Your place at this company was closed. Nothing was kept.",
    )
    assert not Conversation.objects.exists()


def test_it_can_be_cancelled(live_cast: Cast, me: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "ENTRIES", 2)
    file = send(me, live_cast.guide, chatgpt(*map(question_and_answer, range(9))))
    importing.work()
    client_of(me).post(reverse("import_cancel"))
    file = read(file)
    assert (file.status, file.chats, Conversation.objects.count()) == ("failed", 2, 2)
    assert "stays" in file.sentence
    assert not ImportPiece.objects.exists()


# -- The way there and back -----------------------------------------------------------------------------


def told(person: User) -> dict[str, list[dict[str, Any]]]:
    """A person's chats as their export has them, without what is an installation's own: ids, and who made what."""
    found = lines(my_data(person))
    names = {line["id"]: f"chat {n}" for n, line in enumerate(of(found, "conversation"))}
    for n, line in enumerate(sorted(of(found, "message"), key=lambda m: (m["created_at"], m["text"]))):
        names[line["id"]] = f"message {n} {line['text'][:20]}"
    chats = {}
    folders = {line["id"]: line["name"] for line in of(found, "folder")}
    for line in of(found, "conversation"):
        own = {key: line[key] for key in ("title", "persona", "company", "created_at", "active_at")}
        own |= {"head": names.get(line["head"]), "archived": line["archived_at"] is not None}
        own |= {"folder": folders.get(line["folder"]), "pinned": line["pinned_at"] is not None}
        said = [m for m in of(found, "message") if m["conversation"] == line["id"]]
        chats[line["title"]] = [own] + [
            {key: m[key] for key in ("role", "text", "created_at")}
            | {
                "id": names[m["id"]],
                "parent": names.get(m["parent"]),
                "sentence": m.get("sentence", ""),
                "by": m["imported"]
                if "imported" in m
                else f"{line['persona']}, version {m['version']}"
                if m["role"] == "assistant"
                else "",
            }
            for m in said
        ]
    return chats


def test_everything_goes_out_and_comes_into_an_empty_installation_the_same(live_cast: Cast, me: User) -> None:
    first = ended(live_cast, "An answer\u2028with odd ends", question="Branches?")
    ended_in(first.conversation, "The old way", question="Go on")
    again = posting.edit(
        me, first.conversation.messages.get(text="Go on"), "Go on otherwise", client_id=uuid.uuid4()
    )
    Generation.objects.filter(pk=again.generation.pk).update(
        status="stopped", sentence="You stopped this answer.", finished_at=again.generation.created_at
    )
    Message.objects.filter(pk=again.answer.pk).update(text="Half an ans")
    ended(live_cast, "Of the historian", question="Another persona", persona=live_cast.historian)
    order.archive([ended(live_cast, "x", question="Put away").conversation])
    order.move([first.conversation], order.make_folder(me, "Trees"))
    order.pin(me, [first.conversation])
    brought_in(me, live_cast.guide, chatgpt(BRANCHED))
    trial = ended(live_cast, question="A trial").conversation
    before, data = told(me), my_data(me)
    assert before.pop("A trial")
    Conversation.objects.filter(pk=trial.pk).update(trial=live_cast.guide.current_id)
    data = my_data(me)

    for model in (Import, Conversation, Folder):
        model.objects.all().delete()
    assert not Message.objects.exists()
    file = brought_in(me, live_cast.guide, data, name="person.jsonl")
    assert (file.status, file.sentence, file.bad, file.chats) == ("done", "", 0, 4)
    assert told(me) == before
    assert len(before["Branches?"]) == 7
    assert {"folder": "Trees", "pinned": True}.items() <= before["Branches?"][0].items()


def test_folders_and_pins_come_in_as_far_as_there_is_room(
    live_cast: Cast, me: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    chats = [ended(live_cast, question=f"Chat {n}").conversation for n in range(3)]
    order.pin(me, chats)
    for n, chat in enumerate(chats):
        order.move([chat], order.make_folder(me, f"Folder {n}"))
    data = my_data(me)
    for model in (Conversation, Folder):
        model.objects.all().delete()
    monkeypatch.setattr(order, "PINS", 2)
    monkeypatch.setattr(order, "FOLDERS", 1)
    brought_in(me, live_cast.guide, data, name="person.jsonl")
    came = access.conversations(me)
    assert (came.count(), came.filter(pinned_at__isnull=False).count()) == (3, 2)
    assert Folder.objects.count() == came.filter(folder__isnull=False).count() == 1


# -- Sending it -------------------------------------------------------------------------------------------


def begin(client: Client, cast: Cast, **more: Any) -> Any:
    return client.post(
        reverse("import"),
        {"persona": cast.guide.pk, "name": "x.json", "size": importing.PIECE + 3, **more},
        headers={"HX-Request": "true"},
    )


def piece(client: Client, number: int, data: bytes) -> Any:
    address = reverse("import_piece", args=[number])
    return client.post(address, data, "application/octet-stream", headers={"HX-Request": "true"})


def test_a_piece_that_comes_twice_is_taken_once(live_cast: Cast, me: User) -> None:
    client = client_of(me)
    begin(client, live_cast)
    for _ in range(2):
        assert piece(client, 0, b"[" + b" " * (importing.PIECE - 1)).status_code == 200
    assert ImportPiece.objects.count() == 1
    assert piece(client, 1, b"  ]").status_code == 200
    assert Import.objects.get().status == "waiting"


@pytest.mark.parametrize(("number", "size"), [(1, 3), (0, 5), (0, importing.PIECE + 1), (2**40, 1)])
def test_a_piece_that_does_not_fit_is_refused(live_cast: Cast, me: User, number: int, size: int) -> None:
    client = client_of(me)
    begin(client, live_cast)
    response = piece(client, number, b"x" * size)
    assert response.status_code == 400
    assert "got lost on its way" in response.content.decode()
    assert not ImportPiece.objects.exists()


@pytest.mark.parametrize(
    ("size", "status", "sentence"),
    [
        (200_000_000, 413, "This file has 200 MB; at most 100 MB"),
        (10**15, 413, "at most 100 MB"),
        ("9" * 400, 400, "empty"),
        (0, 400, "empty"),
        ("-5", 400, "empty"),
        ("", 400, "empty"),
    ],
)
def test_a_file_of_no_size_to_take_is_refused_before_it_is_sent(
    live_cast: Cast, me: User, size: Any, status: int, sentence: str
) -> None:
    response = begin(client_of(me), live_cast, size=size)
    assert response.status_code == status
    assert sentence in response.content.decode()
    assert "Nothing was kept" in response.content.decode()
    assert not Import.objects.exists()


def test_a_persona_that_is_not_one_s_own_is_refused(live_cast: Cast, me: User) -> None:
    for persona in (live_cast.helpdesk.pk, uuid.uuid4(), "x", ""):
        response = begin(client_of(me), live_cast, persona=persona)
        assert (response.status_code, "Choose with whom" in response.content.decode()) == (400, True)


def test_one_file_at_a_time(live_cast: Cast, me: User) -> None:
    client = client_of(me)
    begin(client, live_cast)
    assert begin(client, live_cast, size=2).status_code == 200  # what only arrived is begun anew
    assert piece(client, 0, b"[]").status_code == 200
    busy = begin(client, live_cast)
    assert (busy.status_code, "still being read" in busy.content.decode()) == (409, True)
    assert piece(client, 0, b"[]").status_code == 409  # all of it has arrived


def test_there_is_an_end_to_files_at_once(live_cast: Cast, me: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conversations.importing.receiving.AT_ONCE", 1)
    begin(client_of(live_cast.member2), live_cast)
    assert begin(client_of(me), live_cast).status_code == 503
    Import.objects.update(changed_at=datetime(2024, 1, 1, tzinfo=UTC))
    assert begin(client_of(me), live_cast).status_code == 200
    importing.work()
    assert Import.objects.get(person=live_cast.member2).status == "failed"


def test_nobody_sees_or_touches_another_s_file(live_cast: Cast, me: User) -> None:
    begin(client_of(me), live_cast, name="zqname.json")
    other = client_of(live_cast.member2)
    assert "zqname" not in other.get(reverse("chat_files")).content.decode()
    assert "zqname" in client_of(me).get(reverse("chat_files")).content.decode()
    assert piece(other, 0, b"x").status_code == 404
    assert other.post(reverse("import_cancel")).status_code == 404

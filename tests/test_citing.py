"""Citations: from what a provider says of an answer to the notes that stand below it, and stay."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from conversations import attaching, citing, generation, posting, thread
from conversations.attaching import File
from conversations.database import in_database
from conversations.models import Generation, Message
from conversations.providers import ChatMessage, ChatRequest, Citation, Document
from conversations.providers.recorded import RecordedUpstream, Script
from tests.conftest import Cast
from tests.exporting import received
from tests.test_generation import ended as end_of

NOTES = attaching.made("notes.md", "# Penguins\n\nEmperor penguins are the tallest <b>birds</b>.\n")
TABLE = attaching.made("data.csv", "name,metres\nemperor,1.2\n")
ANSWER = ("The **emperor** is ", "the tallest, with 1.2 metres.")
CITED = Script(pieces=ANSWER, cites=(("tallest", 0), ("1.2 metres", 1), ("emperor", 1)))
REQUEST = ChatRequest(
    "m",
    (
        ChatMessage(
            "user", "x", (Document("a", NOTES.name, NOTES.text), Document("b", TABLE.name, TABLE.text))
        ),
    ),
)


async def asked(cast: Cast, *files: File) -> posting.Turn:
    def ask() -> posting.Turn:
        return posting.start(cast.member, cast.historian, "Who?", client_id=uuid.uuid4(), files=files)

    turn = await in_database(ask)
    await generation.start(turn.generation)
    await end_of(turn)
    return turn


def notes_of(turn: posting.Turn) -> list[tuple[str, int, int, list[str]]]:
    shown = thread.turn(turn.conversation, turn.answer.pk)
    return [(note.name, note.first, note.last, note.words) for note in shown.notes]


# -- Notes ------------------------------------------------------------------------------------------


def places(text: str, *citations: Citation, at: int = 0, inherited: list[Any] | None = None) -> list[Any]:
    made = citing.notes(REQUEST, text, citations, inherited=inherited or [], at=at)
    return [(note["name"], note["places"]) for note in made]


def test_a_note_for_each_passage_in_the_order_of_the_words() -> None:
    text = "one two one"
    said = (
        Citation(4, 7, "two", ("2.1",)),
        Citation(0, 3, "one", ("1.1", "2.1")),
        Citation(0, 3, "one", ("1.1",)),
    )
    assert places(text, *said) == [("data.csv", [[4, 7], [0, 3]]), ("notes.md", [[0, 3]])]


def test_offsets_that_do_not_fit_give_way_to_the_words() -> None:
    text = "one two one two"
    assert places(text, Citation(9, 12, "one", ("1.1",))) == [("notes.md", [[8, 11]])]
    assert places(text, Citation(90, 93, "one", ("1.1",))) == [("notes.md", [[8, 11]])]
    assert places(text, Citation(0, 3, "six", ("1.1",))) == [
        ("notes.md", [])
    ]  # the passage counts all the same
    assert places(text, Citation(4, 7, "", ("1.1",))) == [("notes.md", [[4, 7]])]
    assert places(text, Citation(4, 99, "", ("1.1",))) == [("notes.md", [])]


def test_what_was_not_sent_is_no_source() -> None:
    assert places("one", Citation(0, 3, "one", ("3.1", "x", ""))) == []


def test_what_is_carried_on_keeps_its_notes() -> None:
    before = citing.notes(REQUEST, "one ", [Citation(0, 3, "one", ("1.1",))], inherited=[], at=0)
    after = places("one two", Citation(0, 3, "two", ("1.1",)), at=4, inherited=before)
    assert after == [("notes.md", [[0, 3], [4, 7]])]


def test_there_are_not_too_many() -> None:
    text = "".join(f"line {number} {'x' * 1_300}\n" for number in range(200))
    request = ChatRequest("m", (ChatMessage("user", "x", (Document("a", "a.txt", text),)),))
    said = [Citation(0, 1, "w", (f"1.{number}",)) for number in range(1, 201)] * 2
    made = citing.notes(request, "w " * 40, said, inherited=[], at=0)
    assert len(made) == citing.MOST
    assert all(len(note["text"]) <= citing.CHARS and note.get("cut") for note in made)


# -- Below an answer ----------------------------------------------------------------------------------


async def test_an_answer_of_cohere_has_notes(live_cast: Cast, running: RecordedUpstream) -> None:
    running.scripts.append(CITED)
    turn = await asked(live_cast, NOTES, TABLE)
    (seen,) = running.log.requests
    assert [each["id"] for each in seen.body["documents"]] == ["1.1", "2.1"]
    assert seen.body["messages"][-1] == {"role": "user", "content": "Who?"}
    assert await in_database(notes_of, turn) == [
        ("data.csv", 1, 2, ["1.2 metres", "emperor"]),
        ("notes.md", 1, 3, ["tallest"]),
    ]

    def pages() -> tuple[str, str, str]:
        client = Client()
        client.force_login(live_cast.member)
        page = client.get(reverse("conversation", args=[turn.conversation.pk])).content.decode()
        files = [
            received(client.get(reverse("one_chat", args=[turn.conversation.pk, form]))).decode()
            for form in ("json", "html")
        ]
        return page, files[0], files[1]

    page, lines, html = await in_database(pages)
    for shown in (page, html):
        assert "Rests on what you attached" in shown
        assert "Emperor penguins are the tallest &lt;b&gt;birds&lt;/b&gt;." in shown
    answer = next(line for line in map(json.loads, lines.splitlines()) if line.get("role") == "assistant")
    assert [note["name"] for note in answer["citations"]] == ["data.csv", "notes.md"]


async def test_each_version_has_notes_of_its_own(live_cast: Cast, running: RecordedUpstream) -> None:
    running.scripts.append(CITED)
    turn = await asked(live_cast, NOTES)
    again = await in_database(
        lambda: posting.regenerate(live_cast.member, _fresh(turn), client_id=uuid.uuid4())
    )
    running.scripts.append(Script(pieces=("No idea.",)))
    await generation.start(again.generation)
    await end_of(again)
    assert await in_database(notes_of, again) == []
    assert len(await in_database(notes_of, turn)) == 1
    question = await in_database(lambda: Message.objects.select_related("conversation").get(role="user"))
    edited = await in_database(
        lambda: posting.edit(live_cast.member, question, "And who?", client_id=uuid.uuid4())
    )
    running.scripts.append(CITED)
    await generation.start(edited.generation)
    await end_of(edited)
    assert running.log.requests[-1].body["documents"] == running.log.requests[0].body["documents"]
    assert len(await in_database(notes_of, edited)) == 1


async def test_an_answer_that_is_carried_on_keeps_them(live_cast: Cast, running: RecordedUpstream) -> None:
    running.scripts.append(Script(pieces=ANSWER, cites=CITED.cites, finish="length"))
    turn = await asked(live_cast, NOTES, TABLE)
    more = await in_database(
        lambda: posting.continue_(live_cast.member, _fresh(turn), client_id=uuid.uuid4())
    )
    running.scripts.append(Script(pieces=(" Tallest", " of all."), cites=(("of all", 0),)))
    await generation.start(more.generation)
    await end_of(more)
    assert await in_database(notes_of, more) == [
        ("data.csv", 1, 2, ["1.2 metres", "emperor"]),
        ("notes.md", 1, 3, ["tallest", "of all"]),
    ]


async def test_without_a_key_the_recorded_answer_cites(live_cast: Cast, running: RecordedUpstream) -> None:
    turn = await asked(live_cast, TABLE)
    assert await in_database(notes_of, turn) == [("data.csv", 1, 2, ["name,metres emperor,1.2"])]
    made = await in_database(Generation.objects.get)
    assert made.finish_reason == "complete"


async def test_a_stopped_answer_keeps_what_was_cited(live_cast: Cast, running: RecordedUpstream) -> None:
    raw = (
        'data: {"type":"message-start","id":"1","delta":{"message":{"role":"assistant"}}}\n\n'
        'data: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"The emperor"}}}}\n\n'
        'data: {"type":"citation-start","index":0,"delta":{"message":{"citations":{"start":4,"end":11,'
        '"text":"emperor","sources":[{"type":"document","id":"1.1"}]}}}}\n\n'
    )
    running.scripts.append(Script(raw=raw.encode()))
    turn = await asked(live_cast, TABLE)
    made = await in_database(Generation.objects.get)
    assert made.status == Generation.Status.INTERRUPTED
    assert await in_database(notes_of, turn) == [("data.csv", 1, 2, ["emperor"])]


def _fresh(turn: posting.Turn) -> Message:
    return Message.objects.select_related(
        "generation__version", "parent", "conversation__persona__current"
    ).get(pk=turn.answer.pk)


@pytest.mark.parametrize("notes", [None, []])
def test_most_answers_have_none(cast: Cast, notes: Any) -> None:
    turn = posting.start(cast.member, cast.guide, "x", client_id=uuid.uuid4())
    Generation.objects.update(citations=notes)
    assert thread.turn(turn.conversation, turn.answer.pk).notes == []

"""An answer's life: it runs without a reader, shows the same text to each, ends once, and is kept."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Callable

import pytest
from django.db import OperationalError
from pytest_django import Settings

from conversations import endpoints, generation, personas, posting, thread
from conversations.database import in_database
from conversations.generation import Cursor, Piece, store
from conversations.generation.runner import RUNS
from conversations.models import Generation, Message, Persona, PersonaVersion
from conversations.providers.recorded import RecordedUpstream, Script
from tests.conftest import NOWHERE, Cast

Status = Generation.Status
GUIDE_ENDING = "Coca-Cola is one of the most recognizable"


PROMPT = "You are an assistant for the company Coca Cola"


def ask(cast: Cast, text: str = "What is Coca Cola?", persona: Persona | None = None) -> posting.Turn:
    return posting.start(cast.member, persona or cast.guide, text, client_id=uuid.uuid4())


async def begin(cast: Cast, text: str = "What is Coca Cola?", persona: Persona | None = None) -> posting.Turn:
    turn = await in_database(ask, cast, text, persona)
    await generation.start(turn.generation)
    return turn


async def ended(turn: posting.Turn) -> Generation:
    if run := RUNS.get(turn.generation.pk):
        await asyncio.wait([run.task], timeout=10)
    return await in_database(Generation.objects.select_related("message").get, pk=turn.generation.pk)


async def text_from(turn: posting.Turn, after: Cursor | None = None) -> str:
    return "".join([piece.text async for piece in generation.follow(turn.generation.pk, after or Cursor())])


async def until(turn: posting.Turn, enough: Callable[[str], bool]) -> None:
    """Follow an answer until its text so far is enough."""
    text = ""
    async for piece in generation.follow(turn.generation.pk):
        text += piece.text
        if enough(text) or piece.ended:
            return


# -- What is kept -----------------------------------------------------------------------------------


async def test_an_answer_is_written_without_a_reader(live_cast: Cast, running: RecordedUpstream) -> None:
    answer = await ended(await begin(live_cast))
    assert answer.status == Status.DONE
    assert answer.message.text.endswith(GUIDE_ENDING)
    assert answer.finish_reason == "length"
    assert answer.sentence.startswith("The answer was cut at its length limit.")
    assert (answer.prompt_tokens, answer.completion_tokens) == (34, 100)
    assert answer.request_id == "f798ebd5c41a45d88bb079635121cade"
    assert answer.model == "mistral-large-latest"
    assert answer.first_token_ms is not None
    assert answer.finished_at is not None
    assert running.log.requests[0].body == {
        "model": "mistral-large-latest",
        "messages": [
            {"role": "system", "content": "You are an assistant for the company Coca Cola"},
            {"role": "user", "content": "What is Coca Cola?"},
        ],
        "temperature": 0.7,
        "top_p": 1,
        "max_tokens": 100,
        "stream": True,
    }


async def test_cohere_is_complete_and_counted_both_ways(live_cast: Cast, running: RecordedUpstream) -> None:
    answer = await ended(await begin(live_cast, persona=live_cast.historian))
    assert answer.status == Status.DONE
    assert (answer.finish_reason, answer.sentence) == ("complete", "")
    assert answer.message.text.endswith("Would you like to know about the history of Coca-Cola?")
    assert (answer.prompt_tokens, answer.completion_tokens) == (186, 124)
    assert (answer.billed_prompt_tokens, answer.billed_completion_tokens) == (21, 124)


async def test_thinking_is_kept_apart(live_cast: Cast, running: RecordedUpstream) -> None:
    running.scripts.append(Script(pieces=("Yes", "."), thinking=("Let me ", "see.")))
    turn = await begin(live_cast)
    pieces = [piece async for piece in generation.follow(turn.generation.pk)]
    assert "".join(piece.reasoning for piece in pieces) == "Let me see."
    answer = await ended(turn)
    assert (answer.message.text, answer.reasoning) == ("Yes.", "Let me see.")


async def test_continue_carries_on_from_the_last_character(
    live_cast: Cast, running: RecordedUpstream
) -> None:
    turn = await begin(live_cast)
    cut = await ended(turn)

    def carry_on() -> posting.Turn:
        message = Message.objects.select_related(
            "generation__version", "parent", "conversation__persona__current"
        )
        return posting.continue_(live_cast.member, message.get(pk=turn.answer.pk), client_id=uuid.uuid4())

    again = await in_database(carry_on)
    await generation.start(again.generation)
    shown = await text_from(again)
    whole = await ended(again)
    assert running.log.requests[1].body["messages"][-1] == {
        "role": "assistant",
        "content": cut.message.text,
        "prefix": True,
    }
    assert whole.message.text == shown
    assert shown.startswith(f"{cut.message.text} brands")
    assert whole.inherited_chars == len(cut.message.text)
    assert whole.finish_reason == "complete"


async def test_what_is_too_long_for_the_model_loses_its_oldest_turns_and_says_so(
    live_cast: Cast, running: RecordedUpstream
) -> None:
    def narrow() -> None:
        version = PersonaVersion(
            endpoint=live_cast.guide.current.endpoint,  # type: ignore[union-attr]
            model="small",
            system_prompt="Be brief.",
            context_length=1_000,
            max_tokens=100,
        )
        personas.publish(live_cast.guide, version, by=None)

    await in_database(narrow)
    first = await begin(live_cast, "x" * 2_000)
    await ended(first)
    turn = await in_database(
        posting.post, live_cast.member, first.conversation, "y" * 900, client_id=uuid.uuid4()
    )
    await generation.start(turn.generation)
    answer = await ended(turn)
    assert answer.left_out == 2
    assert [m["content"] for m in running.log.requests[1].body["messages"]] == ["Be brief.", "y" * 900]
    shown = await in_database(thread.turn, turn.conversation, turn.answer.pk)
    assert shown.trimmed.startswith("The 2 oldest messages were not sent")


# -- What is shown ----------------------------------------------------------------------------------


async def test_every_reader_sees_the_same_text(live_cast: Cast, running: RecordedUpstream) -> None:
    running.scripts.append(Script(pieces=tuple(f"word{number} " for number in range(400))))
    turn = await begin(live_cast)
    readers = [asyncio.create_task(text_from(turn)) for _ in range(3)]
    await until(turn, bool)
    late = await text_from(turn)
    texts = await asyncio.gather(*readers)
    kept = (await ended(turn)).message.text
    assert {*texts, late, await text_from(turn)} == {kept}
    assert await text_from(turn, Cursor(text=1_000)) == kept[1_000:]
    assert kept.endswith("word399 ")


async def test_a_reader_learns_from_the_database_what_another_process_writes(live_cast: Cast) -> None:
    turn = await in_database(ask, live_cast)
    other = uuid.uuid4()
    assert await in_database(store.claim, turn.generation, other)
    progress = store.Progress(turn.generation.pk, turn.answer.pk, text="Half", reasoning="Hm")
    await in_database(store.save, [progress], other)
    pieces = generation.follow(turn.generation.pk)
    assert await anext(pieces) == Piece("Half", "Hm", ended=False)
    await in_database(
        store.finish, turn.generation.pk, other, store.Outcome(Status.DONE, "Half and half", "Hm")
    )
    assert await anext(pieces) == Piece(" and half", "", ended=True)


async def test_a_deleted_answer_ends_its_readers(live_cast: Cast) -> None:
    assert [piece async for piece in generation.follow(uuid.uuid4())] == [Piece("", "", ended=True)]


# -- Failing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "kind", "sentence"),
    [
        (Script(status=401, raw=b'{"detail":"Unauthorized"}'), "auth", "The API key was refused."),
        (
            Script(status=400, raw=b'{"object":"error","message":"Invalid model: x","code":"1500"}'),
            "model_not_found",
            "Mistral does not know this model",
        ),
        (
            Script(status=429, headers={"retry-after": "3600"}, raw=b'{"message":"Rate limit exceeded"}'),
            "rate_limited",
            "Try again in 60 minutes.",
        ),
        (Script(cut_after=0, raw=b" "), "network", "Mistral could not be reached"),
    ],
    ids=["wrong key", "unknown model", "rate limit", "cut"],
)
async def test_a_refusal_is_a_sentence_and_no_traceback(
    live_cast: Cast,
    running: RecordedUpstream,
    caplog: pytest.LogCaptureFixture,
    script: Script,
    kind: str,
    sentence: str,
) -> None:
    running.choose = lambda seen: script
    with caplog.at_level(logging.INFO):
        answer = await ended(await begin(live_cast))
    assert (answer.status, answer.error_kind) == (Status.FAILED, kind)
    assert sentence in answer.sentence
    assert not [record for record in caplog.records if record.exc_info]
    assert "key-of-the-tests" not in caplog.text + answer.sentence
    question = await in_database(lambda: answer.message.parent)
    assert question is not None
    assert question.text == "What is Coca Cola?"


@pytest.mark.parametrize(
    "script",
    [
        Script(status=400, raw=json.dumps({"message": f"Too odd: {PROMPT}, said you"}).encode()),
        Script(
            status=422, raw=json.dumps({"detail": [{"loc": ["body"], "msg": f"{PROMPT[:30]}..."}]}).encode()
        ),
        Script(error={"error": {"message": f"Bad: {PROMPT}"}}),
        Script(pieces=("word ",) * 5, error={"error": {"message": f"Bad: {PROMPT}"}}, error_after=3),
    ],
    ids=["refused", "cut short", "inside", "amid"],
)
async def test_a_provider_that_repeats_what_it_was_told_tells_nobody(
    live_cast: Cast,
    running: RecordedUpstream,
    caplog: pytest.LogCaptureFixture,
    script: Script,
    request: pytest.FixtureRequest,
) -> None:
    running.choose = lambda seen: script
    with caplog.at_level(logging.INFO):
        answer = await ended(await begin(live_cast))
    assert answer.status == Status.FAILED
    assert PROMPT[:25] not in answer.sentence + caplog.text
    # Where what it said is shown at all.
    assert ("[…]" in answer.sentence) == (request.node.callspec.id != "inside")


async def test_an_unreachable_server_is_a_sentence(
    live_cast: Cast, running: RecordedUpstream, settings: Settings
) -> None:
    settings.MISTRAL_BASE_URL = NOWHERE
    answer = await ended(await begin(live_cast))
    assert (answer.status, answer.error_kind) == (Status.FAILED, "network")
    assert "127.0.0.1" not in answer.sentence


async def test_a_cut_stream_keeps_its_text(live_cast: Cast, running: RecordedUpstream) -> None:
    running.scripts.append(Script(pieces=("half ", "an "), finish=None))
    answer = await ended(await begin(live_cast))
    assert (answer.status, answer.message.text) == (Status.INTERRUPTED, "half an ")
    assert answer.sentence.startswith("The answer was interrupted")


async def test_many_answers_run_side_by_side(live_cast: Cast, running: RecordedUpstream) -> None:
    turns = [await begin(live_cast, f"question {number}") for number in range(30)]
    answers = await asyncio.gather(*[ended(turn) for turn in turns])
    assert {answer.status for answer in answers} == {Status.DONE}
    assert len({answer.message.text for answer in answers}) == 1


async def test_what_breaks_on_our_side_is_an_end_too(
    live_cast: Cast, running: RecordedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: object) -> None:
        raise OSError("no port is free")

    monkeypatch.setattr(endpoints, "resolve", broken)
    answer = await ended(await begin(live_cast))
    assert (answer.status, answer.error_kind) == (Status.FAILED, "internal")
    assert answer.sentence.startswith("Something went wrong on our side.")


async def test_an_end_waits_for_the_database(
    live_cast: Cast, running: RecordedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish, tries = store.finish, []

    def locked_at_first(*given: object) -> bool:
        tries.append(given)
        if len(tries) == 1:
            raise OperationalError("database is locked")
        return finish(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "finish", locked_at_first)
    answer = await ended(await begin(live_cast))
    assert answer.status == Status.DONE
    assert answer.message.text.endswith(GUIDE_ENDING)
    assert len(tries) == 2

"""An answer's life: it runs without a reader, shows the same text to each, ends once, and is kept."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django import Settings

from conversations import endpoints, generation, personas, posting, thread
from conversations.database import in_database
from conversations.generation import Cursor, Piece, keeper, store
from conversations.generation.runner import LEASE, RUNS
from conversations.models import Generation, Message, Persona, PersonaVersion
from conversations.providers.recorded import RecordedUpstream, Script
from tests.conftest import NOWHERE, Cast

Status = Generation.Status
GUIDE_ENDING = "Coca-Cola is one of the most recognizable"


def ask(cast: Cast, text: str = "What is Coca Cola?", persona: Persona | None = None) -> posting.Turn:
    return posting.start(cast.member, persona or cast.guide, text, client_id=uuid.uuid4())


async def begin(cast: Cast, text: str = "What is Coca Cola?", persona: Persona | None = None) -> posting.Turn:
    turn = await in_database(ask, cast, text, persona)
    await generation.start(turn.generation.pk)
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
    await generation.start(again.generation.pk)
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
    await generation.start(turn.generation.pk)
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
    assert await in_database(store.claim, turn.generation.pk, other)
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


# -- Stopping ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("tokens", [0, 5])
async def test_stop_closes_the_upstream_connection(
    live_cast: Cast, running: RecordedUpstream, tokens: int
) -> None:
    running.scripts.append(Script(pieces=("a ",) * 20, hang_after=tokens))
    turn = await begin(live_cast)
    assert await running.log.arrived(1)
    if tokens:
        await until(turn, lambda text: text == "a " * tokens)
    await generation.stop(turn.conversation.pk)
    assert await running.log.requests[0].client_left(within=1)
    answer = await ended(turn)
    assert answer.status == Status.STOPPED
    assert answer.message.text == "a " * tokens
    assert answer.sentence == "You stopped this answer."


async def test_stop_before_anybody_runs_it(live_cast: Cast, running: RecordedUpstream) -> None:
    turn = await in_database(ask, live_cast)
    await generation.stop(turn.conversation.pk)
    await generation.start(turn.generation.pk)
    assert (await ended(turn)).status == Status.STOPPED
    assert running.log.requests == []


async def test_stop_asked_of_another_process_arrives_with_the_next_save(
    live_cast: Cast, running: RecordedUpstream
) -> None:
    running.scripts.append(Script(pieces=("a ",) * 20, hang_after=5))
    turn = await begin(live_cast)
    await until(turn, bool)
    await in_database(store.request_stop, turn.conversation.pk)
    await keeper.save()
    assert (await ended(turn)).status == Status.STOPPED


async def test_stopping_at_any_moment_leaves_one_end_and_all_the_text(
    live_cast: Cast, running: RecordedUpstream
) -> None:
    dice = random.Random(2_024)
    whole = "".join(f"{number} " for number in range(60))
    for _ in range(40):
        running.scripts.append(Script(pieces=tuple(f"{number} " for number in range(60))))
        turn = await begin(live_cast)
        reader = asyncio.create_task(text_from(turn))
        for _ in range(dice.randrange(60)):
            await asyncio.sleep(0)
        await generation.stop(turn.conversation.pk)
        answer = await ended(turn)
        assert answer.status in {Status.STOPPED, Status.DONE}
        assert whole.startswith(answer.message.text)
        assert (answer.message.text == whole) or answer.status == Status.STOPPED
        assert await reader == answer.message.text


# -- One winner -------------------------------------------------------------------------------------


def at_once(*calls: Callable[[], object]) -> list[object]:
    """What the calls give back, made in threads that start together."""
    results: list[object] = [None] * len(calls)
    barrier = threading.Barrier(len(calls))

    def call(index: int) -> None:
        barrier.wait(10)
        try:
            results[index] = calls[index]()
        finally:
            connection.close()

    threads = [threading.Thread(target=call, args=[index]) for index in range(len(calls))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return results


def test_one_process_claims_an_answer(live_cast: Cast) -> None:
    turn = ask(live_cast)
    jobs = at_once(*[lambda: store.claim(turn.generation.pk, uuid.uuid4()) for _ in range(8)])
    assert sum(job is not None for job in jobs) == 1


def test_of_two_finishers_one_wins_whole(live_cast: Cast) -> None:
    for number in range(25):
        turn = posting.start(live_cast.member, live_cast.guide, f"race {number}", client_id=uuid.uuid4())
        lease = uuid.uuid4()
        store.claim(turn.generation.pk, lease)
        Generation.objects.filter(pk=turn.generation.pk).update(
            heartbeat_at=timezone.now() - timedelta(minutes=1)
        )
        done = store.Outcome(Status.DONE, "the whole answer", finish_reason="complete")
        won, swept = at_once(partial(store.finish, turn.generation.pk, lease, done), store.sweep)
        answer = Generation.objects.select_related("message").get(pk=turn.generation.pk)
        assert (won, swept) in {(True, 0), (False, 1)}
        expected = (
            (Status.DONE, "the whole answer", "") if won else (Status.INTERRUPTED, "", store.INTERRUPTED)
        )
        assert (answer.status, answer.message.text, answer.sentence) == expected


def test_a_late_save_does_not_shorten_an_ended_answer(live_cast: Cast) -> None:
    turn, lease = ask(live_cast), uuid.uuid4()
    store.claim(turn.generation.pk, lease)
    store.finish(turn.generation.pk, lease, store.Outcome(Status.DONE, "the whole answer"))
    assert store.save([store.Progress(turn.generation.pk, turn.answer.pk, "the wh", "late")], lease) == set()
    answer = Generation.objects.select_related("message").get(pk=turn.generation.pk)
    assert (answer.message.text, answer.reasoning) == ("the whole answer", "")


def test_the_sweep_ends_what_nobody_cares_for(live_cast: Cast) -> None:
    def aged(seconds: int, **facts: object) -> uuid.UUID:
        turn = posting.start(live_cast.member, live_cast.guide, "hello", client_id=uuid.uuid4())
        facts["heartbeat_at"] = timezone.now() - timedelta(seconds=seconds)
        Generation.objects.filter(pk=turn.generation.pk).update(**facts)
        return turn.generation.pk

    lease = uuid.uuid4()
    lost = aged(60, status=Status.RUNNING, lease=lease)
    never_claimed = aged(60)
    asked_to_stop = aged(60, status=Status.RUNNING, lease=lease, stop_requested=True)
    alive = aged(1, status=Status.RUNNING, lease=lease)
    waiting = aged(1)
    assert store.sweep() == 3
    assert store.sweep() == 0
    assert dict(Generation.objects.values_list("pk", "status")) == {
        lost: Status.INTERRUPTED,
        never_claimed: Status.INTERRUPTED,
        asked_to_stop: Status.STOPPED,
        alive: Status.RUNNING,
        waiting: Status.PENDING,
    }


async def test_the_keeper_saves_what_is_shown(live_cast: Cast, running: RecordedUpstream) -> None:
    running.scripts.append(Script(pieces=("shown ",) * 20, thinking=("hm",), hang_after=6))
    turn = await begin(live_cast)
    await until(turn, lambda text: text == "shown " * 5)
    await keeper.save()
    stored = await in_database(store.read, turn.generation.pk)
    assert stored is not None
    run = RUNS[turn.generation.pk]
    assert (stored.text, stored.reasoning) == (run.log.text.since(0), "hm")
    before = await in_database(Generation.objects.get, pk=turn.generation.pk)
    await keeper.save()
    after = await in_database(Generation.objects.get, pk=turn.generation.pk)
    assert before.lease == LEASE
    assert after.heartbeat_at > before.heartbeat_at


@pytest.mark.parametrize("fate", ["swept", "deleted"])
async def test_a_run_that_lost_its_row_stops_paying(
    live_cast: Cast, running: RecordedUpstream, fate: str
) -> None:
    running.scripts.append(Script(pieces=("a ",) * 20, hang_after=5))
    turn = await begin(live_cast)
    await until(turn, bool)
    if fate == "swept":
        row = Generation.objects.filter(pk=turn.generation.pk)
        await in_database(row.update, status=Status.INTERRUPTED)
    else:
        await in_database(turn.conversation.delete)
    await keeper.save()
    assert await running.log.requests[0].client_left(within=2)


async def test_a_reader_of_a_waiting_continuation_is_not_told_twice(
    live_cast: Cast, running: RecordedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = await begin(live_cast)
    await ended(turn)

    def carry_on() -> posting.Turn:
        message = Message.objects.select_related(
            "generation__version", "parent", "conversation__persona__current"
        )
        return posting.continue_(live_cast.member, message.get(pk=turn.answer.pk), client_id=uuid.uuid4())

    again = await in_database(carry_on)
    pieces = generation.follow(again.generation.pk)
    told = (await anext(pieces)).text  # the inherited text, from the database: nobody runs it yet
    claimable, claim = threading.Event(), store.claim
    monkeypatch.setattr(store, "claim", lambda *given: claimable.wait(5) and claim(*given))
    await generation.start(again.generation.pk)
    reader = asyncio.ensure_future(anext(pieces))
    for _ in range(20):
        await asyncio.sleep(0)  # the reader meets the run whose log is still empty
    claimable.set()
    told += (await reader).text
    told += "".join([piece.text async for piece in pieces])
    assert told == (await ended(again)).message.text


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

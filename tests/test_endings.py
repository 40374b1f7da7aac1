"""How an answer ends: stopped at any moment, of two finishers one, swept when nobody cares for it."""

from __future__ import annotations

import asyncio
import random
import threading
import uuid
from functools import partial

import pytest
from django.utils import timezone

from conversations import generation, posting
from conversations.database import in_database
from conversations.generation import keeper, store
from conversations.generation.runner import LEASE, RUNS
from conversations.models import Generation, Message
from conversations.providers.recorded import RecordedUpstream, Script
from tests.conftest import Cast
from tests.races import at_once
from tests.test_generation import ask, begin, ended, text_from, until

Status = Generation.Status

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
    assert answer.sentence == "This answer was stopped."


async def test_stop_before_anybody_runs_it(live_cast: Cast, running: RecordedUpstream) -> None:
    turn = await in_database(ask, live_cast)
    await generation.stop(turn.conversation.pk)
    await generation.start(turn.generation)
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


def test_one_process_claims_an_answer(live_cast: Cast) -> None:
    turn = ask(live_cast)
    jobs = at_once(*[lambda: store.claim(turn.generation, uuid.uuid4()) for _ in range(8)])
    assert sum(job is not None for job in jobs) == 1


def test_of_two_finishers_one_wins_whole(live_cast: Cast) -> None:
    for number in range(25):
        turn = posting.start(live_cast.member, live_cast.guide, f"race {number}", client_id=uuid.uuid4())
        lease = uuid.uuid4()
        store.claim(turn.generation, lease)
        done = store.Outcome(Status.DONE, "the whole answer", finish_reason="complete")
        won, swept = at_once(
            partial(store.finish, turn.generation.pk, lease, done), partial(store.sweep, store.beats())
        )
        answer = Generation.objects.select_related("message").get(pk=turn.generation.pk)
        assert (won, swept) in {(True, 0), (False, 1)}
        expected = (
            (Status.DONE, "the whole answer", "") if won else (Status.INTERRUPTED, "", store.INTERRUPTED)
        )
        assert (answer.status, answer.message.text, answer.sentence) == expected


def test_a_late_save_does_not_shorten_an_ended_answer(live_cast: Cast) -> None:
    turn, lease = ask(live_cast), uuid.uuid4()
    store.claim(turn.generation, lease)
    store.finish(turn.generation.pk, lease, store.Outcome(Status.DONE, "the whole answer"))
    assert store.save([store.Progress(turn.generation.pk, turn.answer.pk, "the wh", "late")], lease) == set()
    answer = Generation.objects.select_related("message").get(pk=turn.generation.pk)
    assert (answer.message.text, answer.reasoning) == ("the whole answer", "")


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
        await in_database(row.update, status=Status.INTERRUPTED, finished_at=timezone.now())
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
    await generation.start(again.generation)
    reader = asyncio.ensure_future(anext(pieces))
    for _ in range(20):
        await asyncio.sleep(0)  # the reader meets the run whose log is still empty
    claimable.set()
    told += (await reader).text
    told += "".join([piece.text async for piece in pieces])
    assert told == (await ended(again)).message.text

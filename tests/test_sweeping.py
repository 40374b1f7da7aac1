"""Whose process is gone is found out by watching, with no clock but the watcher's own."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial

from django.utils import timezone

from conversations import posting
from conversations.database import in_database
from conversations.generation import keeper, store
from conversations.generation.sweeping import LEASE_SECONDS, Watch
from conversations.models import Generation
from conversations.providers.recorded import RecordedUpstream, Script
from tests.conftest import Cast
from tests.races import at_once
from tests.test_generation import begin, until

Status = Generation.Status
OTHER = uuid.uuid4()
LOOK = 5.0  # seconds between two looks


class Clock:
    """A monotonic clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def running(cast: Cast, **facts: object) -> uuid.UUID:
    """An answer that another process has begun to write."""
    turn = posting.start(cast.member, cast.guide, "hello", client_id=uuid.uuid4())
    assert store.claim(turn.generation, OTHER)
    Generation.objects.filter(pk=turn.generation.pk).update(**facts)
    return turn.generation.pk


def beat(*pks: uuid.UUID, **ago: float) -> None:
    """Their process cares for them, at whatever time its clock shows."""
    Generation.objects.filter(pk__in=pks).update(heartbeat_at=timezone.now() - timedelta(**ago))


def test_the_sweep_ends_what_nobody_cares_for(live_cast: Cast) -> None:
    clock = Clock()
    watch = Watch(now=clock)
    lost, alive = running(live_cast), running(live_cast)
    asked_to_stop = running(live_cast, stop_requested=True)
    never_claimed = posting.start(
        live_cast.member, live_cast.guide, "hi", client_id=uuid.uuid4()
    ).generation.pk
    swept = []
    for number in range(6):
        beat(alive, seconds=number)
        swept.append(store.sweep(watch.lost(store.beats())))
        clock.now += LOOK
    assert swept == [0, 0, 0, 0, 3, 0]
    assert dict(Generation.objects.values_list("pk", "status")) == {
        lost: Status.INTERRUPTED,
        never_claimed: Status.INTERRUPTED,
        asked_to_stop: Status.STOPPED,
        alive: Status.RUNNING,
    }


def test_a_clock_that_jumps_ends_nothing(live_cast: Cast) -> None:
    """The times in the record may be of yesterday or of tomorrow: they change, and that is what counts."""
    clock = Clock()
    watch = Watch(now=clock)
    pk = running(live_cast)
    for hours in (0, 24, -24, 0, -1, 1, 0, 48):
        beat(pk, hours=hours)
        assert watch.lost(store.beats()) == {}
        clock.now += LOOK


def test_who_could_not_look_knows_nothing_of_that_time(live_cast: Cast) -> None:
    """A database that was away kept the other process from its heartbeat as well."""
    clock = Clock()
    watch = Watch(now=clock)
    running(live_cast)
    assert watch.lost(store.beats()) == {}
    clock.now += LEASE_SECONDS
    assert watch.lost(store.beats()) == {}
    for _ in range(3):
        clock.now += LOOK
        assert watch.lost(store.beats()) == {}
    clock.now += LOOK
    assert len(watch.lost(store.beats())) == 1


def test_a_heartbeat_that_comes_meanwhile_saves_it(live_cast: Cast) -> None:
    pk = running(live_cast)
    seen = store.beats()
    beat(pk, seconds=-1)
    assert store.sweep(seen) == 0
    assert Generation.objects.get(pk=pk).status == Status.RUNNING


def test_of_two_that_sweep_one_does(live_cast: Cast) -> None:
    for _ in range(10):
        pk = running(live_cast)
        assert sorted(at_once(*[partial(store.sweep, store.beats())] * 2)) == [0, 1]
        assert Generation.objects.get(pk=pk).status == Status.INTERRUPTED


async def test_what_runs_here_is_not_swept_here(live_cast: Cast, running: RecordedUpstream) -> None:
    """Not even where the database let no heartbeat through."""
    running.scripts.append(Script(pieces=("some ",) * 9, hang_after=3))
    turn = await begin(live_cast)
    await until(turn, lambda text: bool(text))
    clock = Clock()
    watch = Watch(now=clock)
    for _ in range(8):
        await keeper.sweep(watch)
        clock.now += LOOK
    assert (await in_database(Generation.objects.get, pk=turn.generation.pk)).status == Status.RUNNING


def test_alone_all_is_swept_at_once(live_cast: Cast) -> None:
    pk = running(live_cast)
    assert store.sweep_all() == 1
    assert Generation.objects.get(pk=pk).status == Status.INTERRUPTED

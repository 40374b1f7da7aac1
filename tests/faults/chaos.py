"""Random faults before twenty people, and then the question whether anything was lost, doubled or left behind.

    python -m tests.faults.chaos [--seed N] [--seconds S] [--together]

Prints its seed first. People ask, stop, reload and ask again; meanwhile processes, Redis, PostgreSQL, lines and
providers are killed, paused, cut and restarted. Afterwards the providers' own record of what they sent is compared with
the database, with what the pages show, and with what they would show if they were loaded anew.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from conversations.providers import recorded
from conversations.providers.recorded import Pace, RecordedUpstream, Script, Seen
from tests.e2e.conftest import question_of
from tests.faults.installation import Installation
from tests.faults.people import Person

PEOPLE = 20
CALM = 60.0  # seconds in which everything has to come to its end
RATE = 40.0  # tokens a second
LIVE = ("pending", "running")
SETTINGS = {
    "MISTRAL_API_KEY": "key-of-the-tests",
    "UPSTREAM_FIRST_TOKEN_TIMEOUT": "8",
    "UPSTREAM_SILENCE_TIMEOUT": "6",
}


@dataclass
class World:
    """All that takes part."""

    made: Installation
    chance: random.Random
    upstream: RecordedUpstream
    scripts: dict[str, list[str]] = field(default_factory=dict)  # by question, the pieces of its answer
    asked: set[str] = field(default_factory=set)
    faults: Counter[str] = field(default_factory=Counter)
    over: bool = False

    def script(self, question: str) -> Script:
        """How the provider behaves this time."""
        pieces = tuple(self.scripts[question])
        pace = Pace(self.chance.random(), RATE)
        odd = self.chance.random()
        if odd < 0.8 or self.over:
            return Script(pieces=pieces, pace=pace)
        if odd < 0.85:
            return Script(pieces=pieces, pace=pace, hang_after=self.chance.randrange(len(pieces)))
        if odd < 0.9:
            return Script(pieces=pieces, pace=pace, cut_after=self.chance.randrange(200, 4_000))
        if odd < 0.95:
            status = self.chance.choice((429, 500, 503))
            return Script(status=status, raw=b'{"message": "Not now."}', headers={"retry-after": "1"})
        return Script(pieces=pieces, pace=pace, finish=None)


# -- People -----------------------------------------------------------------------------------------


async def live(person: Person, world: World) -> None:
    """Ask, wait, and now and then lose patience."""
    number = 0
    await person.sign_in()
    while not world.over:
        number += 1
        question = f"{person.name} {number}"
        world.scripts[question] = [f"w{index} " for index in range(world.chance.randrange(20, 240))]
        world.asked.add(question)
        if number % 4 == 1:
            await person.open(question)
        else:
            await person.ask(question)
        if world.chance.random() < 0.3:
            await asyncio.sleep(world.chance.random() * 2)
            await (person.stop() if world.chance.random() < 0.4 else person.load())
        status = await person.ends()
        if status in ("interrupted", "failed") and world.chance.random() < 0.5:
            await person.again(person.answer)
            await person.ends()


# -- Faults -----------------------------------------------------------------------------------------


async def harm(world: World) -> None:
    """One fault after the other, until it is over; each is made good again."""
    faults = _faults(world)
    while not world.over:
        name = world.chance.choice(sorted(faults))
        world.faults[name] += 1
        await faults[name]()
        await asyncio.sleep(world.chance.random() * 3)


def _faults(world: World) -> dict[str, Callable[[], Awaitable[None]]]:
    made, chance = world.made, world.chance

    async def for_a_while(begin: Callable[[], None], end: Callable[[], None], longest: float) -> None:
        await asyncio.to_thread(begin)
        await asyncio.sleep(chance.random() * longest)
        await asyncio.to_thread(end)

    async def killed() -> None:
        place = chance.randrange(len(made.servers))
        await for_a_while(made.servers[place].kill, lambda: void(made.restart(place)), 3)

    async def ended() -> None:
        place = chance.randrange(len(made.servers))
        await asyncio.to_thread(made.servers[place].end)
        await asyncio.to_thread(made.restart, place)

    async def paused() -> None:
        server = chance.choice(made.servers)
        await for_a_while(server.pause, server.resume, 8)

    async def cut() -> None:
        await asyncio.to_thread(made.line.cut)

    async def closed() -> None:
        await for_a_while(made.line.close, made.line.open, 5)

    async def frozen() -> None:
        await for_a_while(made.line.freeze, made.line.thaw, 5)

    async def crossed() -> None:
        made.point(pages=chance.randrange(len(made.servers)), sockets=chance.randrange(len(made.servers)))

    found: dict[str, Callable[[], Awaitable[None]]] = {
        each.__name__: each for each in (killed, ended, paused, cut, closed, frozen, crossed)
    }
    redis, postgres = made.redis, made.postgres
    if redis is not None and postgres is not None:
        found |= {
            "redis killed": lambda: for_a_while(redis.kill, redis.start, 4),
            "redis paused": lambda: for_a_while(redis.pause, redis.resume, 6),
            "postgresql restarted": lambda: asyncio.to_thread(postgres.restart),
            "postgresql killed": lambda: for_a_while(postgres.kill, postgres.start, 3),
            "postgresql paused": lambda: for_a_while(postgres.pause, postgres.resume, 3),
        }
    return found


def void(_: object) -> None:
    """Nothing of it."""


# -- The reckoning ----------------------------------------------------------------------------------


async def reckon(world: World, people: list[Person]) -> list[str]:
    """What is wrong, in words."""
    wrong: list[str] = []
    rows = world.made.rows(
        "SELECT u.username, q.text, m.text, g.status, g.conversation_id, m.id FROM conversations_generation g"
        " JOIN conversations_message m ON m.id = g.message_id JOIN conversations_message q ON q.id = m.parent_id"
        " JOIN auth_user u ON u.id = g.requested_by_id"
    )
    calls: dict[str, list[Seen]] = {}
    for seen in world.upstream.log.requests:
        calls.setdefault(question_of(seen), []).append(seen)
    answers = Counter(question for _, question, *_ in rows)
    for _, question, text, status, *_ in rows:
        wrong += _amiss(question, text, status, "".join(world.scripts[question]))
    for question, number in answers.items():
        paid = sum(seen.tokens > 1 for seen in calls.get(question, []))  # the body of a refusal counts as one
        if paid > number:
            wrong.append(f"{question}: {number} answers, and {paid} were paid for")
    [(twice,)] = world.made.rows(
        "SELECT count(*) - count(DISTINCT text) FROM conversations_message WHERE role = 'user'"
    )
    if twice:
        wrong.append(f"{twice} questions are there twice")
    titles = Counter(seen.body["messages"][-1]["content"] for seen in world.upstream.titles.requests)
    wrong += [f"asked for a title {number} times: {of}" for of, number in titles.items() if number > 1]
    if lost := world.asked - set(answers):
        wrong.append(f"questions that were taken and are gone: {sorted(lost)}")
    for person in people:
        wrong += await _pages_agree(person, {str(row[5]).replace("-", ""): row[2] for row in rows})
    return wrong


def _amiss(question: str, text: str, status: str, whole: str) -> list[str]:
    """What is wrong with an answer as it is kept, whose provider would have sent `whole`."""
    wrong = []
    if status in LIVE:
        wrong.append(f"{question}: still {status}")
    if not whole.startswith(text):
        wrong.append(f"{question}: kept {text[-40:]!r}, which is not the beginning of what was sent")
    if status == "done" and text != whole:
        wrong.append(f"{question}: done with {len(text)} of {len(whole)} characters")
    return wrong


async def _pages_agree(person: Person, kept: dict[str, str]) -> list[str]:
    wrong = []
    served = await person.served()
    if list(served.answers) != list(person.page.answers):
        wrong.append(f"{person.name}: the page has other answers than a reload")
    for mid in served.answers:
        text = served.text(mid).split()
        if text != kept[mid.replace("-", "")].split():
            wrong.append(f"{person.name}: {mid} is loaded with another text than is kept")
        if mid in person.page.answers and person.page.text(mid).split() != text:
            wrong.append(f"{person.name}: {mid} shows another text than a reload")
        if mid in person.page.status and person.page.status[mid] != served.status[mid]:
            wrong.append(
                f"{person.name}: {mid} is {person.page.status[mid]}, and {served.status[mid]} when loaded"
            )
    return wrong


def leaks(world: World) -> list[str]:
    """What processes hold on to when nobody is there any more."""
    wrong = []
    for server in world.made.servers:
        with urllib.request.urlopen(f"{server.url}/metrics", timeout=10) as reply:
            said = dict(line.rsplit(" ", 1) for line in reply.read().decode().splitlines() if line[:1] != "#")
        names = ("chat_answers_running", "chat_sockets", "chat_log_followers")
        wrong += [f"process {server.port}: {name} is {said[name]}" for name in names if float(said[name])]
        descriptors = len(list(Path(f"/proc/{server.pid}/fd").iterdir()))
        if descriptors > 80:
            wrong.append(f"process {server.port}: {descriptors} descriptors are open")
    return wrong


# -- The run ----------------------------------------------------------------------------------------


async def run(*, seed: int, seconds: float, together: bool) -> list[str]:
    """All of it. Gives back what is wrong."""
    chance = random.Random(seed)
    upstream = RecordedUpstream()
    server = recorded.serve(upstream)
    made = Installation(together=together, MISTRAL_BASE_URL=server.base_url("mistral"), **SETTINGS)
    world = World(made, chance, upstream)
    upstream.choose = lambda seen: world.script(question_of(seen))
    people = [Person(made.url, name, random.Random(f"{seed} {name}")) for name in made.members(PEOPLE)]
    began = time.monotonic()
    try:
        lives = [asyncio.create_task(live(person, world)) for person in people]
        harming = asyncio.create_task(harm(world))
        done, _ = await asyncio.wait([*lives, harming], timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
        world.over = True
        async with asyncio.timeout(CALM):
            await asyncio.gather(harming, *lives)
        wrong = await reckon(world, people)
        for person in people:
            await person.close()
        await _quiet(world)
        wrong += leaks(world)
        print(
            f"{len(world.asked)} questions, {len(upstream.log.requests)} calls, {time.monotonic() - began:.0f} s; "
            + ", ".join(f"{name} {number}" for name, number in sorted(world.faults.items()))
        )
        if "Traceback" in made.log():
            wrong.append("a process's log holds a traceback")
        if wrong:
            kept = Path(mkdtemp(prefix="chaos-")) / "log"
            kept.write_text(made.log())
            print(f"the processes' log: {kept}")
        return wrong
    finally:
        for person in people:
            await person.close()
        made.close()
        server.close()


async def _quiet(world: World) -> None:
    """Wait until the processes have noticed that everybody left."""
    deadline = time.monotonic() + 10
    while leaks(world) and time.monotonic() < deadline:  # noqa: ASYNC110 (other processes ring no bell)
        await asyncio.sleep(0.2)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--together", action="store_true", help="two processes on PostgreSQL and Redis")
    asked = parser.parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}, {asked.seconds:g} s, {'together' if asked.together else 'alone'}", flush=True)
    wrong = asyncio.run(run(seed=seed, seconds=asked.seconds, together=asked.together))
    for each in wrong:
        print(f"WRONG: {each}")
    print("nothing lost, nothing doubled, nothing left" if not wrong else f"{len(wrong)} things are wrong")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()

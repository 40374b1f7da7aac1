"""Half an hour of ordinary work, and what it leaves in memory.

    python -m tests.faults.soak [--minutes M] [--together]

Two hundred people hold a socket each, fifty answers run at any moment. Memory is resident memory of the processes; what
it grows by is the difference of the medians of the first and the last fifth of the time after a warm-up.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import time

from conversations.providers import recorded
from conversations.providers.recorded import Pace, RecordedUpstream, Script
from tests.bench.processes import memory
from tests.faults.installation import Installation
from tests.faults.people import Person

PEOPLE = 200
ANSWERS = 50
WORDS = 400  # an answer
RATE = 40.0  # tokens a second
WARM_UP = 0.15  # of the time
EVERY = 5.0  # seconds between two looks
LIMIT = 50.0  # megabytes
ADMITTED = 8  # sign-ins at once


async def run(*, minutes: float, together: bool) -> bool:
    """All of it. Gives back whether it stayed within the limit."""
    pieces = tuple(f"word{number} " if number % 60 else "\n\n" for number in range(WORDS))
    upstream = RecordedUpstream(choose=lambda seen: Script(pieces=pieces, pace=Pace(0.2, RATE)), remember=10)
    server = recorded.serve(upstream)
    made = Installation(
        together=together, MISTRAL_API_KEY="key-of-the-tests", MISTRAL_BASE_URL=server.base_url("mistral")
    )
    people = [Person(made.url, name, random.Random(name)) for name in made.members(PEOPLE)]
    answers = 0
    turn, door = asyncio.Semaphore(ANSWERS), asyncio.Semaphore(ADMITTED)

    async def live(person: Person) -> None:
        nonlocal answers
        async with door:
            await person.sign_in()
        while True:
            async with turn:
                await (person.ask("and then?") if person.path and answers % 3 else person.open("What is it?"))
                assert await person.ends() == "done"
                answers += 1

    seen: list[int] = []
    lives = [asyncio.create_task(live(person)) for person in people]
    try:
        end = time.monotonic() + minutes * 60
        while time.monotonic() < end:
            done, _ = await asyncio.wait(lives, timeout=EVERY, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            seen.append(memory([each.pid for each in made.servers]))
    finally:
        for task in lives:
            task.cancel()
        await asyncio.gather(*lives, return_exceptions=True)
        for person in people:
            await person.close()
        made.close()
        server.close()
    warm = seen[round(len(seen) * WARM_UP) :]
    fifth = max(1, len(warm) // 5)
    first, last = statistics.median(warm[:fifth]) / 2**20, statistics.median(warm[-fifth:]) / 2**20
    tenth = max(1, len(seen) // 10)
    by_time = [f"{statistics.median(seen[at : at + tenth]) / 2**20:.0f}" for at in range(0, len(seen), tenth)]
    print(f"in the course of it: {', '.join(by_time)} MB")
    print(
        f"{minutes:g} minutes, {PEOPLE} sockets, {answers} answers, {'together' if together else 'alone'}: "
        f"{seen[0] / 2**20:.0f} MB at first, {first:.0f} MB warm, {last:.0f} MB at the end, {last - first:+.1f} MB"
    )
    return last - first < LIMIT and "Traceback" not in made.log()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--together", action="store_true", help="two processes on PostgreSQL and Redis")
    asked = parser.parse_args()
    sys.exit(not asyncio.run(run(minutes=asked.minutes, together=asked.together)))


if __name__ == "__main__":
    main()

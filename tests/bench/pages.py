"""The main pages: how long each takes alone, and how many a second are served when several people ask.

As a module run by itself it is those people; its job comes by the standard input.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from typing import Any

from tests.bench.answers import Rows
from tests.bench.figures import percentile
from tests.bench.processes import Child, cpu
from tests.bench.product import PERSONA, SIGN_IN, Setting, people
from tests.bench.script import Ask
from tests.bench.visitor import Tab, Visitor
from tests.e2e.site import PASSWORD

ALONE, TOGETHER, AT_ONCE = 60, 200, 8
TURNS = 3  # of the conversation that is looked at
COLUMNS = (
    ("alone p50", "{p50_ms:.1f} ms"),
    ("p95", "{p95_ms:.1f} ms"),
    (f"pages/s, {AT_ONCE} at once", "{per_second:.0f}"),
    ("p95", "{together_p95_ms:.0f} ms"),
    ("server's CPU a page", "{cpu_ms:.1f} ms"),
    ("bytes", "{bytes:,.0f}"),
)


def measure(setting: Setting) -> Rows:
    """Ask for each page again and again."""
    ((name, password),) = people(setting.product, 1)
    with setting.running() as servers, Child("tests.bench.pages") as readers:
        readers.say({"base": servers[0].url, "name": name, "password": password, "pid": servers[0].pid})
        rows: Rows = readers.hear(300)
    return rows


async def main() -> None:
    """Read the job, ask, and tell what it took."""
    job = json.loads(sys.stdin.readline())
    member, reviewer, nobody = Visitor(), Visitor(), Visitor()
    await member.sign_in(job["base"], job["name"], job["password"])
    conversation = await _conversation(member, job["base"])
    answers = await _ledger(reviewer, job["base"])
    wanted = {
        "sign in": (nobody, SIGN_IN),
        "start": (member, "/"),
        "conversation": (member, conversation),
        "list of chats": (member, "/chats/"),
        "administration: answers": (reviewer, answers),
    }
    rows = {
        name: await _timed(visitor, job["base"] + path, job["pid"])
        for name, (visitor, path) in wanted.items()
    }
    print(json.dumps(rows), flush=True)  # noqa: T201
    for visitor in (member, reviewer, nobody):
        await visitor.close()


async def _conversation(member: Visitor, base: str) -> str:
    """The address of a conversation of a few ended turns."""
    tab = Tab(member, base, base, PERSONA)
    await tab.begin()
    for turn in range(TURNS):
        question = Ask(turn, "plain", 400, 0).question()
        await (tab.ask(question) if turn else tab.open(question))
        async with asyncio.timeout(60):
            await tab.ended.wait()
        tab.forget()
    await tab.close()
    return tab.path


async def _ledger(reviewer: Visitor, base: str) -> str:
    """The address of the ledger, for a reviewer who has said why they read."""
    await reviewer.sign_in(base, "reviewer", PASSWORD)
    page = await reviewer.get(f"{base}/admin/review/")
    found = re.search(r"/admin/review/([0-9a-f-]{36})/", page)
    assert found, "no company to review"
    company = f"{base}/admin/review/{found[1]}/"
    page = await reviewer.get(f"{company}sitting/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    fields: dict[str, Any] = {"csrfmiddlewaretoken": token[1], "reason": "Benchmark"}
    async with reviewer.http.post(f"{company}sitting/", data=fields, headers={"Origin": base}) as reply:
        assert reply.status == 200, reply.status
    return f"/admin/review/{found[1]}/answers/"


async def _timed(visitor: Visitor, url: str, pid: int) -> dict[str, float]:
    size = len((await visitor.get(url)).encode())
    alone = [await _once(visitor, url) for _ in range(ALONE)]
    left = iter(range(TOGETHER))

    async def one() -> list[float]:
        return [await _once(visitor, url) for _ in left]

    began, spent = time.monotonic(), cpu([pid])
    together = [took for each in await asyncio.gather(*(one() for _ in range(AT_ONCE))) for took in each]
    return {
        "p50_ms": percentile(alone, 50) * 1e3,
        "p95_ms": percentile(alone, 95) * 1e3,
        "per_second": TOGETHER / (time.monotonic() - began),
        "together_p95_ms": percentile(together, 95) * 1e3,
        "cpu_ms": (cpu([pid]) - spent) / TOGETHER * 1e3,
        "bytes": size,
    }


async def _once(visitor: Visitor, url: str) -> float:
    began = time.monotonic()
    await visitor.get(url)
    return time.monotonic() - began


if __name__ == "__main__":
    asyncio.run(main())

"""The people: a process that asks for answers and notes when each token is there to be seen.

It reads a job, gets ready, says so, waits for the word to go with the moment of the first question, and gives back
what it saw. The same for the product, the bare relay and the upstream itself, which is read directly.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from itertools import cycle
from typing import Any

import aiohttp

from tests.bench.script import Ask
from tests.bench.visitor import Tab, Visitor
from tests.bench.watched import Watched

AT_ONCE = 8  # while getting ready
WARM_UP_TOKENS = 3


async def main() -> None:
    """One job, from the standard input to the standard output."""
    job = json.loads(sys.stdin.readline())
    watched = [Watched(Ask(*ask), at) for ask, at in zip(job["asks"], job["at"], strict=True)]
    async with asyncio.timeout(2 * job["limit"]):
        target = _TARGETS[job["target"]](job, watched)
        await target.prepare()
        print(json.dumps({"ready": True}), flush=True)  # noqa: T201
        go = (await _heard())["go"]
        gc.collect()
        gc.disable()
        spent = time.process_time()
        await asyncio.gather(*(_watch(target, each, go) for each in watched))
        spent = time.process_time() - spent
        if job.get("hold"):
            print(json.dumps({"open": sum(twin.is_open for twin in target.twins)}), flush=True)  # noqa: T201
            await _heard()
        await target.close()
    told = [each.told() for each in watched]
    print(json.dumps({"cpu": spent, "lost_at": target.lost_at, "answers": told}), flush=True)  # noqa: T201


async def _heard() -> Any:
    """The next message to this process."""
    return json.loads(await asyncio.to_thread(sys.stdin.readline))


async def _watch(target: Target, watched: Watched, go: float) -> None:
    """One answer, within the limit; what breaks is told of it and breaks no other."""
    try:
        async with asyncio.timeout(target.job["limit"]):
            await asyncio.sleep(max(0.0, go + watched.at - time.monotonic()))
            await target.watch(watched)
    except (aiohttp.ClientError, AssertionError, TimeoutError) as error:
        watched.failed = f"{type(error).__name__}: {error}"
    watched.over = time.monotonic()


class Target:
    """Whatever gives answers. `bases` are its addresses, which the answers are spread over."""

    def __init__(self, job: dict[str, Any], watched: list[Watched]) -> None:
        self.job = job
        self.watched = watched
        self.twins: list[Tab] = []
        self.asked = 0
        self.all_asked = asyncio.Event()
        self.lost_at = 0.0  # seconds of the monotonic clock
        self.http: aiohttp.ClientSession

    async def prepare(self) -> None:
        self.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def watch(self, watched: Watched) -> None:
        """Ask, and listen until the answer has ended."""
        raise NotImplementedError

    async def close(self) -> None:
        await self.http.close()


class Direct(Target):
    """The upstream, with nothing between."""

    async def watch(self, watched: Watched) -> None:
        body = {"stream": True, "messages": [{"role": "user", "content": watched.ask.question()}]}
        watched.posted = time.monotonic()
        async with self.http.post(f"{self.job['bases'][0]}/v1/chat/completions", json=body) as reply:
            async for line in reply.content:
                if line.startswith(b"data: {"):
                    watched.heard.append((time.monotonic(), line.decode()))
        watched.heard = [
            (when, json.loads(line[6:])["choices"][0]["delta"]["content"]) for when, line in watched.heard
        ]


class Relay(Target):
    """The bare relay; its sockets are open before anything is asked."""

    async def prepare(self) -> None:
        await super().prepare()
        url = f"{self.job['bases'][0]}/"
        sockets = [self.http.ws_connect(url, max_msg_size=0) for _ in self.watched]
        self.sockets = {
            each.ask.key: socket for each, socket in zip(self.watched, await _some(sockets), strict=True)
        }

    async def watch(self, watched: Watched) -> None:
        socket = self.sockets[watched.ask.key]
        watched.posted = time.monotonic()
        await socket.send_str(watched.ask.question())
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            watched.heard.append((time.monotonic(), message.data))
        await socket.close()


class Product(Target):
    """The product, as its page uses it.

    In the mode "next" each conversation has had a first answer and its page is open, socket and all, when the
    question comes; in "first" the question opens the conversation, and its page is loaded afterwards.
    """

    async def prepare(self) -> None:
        await super().prepare()
        bases, lines = self.job["bases"], self.job["lines"]
        visitors = [Visitor() for _ in self.job["people"]]
        self.visitors = visitors
        await _some(
            [
                visitor.sign_in(base, *person)
                for visitor, base, person in zip(visitors, cycle(bases), self.job["people"], strict=False)
            ]
        )
        for index, (each, visitor) in enumerate(zip(self.watched, cycle(visitors), strict=False)):
            each.tab = Tab(visitor, bases[index % len(bases)], lines[index % len(lines)], self.job["persona"])
        await _some([self._open(each) for each in self.watched])

    async def _open(self, watched: Watched) -> None:
        assert watched.tab
        await watched.tab.begin()
        if self.job["mode"] == "first":
            return
        await watched.tab.open(Ask(0, "prose", WARM_UP_TOKENS, 0).question())
        await watched.tab.ended.wait()
        watched.tab.forget()

    async def watch(self, watched: Watched) -> None:
        assert watched.tab
        question = watched.ask.question()
        watched.posted = time.monotonic()
        if self.job["mode"] == "first":
            await watched.tab.open(question)
        else:
            await watched.tab.ask(question)
        if self.job["drop"]:
            await self._lose_line(watched.tab)
        await watched.tab.ended.wait()
        if self.job.get("reload"):
            watched.tab.reloaded = await watched.tab.visitor.get(watched.tab.base + watched.tab.path)

    async def _lose_line(self, tab: Tab) -> None:
        """Once every answer is asked for, lose the line and come back, all at the same two moments."""
        seconds_to, seconds_off = self.job["drop"]
        self.asked += 1
        if self.asked == len(self.watched):
            self.lost_at = time.monotonic() + seconds_to
            self.all_asked.set()
        await self.all_asked.wait()
        await asyncio.sleep(max(0.0, self.lost_at - time.monotonic()))
        await tab.drop()
        await asyncio.sleep(max(0.0, self.lost_at + seconds_off - time.monotonic()))
        await tab.connect()

    async def close(self) -> None:
        for each in self.watched:
            if each.tab:
                await each.tab.close()
        for visitor in self.visitors:
            await visitor.close()
        await super().close()


class Idle(Product):
    """Sockets of pages on which nothing happens: `tabs` of each conversation, opened at the word to go."""

    async def _open(self, watched: Watched) -> None:
        assert watched.tab
        await super()._open(watched)
        await watched.tab.drop()

    async def watch(self, watched: Watched) -> None:
        assert watched.tab
        for _ in range(self.job["tabs"]):
            twin = watched.tab.twin()
            self.twins.append(twin)
            await twin.connect()

    async def close(self) -> None:
        for twin in self.twins:
            await twin.close()
        await super().close()


_TARGETS = {"idle": Idle, "direct": Direct, "relay": Relay, "product": Product}


async def _some(works: list[Any]) -> list[Any]:
    """Do everything, a few at a time."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(work: Any) -> Any:
        async with room:
            return await work

    return await asyncio.gather(*(one(work) for work in works))


if __name__ == "__main__":
    asyncio.run(main())

"""People at their pages, without a browser: what the page's script does on a bad line, they do.

A form is sent again, with the identity that it had, until it is answered; a socket that is lost is opened again within
seconds and says what the page shows. What the page shows is kept as `tests.bench.page` models it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import ssl
from html import unescape
from typing import Self
from uuid import uuid4

import aiohttp

from tests.bench.page import LIVE, Page
from tests.e2e.site import PASSWORD

WAIT = 2.5  # seconds at most between two tries
REPORT = 32_768  # characters after which a page tells how many frames it took in
PATIENCE = aiohttp.ClientTimeout(total=20)
REFUSED = (aiohttp.ClientError, asyncio.TimeoutError, OSError)
_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_PERSONA = re.compile(r'name="persona"\s+id="[^"]+"\s+value="([^"]+)"\s+data-name="Coca Cola guide"')
_SOCKET = re.compile(r'ws-connect="([^"]+)"')
_STATE = re.compile(r'id="state" data-state="([^"]*)"')
_FOLLOW = re.compile(r"hx-vals='(\{\"follow\": \"[^\"]+\"\})'")


class Person:
    """Somebody who is signed in, with one page open."""

    def __init__(
        self, url: str, name: str, chance: random.Random, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.url, self.name, self._chance, self._tls = url, name, chance, tls
        self.path = self.state = ""
        self.page = Page()
        self.refusals: list[int] = []
        self.changed = asyncio.Event()
        self._token = self._persona = ""
        self._http = aiohttp.ClientSession(
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            connector=aiohttp.TCPConnector(limit=0, ssl=tls or True),
        )
        self._line: asyncio.Task[None] | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._follows: list[str] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def sign_in(self) -> None:
        while True:
            with contextlib.suppress(*REFUSED):
                await self._signed_in()
                return
            await self._wait()

    async def _signed_in(self) -> None:
        page = await self._got("/accounts/login/")
        fields = {"csrfmiddlewaretoken": _one(_CSRF, page), "username": self.name, "password": PASSWORD}
        async with self._http.post(
            f"{self.url}/accounts/login/",
            data=fields,
            headers={"Origin": self.url, "Referer": f"{self.url}/"},
        ) as reply:
            if reply.status != 200:
                self._refused(reply.status)
                raise aiohttp.ClientError
        self._persona = _one(_PERSONA, await self._got("/"))

    async def open(self, question: str) -> None:
        """Ask a first question, and go where it leads."""
        await self.leave()
        reply, _ = await self._sent("/start/", {"text": question, "persona": self._persona})
        self.path = reply.headers["HX-Redirect"]
        await self.load()

    async def load(self) -> None:
        """Load the page, or load it again."""
        await self.leave()
        html = await self._got(self.path)
        self.page = Page()
        self.page.load(html)
        self._notice(html)
        self._line = asyncio.create_task(self._hold(unescape(_one(_SOCKET, html))))

    async def leave(self) -> None:
        """Close the page."""
        if self._line is not None:
            self._line.cancel()
            await asyncio.gather(self._line, return_exceptions=True)
            self._line = None

    async def ask(self, question: str) -> None:
        """Ask the next question."""
        _, fragment = await self._sent(f"{self.path}send/", {"text": question, "state": self.state})
        await self._take(fragment)

    async def again(self, mid: str) -> None:
        """Have an answer made anew."""
        _, fragment = await self._sent(f"{self.path}messages/{mid}/regenerate/", {})
        await self._take(fragment)

    async def stop(self) -> None:
        """Press the stop button."""
        _, fragment = await self._sent(f"{self.path}stop/", {})
        await self._take(fragment)

    @property
    def answer(self) -> str:
        """The id of the last answer that the page shows."""
        return list(self.page.answers)[-1]

    @property
    def status(self) -> str:
        """How that stands."""
        return self.page.status[self.answer]

    async def ends(self) -> str:
        """Wait until the last answer has ended, and give back how."""
        while self.status in LIVE:
            self.changed.clear()
            await self.changed.wait()
        return self.status

    async def served(self) -> Page:
        """The page as it would be loaded now."""
        page = Page()
        page.load(await self._got(self.path))
        return page

    async def close(self) -> None:
        await self.leave()
        await self._http.close()

    async def _got(self, path: str) -> str:
        while True:
            with contextlib.suppress(*REFUSED):
                async with self._http.get(self.url + path, timeout=PATIENCE) as reply:
                    if reply.status == 200:
                        html = await reply.text()
                        self._token = (_CSRF.search(html) or ["", self._token])[1]
                        return html
                    self._refused(reply.status)
            await self._wait()

    async def _sent(self, path: str, fields: dict[str, str]) -> tuple[aiohttp.ClientResponse, str]:
        """A form, sent until it is answered. That it is already done, is an answer too."""
        fields = {"csrfmiddlewaretoken": self._token, "client_id": str(uuid4()), **fields}
        headers = {
            "HX-Request": "true", "X-CSRFToken": self._token, "Origin": self.url, "Referer": f"{self.url}/"
        }  # fmt: skip
        while True:
            with contextlib.suppress(*REFUSED):
                async with self._http.post(
                    self.url + path, data=fields, headers=headers, timeout=PATIENCE
                ) as reply:
                    if reply.status == 200:
                        return reply, await reply.text()
                    self._refused(reply.status)
            await self._wait()

    def _refused(self, status: int) -> None:
        # Away for a moment, or busy with the answer before: both pass. Nothing else may be said to who is in the right.
        assert status in (409, 429, 502, 503, 504), status
        self.refusals.append(status)

    async def _wait(self) -> None:
        await asyncio.sleep(self._chance.random() * WAIT)

    async def _hold(self, address: str) -> None:
        """Hold a socket, again and again."""
        while True:
            with contextlib.suppress(*REFUSED):
                async with self._http.ws_connect(
                    self.url.replace("http", "ws", 1) + address,
                    params={"state": self.state},
                    origin=self.url,
                    max_msg_size=0,
                    timeout=aiohttp.ClientWSTimeout(ws_close=1),
                    heartbeat=20,
                ) as socket:
                    self._socket = socket
                    await self._listen(socket)
            self._socket = None
            await self._wait()

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        frames = unreported = 0
        await self._follow()
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                return
            await self._take(message.data)
            frames, unreported = frames + 1, unreported + len(message.data)
            if unreported >= REPORT:
                unreported = 0
                await socket.send_json({"taken": frames})

    async def _take(self, html: str) -> None:
        self.page.take(html)
        self._notice(html)
        self.changed.set()
        await self._follow()

    def _notice(self, html: str) -> None:
        if states := _STATE.findall(html):
            self.state = states[-1]
        self._follows += _FOLLOW.findall(html)

    async def _follow(self) -> None:
        while self._follows and self._socket is not None and not self._socket.closed:
            with contextlib.suppress(
                *REFUSED
            ):  # what is said to a line that just broke is lost, as a browser's is
                await self._socket.send_str(self._follows.pop(0))


def _one(pattern: re.Pattern[str], page: str) -> str:
    found = pattern.search(page)
    assert found, f"{pattern.pattern} is not on the page"
    return found[1]

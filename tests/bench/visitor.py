"""A person's browser before the product, as far as the server can tell: forms by HTTP, events by the socket.

What arrives is kept with the moment of its arrival (seconds of CLOCK_MONOTONIC) and read later, so that reading it
does not delay what comes next.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from html import unescape
from uuid import uuid4

import aiohttp

from tests.bench.page import LIVE

TRIES = 8  # to have a socket
LONGEST_WAIT = 2.5  # seconds between two of them
REPORT = 32_768  # characters after which a page tells how many frames it took in
_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_PERSONA = re.compile(r'name="persona"\s+id="[^"]+"\s+value="([^"]+)"\s+data-name="([^"]+)"')
_SOCKET = re.compile(r'ws-connect="([^"]+)"')
_STATE = re.compile(r'id="state" data-state="([^"]*)"')
_FOLLOW = re.compile(r"hx-vals='(\{\"follow\": \"[^\"]+\"\})'")
_ARTICLE = re.compile(r'id="message-([0-9a-f-]+)"')
_FOOT = re.compile(r'id="foot-([0-9a-f-]+)" data-status="(\w*)"')


class Visitor:
    """One signed-in person, whose tabs share cookies and connections."""

    def __init__(self) -> None:
        connector = aiohttp.TCPConnector(limit=0)
        self.http = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def sign_in(self, base: str, name: str, password: str) -> None:
        """Go to the start page by way of the form that asks who is there."""
        login = f"{base}/accounts/login/"
        page = await self.get(login)
        fields = {"csrfmiddlewaretoken": _one(_CSRF, page), "username": name, "password": password}
        async with self.http.post(login, data=fields, headers={"Origin": base}) as reply:
            assert reply.status == 200, reply.status
            assert "New chat" in await reply.text(), "not signed in"

    async def get(self, url: str) -> str:
        """A page that is there."""
        async with self.http.get(url) as reply:
            assert reply.status == 200, f"{url}: {reply.status}"
            return await reply.text()

    async def close(self) -> None:
        await self.http.close()


class Tab:
    """A conversation's page in a person's browser. `base` serves its forms, `line` its socket."""

    def __init__(self, visitor: Visitor, base: str, line: str, persona: str) -> None:
        self.visitor, self.base, self.line, self.persona = visitor, base, line, persona
        self.page = self.reloaded = ""  # as it was served, and once more at the end
        self.heard: list[tuple[float, str]] = []
        self.ended = asyncio.Event()
        self.connects = 0
        self.loaded_at = 0.0
        self.old: set[str] = set()  # answers whose end is no news
        self.path = self._persona = self._token = self._state = ""
        self._there: set[str] = set()  # messages that the page has
        self._follows: list[str] = []
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._listening: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Load the start page."""
        page = await self.visitor.get(f"{self.base}/")
        self._token = _one(_CSRF, page)
        self._persona = next(pk for pk, name in _PERSONA.findall(page) if name == self.persona)

    async def open(self, question: str) -> None:
        """Ask the first question on the start page, and go where it leads."""
        reply = await self._post("/start/", {"text": question, "persona": self._persona})
        self.path = reply.headers["HX-Redirect"]
        await self.load()

    async def load(self) -> None:
        """Load the page, and do what its markup asks for: connect, and follow a running answer."""
        self.page = await self.visitor.get(self.base + self.path)
        self.loaded_at = time.monotonic()
        self._token = _one(_CSRF, self.page)
        self.notice(self.page)
        self._follows += _FOLLOW.findall(self.page)
        await self.connect()

    async def connect(self) -> None:
        """Open the socket, as the page does whenever it has none; where that fails, try again as the page does."""
        for tries in range(TRIES):
            self.connects += 1
            try:
                self._socket = await self.visitor.http.ws_connect(
                    self.line + unescape(_one(_SOCKET, self.page)),
                    params={"state": self._state},
                    origin=self.line,
                    max_msg_size=0,
                )
            except aiohttp.ClientError:
                await asyncio.sleep(random.random() * min(LONGEST_WAIT, 2**tries))
            else:
                break
        assert self._socket is not None, "no socket was to be had"
        self._listening = asyncio.create_task(self._listen(self._socket))
        await self._follow()

    async def ask(self, question: str) -> None:
        """Send the composer's form."""
        reply = await self._post(f"{self.path}send/", {"text": question, "state": self._state})
        fragment = await reply.text()
        self.heard.append((time.monotonic(), fragment))
        if 'id="messages"' in fragment or not self._there.issuperset(_ARTICLE.findall(fragment)):
            # Else the turn came over the socket, and this one is dropped.
            self._follows += _FOLLOW.findall(fragment)
        self.notice(fragment)
        await self._follow()

    def twin(self) -> Tab:
        """The same page in another tab, not yet connected."""
        other = Tab(self.visitor, self.base, self.line, self.persona)
        other.page, other.path, other._state = self.page, self.path, self._state
        return other

    @property
    def is_open(self) -> bool:
        """Whether there is a socket."""
        return self._socket is not None and not self._socket.closed

    async def drop(self) -> None:
        """Lose the line."""
        assert self._socket is not None
        if self._listening:
            self._listening.cancel()
        await self._socket.close()

    def forget(self) -> None:
        """Begin to listen for a new answer: what ended so far is no news."""
        self.old.update(
            mid for mid, _ in _FOOT.findall(self.page + "".join(frame for _, frame in self.heard))
        )
        self.ended.clear()

    async def close(self) -> None:
        if self._listening:
            self._listening.cancel()
        if self._socket is not None:
            await self._socket.close()

    async def _post(self, path: str, fields: dict[str, str]) -> aiohttp.ClientResponse:
        fields = {"csrfmiddlewaretoken": self._token, "client_id": str(uuid4()), **fields}
        headers = {"HX-Request": "true", "X-CSRFToken": self._token, "Origin": self.base}
        reply = await self.visitor.http.post(self.base + path, data=fields, headers=headers)
        assert reply.status == 200, f"{path}: {reply.status}"
        return reply

    async def _follow(self) -> None:
        assert self._socket is not None
        while self._follows:
            await self._socket.send_str(self._follows.pop(0))

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        frames = unreported = 0
        async for message in socket:
            now = time.monotonic()
            self.heard.append((now, message.data))
            frames, unreported = frames + 1, unreported + len(message.data)
            if unreported >= REPORT:
                unreported = 0
                await socket.send_json({"taken": frames})
            if "<footer" in message.data or 'id="state"' in message.data:
                self.notice(message.data)
        if not self.ended.is_set() and self.connects < TRIES:
            await self.connect()

    def notice(self, html: str) -> None:
        """What the page knows of itself without being read: its state, and that an answer has ended."""
        if states := _STATE.findall(html):
            self._state = states[-1]
        brought = set(_ARTICLE.findall(html))
        dropped = brought & self._there if 'id="messages"' not in html else set()
        self._there |= brought
        for mid, status in _FOOT.findall(html):
            if status not in LIVE and mid not in self.old | dropped:
                self.ended.set()


def _one(pattern: re.Pattern[str], page: str) -> str:
    found = pattern.search(page)
    assert found, f"{pattern.pattern} is not on the page"
    return found[1]

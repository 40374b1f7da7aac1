"""What a browser is sent, looked through for canaries: pages, fragments, headers and the frames of its sockets."""

from __future__ import annotations

import asyncio
import contextlib

from playwright.async_api import BrowserContext, Error, Page, Response, WebSocket

from tests import canaries

READ = {"document", "xhr", "fetch"}  # static files are the repository's
STUDIO = "/admin/conversations/persona/"  # shows system prompts to those who write them


class Watched:
    """All that one context is sent."""

    def __init__(self, context: BrowserContext) -> None:
        self._reading: set[asyncio.Task[None]] = set()
        context.on("page", self._page)
        context.on("response", self._response)

    async def end(self) -> None:
        """Wait until everything that came was looked through. Before the context is closed."""
        while self._reading:
            await asyncio.wait(self._reading)

    def _page(self, page: Page) -> None:
        page.on("websocket", self._socket)

    def _socket(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda said: canaries.FOUND.search(f"a frame of {socket.url}", said))

    def _response(self, response: Response) -> None:
        if response.request.resource_type in READ:
            task = asyncio.ensure_future(self._read(response))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)

    async def _read(self, response: Response) -> None:
        among = canaries.KEY_NEEDLES if STUDIO in response.url else canaries.EVERY_NEEDLE
        with contextlib.suppress(
            Error
        ):  # a redirect and a download have no body, nor has a page that was left
            canaries.FOUND.search(response.url, str(await response.all_headers()), among)
            canaries.FOUND.search(response.url, await response.body(), among)

"""The line between a browser and the processes of the product, which can be cut, frozen and closed."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

SOCKET = b"GET /ws/"
CHUNK = 64 * 1024


@dataclass(eq=False)
class _Connection:
    socket: bool
    ends: tuple[asyncio.StreamWriter, asyncio.StreamWriter]

    def cut(self) -> None:
        for end in self.ends:
            end.transport.abort()


class Line:
    """Forwards connections on loopback: what begins as a socket of the product's to one port, the rest to another.

    The ports may be changed at any time; they count for connections that begin later.
    """

    def __init__(self, *, pages: int, sockets: int) -> None:
        self.pages, self.sockets = pages, sockets
        self.begun = 0  # connections that began as sockets
        self.host = ""
        self._open: dict[_Connection, None] = {}
        self._up = True
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._done(self._listen())
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        """End every socket at once, as a lost network does; what begins later goes through."""

        def down() -> None:
            for each in self._open:
                if each.socket:
                    each.cut()

        self._call(down)

    def close(self) -> None:
        """End everything and take nothing more, until `open`."""

        def down() -> None:
            self._up = False
            for each in self._open:
                each.cut()

        self._call(down)

    def open(self) -> None:
        """Take connections again."""
        self._call(lambda: setattr(self, "_up", True))

    def freeze(self) -> None:
        """Let nothing through any more, in open connections and in new ones, and close none."""
        self._call(self._flows.clear)

    def thaw(self) -> None:
        """Let through again what waits."""
        self._call(self._flows.set)

    @property
    def open_sockets(self) -> int:
        """How many sockets are open."""
        return sum(each.socket for each in list(self._open))

    def end(self) -> None:
        """End the line for good."""
        self.close()
        self._done(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _done(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def _call(self, act: Callable[[], object]) -> None:
        async def acted() -> None:
            act()

        self._done(acted())

    async def _listen(self) -> asyncio.Server:
        self._flows.set()
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _shut(self) -> None:
        self._flows.set()
        self._server.close()
        await self._server.wait_closed()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # What is cancelled is so because the line ends; the server would report each as an error of its own.
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            if not self._up:
                writer.transport.abort()
                return
            await self._flows.wait()
            head = await reader.read(CHUNK)
            is_socket = head.startswith(SOCKET)
            self.begun += is_socket
            theirs, ours = await asyncio.open_connection(
                "127.0.0.1", self.sockets if is_socket else self.pages
            )
            ours.write(head)
            connection = _Connection(is_socket, (writer, ours))
            self._open[connection] = None
            try:
                await asyncio.gather(self._pump(reader, ours), self._pump(theirs, writer))
            finally:
                del self._open[connection]
                connection.cut()
            return
        writer.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(CHUNK):
            await self._flows.wait()
            target.write(data)
            await target.drain()
        with contextlib.suppress(OSError):
            target.write_eof()

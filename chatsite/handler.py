"""Pages from Django to the ASGI server, with one hop to a thread for each request.

Django's own handler serves views of both kinds: it hops for the hooks of each middleware, for its signals and for the
closing of the response, in a thread that it makes for the request. All views and middleware here are synchronous, so
the whole of a request is done in one go, by a bounded pool. `tests/test_handler.py` holds what must stay the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any, TypeVar

from asgiref.sync import sync_to_async
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase

from chatsite import headers, health

T = TypeVar("T")

THREADS = 5  # at once; each that computes takes the processor from the event loop, which streams
_pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="pages")


class PageHandler(ASGIHandler):
    """The ASGI application of all pages."""

    def load_middleware(self, is_async: bool = False) -> None:
        """Build a chain of middleware that is synchronous throughout."""
        super().load_middleware(is_async=False)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["path"] == health.PATH:  # all threads may be waiting for a database that is locked
            await self.send_response(health.well(), send)
            return
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        request, response = self.create_request(scope, body)
        if request is None:
            body.close()
        else:
            request.META["CONTENT_LENGTH"] = str(body.seek(0, os.SEEK_END))  # also of what came in chunks
            body.seek(0)
            response = await _in_thread(self._answer, request, body)
        if response is None:
            return
        if response.streaming:
            await self._send_stream(response, receive, send)
        else:
            await self.send_response(response, send)

    async def send_response(self, response: HttpResponseBase, send: Any) -> None:
        """Send an answer with all that the browser is to know of it, whoever made it."""
        headers.complete(response)
        await super().send_response(response, send)

    def _answer(self, request: ASGIRequest, body: IO[bytes]) -> HttpResponseBase:
        """The whole of a request. The body is closed here: who asked may be gone before it was read."""
        with body:
            signals.request_started.send(sender=self.__class__, scope=request.scope)
            response = self.get_response(request)
        response._handler_class = self.__class__  # type: ignore[attr-defined]
        if isinstance(response, FileResponse):
            response = _whole(response)
        if not response.streaming:
            response.close()
        return response

    async def _send_stream(self, response: HttpResponseBase, receive: Any, send: Any) -> None:
        """Send what comes bit by bit, for as long as there is somebody to read it."""
        sending = asyncio.create_task(self.send_response(response, send))
        gone = asyncio.create_task(self.listen_for_disconnect(receive))
        try:
            await asyncio.wait([sending, gone], return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            sending.cancel()
            gone.cancel()
            await asyncio.gather(sending, gone, return_exceptions=True)
            await _in_thread(response.close)


def _whole(file: FileResponse) -> HttpResponse:
    """A file of the site's own, read in the thread of its request."""
    with contextlib.closing(file):
        content = b"".join(file)
    return HttpResponse(content, status=file.status_code, headers=dict(file.headers))


async def _in_thread(function: Callable[..., T], *args: Any) -> T:
    """Call `function` to its end, also where the server gives the request up: what was begun is not left half done."""
    return await asyncio.shield(sync_to_async(function, thread_sensitive=False, executor=_pool)(*args))

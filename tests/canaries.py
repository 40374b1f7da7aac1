"""Canaries: provider keys and system prompts that must come out nowhere, looked for in all that the tests make.

A plugin of pytest. While it is loaded, every response of Django's, every frame and header that the application sends,
every log record of every logger at every level, every captured output and every log of a server's process is searched.
A key may come out nowhere. A system prompt may stand on the pages of `SHOWN_TO_MANAGERS`, before a manager or an
operator, and in the database. What is found fails the test that it was found in, and what is found between tests the
run.
"""

from __future__ import annotations

import base64
import functools
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, quote_plus

import pytest
from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase, StreamingHttpResponse

KEY = "key-of-the-tests"
# The second is that of tests/providers. Programs that start servers and are no tests have no settings of their own.
SECRETS = (settings.SECRET_KEY,) if "DJANGO_SETTINGS_MODULE" in os.environ else ()
KEYS = (KEY, "key-canary-7f3a", *SECRETS)
# What the personas that members use are told; the demo has both.
PROMPTS = ("You are an assistant for the company Coca Cola", "You are the IT helpdesk of the company Globex")
# Pages that are there to show a system prompt, and an export that is made of them.
SHOWN_TO_MANAGERS = frozenset(
    {
        "admin:conversations_persona_add",
        "admin:conversations_persona_change",
        "admin:conversations_persona_compare",
        "admin:conversations_persona_version",
        "admin:review_export",
    }
)

# Told at DEBUG with the whole context of a page, and so kept from it by the settings whatever the other levels are.
KEPT_FROM_DEBUG = "django.template"

Send = Callable[[dict[str, Any]], Awaitable[None]]


def spellings(canary: str) -> Iterator[bytes]:
    """A canary as it may be written: plain, in an address, in base64 at any place of a text."""
    yield from {form.encode() for form in (canary, quote(canary), quote_plus(canary))}
    for before in range(3):
        encoded = base64.b64encode(b"x" * before + canary.encode())
        # Without the digits that depend on what stands before and behind.
        yield encoded[(0, 2, 3)[before] : len(encoded) // 4 * 4 - 4]


def needles(canaries: Iterable[str]) -> tuple[tuple[bytes, str], ...]:
    """Every spelling with the canary that it is of."""
    return tuple((form, canary) for canary in canaries for form in spellings(canary))


KEY_NEEDLES, PROMPT_NEEDLES = needles(KEYS), needles(PROMPTS)
EVERY_NEEDLE = KEY_NEEDLES + PROMPT_NEEDLES
LONGEST = max(len(form) for form, _ in EVERY_NEEDLE)


def look(said: bytes | str, among: Iterable[tuple[bytes, str]] = EVERY_NEEDLE) -> list[str]:
    """The canaries that stand in `said`."""
    data = said.encode("utf-8", "replace") if isinstance(said, str) else said
    return sorted({canary for form, canary in among if form in data})


class Found:
    """What was found, until it is told."""

    def __init__(self) -> None:
        self.untold: list[str] = []

    def note(self, where: str, canaries: Iterable[str]) -> None:
        """Keep that `canaries` came out somewhere."""
        self.untold += [f"{canary!r} came out in {where}" for canary in canaries]

    def search(
        self, where: str, said: bytes | str, among: Iterable[tuple[bytes, str]] = EVERY_NEEDLE
    ) -> None:
        """Look for canaries in `said`."""
        self.note(where, look(said, among))

    def take(self) -> list[str]:
        """What has not been told yet, to be told now."""
        told, self.untold = self.untold, []
        return told


FOUND = Found()
LOGS: set[Path] = set()  # of processes; looked through at the end of the run


# -- Pages -------------------------------------------------------------------------------------------


def may_see_prompts(request: HttpRequest) -> bool:
    """Whether this is a page that shows system prompts, and whoever asks may see them."""
    match = getattr(request, "resolver_match", None)
    if match is None or match.view_name not in SHOWN_TO_MANAGERS:
        return False
    person = request.user
    return bool(
        person.is_active and (person.is_superuser or person.memberships.filter(role="manager").exists())
    )


def judge(request: HttpRequest, said: bytes) -> None:
    """Look through a part of a response."""
    where = f"the response to {request.method} {request.path}"
    FOUND.search(where, said, KEY_NEEDLES)
    if (prompts := look(said, PROMPT_NEEDLES)) and not may_see_prompts(request):
        FOUND.note(where, prompts)


def head_of(response: HttpResponseBase) -> bytes:
    """The headers of a response, cookies too."""
    lines = [f"{name}: {value}" for name, value in response.items()]
    return "\n".join([*lines, response.cookies.output()]).encode("utf-8", "replace")


def watch(request: HttpRequest, response: HttpResponseBase) -> None:
    """Look through a response, one that streams while it does."""
    judge(request, head_of(response))
    if not response.streaming:
        judge(request, cast(Any, response).content)
    elif isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
        parts: Any = response.streaming_content
        response.streaming_content = (
            passing_async(request, parts) if response.is_async else passing(request, parts)
        )


def passing(request: HttpRequest, parts: Iterable[bytes]) -> Iterator[bytes]:
    """`parts`, looked through on the way; what stands across two of them is found too."""
    before = b""
    for part in parts:
        judge(request, before + part)
        before = (before + part)[-LONGEST:]
        yield part


async def passing_async(request: HttpRequest, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same for parts that come by and by."""
    from conversations.database import in_database

    before = b""
    async for part in parts:
        if look(before + part):
            await in_database(judge, request, before + part)
        before = (before + part)[-LONGEST:]
        yield part


# -- What the application sends ------------------------------------------------------------------------


def watched(serve: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """An ASGI application whose messages are looked through.

    Bodies of pages went by `watch`, which knows who asked; here it is keys that are looked for in them.
    """

    async def application(scope: dict[str, Any], receive: Any, send: Send) -> None:
        async def passed(message: dict[str, Any]) -> None:
            page = message["type"] == "http.response.body"
            where = f"a {message['type']} to {scope.get('path')}"
            FOUND.search(where, plain_form(message), KEY_NEEDLES if page else EVERY_NEEDLE)
            await send(message)

        await serve(scope, receive, passed)

    return application


def plain_form(message: dict[str, Any]) -> bytes:
    """All that a message of ASGI says."""
    parts = [message.get("body"), message.get("bytes"), message.get("text"), message.get("reason")]
    parts += [part for header in message.get("headers", ()) for part in header]
    return b"\n".join(
        part.encode("utf-8", "replace") if isinstance(part, str) else part or b"" for part in parts
    )


# -- Logs ----------------------------------------------------------------------------------------------


def watch_record(record: logging.LogRecord) -> None:
    """Look through a log record: its message, what it carries along, its error and what led to that."""
    if record.name == KEPT_FROM_DEBUG and record.levelno == logging.DEBUG:
        return
    said = [record.getMessage()]
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        said.append(repr(error))
        error = error.__cause__ or error.__context__
    FOUND.search(f"the log of {record.name}, {record.levelname}", "\n".join(said))


def every_record(handle: Callable[[logging.Logger, logging.LogRecord], None]) -> Callable[..., None]:
    """`Logger.handle` that is called for every record, and hands on those that the logger would have made."""

    def watching(self: logging.Logger, record: logging.LogRecord) -> None:
        watch_record(record)
        if record.levelno > self.manager.disable and record.levelno >= self.getEffectiveLevel():
            handle(self, record)

    return watching


# -- The plugin ----------------------------------------------------------------------------------------


def _watching(get_response: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    @functools.wraps(get_response)
    def answer(self: BaseHandler, request: HttpRequest) -> HttpResponseBase:
        response = get_response(self, request)
        watch(request, response)
        return response

    return answer


def _watching_async(
    get_response: Callable[..., Awaitable[HttpResponseBase]],
) -> Callable[..., Awaitable[HttpResponseBase]]:
    @functools.wraps(get_response)
    async def answer(self: BaseHandler, request: HttpRequest) -> HttpResponseBase:
        from asgiref.sync import sync_to_async

        response = await get_response(self, request)
        await sync_to_async(watch)(request, response)
        return response

    return answer


class Watch:
    """What is put in the way while tests run, and what it finds."""

    def __init__(self) -> None:
        from chatsite import application

        self._patches = pytest.MonkeyPatch()
        put = self._patches.setattr
        put(BaseHandler, "get_response", _watching(BaseHandler.get_response))
        put(BaseHandler, "get_response_async", _watching_async(BaseHandler.get_response_async))
        put(application, "_routes", watched(application._routes))
        put(logging.Logger, "isEnabledFor", lambda self, level: True)
        put(logging.Logger, "handle", every_record(logging.Logger.handle))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, Any, None]:
        """Fail a test in which something was found."""
        outcome = yield
        report: pytest.TestReport = outcome.get_result()
        for name, text in report.sections:
            FOUND.search(f"{name} of {item.nodeid}", text)
        if found := FOUND.take():
            report.outcome = "failed"
            report.longrepr = "\n".join([*found, str(report.longrepr or "")])

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run for what was found in between, and in the logs of processes."""
        for log in sorted(LOGS):
            if log.exists():
                FOUND.search(str(log), log.read_bytes())
        if FOUND.untold and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell what no test was failed for."""
        for line in FOUND.take():
            terminalreporter.write_line(f"CANARY {line}", red=True)

    def pytest_unconfigure(self) -> None:
        """Take all of it away."""
        self._patches.undo()


def pytest_configure(config: pytest.Config) -> None:
    """Begin, once Django is set up."""
    config.pluginmanager.register(Watch(), "canaries")

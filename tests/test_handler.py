"""From the server to Django and back: one thread a request, streams that end with their reader, nothing left open."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from asgiref import testing
from django.core import signals
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory
from django.urls import path, reverse
from pytest_django import Settings

from chatsite.handler import THREADS, PageHandler
from conversations import generation
from conversations.database import in_database
from conversations.generation.runner import RUNS
from conversations.models import Generation
from conversations.providers.recorded import RecordedUpstream
from tests.conftest import Cast
from tests.test_access import cookie_of
from tests.test_pages import first_turn

together = threading.Barrier(THREADS)
pytestmark = pytest.mark.django_db(
    transaction=True
)  # the threads look after their connections at each request

Client: Any = testing.ApplicationCommunicator  # which has no types
HOST = [(b"host", b"testserver")]
left = threading.Event()
released = threading.Event()
HEARD: list[tuple[Signal, Callable[..., None]]] = []


def where(request: HttpRequest) -> HttpResponse:
    """Which thread serves this."""
    return HttpResponse(str(threading.get_ident()))


def meet(request: HttpRequest) -> HttpResponse:
    """Answered only while as many others are."""
    together.wait(10)
    return HttpResponse("met")


def stuck(request: HttpRequest) -> HttpResponse:
    """Waits as for a database that is locked."""
    released.wait(10)
    return HttpResponse("at last")


def endless(request: HttpRequest) -> StreamingHttpResponse:
    """Goes on for as long as it is read."""

    async def lines() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"line\n"
                await asyncio.sleep(0)
        finally:
            left.set()

    return StreamingHttpResponse(lines())


urlpatterns = [path("where/", where), path("meet/", meet), path("stuck/", stuck), path("endless/", endless)]


@pytest.fixture
def here(settings: Settings) -> PageHandler:
    """The handler before the addresses of this module."""
    settings.ROOT_URLCONF = __name__
    settings.ALLOWED_HOSTS = ["testserver"]
    return PageHandler()


def asked(handler: PageHandler, path: str, **further: Any) -> Any:
    """A client that has sent its headers."""
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": HOST}
    return Client(handler, {**scope, **further})


async def heard(signal: Signal) -> asyncio.Event:
    """An event that tells, on this loop, when `signal` is next sent in a thread."""
    event, loop = asyncio.Event(), asyncio.get_running_loop()

    def note(**given: object) -> None:
        loop.call_soon_threadsafe(event.set)

    signal.connect(note, weak=False)
    HEARD.append((signal, note))
    return event


@pytest.fixture(autouse=True)
def _deaf_afterwards() -> Iterator[None]:
    yield
    while HEARD:
        signal, note = HEARD.pop()
        signal.disconnect(note)


async def body(client: Any) -> bytes:
    """The whole body of the response."""
    said = b""
    while True:
        message: dict[str, Any] = await client.receive_output(5)
        said += bytes(message.get("body", b""))
        if message["type"] == "http.response.body" and not message.get("more_body"):
            return said


async def test_a_process_says_that_it_runs_while_every_page_waits(here: PageHandler) -> None:
    waiting = [asked(here, "/stuck/") for _ in range(2 * THREADS)]
    for client in waiting:
        await client.send_input({"type": "http.request"})
    probe = asked(here, "/healthz")
    await probe.send_input({"type": "http.request"})
    assert await body(probe) == b"ok\n"
    released.set()
    assert [await body(client) for client in waiting] == [b"at last"] * len(waiting)


async def test_a_request_is_served_by_one_thread_from_its_beginning_to_its_end(here: PageHandler) -> None:
    seen: list[str] = []

    def note(**given: object) -> None:
        seen.append(str(threading.get_ident()))

    for signal in (signals.request_started, signals.request_finished):
        signal.connect(note, weak=False)
        HEARD.append((signal, note))
    client = asked(here, "/where/")
    await client.send_input({"type": "http.request"})
    assert [(await body(client)).decode()] * 2 == seen
    assert seen[0] != str(threading.get_ident())
    await client.wait()


async def test_as_many_as_there_are_threads_are_served_at_once_and_the_next_wait(here: PageHandler) -> None:
    clients = [asked(here, "/meet/") for _ in range(2 * THREADS)]
    for client in clients:
        await client.send_input({"type": "http.request"})
    assert [await body(client) for client in clients] == [b"met"] * len(clients)
    for client in clients:
        await client.wait()


async def test_a_stream_ends_with_its_reader_and_is_closed(here: PageHandler) -> None:
    left.clear()
    finished = await heard(signals.request_finished)
    client = asked(here, "/endless/")
    await client.send_input({"type": "http.request"})
    assert (await client.receive_output(5))["status"] == 200
    assert (await client.receive_output(5))["body"] == b"line\n"
    assert not finished.is_set()
    await client.send_input({"type": "http.disconnect"})
    await asyncio.wait_for(finished.wait(), 5)
    assert left.is_set()
    await client.wait()


async def test_a_client_that_leaves_in_the_middle_of_its_form_is_no_request(here: PageHandler) -> None:
    client = asked(here, "/where/", method="POST")
    await client.send_input({"type": "http.request", "body": b"text=", "more_body": True})
    await client.send_input({"type": "http.disconnect"})
    await client.wait()
    assert client.output_queue.empty()


async def test_an_answer_outlives_the_request_that_asked_for_it(
    live_cast: Cast, running: RecordedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all middleware, from a client that is gone before it is answered, whose request the server cancels."""
    first = await in_database(first_turn, live_cast)
    cookie = await in_database(cookie_of, live_cast.member)
    token = "a" * 32
    request = RequestFactory().post("/", {"text": "What is Coca Cola?", "client_id": str(uuid.uuid4())})
    headers = [
        *HOST,
        (b"content-type", request.META["CONTENT_TYPE"].encode()),
        (b"content-length", str(len(request.body)).encode()),
        (b"cookie", f"{cookie}; csrftoken={token}".encode()),
        (b"x-csrftoken", token.encode()),
    ]
    began, started = await heard(signals.request_started), asyncio.Event()
    start = generation.start

    async def starting(pending: Generation) -> None:
        await start(pending)
        started.set()

    monkeypatch.setattr(generation, "start", starting)
    address = reverse("send", args=[first.conversation.pk])
    client = asked(PageHandler(), address, method="POST", headers=headers)
    await client.send_input({"type": "http.request", "body": request.body})
    await asyncio.wait_for(began.wait(), 5)
    client.stop(exceptions=False)
    await asyncio.wait_for(started.wait(), 5)
    made = await in_database(Generation.objects.exclude(pk=first.generation.pk).get)
    if run := RUNS.get(made.pk):
        await asyncio.wait([run.task], timeout=10)
    await in_database(made.refresh_from_db)
    assert made.status == Generation.Status.DONE

"""Files on their way to people: one for each, few for a process, and none faster than it is read."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from weakref import WeakSet

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse, HttpResponseBase
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chatsite import sending
from conversations import metrics
from conversations.exports import downloads
from conversations.models import Download, Reading
from conversations.posting import Refused
from tests.conftest import Cast
from tests.exporting import data_url, export_of, received, signed_in
from tests.races import at_once


async def nothing() -> AsyncIterator[bytes]:
    yield b"nothing\n"


def refused(limit: str) -> float:
    return float(metrics.refused.labels(limit)._value.get())


def my_data(person: User) -> HttpResponseBase:
    client = Client()
    client.force_login(person)
    return client.get(reverse("my_data"))


def of_a_manager(cast: Cast) -> HttpResponseBase:
    client = Client()
    client.force_login(cast.manager)
    address = reverse("admin:review_person_data", args=[cast.coca_cola.pk, cast.member.pk])
    return client.post(address, {"reason": "Asked by letter"})


def of_an_operator(cast: Cast) -> HttpResponseBase:
    client = Client()
    client.force_login(cast.admin)
    return client.post(reverse("admin:review_account_data", args=[cast.member.pk]), {"reason": "Asked"})


def an_export(cast: Cast, what: str = "review_export") -> HttpResponseBase:
    return signed_in(cast.manager, cast.coca_cola).get(data_url(export_of(cast), what))


def a_manifest(cast: Cast) -> HttpResponseBase:
    return an_export(cast, "review_export_manifest")


FILES: list[tuple[str, Callable[[Cast], HttpResponseBase]]] = [
    ("member", lambda cast: my_data(cast.member)),
    ("manager", of_a_manager),
    ("admin", of_an_operator),
    ("manager", an_export),
    ("manager", a_manifest),
]


@pytest.mark.parametrize(("who", "ask"), FILES)
def test_a_second_file_is_refused_until_the_first_is_over(
    live_cast: Cast, who: str, ask: Callable[[Cast], HttpResponseBase]
) -> None:
    first = downloads.begin(getattr(live_cast, who), nothing())
    before = refused("downloads_of_a_person")
    second = ask(live_cast)
    assert isinstance(second, HttpResponse)
    assert (second.status_code, second.headers["Retry-After"]) == (429, "30")
    assert "A file is still on its way to you" in second.content.decode()
    assert refused("downloads_of_a_person") == before + 1
    assert not Reading.objects.exists()
    first.close()
    third = ask(live_cast)
    assert third.status_code == 200
    third.close()
    assert not Download.objects.exists()


@pytest.mark.parametrize(("who", "ask"), FILES)
def test_a_process_hands_out_few_at_once(
    live_cast: Cast, who: str, ask: Callable[[Cast], HttpResponseBase], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "AT_ONCE", 1)
    monkeypatch.setattr(downloads, "_open", WeakSet())
    first = downloads.begin(live_cast.outsider, nothing())
    before = refused("downloads_of_a_process")
    second = ask(live_cast)
    assert isinstance(second, HttpResponse)
    assert (second.status_code, second.headers["Retry-After"]) == (503, "60")
    assert "as many files as it can at once" in second.content.decode()
    assert refused("downloads_of_a_process") == before + 1
    first.close()
    third = ask(live_cast)
    assert third.status_code == 200
    third.close()


def test_others_are_handed_theirs_meanwhile(live_cast: Cast) -> None:
    first = my_data(live_cast.member)
    assert received(my_data(live_cast.member2))
    first.close()


def test_of_two_at_once_one_is_handed_out(live_cast: Cast) -> None:
    def ask() -> object:
        try:
            return downloads.begin(live_cast.member, nothing())
        except Refused as refusal:
            return refusal.status

    got = at_once(ask, ask)
    assert [each for each in got if each == 429] == [429]


def test_a_process_that_died_locks_nobody_out_for_long(live_cast: Cast) -> None:
    soon = timezone.now() + timedelta(seconds=30)
    lost = Download.objects.create(person=live_cast.member, token=uuid.uuid4(), until=soon)
    with pytest.raises(Refused):
        downloads.begin(live_cast.member, nothing())
    Download.objects.update(until=timezone.now() - timedelta(seconds=1))
    handing = downloads.begin(live_cast.member, nothing())
    assert Download.objects.get().token != lost.token
    handing.close()


async def test_what_takes_long_stays_the_only_one(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "RENEWED", 0)
    handing = await asyncio.to_thread(downloads.begin, live_cast.member, nothing())
    await asyncio.to_thread(Download.objects.update, until=timezone.now())
    assert [piece async for piece in handing] == [b"nothing\n"]
    kept = await asyncio.to_thread(Download.objects.get)
    assert kept.until > timezone.now() + downloads.LEASE / 2
    await asyncio.to_thread(handing.close)


# -- No faster than it is read ----------------------------------------------------------------------


class Request:
    """As much of Twisted's request as is asked of it. `written` is what it was handed."""

    def __init__(self) -> None:
        self.producer: Any = None
        self.written: list[bytes] = []
        self.handed = asyncio.Event()
        self.aborted = asyncio.Event()
        self.channel = SimpleNamespace(transport=SimpleNamespace(abortConnection=self.aborted.set))

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: N802
        assert streaming
        assert self.producer is None
        self.producer = producer

    def unregisterProducer(self) -> None:  # noqa: N802
        self.producer = None


class Server:
    """As much of Daphne's server: it takes whatever it is handed, at once."""

    def __init__(self, request: Request) -> None:
        self.connections = {request: object()}

    async def handle_reply(self, request: Request, message: dict[str, Any]) -> None:
        request.written.append(message["body"])
        if len(request.written) == 2:
            request.handed.set()


@pytest.fixture
def request_() -> Request:
    return Request()


@pytest.fixture
def send(request_: Request) -> Callable[..., Any]:
    """Hand a piece of a body to a server that is mended."""
    paced = type("Paced", (Server,), {"handle_reply": Server.handle_reply})
    sending._paced(paced)
    server: Any = paced(request_)

    async def body(text: bytes, *, more: bool = True) -> None:
        await server.handle_reply(request_, {"type": "http.response.body", "body": text, "more_body": more})

    return body


async def test_a_piece_waits_until_the_last_one_was_taken_up(request_: Request, send: Any) -> None:
    await send(b"a")
    request_.producer.pauseProducing()
    waiting = asyncio.create_task(send(b"b"))
    await request_.handed.wait()
    assert not waiting.done()
    request_.producer.resumeProducing()
    await waiting
    await send(b"", more=False)
    assert request_.producer is None


async def test_whole_answers_wait_for_nothing(request_: Request, send: Any) -> None:
    await send(b"all of it", more=False)
    assert (request_.written, request_.producer) == ([b"all of it"], None)


async def test_who_takes_nothing_up_is_let_go(
    request_: Request, send: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "STALLED", 0.01)
    before = refused("download_unread")
    await send(b"a")
    request_.producer.pauseProducing()
    await send(b"b")
    assert request_.aborted.is_set()
    assert refused("download_unread") == before + 1

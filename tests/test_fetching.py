"""What is fetched from a company's provider has bounds: its size, its time, and where it comes from."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from pytest_django import Settings

from conversations.accounts import fetching
from conversations.providers import addresses

Serve = Callable[[Callable[[BaseHTTPRequestHandler], None]], str]


@pytest.fixture
def serve(settings: Settings) -> Iterator[Serve]:
    """Begin to answer each request by a function; gives back the address."""
    servers: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def begin(answer: Callable[[BaseHTTPRequestHandler], None]) -> str:
        def quiet(*args: Any) -> None:
            """Say nothing."""

        handler = type("Handler", (BaseHTTPRequestHandler,), {"do_GET": answer, "log_message": quiet})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        servers.append((server, thread))
        settings.LOCAL_UPSTREAMS = [f"127.0.0.1:{server.server_address[1]}"]
        return f"http://127.0.0.1:{server.server_address[1]}/"

    yield begin
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


def test_what_is_small_comes_whole(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(self: BaseHTTPRequestHandler) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"accepts": "%s"}' % self.headers["Accept"].encode())

    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # is not asked
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with fetching.Session() as session:
        assert session.get(serve(answer)).json() == {"accepts": "application/json"}


def test_what_is_too_much_is_left(serve: Serve) -> None:
    def answer(self: BaseHTTPRequestHandler) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(1_000):
                self.wfile.write(b"x" * 64 * 1024)
        except ConnectionError:
            pass  # who asked has left

    with fetching.Session() as session, pytest.raises(requests.RequestException, match="too much"):
        session.get(serve(answer))


def test_what_never_ends_is_left(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then, so that it is never silent."""
    monkeypatch.setattr(fetching, "WHOLE_SECONDS", 0.3)
    over = threading.Event()

    def answer(self: BaseHTTPRequestHandler) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while not over.wait(0.02):
                self.wfile.write(b"x")
        except ConnectionError:
            pass

    try:
        with fetching.Session() as session, pytest.raises(requests.Timeout):
            session.get(serve(answer))
    finally:
        over.set()


def test_nobody_is_sent_elsewhere(serve: Serve) -> None:
    asked = []

    def answer(self: BaseHTTPRequestHandler) -> None:
        asked.append(self.path)
        self.send_response(307)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    with fetching.Session() as session, pytest.raises(requests.TooManyRedirects):
        session.get(serve(answer))
    assert asked == ["/"]


def inside(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
    """A name that leads to a public address and to one of this machine."""
    kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
    return [(*kind, ("93.184.215.14", port)), (*kind, ("127.0.0.1", port))]


@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1:{port}/",
        "https://localhost:{port}/",
        "https://[::1]:{port}/",
        "https://2130706433:{port}/",
        "https://127.1:{port}/",
        "http://127.0.0.1:{port}/",
        "http://login.example.com:{port}/",
    ],
)
def test_nobody_within_is_asked(serve: Serve, settings: Settings, address: str) -> None:
    asked = threading.Event()
    port = serve(lambda self: asked.set()).rsplit(":", 1)[1].strip("/")
    settings.LOCAL_UPSTREAMS = []
    with fetching.Session() as session, pytest.raises(requests.RequestException):
        session.get(address.format(port=port))
    assert not asked.is_set()


def test_a_name_that_also_leads_within_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", inside)
    with fetching.Session() as session, pytest.raises(requests.ConnectionError, match="not public"):
        session.get("https://login.example.com/")


def test_the_connection_is_made_to_what_was_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is asked for once: what it leads to afterwards is of no matter."""
    resolved: list[str] = []

    def once(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        resolved.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setattr(addresses, "is_public", lambda text: text == "127.0.0.1")
        monkeypatch.setattr(socket, "getaddrinfo", once)
        greeted: list[bytes] = []

        def greet() -> None:
            line, _ = server.accept()
            with line:
                greeted.append(line.recv(4096))

        thread = threading.Thread(target=greet)
        thread.start()
        with fetching.Session() as session, pytest.raises(requests.ConnectionError):
            session.get(f"https://login.example.com:{port}/")
        thread.join(5)
    assert b"login.example.com" in greeted[0]  # the name that TLS asks for
    assert resolved == ["login.example.com", "127.0.0.1"]  # the second is the address itself


def test_who_is_slow_keeps_a_few_waiting_and_nobody_else(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "PATIENCE", 0.05)
    release, asked = threading.Event(), threading.Semaphore(0)

    def stuck(self: BaseHTTPRequestHandler) -> None:
        asked.release()
        release.wait(10)
        self.send_response(200)
        self.end_headers()

    address = serve(stuck)

    def ask() -> None:
        with fetching.Session() as session, contextlib.suppress(requests.RequestException):
            session.get(address)

    waiting = [threading.Thread(target=ask) for _ in range(fetching.EACH)]
    for each in waiting:
        each.start()
    for _ in waiting:
        assert asked.acquire(timeout=5)
    with fetching.Session() as session, pytest.raises(requests.Timeout, match="Too many"):
        session.get(address)
    release.set()
    for each in waiting:
        each.join(5)

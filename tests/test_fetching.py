"""What is fetched from a company's provider has bounds: its size, its time, and where it comes from."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from conversations.accounts import fetching

Serve = Callable[[Callable[[BaseHTTPRequestHandler], None]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
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

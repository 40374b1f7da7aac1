"""The connection goes to the address that was judged, and where none may be called, nothing is sent."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from pathlib import Path
from traceback import TracebackException
from typing import Any

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from conversations.providers import ErrorKind, ProviderError, addresses, chat, guard, http
from conversations.providers.events import Endpoint
from conversations.providers.opening import Retries
from conversations.providers.stream import list_models
from tests.providers.support import KEY, SSE, collect, endpoint, question, text

NAME = "llm.example.com"
SAID = (
    b"HTTP/1.1 200 OK\r\ncontent-type: " + SSE.encode() + b"\r\nconnection: close\r\n\r\n"
    b'data: {"choices":[{"delta":{"content":"kept"}}]}\n\n'
    b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)


class Listener:
    """A TLS server at two addresses of this machine, which takes note of who was called how."""

    def __init__(self) -> None:
        self.peers: list[str] = []
        self.names: list[str | None] = []
        self.requests: list[bytes] = []
        self.port = 0
        self.servers: list[asyncio.Server] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peers.append(writer.get_extra_info("sockname")[0])
        self.requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(SAID)
        await writer.drain()
        writer.close()

    def name(self, connection: Any, name: str | None, context: ssl.SSLContext) -> None:
        self.names.append(name)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for NAME, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return chain, secret


@pytest_asyncio.fixture
async def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Listener]:
    """A server at 127.0.0.2, which stands for the public internet here, and at 127.0.0.1, which does not."""
    chain, secret = certificate(tmp_path)
    made = Listener()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, secret)
    context.sni_callback = made.name
    for address in ("127.0.0.2", "127.0.0.1"):
        server = await asyncio.start_server(made.answer, address, made.port, ssl=context)
        made.port = server.sockets[0].getsockname()[1]
        made.servers.append(server)
    monkeypatch.setattr(http, "_tls", lambda: ssl.create_default_context(cafile=chain))
    really = addresses.is_public
    monkeypatch.setattr(addresses, "is_public", lambda text: text == "127.0.0.2" or really(text))
    yield made
    await http.close()
    for server in made.servers:
        server.close()


def resolve_to(monkeypatch: pytest.MonkeyPatch, *turns: tuple[str, ...]) -> list[str]:
    """Have names lead to these addresses, one turn after the other and then the last; gives back what was asked."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        asked.append(host)
        turn = turns[min(len(asked), len(turns)) - 1]
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (each, port, 0, 0))
            if ":" in each
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in turn
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def public(port: int, host: str = NAME, scheme: str = "https") -> Endpoint:
    return Endpoint("openai", "Public", f"{scheme}://{host}:{port}", KEY)


async def refused(where: Endpoint) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await collect(chat(where, question("prompt-canary"), retries=Retries(limit=0)))
    return caught.value


async def test_the_peer_is_the_address_that_was_judged(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = resolve_to(monkeypatch, ("127.0.0.2",), ("127.0.0.1",))
    assert text(await collect(chat(public(listener.port), question()))) == "kept"
    assert (listener.peers, listener.names, asked) == (["127.0.0.2"], [NAME], [NAME])
    assert f"\r\nhost: {NAME}:{listener.port}\r\n".encode() in listener.requests[0]
    # Within ten seconds what was judged is what is called, whatever the name says by now.
    assert text(await collect(chat(public(listener.port), question()))) == "kept"
    assert (listener.peers, asked) == (["127.0.0.2"] * 2, [NAME])


async def test_a_name_that_leads_elsewhere_after_it_was_saved_is_refused(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = resolve_to(monkeypatch, ("127.0.0.2",), ("127.0.0.1",))
    place = ("https", NAME, listener.port)
    addresses.Allowed(frozenset({place}), frozenset()).check(f"https://{NAME}:{listener.port}")
    error = await refused(public(listener.port))
    assert error.kind is ErrorKind.ADDRESS
    assert asked == [NAME, NAME]
    assert listener.peers == []


@pytest.mark.parametrize(
    "found",
    [
        ("127.0.0.2", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.2"),
        ("127.0.0.2", "::1"),
        ("64:ff9b::7f00:1",),
        ("::ffff:127.0.0.1",),
        ("2002:7f00:1::",),
        ("169.254.169.254",),
        ("100.64.0.1",),
        ("fe80::1",),
    ],
)
async def test_of_several_addresses_all_must_be_public(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, found: tuple[str, ...]
) -> None:
    resolve_to(monkeypatch, found)
    assert (await refused(public(listener.port))).kind is ErrorKind.ADDRESS
    with pytest.raises(ProviderError) as caught:
        await list_models(public(listener.port), retries=Retries(limit=0))
    assert caught.value.kind is ErrorKind.ADDRESS
    assert listener.peers == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "127.1", "0x7f000001"]
)
async def test_numbers_reach_no_server_within(listener: Listener, host: str) -> None:
    """These never come here from a form. The connection refuses them all the same, without asking any resolver."""
    assert (await refused(public(listener.port, host))).kind in {ErrorKind.ADDRESS, ErrorKind.NETWORK}
    assert listener.peers == []


async def test_nothing_goes_out_in_clear(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolve_to(monkeypatch, ("127.0.0.2",))
    assert (await refused(public(listener.port, scheme="http"))).kind is ErrorKind.ADDRESS
    assert (listener.peers, asked) == ([], [])


async def test_a_refused_address_is_not_tried_again(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = resolve_to(monkeypatch, ("10.0.0.1",))
    with pytest.raises(ProviderError):
        await collect(chat(public(listener.port), question()))
    assert asked == [NAME]


async def test_a_socket_is_only_made_for_a_public_address() -> None:
    for address in (("127.0.0.1", 443), ("::1", 443, 0, 0)):
        with pytest.raises(guard.NotPublic):
            guard.public_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", address))
    guard.public_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 443))).close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_reaches_nobody(status: int) -> None:
    """Neither the key nor the question goes to where a redirect points."""
    heard: list[bytes] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1))
        writer.close()

    second = await asyncio.start_server(silent, "127.0.0.1", 0)
    target = f"http://127.0.0.1:{second.sockets[0].getsockname()[1]}/v1/chat/completions"

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status} Go\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    first = await asyncio.start_server(redirect, "127.0.0.1", 0)
    where = endpoint("openai", f"http://127.0.0.1:{first.sockets[0].getsockname()[1]}")
    error = await refused(where)
    assert (error.kind, error.status) == (ErrorKind.BAD_RESPONSE, status)
    with pytest.raises(ProviderError):
        await list_models(where, retries=Retries(limit=0))
    for server in (first, second):
        server.close()
        await server.wait_closed()
    assert heard == []


async def answered(where: Endpoint) -> list[Any]:
    return await collect(chat(where, question(), retries=Retries(limit=0)))


async def test_an_error_has_no_other_behind_it_that_knows_the_key() -> None:
    """What a transport raises holds the request and its headers, and so do the frames that it came through."""
    for where in (endpoint("openai"), Endpoint("openai", "Public", "https://127.0.0.1:9", KEY)):
        asked: tuple[Callable[[], Coroutine[Any, Any, Any]], ...] = (
            partial(list_models, where, retries=Retries(limit=0)),
            partial(answered, where),
        )
        for ask in asked:
            with pytest.raises(ProviderError) as caught:
                await ask()
            error = caught.value
            assert (error.__cause__, error.__context__) == (None, None)
            assert not getattr(error, "__notes__", [])
            assert KEY not in repr(error)
            assert KEY not in "".join(TracebackException.from_exception(error, capture_locals=True).format())

"""Sockets that drop, that are held open by nobody, and readers who do not read."""

from __future__ import annotations

import asyncio
import socket
from base64 import b64encode
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page, expect

from conversations.providers.recorded import Script
from tests.bench.processes import memory
from tests.e2e.acts import SLOW, Words, ask, ends, shows
from tests.e2e.conftest import Providers
from tests.e2e.site import sign_in_at
from tests.faults.acts import SOON, Stopwatch, agrees, conversation
from tests.faults.installation import Installation
from tests.faults.services import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SILENCE = 45_000  # milliseconds, more than a page waits for a word
LONG = 30.0  # seconds at most for a reader who does not read


async def test_dropped_in_the_middle(
    page: Page, installation: Installation, providers: Providers, words: Words
) -> None:
    """The page says so, keeps the draft, and is right again within seconds of the line's return."""
    question = providers.on("drop me", Script(pieces=words(240), pace=SLOW))
    await ask(page, question)
    await shows(page, "word20 ")
    box = page.get_by_role("textbox", name="Message")
    await box.fill("a draft")
    connection = page.locator("#connection")
    installation.line.close()
    await expect(connection).to_have_text("Reconnecting…")
    await expect(connection).to_have_text("Reconnecting…")
    seen = providers.asked(question)[0]
    await asyncio.to_thread(until, lambda: seen.tokens > 150, 15)
    installation.line.open()
    watch = Stopwatch()
    await shows(page, "word150 ")
    assert watch.seconds < SOON
    await expect(connection).to_have_text("")
    await expect(box).to_have_value("a draft")
    assert (await ends(page)).split() == [word.strip() for word in words(240)]
    await agrees(page, installation)


async def test_the_answer_ends_while_the_line_is_down(
    page: Page, installation: Installation, providers: Providers, words: Words
) -> None:
    question = providers.on("end without me", Script(pieces=words(60), pace=SLOW))
    await ask(page, question)
    await shows(page, "word10 ")
    installation.line.close()
    seen = providers.asked(question)[0]
    assert await asyncio.to_thread(seen.over.wait, 10)
    installation.line.open()
    watch = Stopwatch()
    assert (await ends(page)).split() == [word.strip() for word in words(60)]
    assert watch.seconds < SOON
    await agrees(page, installation)


async def test_dropped_again_and_again(
    page: Page, installation: Installation, providers: Providers, words: Words
) -> None:
    question = providers.on("again and again", Script(pieces=words(200), pace=SLOW))
    await ask(page, question)
    for number in (10, 40, 70, 100, 130):
        await shows(page, f"word{number} ")
        installation.line.cut()
    assert (await ends(page)).split() == [word.strip() for word in words(200)]
    await agrees(page, installation)


async def test_a_line_that_nobody_holds(
    context: BrowserContext, installation: Installation, providers: Providers, words: Words
) -> None:
    """Nothing comes and nothing closes: the page does not trust the silence."""
    await context.clock.install()
    page = await sign_in_at(context, installation.url, "member")
    question = providers.on("freeze me", Script(pieces=words(120), pace=SLOW))
    await ask(page, question)
    await shows(page, "word20 ")
    installation.line.freeze()
    try:
        seen = providers.asked(question)[0]
        assert await asyncio.to_thread(seen.over.wait, 10)
        before = installation.line.begun
        await context.clock.fast_forward(SILENCE)
        await expect(page.locator("#connection")).to_have_text("Reconnecting…")
    finally:
        installation.line.thaw()
    await context.clock.run_for(3_000)
    assert (await ends(page)).split() == [word.strip() for word in words(120)]
    assert installation.line.begun > before
    await agrees(page, installation)


async def test_a_hidden_tab_comes_back_to_one_socket(
    page: Page, installation: Installation, providers: Providers, words: Words
) -> None:
    question = providers.on("hide me", Script(pieces=words(80), pace=SLOW))
    await ask(page, question)
    await shows(page, "word10 ")
    for hidden in ("true", "false"):
        await page.evaluate(
            f"Object.defineProperty(document, 'hidden', {{ configurable: true, get: () => {hidden} }});"
            "document.dispatchEvent(new Event('visibilitychange'))"
        )
        installation.line.cut()
    assert (await ends(page)).split() == [word.strip() for word in words(80)]
    await asyncio.to_thread(until, lambda: installation.line.open_sockets == 1, 5)
    await agrees(page, installation)


async def test_a_reader_who_does_not_read(
    page: Page, context: BrowserContext, installation: Installation, providers: Providers
) -> None:
    """Is sent no more than a window's worth, let go in half a minute, and costs the server no memory."""
    pieces = ("x" * 3_000 + "\n\n",) * 150  # close to the most that an answer may hold
    question = providers.on("a long one", Script(pieces=pieces))
    await ask(page, question)
    await ends(page)
    server = installation.servers[-1]
    cookies = "; ".join(f"{each['name']}={each['value']}" for each in await context.cookies())
    path = f"/ws/c/{conversation(page)}/?state=other"
    before = memory([server.pid])
    readers = [_deaf(server.port, path, cookies) for _ in range(40)]
    try:
        watch = Stopwatch()
        for reader in readers:
            await asyncio.to_thread(_until_closed, reader, server.port)
        assert watch.seconds < LONG
        assert memory([server.pid]) - before < 64 * 2**20
    finally:
        for reader in readers:
            reader.close()
    await ask(page, "still there?")
    await ends(page)


def _deaf(port: int, path: str, cookies: str) -> socket.socket:
    """A socket of the product's whose client reads nothing but the handshake."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    made.settimeout(10)
    made.connect(("127.0.0.1", port))
    host = f"127.0.0.1:{port}"
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        f"Origin: http://{host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {b64encode(b'0' * 16).decode()}",
        f"Cookie: {cookies}",
        "\r\n",
    )
    made.sendall("\r\n".join(lines).encode())
    assert made.recv(12) == b"HTTP/1.1 101"
    return made


def _until_closed(reader: socket.socket, port: int) -> None:
    """Wait until the other side has let go, reading nothing."""
    client = reader.getsockname()[1]
    until(lambda: not _connected(port, client), LONG)


def _connected(server: int, client: int) -> bool:
    """Whether the kernel has the server's end of a loopback connection as established."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, *_ = line.split()
        if int(local.split(":")[1], 16) == server and int(remote.split(":")[1], 16) == client:
            return state == "01"
    return False


_LONG_CHATS = """
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from conversations.models import Conversation, Message, Persona
persona = Persona.objects.get(name="Coca Cola guide")
for name in ("member", "member2"):
    owner, session = User.objects.get(username=name), SessionStore()
    chat = Conversation.objects.create(owner=owner, persona=persona, title=name, active_at=timezone.now())
    texts = ["x" * 20_000] * 2_000
    said = [Message(conversation=chat, role="user", text=text) for text in texts]
    for message in said:
        message.strand, message.depth = message.pk, 0
    Message.objects.bulk_create(said, 200)
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(owner.pk), owner.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "conversations.accounts.backend.PersonBackend"
    session.save()
    print(session.session_key)
"""


async def test_a_file_waits_for_who_does_not_read_it(installation: Installation) -> None:
    """It costs no memory meanwhile, is the only one of its person at any process, and makes room when they leave."""
    said = installation.site.manage("shell", "--verbosity", "0", "-c", _LONG_CHATS).split()
    mine, others = (f"sessionid={key}" for key in said[-2:])
    first, last = installation.servers[0], installation.servers[-1]
    before = memory([first.pid])
    unread = _asked(first.port, mine)
    assert unread.recv(12) == b"HTTP/1.1 200"
    with _asked(last.port, mine) as again:
        assert again.recv(12) == b"HTTP/1.1 429"
    with _asked(first.port, others) as reader:
        assert await asyncio.to_thread(_all_of, reader) > 40_000_000
    assert memory([first.pid]) - before < 32 * 2**20
    unread.close()
    await asyncio.to_thread(until, lambda: _status(last.port, mine) == b"HTTP/1.1 200", 10)


def _asked(port: int, cookie: str) -> socket.socket:
    """A client that has asked for its data, and takes up little of what is not read."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    made.settimeout(30)
    made.connect(("127.0.0.1", port))
    lines = ("GET /accounts/data/ HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Cookie: {cookie}", "\r\n")
    made.sendall("\r\n".join(lines).encode())
    return made


def _status(port: int, cookie: str) -> bytes:
    with _asked(port, cookie) as client:
        return client.recv(12)


def _all_of(reader: socket.socket) -> int:
    """How many bytes come until the last line of the file."""
    number, end = 0, b""
    while b'"kind":"end"' not in end:
        piece = reader.recv(2**16)
        assert piece
        number, end = number + len(piece), end[-100:] + piece
    return number

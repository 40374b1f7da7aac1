"""Databases that restart, are locked, and are full."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from playwright.async_api import BrowserContext, expect

from conversations.providers.recorded import Script
from tests.conftest import missing
from tests.e2e.acts import SLOW, Words, answer, answers, ask, ends, shows
from tests.e2e.conftest import Providers
from tests.e2e.site import Site, sign_in_at
from tests.faults.acts import Stopwatch, agrees
from tests.faults.installation import Installation
from tests.faults.services import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@contextmanager
def locked(installation: Installation) -> Iterator[None]:
    """Another process writes to SQLite, and takes its time."""
    path = installation.site.folder / "chat.sqlite3"
    with closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


async def test_postgresql_restarts_in_the_middle(
    context: BrowserContext, together: Installation, providers: Providers, words: Words
) -> None:
    """The answer goes on and is kept whole; what is asked next is taken within seconds."""
    page = await sign_in_at(context, together.url, "member")
    question = providers.on("restart it", Script(pieces=words(240), pace=SLOW))
    await ask(page, question)
    await shows(page, "word20 ")
    assert together.postgres is not None
    await asyncio.to_thread(together.postgres.restart)
    watch = Stopwatch()
    assert (await ends(page)).split() == [word.strip() for word in words(240)]
    await agrees(page, together)
    await ask(page, "and now?")
    await expect(answers(page)).to_have_count(2)
    assert watch.seconds < 10
    await ends(page)


async def test_postgresql_is_away_when_the_answer_ends(
    context: BrowserContext, together: Installation, providers: Providers, words: Words
) -> None:
    """Its end waits, readable, and is kept when the database is back; a page asked for meanwhile says what is amiss."""
    page = await sign_in_at(context, together.url, "member")
    question = providers.on("end without it", Script(pieces=words(80), pace=SLOW))
    await ask(page, question)
    await shows(page, "word20 ")
    assert together.postgres is not None
    together.postgres.kill()
    try:
        await shows(page, "word79 ")
        other = await context.new_page()
        watch = Stopwatch()
        reply = await other.goto(page.url)
        assert watch.seconds < 12
        assert reply is not None
        assert reply.status == 503
        assert reply.headers["retry-after"]
        await expect(other.get_by_role("heading")).to_have_text("This page cannot be shown")
        await page.get_by_role("textbox", name="Message").fill("not now")
    finally:
        together.postgres.start()
    assert (await ends(page)).split() == [word.strip() for word in words(80)]
    await agrees(page, together)
    await expect(page.get_by_role("textbox", name="Message")).to_have_value("not now")


async def test_sqlite_locked_for_three_seconds(
    context: BrowserContext, alone: Installation, providers: Providers, words: Words
) -> None:
    """Nobody notices."""
    page = await sign_in_at(context, alone.url, "member")
    await ask(page, "open a chat")
    await ends(page)
    question = providers.on("locked out", Script(pieces=words(40), pace=SLOW))
    with locked(alone):
        await ask(page, question)
        await providers.upstream.log.arrived(10_000, 3)  # which do not arrive: three seconds
    await expect(answers(page)).to_have_count(2)
    assert (await ends(page)).split() == [word.strip() for word in words(40)]
    await expect(page.locator("#composer-error")).to_have_text("")
    await agrees(page, alone)


async def test_sqlite_locked_for_long(
    context: BrowserContext, alone: Installation, providers: Providers, words: Words
) -> None:
    """An answer goes on; what is asked is refused, kept in its box, and leaves no half of itself."""
    page = await sign_in_at(context, alone.url, "member")
    question = providers.on("locked for long", Script(pieces=words(60), pace=SLOW))
    await ask(page, question)
    await shows(page, "word10 ")
    other = await context.new_page()
    await other.goto(alone.url)
    questions = "SELECT count(*) FROM conversations_message"
    with locked(alone):
        (before,) = alone.rows(questions)
        await shows(page, "word59 ")
        watch = Stopwatch()
        await ask(other, "refuse me")
        await expect(other.get_by_role("alert")).to_contain_text(
            "The database does not answer at the moment."
        )
        assert watch.seconds < 10
        await expect(other.get_by_role("textbox", name="Message")).to_have_value("refuse me")
        assert alone.rows(questions) == [before]
        reply = await (await context.new_page()).goto(page.url)
        assert reply is not None
        assert reply.status == 200
    assert (await ends(page)).split() == [word.strip() for word in words(60)]
    await agrees(page, alone)
    await other.keyboard.press("Enter")
    await ends(other)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = os.getuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", disk], check=False, capture_output=True
    )
    if not mounted or mounted.returncode:
        missing("the right to mount a small disk")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


async def test_the_disk_is_full(
    context: BrowserContext,
    small_disk: Path,
    provided: dict[str, str],
    providers: Providers,
    words: Words,
) -> None:
    """Reading goes on, what is asked is refused with the reason, and it all goes on once there is room."""
    site = Site(small_disk, **provided)
    site.log = small_disk.parent / "daphne.log"
    try:
        site.install().start()
        page = await sign_in_at(context, site.url, "member")
        question = providers.on("fill it", Script(pieces=words(160), pace=SLOW))
        await ask(page, question)
        await shows(page, "word10 ")
        other = await context.new_page()
        await other.goto(site.url)
        ballast = small_disk / "ballast"
        with ballast.open("wb") as file:
            free = shutil.disk_usage(small_disk).free
            file.write(b"\0" * free)
        await ask(other, "refuse me " + "x" * 20_000)
        await expect(other.get_by_role("alert")).to_contain_text(
            "The server has no room left to keep anything."
        )
        await shows(page, "word159 ")
        reply = await (await context.new_page()).goto(page.url)
        assert reply is not None
        assert reply.status == 200
        ballast.unlink()
        await ends(page)
        assert (await answer(page).locator("[data-text]").inner_text()).split() == [
            w.strip() for w in words(160)
        ]
        await other.keyboard.press("Enter")
        await ends(other)
        await asyncio.to_thread(
            until, lambda: site.rows("SELECT count(*) FROM conversations_generation") == [(2,)], 5
        )
    finally:
        site.close()
    assert "Traceback" not in site.log.read_text()


async def test_postgresql_takes_no_more_connections(
    context: BrowserContext, together: Installation, providers: Providers
) -> None:
    """Whoever is refused for it is told so soon, and nobody hangs."""
    page = await sign_in_at(context, together.url, "member")
    assert together.postgres is not None
    taken: list[psycopg.Connection] = []
    try:
        with contextlib.suppress(psycopg.OperationalError):
            while len(taken) < 300:
                taken.append(psycopg.connect(together.postgres.url))
        watch = Stopwatch()
        statuses = await page.evaluate(
            """async () => Promise.all([...Array(50)].map(async () => {
                const reply = await fetch("/chats/");
                return [reply.status, reply.headers.get("retry-after")];
            }))"""
        )
        assert watch.seconds < 10
        assert all(status == 200 or (status == 503 and again) for status, again in statuses)
    finally:
        for connection in taken:
            connection.close()
    await page.reload()
    await expect(page.get_by_role("heading", name="New chat")).to_be_visible()

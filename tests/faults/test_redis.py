"""Redis that dies, stands still, forgets, and refuses: it carries what is being written, and holds nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import redis
from playwright.async_api import BrowserContext, Page, expect

from conversations.providers.recorded import Script
from tests.e2e.acts import SLOW, Words, answers, ask, ends, shows
from tests.e2e.conftest import Providers
from tests.e2e.site import sign_in_at
from tests.faults.acts import SOON, Stopwatch, agrees
from tests.faults.installation import Installation
from tests.faults.services import Redis, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture
def installation(together: Installation) -> Installation:
    return together


@pytest.fixture
def server(together: Installation) -> Redis:
    assert together.redis is not None
    return together.redis


@pytest.fixture
def mute(server: Redis) -> Iterator[None]:
    """A Redis that takes nothing any more."""
    with redis.Redis(port=server.port) as client:
        client.execute_command("ACL", "SETUSER", "default", "-xadd")
        yield
        client.execute_command("ACL", "SETUSER", "default", "+xadd")


async def test_killed_in_the_middle(
    page: Page, installation: Installation, server: Redis, providers: Providers, words: Words
) -> None:
    """The answer goes on; so does the page, from the record, and from Redis again once it is back."""
    question = providers.on("redis dies", Script(pieces=words(320), pace=SLOW))
    await ask(page, question)
    await shows(page, "word20 ")
    sockets = installation.line.begun
    server.kill()
    seen = providers.asked(question)[0]
    await shows(page, "word100 ")
    server.start()
    await asyncio.to_thread(until, lambda: seen.tokens > 220, 15)
    watch = Stopwatch()
    await shows(page, f"word{seen.tokens - 1} ")
    assert watch.seconds < SOON
    assert (await ends(page)).split() == [word.strip() for word in words(320)]
    assert installation.line.begun == sockets
    await agrees(page, installation)


async def test_standing_still_in_the_middle(
    page: Page, installation: Installation, server: Redis, providers: Providers, words: Words
) -> None:
    """Nobody waits for it: neither the answer, nor the page, nor what is asked meanwhile."""
    question = providers.on("redis sleeps", Script(pieces=words(200), pace=SLOW))
    await ask(page, question)
    await shows(page, "word20 ")
    server.pause()
    try:
        await shows(page, "word100 ")
        assert (await ends(page)).split() == [word.strip() for word in words(200)]
        watch = Stopwatch()
        await ask(page, providers.on("and now?", Script(pieces=words(9))))
        await expect(answers(page)).to_have_count(2)
        assert watch.seconds < SOON
        await ends(page)
    finally:
        server.resume()
    await agrees(page, installation)


async def test_everything_that_is_told_gets_lost(
    page: Page,
    context: BrowserContext,
    installation: Installation,
    mute: None,
    providers: Providers,
    words: Words,
) -> None:
    """Pages are right within two seconds, by what the record has."""
    other = await context.new_page()
    await ask(page, "what will be lost?")
    await ends(page)
    await other.goto(page.url)
    await ends(other)
    question = providers.on("say it again", Script(pieces=words(120), pace=SLOW))
    await ask(page, question)
    watch = Stopwatch()
    await expect(answers(other)).to_have_count(2)
    assert watch.seconds < SOON
    assert await ends(page) == await ends(other)
    await agrees(page, installation)
    await agrees(other, installation)


async def test_everything_in_it_is_forgotten(
    page: Page, installation: Installation, server: Redis, providers: Providers, words: Words
) -> None:
    question = providers.on("redis forgets", Script(pieces=words(200), pace=SLOW))
    await ask(page, question)
    await shows(page, "word20 ")
    with redis.Redis(port=server.port) as client:
        client.flushall()
    await page.reload()
    assert (await ends(page)).split() == [word.strip() for word in words(200)]
    await agrees(page, installation)


async def test_nothing_is_left_in_it(
    context: BrowserContext, installation: Installation, server: Redis, providers: Providers, words: Words
) -> None:
    """What an answer left goes by itself, also where its process died over it."""
    page = await sign_in_at(context, installation.url, "member")
    await ask(page, providers.on("leave nothing", Script(pieces=words(400), pace=SLOW)))
    await shows(page, "word20 ")
    with redis.Redis(port=server.port) as client:
        keys = list(client.scan_iter("chat:answer:*"))
        assert keys
        assert not {key: left for key in keys if not 0 < (left := client.ttl(key)) <= 120}
    await page.get_by_role("button", name="Stop").click()
    await ends(page, "stopped")

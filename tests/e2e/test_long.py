"""A conversation that is longer than a page: what is read stays where it is, whatever is fetched around it."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Browser, BrowserContext, Locator, Page, Route, expect

from conversations.providers.recorded import Script
from tests.e2e.acts import SLOW, Line, Words, answer, ask, ends, shows
from tests.e2e.conftest import Providers
from tests.e2e.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TURNS = 100
FURTHER = re.compile("/(earlier|later)/")
EVERY = list(range(2 * TURNS))
# Which turn is the first that can be read, and where it stands in the window, in pixels.
READ = """() => {
    const { top } = document.querySelector("[data-log]").getBoundingClientRect();
    const read = [...document.querySelectorAll("#messages > article")]
        .map((turn) => [turn.id, turn.getBoundingClientRect()])
        .find(([, box]) => box.bottom > top);
    return [read[0], read[1].top];
}"""
TOP = "id => document.getElementById(id).getBoundingClientRect().top"
TOP_OF = "turn => turn.getBoundingClientRect().top"
FRAMES = """async () => {
    for (let i = 0; i < 4; i += 1) await new Promise(requestAnimationFrame);
}"""
DEPTHS = "turns => turns.map((turn) => Number(turn.dataset.depth))"


@pytest.fixture
def chat(site: Site) -> str:
    """The address of a conversation of TURNS turns, the member's."""
    make = f"from tests.lengthy import lengthy_of; print(lengthy_of('member', 'Coca Cola guide', {TURNS}).pk)"
    return f"{site.url}/c/{site.manage('shell', '-v0', '-c', make).strip()}/"


def turns(page: Page) -> Locator:
    return page.locator("#messages > article")


def at(page: Page, depth: int) -> Locator:
    return page.locator(f'#messages > article[data-depth="{depth}"]')


async def depths(page: Page) -> list[int]:
    """How many messages stand above each one that is on the page."""
    found: list[int] = await turns(page).evaluate_all(DEPTHS)
    return found


async def scroll(page: Page, top: float) -> None:
    """Scroll the log to so many pixels below its beginning."""
    await page.get_by_role("log").evaluate("(log, top) => (log.scrollTop = top)", top)


class Held:
    """Requests for further messages, each of which waits until it is let go."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._routes: asyncio.Queue[Route] = asyncio.Queue()

    @classmethod
    async def of(cls, page: Page) -> Held:
        held = cls(page)
        await page.route(FURTHER, held._routes.put)
        return held

    async def goes(self, depth: int, *, beside: int | None = None) -> None:
        """Let the next one go, which brings a message: what is read, or stands `beside`, stays there, to a pixel."""
        async with asyncio.timeout(10):
            route = await self._routes.get()
        await self._page.evaluate(FRAMES)
        read, top = await self._page.evaluate(READ)
        if beside is not None:
            read = await at(self._page, beside).get_attribute("id")
            top = await self._page.evaluate(TOP, read)
        await route.continue_()
        await expect(at(self._page, depth)).to_be_attached()
        await self._page.evaluate(FRAMES)
        assert abs(await self._page.evaluate(TOP, read) - top) <= 1

    @property
    def none(self) -> bool:
        """Whether nothing was asked for."""
        return self._routes.empty()


async def test_earlier_messages_come_above_what_is_read(page: Page, chat: str) -> None:
    held = await Held.of(page)
    await page.goto(chat)
    assert await depths(page) == EVERY[160:]
    for top, first in (
        (200, 120),
        (0, 80),
        (700, 40),
        (0, 0),
    ):  # at 0 a browser by itself keeps nothing in place
        await scroll(page, top)
        await held.goes(first)
        assert await depths(page) == EVERY[first:]
    await scroll(page, 0)
    await expect(page.get_by_role("link", name="Earlier messages")).to_have_count(0)
    assert held.none


async def test_what_is_scrolled_to_is_what_is_seen(page: Page, chat: str) -> None:
    await Held.of(page)
    await page.goto(chat)
    await page.evaluate(FRAMES)  # what is out of sight is no longer laid out
    await scroll(page, 200)
    await page.evaluate(FRAMES)
    assert await page.get_by_role("log").evaluate("log => log.scrollTop") == 200


async def test_earlier_messages_come_while_an_answer_is_written(
    page: Page, chat: str, providers: Providers, words: Words
) -> None:
    question = providers.on("write a lot", Script(pieces=words(120), pace=SLOW))
    held = await Held.of(page)
    await page.goto(chat)
    await ask(page, question)
    await shows(page, "word2")
    for first in (120, 80):
        await scroll(page, 0)
        await held.goes(first)
    await expect(answer(page)).to_have_attribute("data-status", "running")
    read, top = await page.evaluate(READ)
    assert (await ends(page)).split() == [f"word{number}" for number in range(120)]
    assert abs(await page.evaluate(TOP, read) - top) <= 1
    assert await depths(page) == [*EVERY[80:], 200, 201]


async def test_earlier_messages_are_asked_for_by_keyboard(page: Page, chat: str) -> None:
    held = await Held.of(page)
    await page.goto(chat)
    earlier = page.get_by_role("link", name="Earlier messages")
    await earlier.focus()
    for first in (120, 80, 40):
        await page.keyboard.press("Enter")
        await held.goes(first)
        await expect(earlier).to_be_focused()
    await page.keyboard.press("Enter")
    await held.goes(0)
    await expect(page.get_by_role("log")).to_be_focused()


async def test_a_line_that_is_down_is_said_and_asked_again_by_hand(page: Page, chat: str) -> None:
    await page.goto(chat)
    await page.route(FURTHER, lambda route: route.abort())
    await scroll(page, 200)
    await expect(page.get_by_role("alert")).to_have_text("Could not reach the server. Try again.")
    await page.unroute_all()
    await page.get_by_role("link", name="Earlier messages").click()
    await expect(at(page, 120)).to_be_attached()


async def test_a_link_to_a_message_leads_to_it_and_on_both_ways(
    page: Page, context: BrowserContext, chat: str, providers: Providers
) -> None:
    await page.goto(chat)
    held = await Held.of(page)
    await page.get_by_role("link", name="Earlier messages").click()
    await held.goes(120)
    sought = await at(page, 130).get_attribute("id")

    found = await context.new_page()
    held = await Held.of(found)
    await found.goto(f"{chat}?to={str(sought).removeprefix('message-')}#{sought}")
    await expect(at(found, 130)).to_be_in_viewport()
    await expect(at(found, 130)).to_contain_text("question 65")
    assert (
        await found.locator(".app").evaluate("app => app.scrollTop") == 0
    )  # the log scrolls, and nothing around it
    assert await depths(found) == [*EVERY[110:150], *EVERY[180:]]

    await found.get_by_role("link", name="Later messages").click()
    await held.goes(179)
    assert await depths(found) == EVERY[110:]
    await expect(found.locator(".gap")).to_have_count(0)
    await scroll(found, 0)
    await held.goes(70)
    assert await depths(found) == EVERY[70:]

    await ask(found, providers.on("to the end", Script(pieces=("And here.",))))
    await shows(found, "And here.")
    await ends(found)
    await expect(answer(found)).to_be_in_viewport()
    await shows(page, "And here.")
    assert await depths(page) == [*EVERY[120:], 200, 201]


async def test_a_gap_is_closed_from_below(page: Page, chat: str) -> None:
    await page.goto(chat)
    for first in (120, 80, 40, 0):
        await page.get_by_role("link", name="Earlier messages").click()
        await expect(at(page, first)).to_be_attached()
    sought = str(await at(page, 0).get_attribute("id"))
    await page.goto(f"{chat}?to={sought.removeprefix('message-')}#{sought}")
    assert await depths(page) == [*EVERY[:40], *EVERY[180:]]
    held = await Held.of(page)
    await page.get_by_role("button", name="Jump to latest").click()
    gap = page.locator(".gap")
    for below, first in ((180, 140), (140, 100), (100, 60), (60, 40)):
        await gap.get_by_role("link", name="Earlier messages").focus()
        await page.keyboard.press("Enter")
        await held.goes(first, beside=below)
        assert await depths(page) == [*EVERY[:40], *EVERY[first:]]
    await expect(gap).to_have_count(0)


async def test_other_versions_of_an_old_answer(
    page: Page, context: BrowserContext, chat: str, providers: Providers
) -> None:
    """Made, and switched between, where they stand; another page of the chat goes along."""
    providers.on("question 65", Script(pieces=("Another one.",)))
    await page.goto(chat)
    await page.get_by_role("link", name="Earlier messages").click()
    old = at(page, 131)
    await expect(old).to_be_attached()
    other = await context.new_page()
    await other.goto(chat)

    await old.hover()
    await old.get_by_role("button", name="Regenerate").click()
    await expect(old).to_contain_text("Another one.")
    await expect(old).to_contain_text("2/2")
    assert await depths(page) == EVERY[92:132]
    await expect(at(other, 131)).to_contain_text("Another one.")

    previous = old.get_by_role("button", name="Previous version")
    await previous.focus()
    top = await old.evaluate(TOP_OF)
    await page.keyboard.press("Enter")
    await expect(old).to_contain_text("answer 65")
    await expect(old.get_by_role("button", name="Next version")).to_be_enabled()
    for tab in (page, other):
        await expect(at(tab, 199)).to_be_attached()
    await page.evaluate(FRAMES)
    assert abs(await old.evaluate(TOP_OF) - top) <= 1
    assert await depths(page) == [*EVERY[92:150], *EVERY[180:]]

    await page.reload()
    assert await depths(page) == EVERY[160:]


async def test_a_page_that_fell_behind_keeps_what_was_read(
    page: Page, context: BrowserContext, chat: str, providers: Providers
) -> None:
    line = await Line.of(page)
    held = await Held.of(page)
    await page.goto(chat)
    await scroll(page, 0)
    await held.goes(120)
    await scroll(page, 900)
    await page.evaluate(FRAMES)
    read, top = await page.evaluate(READ)
    await line.cut()
    other = await context.new_page()
    await other.goto(chat)
    await ask(other, providers.on("meanwhile", Script(pieces=("Nobody saw it.",))))
    await ends(other)
    line.down = False
    await shows(page, "Nobody saw it.")
    await page.evaluate(FRAMES)
    assert abs(await page.evaluate(TOP, read) - top) <= 1
    assert await depths(page) == [*EVERY[120:], 200, 201]


async def test_all_of_it_can_be_read_without_scripts(
    browser: Browser, site: Site, page: Page, chat: str
) -> None:
    context = await browser.new_context(
        java_script_enabled=False, storage_state=await page.context.storage_state()
    )
    plain = await context.new_page()
    await plain.goto(chat)
    first = 160
    while first:
        await plain.get_by_role("link", name="Earlier messages").first.click()
        (above, *_) = await depths(plain)
        assert above == first - 20
        first = above
    await expect(at(plain, 0)).to_contain_text("question 0")
    last = 39
    while last < 179:
        await plain.get_by_role("link", name="Later messages").click()
        below = [depth for depth in await depths(plain) if depth < 180]
        assert below[-1] > last
        last = below[-1]
    await context.close()

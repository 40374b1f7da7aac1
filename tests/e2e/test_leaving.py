"""Leaving and coming back: reloads, other tabs, lost lines, a server that dies."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import BrowserContext, Page, expect

from conversations.providers.recorded import Script
from tests.e2e.acts import SLOW, Line, Words, answer, ask, ends, shows
from tests.e2e.conftest import Providers
from tests.e2e.site import Site, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_reload_in_the_middle_loses_and_doubles_nothing(
    page: Page, providers: Providers, words: Words
) -> None:
    question = providers.on("reload me", Script(pieces=words(100), pace=SLOW))
    await ask(page, question)
    await shows(page, "word10 ")
    await page.reload()
    await shows(page, "word12 ")
    await page.reload()
    assert (await ends(page)).split() == [f"word{number}" for number in range(100)]
    shown = await page.locator("#messages").inner_text()
    await page.reload()
    assert await page.locator("#messages").inner_text() == shown


async def test_the_answer_goes_on_without_the_browser(
    page: Page, context: BrowserContext, providers: Providers, words: Words
) -> None:
    question = providers.on("leave me", Script(pieces=words(40), pace=SLOW))
    await ask(page, question)
    await shows(page, "word5 ")
    address = page.url
    await page.close()
    seen = providers.asked(question)[0]
    assert await asyncio.to_thread(seen.over.wait, 10)
    assert not seen.left.is_set()
    page = await context.new_page()
    await page.goto(address)
    assert (await ends(page)).split() == [f"word{number}" for number in range(40)]


async def test_two_tabs_show_the_same(
    page: Page, context: BrowserContext, providers: Providers, words: Words
) -> None:
    await ask(page, "first of all")
    await ends(page)
    other = await context.new_page()
    await other.goto(page.url)
    await ends(other)
    question = providers.on("both of you", Script(pieces=words(60), pace=SLOW))
    await ask(page, question)
    await shows(other, "word10 ")
    await expect(other.get_by_role("button", name="Stop")).to_be_visible()
    assert await ends(page) == await ends(other)
    for tab in (page, other):
        await expect(tab.locator("article")).to_have_count(4)
        await expect(tab.get_by_role("button", name="Send")).to_be_visible()
        assert await tab.locator("article [id]").evaluate_all(
            "all => new Set(all.map(e => e.id)).size === all.length"
        )
    assert await page.locator("#messages").inner_text() == await other.locator("#messages").inner_text()


async def test_the_server_killed_in_the_middle(
    context: BrowserContext,
    providers: Providers,
    words: Words,
    tmp_path_factory: pytest.TempPathFactory,
    site: Site,
) -> None:
    own = (
        Site(
            tmp_path_factory.mktemp("killed"),
            **{name: site.environment[name] for name in ("MISTRAL_API_KEY", "MISTRAL_BASE_URL")},
        )
        .install()
        .start()
    )
    try:
        page = await sign_in(context, own, "member")
        question = providers.on(
            "survive", Script(pieces=words(400), pace=SLOW), Script(pieces=("Back again.",))
        )
        await ask(page, question)
        await shows(page, "word60 ")
        own.kill()
        shown = await answer(page).locator("[data-text]").inner_text()
        await expect(page.get_by_role("status").filter(has_text="Reconnecting…")).to_be_visible()
        own.start()
        await expect(answer(page)).to_have_attribute("data-status", "interrupted", timeout=45_000)
        kept = await answer(page).locator("[data-text]").inner_text()
        assert shown.startswith(kept) or kept.startswith(shown)
        assert len(kept.split()) > len(shown.split()) - 60  # a second and a half, at 40 words a second
        await page.get_by_role("button", name="Retry").click()
        assert await ends(page) == "Back again."
        await expect(answer(page)).to_contain_text("2/2")
        await page.get_by_role("button", name="Previous version").click()
        assert await ends(page, "interrupted") == kept
    finally:
        own.close()


async def test_a_lost_line_is_said_and_mended(page: Page, providers: Providers, words: Words) -> None:
    line = await Line.of(page)
    question = providers.on("lose the line", Script(pieces=words(160), pace=SLOW))
    await ask(page, question)
    await shows(page, "word5 ")
    await line.cut()
    status = page.get_by_role("status").filter(has_text="Reconnecting…")
    await expect(status).to_be_visible()
    line.down = False
    await expect(status).to_have_count(0)
    assert (await ends(page)).split() == [f"word{number}" for number in range(160)]


async def test_an_answer_that_ended_while_the_line_was_down(
    page: Page, providers: Providers, words: Words
) -> None:
    line = await Line.of(page)
    question = providers.on("end without me", Script(pieces=words(60), pace=SLOW))
    await ask(page, question)
    await shows(page, "word5 ")
    await line.cut()
    assert await asyncio.to_thread(providers.asked(question)[0].over.wait, 10)
    line.down = False
    assert (await ends(page)).split() == [f"word{number}" for number in range(60)]
    shown = await page.locator("#messages").inner_text()
    await page.reload()
    assert await page.locator("#messages").inner_text() == shown

"""Deleting a chat, and bringing it back in time: by the mouse, the keyboard and a finger, in one tab and in two."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from conversations.providers.recorded import Script
from tests.e2e.acts import DELETED, SLOW, Words, ask, delete, ends, line_of, menu_of, shows, undo
from tests.e2e.conftest import Providers
from tests.e2e.site import Site, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def started(page: Page, title: str) -> None:
    """A chat of that title whose answer has ended."""
    await ask(page, title)
    await ends(page)


async def test_undo_brings_it_back_and_nothing_typed_is_lost(page: Page, site: Site) -> None:
    await started(page, "to be deleted")
    field = page.get_by_role("textbox", name="Message")
    await field.fill("half a thought")
    await delete(page, "to be deleted")
    await expect(page.get_by_role("alert")).to_have_text(DELETED)
    await field.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text(DELETED)
    await expect(field).to_have_value("half a thought")
    await undo(page).click()
    await expect(line_of(page, "to be deleted")).to_be_visible()
    await expect(page.get_by_text("Chat brought back.")).to_be_visible()
    await expect(page.locator("#composer-error")).to_be_empty()
    await expect(page.locator("[data-closed]")).to_have_count(0)
    await field.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator('article[data-role="assistant"]')).to_have_count(2)
    await ends(page)


async def test_another_tab_is_told_and_comes_back(page: Page, context: BrowserContext, site: Site) -> None:
    await started(page, "open twice")
    other = await context.new_page()
    await other.goto(page.url)
    await other.get_by_role("textbox", name="Message").fill("in the other tab")
    await delete(page, "open twice")
    await expect(other.get_by_role("alert")).to_have_text(DELETED)
    await other.get_by_role("button", name="Send").click()
    await expect(other.get_by_role("alert")).to_have_text(DELETED)
    await expect(other.get_by_role("textbox", name="Message")).to_have_value("in the other tab")
    # Whatever is pressed there gets the same answer from the server.
    await other.get_by_role("button", name="Regenerate").click()
    await expect(other.get_by_role("alert")).to_contain_text("This chat is gone")
    await undo(page).click()
    await expect(other.locator("[data-closed]")).to_have_count(0)
    await other.get_by_role("button", name="Send").click()
    await expect(other.locator('article[data-role="assistant"]')).to_have_count(2)
    await ends(other)


async def test_by_the_keyboard_undo_is_at_hand_and_waits(page: Page, site: Site) -> None:
    await started(page, "by the keyboard")
    await page.clock.install()
    await line_of(page, "by the keyboard").get_by_role("link").focus()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    button = page.locator("#chat-menu").get_by_role("button", name="Delete")
    await expect(button).to_be_visible()
    await button.focus()
    await page.keyboard.press("Enter")
    await expect(undo(page)).to_be_focused()
    for _ in range(3):
        async with page.expect_request(lambda request: "do=wait" in (request.post_data or "")):
            await page.clock.fast_forward(6_000)
    await expect(undo(page)).to_be_focused()
    await page.keyboard.press("Shift+Tab")
    await page.clock.fast_forward(10_500)
    await expect(page.locator("#deed")).to_be_empty()


async def test_the_line_goes_by_itself_after_ten_seconds(page: Page, site: Site) -> None:
    await started(page, "forgotten")
    await page.clock.install()
    await delete(page, "forgotten")
    await page.get_by_role("textbox", name="Message").hover()
    await page.clock.fast_forward(9_000)
    await expect(undo(page)).to_be_visible()
    await page.clock.fast_forward(1_500)
    await expect(page.locator("#deed")).to_be_empty()


async def test_several_at_once(page: Page, site: Site) -> None:
    for title in ("first of two", "second of two"):
        await page.goto(site.url)
        await started(page, title)
    await (await menu_of(page, "first of two")).get_by_role("button", name="Select several").click()
    await page.get_by_role("checkbox", name="Select second of two").check()
    await page.locator("[data-selection]").get_by_role("button", name="Delete").click()
    await expect(page.get_by_text("2 chats deleted.")).to_be_visible()
    for title in ("first of two", "second of two"):
        await expect(line_of(page, title)).to_have_count(0)
    await undo(page).click()
    await expect(page.get_by_text("2 chats brought back.")).to_be_visible()
    for title in ("first of two", "second of two"):
        await expect(line_of(page, title)).to_be_visible()


async def test_an_answer_that_is_being_written_ends(page: Page, providers: Providers, words: Words) -> None:
    question = providers.on("deleted while it runs", Script(pieces=words(400), pace=SLOW))
    await ask(page, question)
    await shows(page, "word3")
    await delete(page, question)
    assert await providers.asked(question)[0].client_left()
    await undo(page).click()
    await ends(page, "stopped")


async def test_on_the_phone(browser: Browser, site: Site) -> None:
    context = await browser.new_context(
        viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    context.set_default_timeout(10_000)
    page = await sign_in(context, site, "member2")
    await started(page, "on the phone")
    await page.get_by_role("button", name="Chats").tap()
    await line_of(page, "on the phone").get_by_role("button", name="More").tap()
    await page.locator("#chat-menu").get_by_role("button", name="Delete").tap()
    await expect(line_of(page, "on the phone")).to_have_count(0)
    await undo(page).tap()
    await expect(line_of(page, "on the phone")).to_be_visible()
    await context.close()


async def test_a_crash_keeps_nothing(browser: Browser, tmp_path: Path) -> None:
    """The page is closed and the process killed in the seconds of "Undo": the next process finishes what was begun."""
    site = Site(tmp_path).install().start()
    context = await browser.new_context()
    context.set_default_timeout(10_000)
    page = await sign_in(context, site, "member")
    await started(page, "gone in a crash")
    await delete(page, "gone in a crash")
    await context.close()
    site.kill()
    assert len(site.rows("SELECT id FROM conversations_conversation WHERE deleted_at IS NOT NULL")) == 1
    site.run("UPDATE conversations_conversation SET deleted_at = datetime(deleted_at, '-1 hour')")
    site.start()
    try:
        deadline = time.monotonic() + 40
        while site.rows("SELECT id FROM conversations_conversation"):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.2)
        assert site.rows("SELECT text FROM conversations_message") == []
    finally:
        site.close()

"""The keyboard: the palette, the list of shortcuts, and the last question taken up again."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from conversations.providers.recorded import Script
from tests.e2e.acts import ask, ends
from tests.e2e.conftest import Providers

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_chat_a_persona_and_a_command_by_a_few_letters(page: Page, providers: Providers) -> None:
    await ask(page, providers.on("the colour of bottles", Script(pieces=("Green.",))))
    await ends(page)
    chat = page.url
    await page.get_by_role("link", name="New chat").click()
    await expect(page.get_by_role("heading", name="New chat")).to_be_visible()
    palette = page.get_by_role("dialog", name="Go to")
    box = palette.get_by_role("searchbox")

    await page.keyboard.press("Control+k")
    await expect(box).to_be_focused()
    await expect(palette.get_by_role("link", name="the colour of bottles").first).to_be_visible()
    await page.keyboard.type("historian")
    await expect(palette.get_by_role("link")).to_have_count(1)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/?persona=*")
    await expect(page.get_by_role("radio", name="Coca Cola historian")).to_be_checked()

    await page.keyboard.press("Control+k")
    await page.keyboard.type("colour of")
    await palette.get_by_role("link", name="the colour of bottles").first.wait_for()
    await expect(palette.get_by_role("link", name="New chat")).to_have_count(0)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/c/"))
    assert page.url.split("?")[0] == chat

    await page.keyboard.press("Control+k")
    await page.keyboard.type("short")
    await palette.get_by_role("button", name="Keyboard shortcuts").wait_for()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


async def test_the_focus_comes_back(page: Page) -> None:
    message = page.get_by_role("textbox", name="Message")
    await message.fill("what is kept")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("nothing is called this")
    await expect(page.get_by_text("Nothing found.")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(message).to_be_focused()
    await page.keyboard.type("?")
    await expect(message).to_have_value("what is kept?")
    await page.locator("main").focus()
    await page.keyboard.press("?")
    shortcuts = page.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(shortcuts).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(shortcuts).to_have_count(0)


async def test_the_arrow_takes_up_the_last_question(page: Page, providers: Providers) -> None:
    await ask(page, providers.on("first words", Script(pieces=("One.",))))
    await ends(page)
    message = page.get_by_role("textbox", name="Message").first
    await message.fill("x")
    await message.press("ArrowUp")
    await message.fill("")
    await message.press("ArrowUp")
    edit = page.locator(".edit-slot textarea")
    await expect(edit).to_be_focused()
    await expect(edit).to_have_value("first words")

"""The preview of one's own message: rendered, left again where one was, and sent from either."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from conversations.providers.recorded import Script
from tests.e2e.acts import answer
from tests.e2e.conftest import Providers
from tests.e2e.test_attachments import box

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_message_is_seen_before_it_is_sent(page: Page, providers: Providers) -> None:
    text = providers.on("**Bold** <b>words</b> and\n\n- a list", Script(pieces=("Seen.",)))
    field = page.locator("[data-composer] textarea")
    seen = page.get_by_role("region", name="Preview of your message")
    await page.get_by_role("button", name="Preview").click()
    await expect(page.locator("#composer-error")).to_have_text("Write a message first.")
    await field.fill(text)
    await field.evaluate("field => field.setSelectionRange(2, 6)")
    await page.get_by_role("button", name="Preview").click()
    await expect(seen.locator("strong")).to_have_text("Bold")
    await expect(seen.get_by_role("listitem")).to_have_text("a list")
    await expect(seen).to_contain_text("words")
    await expect(field).to_be_hidden()
    await expect(seen).to_be_focused()
    await page.get_by_role("button", name="Write").click()
    await expect(seen).to_be_hidden()
    await expect(box(page)).to_be_focused()
    assert await field.evaluate("field => [field.selectionStart, field.selectionEnd]") == [2, 6]

    await page.keyboard.press("Control+Shift+P")
    await expect(seen).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(box(page)).to_be_focused()
    await page.keyboard.press("Control+Shift+P")
    await expect(seen).to_be_focused()
    await page.get_by_role("button", name="Send").click()
    await expect(answer(page).locator("[data-text]")).to_have_text("Seen.")
    await expect(box(page)).to_have_value("")

    await box(page).fill(providers.on("again", Script(pieces=("Seen twice.",))))
    await page.get_by_role("button", name="Preview").click()
    await expect(seen).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(answer(page).locator("[data-text]")).to_have_text("Seen twice.")
    await expect(seen).to_be_hidden()
    await expect(box(page)).to_be_focused()

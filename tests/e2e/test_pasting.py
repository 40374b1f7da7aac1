"""A long text that is pasted is offered to become a file, and nothing is taken from whoever goes on writing."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from conversations.providers.recorded import Script
from tests.e2e.acts import answer
from tests.e2e.conftest import Providers
from tests.e2e.test_attachments import box, chips

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PASTE = """(text) => {
  const field = document.querySelector("[data-composer] textarea");
  field.focus();
  const data = new DataTransfer();
  data.setData("text/plain", text);
  const about = { clipboardData: data, bubbles: true, cancelable: true };
  if (field.dispatchEvent(new ClipboardEvent("paste", about))) document.execCommand("insertText", false, text);
}"""
LINES = "".join(f"line {number}\n" for number in range(60))


async def test_a_long_text_becomes_a_file_or_stays(page: Page, providers: Providers) -> None:
    offer = page.get_by_role("group", name="Pasted text")
    said = page.locator("[data-files-said]")
    question = providers.on("What does it say? At last.", Script(pieces=("Sixty lines.",)))
    await box(page).fill("What does it say? ")
    await page.evaluate(PASTE, "a short one")
    await expect(offer).to_be_hidden()
    await box(page).fill("What does it say? ")
    await page.evaluate(PASTE, LINES)
    await expect(offer).to_be_visible()
    await expect(said).to_have_text(
        "You pasted 470 characters in 61 lines. They can be attached as a file instead."
    )
    await expect(box(page)).to_be_focused()
    await page.keyboard.type("At last.")  # nobody is kept from writing
    await expect(box(page)).to_have_value(f"What does it say? {LINES}At last.")
    attach = offer.get_by_role("button", name="Attach it as a file instead")
    await attach.focus()
    await page.keyboard.press("Enter")
    await expect(chips(page)).to_have_text(["pasted.txt470 bytes×"])
    await expect(box(page)).to_have_value("What does it say? At last.")
    await expect(box(page)).to_be_focused()
    await expect(offer).to_be_hidden()
    await expect(said).to_have_text("pasted.txt attached.")

    await page.evaluate(PASTE, "x" * 4_001)
    await offer.get_by_role("button", name="Keep it in the message").click()
    await expect(offer).to_be_hidden()
    await expect(box(page)).to_be_focused()
    assert "x" * 4_001 in await box(page).input_value()
    await box(page).fill(question)
    await page.evaluate(PASTE, "y" * 4_001)
    await expect(offer).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(offer).to_be_hidden()
    await box(page).fill(question)
    await page.evaluate(PASTE, "z" * 4_001)
    await attach.click()
    await expect(chips(page)).to_have_count(2)
    await expect(chips(page).nth(1)).to_contain_text("pasted (2).txt")
    await expect(box(page)).to_have_value(question)
    await page.evaluate(PASTE, LINES)
    await expect(offer).to_be_visible()
    await box(page).fill(question)  # what is offered is gone
    await expect(offer).to_be_hidden()
    await box(page).press("Enter")
    await expect(answer(page).locator("[data-text]")).to_have_text("Sixty lines.")
    await expect(page.get_by_role("list", name="Attached files").get_by_role("listitem")).to_have_count(2)

"""What taking a picture of a page needs."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.servers import ROOT

OUT = ROOT / "var" / "screenshots"


async def ask(page: Page, text: str) -> None:
    await page.get_by_role("textbox", name="Message").fill(text)
    await page.keyboard.press("Enter")


async def answered(page: Page, number: int) -> None:
    """Wait for the end of answer `number`, counted from one."""
    last = page.locator('article[data-role="assistant"]').nth(number - 1)
    await expect(last).to_have_attribute("data-status", "done", timeout=20_000)


async def shoot(page: Page, name: str, *, whole: bool = False) -> None:
    """Take what is seen of a page, or the whole of it."""
    await page.wait_for_timeout(200)  # fonts and transitions
    await page.screenshot(path=OUT / f"{name}.png", full_page=whole)

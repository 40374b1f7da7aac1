"""Photograph the pages: all of them for looking at, in var/screenshots, and those that README.md shows.

Starts a site without keys on data of its own, so that the pictures show what a first start shows.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.e2e.site import ROOT, Site, launch, sign_in

Scheme = Literal["light", "dark"]
OUT = ROOT / "var" / "screenshots"
README = ("conversation-light.png", "conversation-dark.png")
WIDE, PHONE = (1280, 800), (360, 740)
COMPANY = "SELECT id FROM conversations_company WHERE name = 'Coca Cola'"

Shoot = Callable[[Page, str], Awaitable[None]]


async def ask(page: Page, text: str) -> None:
    await page.get_by_role("textbox", name="Message").fill(text)
    await page.keyboard.press("Enter")


async def answered(page: Page, number: int) -> None:
    """Wait for the end of answer `number`, counted from one."""
    last = page.locator('article[data-role="assistant"]').nth(number - 1)
    await expect(last).to_have_attribute("data-status", "done", timeout=20_000)


async def photograph(
    browser: Browser, site: Site, scheme: Scheme, size: tuple[int, int], suffix: str
) -> None:
    """Every page in one theme and one size."""

    async def shoot(page: Page, name: str) -> None:
        await page.wait_for_timeout(200)  # fonts and transitions
        await page.screenshot(path=OUT / f"{name}-{suffix}.png")

    context: BrowserContext = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, has_touch=size == PHONE
    )
    stranger = await context.new_page()
    await stranger.goto(site.url)
    await shoot(stranger, "sign-in")
    await stranger.close()
    page = await sign_in(context, site, "member")
    await shoot(page, "start")
    await ask(page, "What is Coca Cola?")
    await expect(page.locator("article").last).to_contain_text("The drink is known", timeout=10_000)
    await shoot(page, "streaming")
    await answered(page, 1)
    await shoot(page, "cut")
    await ask(page, "Show me what you can do")
    await answered(page, 2)
    await shoot(page, "conversation")
    if size == PHONE:
        await page.get_by_role("button", name="Chats").click()
        await shoot(page, "drawer")
    await page.goto(f"{site.url}/c/00000000-0000-4000-8000-000000000000/")
    await shoot(page, "not-found")
    await page.close()
    await context.clear_cookies()
    await review(await sign_in(context, site, "reviewer"), site, shoot)
    await context.close()


async def review(page: Page, site: Site, shoot: Shoot) -> None:
    """The reviewers' workplace, on the made-up history."""
    address = f"{site.url}/admin/review/{uuid.UUID(site.rows(COMPANY)[0][0])}/answers/"
    await page.goto(address)
    await shoot(page, "sitting")
    await page.get_by_label("Why are you reading?").fill("Review of the queue")
    await page.get_by_role("button", name="Begin reading").click()
    await shoot(page, "answers")
    await page.goto(f"{address}?text=recipe+secret&finish=complete&rating=good")
    await shoot(page, "answers-found")
    await page.goto(f"{address}?text=nobody+said+that&error=any")
    await shoot(page, "answers-none")


async def main() -> None:
    """Take all pictures."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Chromium is needed for this: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder)).install()
        site.manage("demo_history", "--messages", "1000")
        site.start()
        playwright, browser = await launch(chromium)
        try:
            await photograph(browser, site, "light", WIDE, "light")
            await photograph(browser, site, "dark", WIDE, "dark")
            await photograph(browser, site, "light", PHONE, "phone")
        finally:
            await browser.close()
            await playwright.stop()
            site.close()


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    asyncio.run(main())
    for name in README:
        shutil.copy(OUT / name, ROOT / "docs" / "images" / name)

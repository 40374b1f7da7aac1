"""Photograph the pages: all of them for looking at, in var/screenshots, and those that README.md shows.

Starts a site without keys on data of its own, so that the pictures show what a first start shows.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, BrowserContext, expect

from tests.e2e.acts import menu_of, undo
from tests.e2e.pictures import OUT, answered, ask, shoot
from tests.e2e.screenshots_accounts import ACCOUNTS
from tests.e2e.screenshots_menus import MENUS
from tests.e2e.screenshots_review import REVIEW
from tests.e2e.site import Site, launch, sign_in
from tests.servers import ROOT

Scheme = Literal["light", "dark"]
README = ("conversation-light.png", "conversation-dark.png")
WIDE, PHONE = (1280, 800), (360, 740)


async def chat(context: BrowserContext, site: Site, suffix: str) -> None:
    """What a member sees."""
    stranger = await context.new_page()
    await stranger.goto(site.url)
    await shoot(stranger, f"sign-in-{suffix}")
    await stranger.close()
    page = await sign_in(context, site, "member")
    await shoot(page, f"start-{suffix}")
    await ask(page, "What is Coca Cola?")
    await expect(page.locator("article").last).to_contain_text("The drink is known", timeout=10_000)
    await shoot(page, f"streaming-{suffix}")
    await answered(page, 1)
    await shoot(page, f"cut-{suffix}")
    await ask(page, "Show me what you can do")
    await answered(page, 2)
    await shoot(page, f"conversation-{suffix}")
    await page.get_by_role("button", name="Flag for review").last.click()
    await page.get_by_role("button", name="Bad answer").last.click()
    await page.get_by_role("textbox", name="Your comment").wait_for()
    await shoot(page, f"feedback-{suffix}")
    if suffix == "phone":
        await page.get_by_role("button", name="Chats").click()
        await shoot(page, f"drawer-{suffix}")
    await page.goto(f"{site.url}/c/00000000-0000-4000-8000-000000000000/")
    await shoot(page, f"not-found-{suffix}")


async def passing(context: BrowserContext, site: Site, suffix: str) -> None:
    """A chat that is to go: begun as a temporary one, and deleted."""
    page = await sign_in(context, site, "member2")
    await page.get_by_role("checkbox", name="Temporary chat").check()
    await shoot(page, f"temporary-start-{suffix}")
    await ask(page, "Something between us")
    await answered(page, 1)
    await shoot(page, f"temporary-{suffix}")
    if suffix == "phone":
        await page.get_by_role("button", name="Chats").click()
    await (await menu_of(page, "Something between us")).get_by_role("button", name="Delete").wait_for()
    await shoot(page, f"chat-menu-{suffix}")
    await page.locator("#chat-menu").get_by_role("button", name="Delete").click()
    await undo(page).wait_for()
    await shoot(page, f"deleted-{suffix}")


async def out_and_in(context: BrowserContext, site: Site, suffix: str) -> None:
    """A chat that is shared, and the page where chats go out and come in."""
    page = await sign_in(context, site, "member2")
    await ask(page, "Show me what you can do")
    await answered(page, 1)
    await page.goto(f"{page.url}share/")
    await page.get_by_role("button", name="Make a link").click()
    shared = await page.get_by_label("The link").input_value()
    await shoot(page, f"share-{suffix}", whole=True)
    await page.goto(shared)
    await shoot(page, f"shared-{suffix}")
    await page.goto(shared[:-2])
    await shoot(page, f"shared-gone-{suffix}")
    await page.goto(f"{site.url}/chats/files/")
    await page.get_by_label("File").set_input_files(
        {"name": "notes.json", "mimeType": "text/plain", "buffer": b'[5, {"title": "Broken", "mapping": {}}]'}
    )
    await page.get_by_role("button", name="Import").click()
    await page.locator('[data-import="failed"]').wait_for()
    await page.get_by_text("could not be read", exact=False).first.click()
    await shoot(page, f"files-{suffix}", whole=True)


async def trial(context: BrowserContext, site: Site, suffix: str) -> None:
    """A persona tried beside its form."""
    page = await sign_in(context, site, "manager")
    await page.goto(f"{site.url}/admin/conversations/persona/")
    await page.get_by_role("link", name="Coca Cola guide").click()
    await page.get_by_label("System prompt").fill(f"You are an assistant for Coca Cola, {suffix}.")
    await page.get_by_role("button", name="Save draft").click()
    frame = page.frame_locator('iframe[title="Try it"]')
    await expect(frame.get_by_text("Trial of the draft")).to_be_visible()
    await shoot(page, f"studio-{suffix}")
    message = frame.get_by_role("textbox", name="Message")
    if suffix == "phone":
        await page.get_by_role("link", name="Try it below").click()
    await shoot(page, f"trial-{suffix}")
    await message.fill("What is Coca Cola?")
    await message.press("Enter")
    answer = frame.locator('article[data-role="assistant"]')
    await expect(answer).to_contain_text("The drink is known", timeout=10_000)
    await shoot(page, f"trial-streaming-{suffix}")
    await expect(answer).to_have_attribute("data-status", "done", timeout=20_000)
    await page.get_by_label("System prompt").fill("You are somebody else.")
    await page.get_by_text("Save the draft to try your latest changes.").scroll_into_view_if_needed()
    await shoot(page, f"trial-unsaved-{suffix}")
    await page.goto(next(each.url for each in page.frames if each.parent_frame))
    await shoot(page, f"trial-alone-{suffix}")


WALKS = (chat, passing, out_and_in, trial, *MENUS, *ACCOUNTS, *REVIEW)


async def photograph(
    browser: Browser, site: Site, scheme: Scheme, size: tuple[int, int], suffix: str
) -> None:
    """Every page in one theme and one size."""
    for pages in WALKS:
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, has_touch=size == PHONE
        )
        await pages(context, site, suffix)
        await context.close()


async def main() -> None:
    """Take all pictures."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Chromium is needed for this: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder)).install()
        site.manage("demo_history", "--messages", "6000", "--end", f"{date.today()}")
        site.start()
        playwright, browser = await launch(chromium)
        try:
            looks: tuple[tuple[Scheme, tuple[int, int], str], ...] = (
                ("light", WIDE, "light"),
                ("dark", WIDE, "dark"),
                ("light", PHONE, "phone"),
            )
            for scheme, size, suffix in looks:
                await photograph(browser, site, scheme, size, suffix)
        finally:
            await browser.close()
            await playwright.stop()
            site.close()


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    asyncio.run(main())
    for name in README:
        shutil.copy(OUT / name, ROOT / "docs" / "images" / name)

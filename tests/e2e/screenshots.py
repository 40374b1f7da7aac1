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
RULE = (
    "from conversations.models import *;"
    "Rule.objects.create(company=Company.objects.get(name='Coca Cola'), kind='trouble')"
)
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


async def shoot(page: Page, name: str) -> None:
    await page.wait_for_timeout(200)  # fonts and transitions
    await page.screenshot(path=OUT / f"{name}.png")


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


async def settings(context: BrowserContext, site: Site, suffix: str) -> None:
    """What managers settle about review, as it is at first and after an error."""
    page = await sign_in(context, site, "manager")
    await page.goto(f"{site.url}/admin/review/")
    await page.get_by_role("link", name="Settings").click()
    await page.screenshot(path=OUT / f"review-settings-{suffix}.png", full_page=True)
    await page.get_by_role("link", name="Pattern").click()
    await page.get_by_role("textbox", name="Pattern").fill("(open")
    await page.get_by_role("button", name="Add rule").click()
    await page.screenshot(path=OUT / f"review-rule-error-{suffix}.png", full_page=True)
    await page.get_by_role("link", name="Back").click()
    await page.get_by_role("link", name="Change the grades").click()
    await page.screenshot(path=OUT / f"review-grades-{suffix}.png", full_page=True)


async def photograph(
    browser: Browser, site: Site, scheme: Scheme, size: tuple[int, int], suffix: str
) -> None:
    """Every page in one theme and one size."""
    for pages in (chat, trial, settings):
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, has_touch=size == PHONE
        )
        await pages(context, site, suffix)
        await context.close()


async def photograph_review(
    browser: Browser, site: Site, scheme: Scheme, size: tuple[int, int], suffix: str
) -> None:
    """The reviewers' workplace, in which the conversations of the other pictures wait."""
    context: BrowserContext = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, has_touch=size == PHONE
    )

    async def shoot(name: str) -> None:
        await page.wait_for_timeout(200)
        await page.screenshot(path=OUT / f"{name}-{suffix}.png")

    page = await sign_in(context, site, "reviewer")
    await page.goto(f"{site.url}/admin/review/")
    await shoot("queue")
    await page.locator("tbody a").first.click()
    await shoot("sitting")
    await page.get_by_label("Why are you reading?").fill("Review of the queue")
    await page.get_by_role("button", name="Begin reading").click()
    await page.get_by_role("button", name="Claim").click()
    await page.get_by_role("button", name="Incomplete").first.click()
    await shoot("review")
    await page.get_by_role("button", name="Give it back to the queue").click()
    await expect(page.get_by_role("heading", name="Review queue")).to_be_visible()
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
        site.manage("shell", "-c", RULE)
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

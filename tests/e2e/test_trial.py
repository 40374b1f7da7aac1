"""A persona tried beside its form, in a real browser: the draft answers word by word, and no list knows of it."""

from __future__ import annotations

import re

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Frame, FrameLocator, Page, expect

from conversations.providers.recorded import Script
from tests.e2e.acts import SLOW, Words, ask
from tests.e2e.conftest import Providers
from tests.e2e.site import Site, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LATEST = "Save the draft to try your latest changes."


@pytest_asyncio.fixture(loop_scope="session")
async def studio(context: BrowserContext, site: Site) -> Page:
    """The form of a persona, as its manager has it open."""
    page = await sign_in(context, site, "manager")
    await page.goto(f"{site.url}/admin/conversations/persona/")
    await page.get_by_role("link", name="Coca Cola historian").click()
    return page


def panel(studio: Page) -> FrameLocator:
    return studio.frame_locator('iframe[title="Try it"]')


def inside(studio: Page) -> Frame:
    """The frame, for its address and its scripts."""
    return next(frame for frame in studio.frames if frame.parent_frame)


async def send(studio: Page, text: str) -> None:
    await panel(studio).get_by_role("textbox", name="Message").fill(text)
    await panel(studio).get_by_role("button", name="Send").click()


async def ends(studio: Page, text: str) -> None:
    last = panel(studio).locator('article[data-role="assistant"]').last
    await expect(last).to_have_attribute("data-status", "done")
    await expect(last.locator("[data-text]")).to_contain_text(text)


async def save_draft(studio: Page, prompt: str) -> None:
    await studio.get_by_label("System prompt").fill(prompt)
    async with studio.expect_navigation():
        await studio.get_by_role("button", name="Save draft").click()
    await expect(studio.get_by_text("The draft is saved.")).to_be_visible()
    await expect(studio.get_by_label("System prompt")).to_have_value(prompt)
    await expect(panel(studio).get_by_text("Trial of the draft saved")).to_be_visible()


def told(providers: Providers, question: str) -> list[str]:
    """The system prompts with which `question` was asked."""
    return [str((seen.body or {})["messages"][0]["content"]) for seen in providers.asked(question)]


async def test_the_draft_is_tried_beside_its_form(studio: Page, providers: Providers, site: Site) -> None:
    await expect(panel(studio).get_by_text(re.compile(r"Trial of (version|the draft)"))).to_be_visible()
    await expect(studio.get_by_text(LATEST)).to_be_hidden()
    await studio.get_by_label("System prompt").fill("Answer in rhymes.")
    await expect(studio.get_by_text(LATEST)).to_be_visible()
    await save_draft(studio, "Answer in rhymes.")
    await expect(studio.get_by_text(LATEST)).to_be_hidden()

    question = providers.on(
        "zqtrial", Script(pieces=("Roses are red.",)), Script(pieces=("Violets are blue.",))
    )
    await send(studio, question)
    await ends(studio, "Roses")
    await panel(studio).locator('article[data-role="assistant"]').hover()
    await panel(studio).get_by_role("button", name="Regenerate").click()
    await ends(studio, "Violets")
    assert told(providers, question) == ["Answer in rhymes."] * 2
    for absent in ("Good answer", "Bad answer", "Chats"):
        await expect(panel(studio).get_by_role("button", name=absent)).to_have_count(0)
    await expect(panel(studio).get_by_role("link", name="Back to the persona")).to_be_hidden()

    address = inside(studio).url
    await save_draft(studio, "Answer in prose.")
    tab = await studio.context.new_page()
    await tab.goto(address)  # the trial goes on with the draft that it began with
    await expect(tab.get_by_text("Trial of the draft saved")).to_be_visible()
    await ask(tab, providers.on("and again", Script(pieces=("Once more.",))))
    await expect(tab.locator('article[data-role="assistant"]').last).to_contain_text("Once more.")
    assert told(providers, "and again") == ["Answer in rhymes."]
    await tab.get_by_role("link", name="Back to the persona").click()
    await expect(tab.get_by_label("System prompt")).to_have_value("Answer in prose.")
    await tab.goto(site.url)
    await expect(tab.get_by_role("navigation", name="Chats").get_by_text("zqtrial")).to_have_count(0)
    await tab.get_by_role("searchbox", name="Search chats").fill("zqtrial")
    await expect(tab.get_by_text("Nothing found.")).to_be_visible()


async def test_a_trial_streams_is_stopped_and_begun_anew(
    studio: Page, providers: Providers, words: Words
) -> None:
    question = providers.on("a long one", Script(pieces=words(600), pace=SLOW))
    await send(studio, question)
    last = panel(studio).locator('article[data-role="assistant"]').last
    await expect(last).to_contain_text("word5")
    await expect(last).to_have_attribute("data-status", "running")
    await panel(studio).get_by_role("button", name="Stop").click()
    await expect(last).to_have_attribute("data-status", "stopped")
    await expect(panel(studio).get_by_role("button", name="Retry")).to_be_visible()
    began = inside(studio).url
    await panel(studio).get_by_role("link", name="New trial").click()
    await expect(panel(studio).get_by_text("Trials are kept out of everybody's chats")).to_be_visible()
    await expect(panel(studio).locator("article")).to_have_count(0)
    await panel(studio).get_by_role("button", name="What is Coca Cola?").click()
    await expect(panel(studio).get_by_role("textbox", name="Message")).to_have_value("What is Coca Cola?")
    assert inside(studio).url != began
    assert studio.url.endswith("/change/")


async def test_the_panel_leaves_the_keyboard_to_the_form(studio: Page, providers: Providers) -> None:
    await expect(panel(studio).get_by_role("textbox", name="Message")).to_be_visible()
    assert await studio.evaluate("document.activeElement.tagName") == "BODY"
    await (
        panel(studio)
        .get_by_role("textbox", name="Message")
        .fill(providers.on("by hand", Script(pieces=("Yes.",))))
    )
    await studio.keyboard.press("Enter")
    await ends(studio, "Yes.")
    await expect(panel(studio).get_by_role("textbox", name="Message")).to_be_focused()


async def test_the_panel_follows_the_light_of_the_administration(studio: Page) -> None:
    await expect(panel(studio).get_by_role("textbox", name="Message")).to_be_visible()
    await studio.get_by_role("button", name="Toggle theme").first.click()
    theme = await studio.locator("html").get_attribute("data-theme")
    await expect(panel(studio).locator("html")).to_have_css("color-scheme", str(theme))


async def test_the_panel_stands_below_the_form_on_a_phone(browser: Browser, site: Site) -> None:
    context = await browser.new_context(
        viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    context.set_default_timeout(10_000)
    page = await sign_in(context, site, "manager")
    await page.goto(f"{site.url}/admin/conversations/persona/")
    await page.get_by_role("link", name="Coca Cola guide").click()
    await page.get_by_role("link", name="Try it below").tap()
    await expect(panel(page).get_by_role("textbox", name="Message")).to_be_in_viewport()
    for shown in (page, inside(page)):
        assert await shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await context.close()

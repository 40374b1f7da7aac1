"""A temporary chat: a tick where it begins, marked wherever it stands, and an end that is told."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.e2e.acts import ask, ends, line_of
from tests.e2e.site import Site, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

OVER = (
    "from conversations.models import Conversation; from django.db.models.functions import Now; "
    "Conversation.objects.filter(title={title!r}).update(temporary_until=Now())"
)


async def begin(page: Page, question: str) -> None:
    """A temporary chat, by the keyboard alone."""
    tick = page.get_by_role("checkbox", name="Temporary chat")
    await expect(page.get_by_text("It is gone after 24 hours")).to_be_hidden()
    await tick.focus()
    await page.keyboard.press("Space")
    await expect(page.get_by_text("It is gone after 24 hours")).to_be_visible()
    await ask(page, question)
    await ends(page)


async def test_it_is_marked_and_its_end_is_told(page: Page, context: BrowserContext, site: Site) -> None:
    await begin(page, "between us")
    await expect(page.get_by_text("Temporary until")).to_be_visible()
    await expect(page.get_by_text("This chat is temporary.")).to_be_visible()
    await expect(line_of(page, "between us").get_by_role("link")).to_have_accessible_name(
        "Temporary: between us"
    )
    await ask(page, "a second question")
    await expect(page.locator('article[data-role="assistant"]')).to_have_count(2)
    await ends(page)
    await page.get_by_role("textbox", name="Message").fill("half a thought")
    site.manage("shell", "-c", OVER.format(title="between us"))
    alert = page.get_by_role("alert")
    await expect(alert).to_have_text(
        "This temporary chat is over, or no longer open to you here. Your text is kept.", timeout=15_000
    )
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("textbox", name="Message")).to_have_value("half a thought")
    await page.reload()
    await expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()


async def test_the_next_chat_is_none_unless_it_is_asked_for(page: Page) -> None:
    await begin(page, "one more of us")
    await page.get_by_role("link", name="New chat").click()
    await expect(page.get_by_role("checkbox", name="Temporary chat")).not_to_be_checked()
    await ask(page, "for all to keep")
    await ends(page)
    await expect(page.get_by_text("This chat is temporary.")).to_have_count(0)


async def test_on_the_phone(browser: Browser, site: Site) -> None:
    context = await browser.new_context(
        viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    context.set_default_timeout(10_000)
    page = await sign_in(context, site, "member2")
    await page.get_by_role("checkbox", name="Temporary chat").tap()
    await expect(page.get_by_text("It is gone after 24 hours")).to_be_visible()
    await page.get_by_role("textbox", name="Message").fill("by a finger")
    await page.get_by_role("button", name="Send").tap()
    await ends(page)
    await expect(page.get_by_text("Temporary until")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await context.close()

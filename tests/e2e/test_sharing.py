"""A chat shared in a real browser: made in one, read in another, revoked in the first."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Page, Request, expect

from tests.e2e.acts import ask, ends
from tests.e2e.site import PASSWORD, Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_chat_is_shared_read_and_revoked(page: Page, browser: Browser, site: Site) -> None:
    await ask(page, "Share this with a colleague")
    await ends(page)
    line = page.locator(".chat-line").filter(has_text="Share this with a colleague").first
    await line.hover()
    await line.get_by_role("button", name="More").click()
    await page.get_by_role("link", name="Share", exact=True).click()
    await page.get_by_label("Good for").select_option("1 day")
    await page.get_by_role("button", name="Make a link").click()
    address = await page.get_by_label("The link").input_value()
    assert re.fullmatch(re.escape(site.url) + r"/s/[\w-]{43}/", address)
    await page.get_by_role("link", name="Back to the chat").click()
    await ask(page, "This comes later")
    await ends(page)

    context = await browser.new_context()
    context.set_default_timeout(10_000)
    reader = await context.new_page()
    asked: list[Request] = []
    reader.on("request", lambda request: asked.append(request))
    await reader.goto(address)
    await reader.get_by_label("Username").fill("member2")
    await reader.get_by_label("Password").fill(PASSWORD)
    await reader.get_by_role("button", name="Sign in").click()
    await expect(reader.get_by_role("heading", name="Share this with a colleague")).to_be_visible()
    assert reader.url == address
    await expect(reader.get_by_text("This comes later")).to_have_count(0)
    secret = address.split("/")[-2]
    for request in asked:
        said = {**await request.all_headers(), "cookie": ""}
        assert secret not in str(said), request.url
        assert secret not in request.url or request.is_navigation_request()
    await reader.get_by_role("link", name="To your own").click()
    await expect(reader.get_by_role("heading", name="New chat")).to_be_visible()
    assert await reader.evaluate("document.referrer") == ""

    await page.get_by_role("link", name="Shared by a link").click()
    await page.get_by_role("button", name="Revoke").click()
    await expect(page.get_by_text("It leads nowhere any more.")).to_be_visible()
    await reader.goto(address)
    await expect(reader.get_by_role("heading", name="This link does not lead anywhere")).to_be_visible()
    await context.close()

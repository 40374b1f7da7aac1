"""More chats open than may be kept up to date: the page says so, goes on, and comes back once there is room."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.acts import ask, ends
from tests.e2e.site import Site, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

CROWDED = "Too many chats are open."
TRY = "window.dispatchEvent(new Event('online'))"  # as it does by itself, after a while


async def test_a_chat_too_many_says_so_and_comes_back_when_another_is_closed(
    tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> None:
    site = Site(tmp_path_factory.mktemp("crowded"), PERSON_SOCKETS="1").install().start()
    context = await browser.new_context()
    context.set_default_timeout(10_000)
    try:
        first = await sign_in(context, site, "member")
        await ask(first, "What is Coca Cola?")
        await ends(first)
        second = await context.new_page()
        await second.goto(first.url)
        line = second.locator("#connection")
        await expect(line).to_contain_text(CROWDED)
        await expect(first.locator("#connection")).to_be_empty()
        await second.evaluate(TRY)
        await expect(line).to_contain_text(CROWDED)
        await first.goto(site.url)
        await second.evaluate(TRY)
        await expect(line).to_be_empty(timeout=10_000)
        await ask(second, "What is Coca Cola?")
        await ends(second)
    finally:
        await context.close()
        site.close()
    assert "Traceback" not in site.log.read_text()

"""The first start, the phone, the keyboard alone, and a hostile answer, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from conversations.providers.recorded import Script
from tests.e2e.acts import answer, answers, ask, ends
from tests.e2e.conftest import Providers
from tests.e2e.site import Site, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_both_personas_of_the_demo(context: BrowserContext, demo_site: Site) -> None:
    page = await sign_in(context, demo_site, "member")
    await expect(page.get_by_text("Recorded answers: no key is set")).to_be_visible()
    await page.get_by_role("radio", name="Coca Cola guide").check()
    await ask(page, "what is Coca Cola")
    text = await ends(page)
    assert text.startswith("Coca-Cola, often referred to as Coke")
    assert text.endswith("most recognizable")
    await expect(answer(page)).to_contain_text("The answer was cut at its length limit.")
    await expect(page.get_by_role("button", name="Continue")).to_be_visible()
    await page.get_by_role("button", name="Continue").click()
    await expect(answer(page)).to_have_attribute("data-status", re.compile("pending|running"))
    assert (await ends(page)).startswith(f"{text} brands")
    await expect(answers(page)).to_have_count(1)

    await page.get_by_role("link", name="New chat").click()
    await page.get_by_role("radio", name="Coca Cola historian").check()
    await ask(page, "What is Coca Cola?")
    assert (await ends(page)).endswith("Would you like to know about the history of Coca-Cola?")
    await expect(answer(page)).not_to_contain_text("cut")
    usage = demo_site.rows(
        "SELECT prompt_tokens, completion_tokens FROM conversations_generation AS made"
        " JOIN auth_user ON auth_user.id = made.requested_by_id WHERE username = 'member' ORDER BY created_at"
    )
    assert usage[0] == (34, 100)
    assert usage[2] == (186, 124)


async def test_the_recording_shows_what_the_page_can_do(context: BrowserContext, demo_site: Site) -> None:
    page = await sign_in(context, demo_site, "outsider")
    await ask(page, "hello")
    await ends(page)
    for part in ("table", "ul", "figure.code"):
        await expect(answer(page).locator(part)).to_be_visible()
    await expect(answer(page)).to_contain_text("recording")


async def test_the_phone(browser: Browser, site: Site, providers: Providers) -> None:
    context = await browser.new_context(
        viewport={"width": 360, "height": 740},
        has_touch=True,
        is_mobile=True,
        color_scheme="dark",
        reduced_motion="reduce",
    )
    context.set_default_timeout(10_000)
    page = await sign_in(context, site, "member2")
    wide = "| " + " | ".join(f"column {number}" for number in range(12)) + " |\n"
    table = wide + "|" + " --- |" * 12 + "\n" + wide
    question = providers.on("show me a table", Script(pieces=(table, "\n```\n" + "x" * 200 + "\n```\n")))
    await page.get_by_role("textbox", name="Message").fill(question)
    await page.get_by_role("button", name="Send").tap()
    await ends(page)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    chats = page.get_by_role("navigation", name="Chats")
    await expect(chats).to_be_hidden()
    await page.get_by_role("button", name="Chats").tap()
    await expect(chats).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(chats).to_be_hidden()
    await expect(page.get_by_role("button", name="Chats")).to_be_focused()
    await context.close()


async def test_the_keyboard_alone(page: Page, providers: Providers) -> None:
    providers.on("typed", Script(pieces=("```python\nprint(1)\n```\n",)))
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    await page.keyboard.type("typed")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.press("Backspace")
    await page.keyboard.press("Enter")
    await ends(page)
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    await page.keyboard.press("Shift+Tab")
    names = []
    for _ in range(8):
        names.append(
            await page.evaluate(
                "document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"
            )
        )
        await page.keyboard.press("Shift+Tab")
    assert {"Regenerate", "Copy"} <= set(names)


async def test_hostile_markdown_is_inert(page: Page, providers: Providers) -> None:
    hostile = (
        "<script>window.hacked = 1</script>\n\n<img src=x onerror='window.hacked = 2'>\n\n"
        "[a](javascript:window.hacked=3) ![i](http://192.0.2.1/pixel.png)\n\n"
        '<div hx-get="/accounts/logout/" hx-trigger="load" id="composer-button">x</div>\n\n'
        "[safe](https://example.com/)\n"
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    question = providers.on(
        "be hostile", Script(pieces=tuple(hostile[i : i + 3] for i in range(0, len(hostile), 3)))
    )
    await ask(page, question)
    await ends(page)
    await page.reload()
    await ends(page)
    text = answer(page).locator("[data-text]")
    assert await page.evaluate("window.hacked") is None
    assert not [url for url in asked if "192.0.2.1" in url or "logout" in url]
    assert await text.locator("script, img, [hx-get], [onerror]").count() == 0
    assert await text.locator("a[href^=javascript]").count() == 0
    link = text.get_by_role("link", name="safe")
    assert "noopener" in str(await link.get_attribute("rel"))
    assert await link.get_attribute("target") == "_blank"

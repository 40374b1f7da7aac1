"""From signing in to taking a chat away with nothing but a keyboard, seeing at each stop where one is."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, expect

from conversations.providers.recorded import Script
from tests.e2e.acts import answer, answers, ends, line_of
from tests.e2e.conftest import Providers
from tests.e2e.site import PASSWORD, Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# What has the keyboard: what it is called, and whether it is in sight with a ring round it.
HERE = """() => {
  const here = document.activeElement, box = here.getBoundingClientRect();
  const ringed = [here, here.parentElement].some((e) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(e);
    return (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none";
  });
  const inSight = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const name = here.ariaLabel ?? here.labels?.[0]?.textContent ?? here.textContent;
  const seen = here !== document.body && inSight && ringed && here.checkVisibility({ opacityProperty: true });
  return { name: name.trim().replace(/\\s+/g, " "), seen, tag: here.localName };
}"""
MOST = 80  # stops from one end of a page to the other


async def here(page: Page) -> dict[str, Any]:
    stop: dict[str, Any] = await page.evaluate(HERE)
    return stop


async def tab_to(page: Page, name: str, key: str = "Tab") -> None:
    """Go on to what bears that name, which every stop on the way has to show."""
    passed = []
    for _ in range(MOST):
        await page.keyboard.press(key)
        async with asyncio.timeout(5):  # it may have to scroll, or fade in
            while not (stop := await here(page))["seen"]:
                await page.evaluate("new Promise(requestAnimationFrame)")
        passed.append(stop["name"])
        if re.fullmatch(name, stop["name"]):
            return
    raise AssertionError(f"{name} is not on the way: {passed}")


async def test_from_sign_in_to_export(
    context: BrowserContext, site: Site, providers: Providers, tmp_path: Path
) -> None:
    question = providers.on("what the keyboard asked", Script(pieces=("A quick ", "brown ", "fox.")))
    page = await context.new_page()
    await page.goto(site.url)
    await expect(page.get_by_label("Username")).to_be_focused()
    await page.keyboard.type("member")
    await tab_to(page, "Password")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="New chat").wait_for()

    # Somebody to talk to, among several.
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    await tab_to(page, "Coca Cola guide", "Shift+Tab")
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("radio", name="Coca Cola historian")).to_be_checked()
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_role("radio", name="Coca Cola guide")).to_be_checked()
    await tab_to(page, "Message")
    await page.keyboard.type(question)
    await page.keyboard.press("Enter")
    assert await ends(page) == "A quick brown fox."
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()

    # Judge the answer, then ask anew what was asked.
    await tab_to(page, "Good answer", "Shift+Tab")
    await page.keyboard.press("Space")
    await expect(page.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")
    await tab_to(page, "Message")
    await page.keyboard.press("ArrowUp")
    again = providers.on("what the keyboard asked again", Script(pieces=("A lazy dog.",)))
    await expect(page.get_by_role("textbox", name="Your question")).to_be_focused()
    await page.keyboard.press("End")
    await page.keyboard.type(" again")
    await page.keyboard.press("Enter")
    await expect(answer(page)).to_contain_text("A lazy dog.")
    await ends(page)
    await expect(answers(page)).to_have_count(1)

    # Give the chat a name, and find it by that.
    await tab_to(page, "More", "Shift+Tab")
    while not await page.evaluate(
        "document.activeElement.closest('li').textContent.includes('keyboard asked')"
    ):
        await tab_to(page, "More", "Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#chat-menu").get_by_label("Title")).to_be_focused()
    await page.keyboard.press("Control+a")
    await page.keyboard.type("Foxes and dogs")
    await page.keyboard.press("Enter")
    await expect(line_of(page, "Foxes and dogs")).to_have_count(1)
    await page.keyboard.press("Control+k")
    await page.keyboard.type("foxes")
    await page.get_by_role("dialog", name="Go to").get_by_role("link", name="Foxes and dogs").wait_for()
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    await expect(page).to_have_title(re.compile("Foxes and dogs"))

    # And take all of it away.
    await page.keyboard.press("Control+k")
    await page.keyboard.type("export")
    await page.get_by_role("dialog", name="Go to").get_by_role("link", name="Export and import").wait_for()
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Export and import").wait_for()
    await tab_to(page, "JSON")
    async with page.expect_download() as download:
        await page.keyboard.press("Enter")
    file = tmp_path / "all.json"
    await (await download.value).save_as(file)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    texts = json.dumps(lines)
    assert all(
        said in texts for said in (question, again, "A quick brown fox.", "A lazy dog.", "Foxes and dogs")
    )

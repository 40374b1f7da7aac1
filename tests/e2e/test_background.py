"""A tab that nobody looks at tells when its answer has come."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from conversations.providers.recorded import Script
from tests.e2e.acts import SLOW, Line, Words, ask, ends, shows
from tests.e2e.conftest import Providers

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

HIDDEN = """hidden => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
}"""
ICON = "document.querySelector('link[rel=icon]').getAttribute('href')"


async def test_the_tab_tells_of_an_answer_until_it_is_looked_at(
    page: Page, providers: Providers, words: Words
) -> None:
    title = "tell me when"
    await ask(page, providers.on(title, Script(pieces=words(120), pace=SLOW), Script(pieces=("Again.",))))
    await shows(page, "word3")
    plain = await page.evaluate(ICON)
    await page.evaluate(HIDDEN, True)
    await ends(page)
    await expect(page).to_have_title(f"(1) {title}")
    assert re.search(r"/icon-marked\.", await page.evaluate(ICON))
    await page.evaluate(
        "window.dispatchEvent(new Event('online'))"
    )  # a new socket learns what the chat is called
    await expect(page).to_have_title(f"(1) {title}")
    await page.evaluate(HIDDEN, False)
    await expect(page).to_have_title(title)
    assert str(await page.evaluate(ICON)).endswith(plain)

    await page.get_by_role("button", name="Regenerate").focus()
    await page.keyboard.press("Enter")
    await shows(page, "Again.")
    await ends(page)
    await expect(page).to_have_title(title)  # it was looked at


async def test_an_answer_that_ended_while_the_line_was_down_is_told_too(
    page: Page, providers: Providers, words: Words
) -> None:
    title = "tell me late"
    line = await Line.of(page)
    await ask(page, providers.on(title, Script(pieces=words(120), pace=SLOW)))
    await shows(page, "word3")
    await page.evaluate(HIDDEN, True)
    await line.cut()
    line.down = False
    await ends(page)
    await expect(page).to_have_title(f"(1) {title}")


async def test_a_name_that_comes_meanwhile_keeps_the_mark(
    page: Page, providers: Providers, words: Words
) -> None:
    question = providers.on("what is in a name", Script(pieces=words(120), pace=SLOW))
    providers.name(question, "Names")
    await ask(page, question)
    await shows(page, "word3")
    await page.evaluate(HIDDEN, True)
    await expect(page).to_have_title("(1) Names")
    await page.evaluate(HIDDEN, False)
    await expect(page).to_have_title("Names")

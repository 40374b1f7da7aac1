"""Titles come by themselves, into every open tab; a person's own stays."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import BrowserContext, Page, expect

from conversations.providers.recorded import Script
from tests.e2e.acts import ask, ends, line_of, menu_of
from tests.e2e.conftest import Providers

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

HOSTILE = "<img src=x onerror=alert(1)> \u202etitle"


async def rename(page: Page, before: str, after: str) -> None:
    menu = await menu_of(page, before)
    await menu.get_by_label("Title").fill(after)
    await menu.get_by_role("button", name="Rename").click()
    await expect(line_of(page, after)).to_be_visible()


async def test_it_comes_into_every_tab_without_a_reload(
    page: Page, context: BrowserContext, providers: Providers
) -> None:
    providers.name("a chat beside", "Something beside")
    providers.name("how do I keep an opened bottle", "Keeping an opened bottle", header_delay=3)
    await ask(page, "a chat beside")
    await ends(page)
    await expect(line_of(page, "Something beside")).to_be_visible()
    beside = await context.new_page()
    await beside.goto(page.url)

    await page.get_by_role("link", name="New chat").click()
    await ask(page, "how do I keep an opened bottle")
    await ends(page)
    await expect(page).to_have_title("how do I keep an opened bottle")
    second = await context.new_page()
    await second.goto(page.url)
    for tab in (page, second):
        await expect(line_of(tab, "Keeping an opened bottle").get_by_role("link")).to_have_attribute(
            "title", "Keeping an opened bottle"
        )
        await expect(tab).to_have_title("Keeping an opened bottle")
    # The list of another chat's page is told of the chat that it shows; that page keeps its own name.
    await beside.reload()
    await expect(line_of(beside, "Keeping an opened bottle")).to_be_visible()
    await expect(beside).to_have_title("Something beside")
    await rename(page, "Keeping an opened bottle", "Bottled up")
    for tab in (second, beside):
        await expect(line_of(tab, "Bottled up")).to_be_visible()
    await expect(second).to_have_title("Bottled up")
    await expect(beside).to_have_title("Something beside")
    await line_of(beside, "Bottled up").get_by_role("link").click()
    await expect(beside).to_have_title("Bottled up")


async def test_a_hostile_title_is_a_line_of_text(page: Page, providers: Providers) -> None:
    providers.name("what is hostile", HOSTILE)
    await ask(page, "what is hostile")
    await ends(page)
    shown = "<img src=x onerror=alert(1)> title"
    await expect(page).to_have_title(shown)
    await expect(line_of(page, shown).locator("img")).to_have_count(0)
    await page.reload()
    await expect(page).to_have_title(shown)
    await expect(line_of(page, shown).locator("img")).to_have_count(0)


async def test_a_person_s_own_title_stays(page: Page, providers: Providers) -> None:
    question = "renamed while the provider thinks of a title"
    providers.name(question, "Of the model", header_delay=3)
    await ask(page, question)
    await ends(page)
    await rename(page, question, "Mine")
    (seen,) = [each for each in providers.upstream.titles.requests if question in str(each.body)]
    assert await asyncio.to_thread(seen.over.wait, 10)
    await page.reload()
    await expect(page).to_have_title("Mine")
    await expect(line_of(page, "Mine")).to_be_visible()


async def test_where_none_comes_the_question_stays(page: Page, providers: Providers) -> None:
    question = "what no provider has a title for"
    providers.names[question] = Script(status=500)
    await ask(page, question)
    await ends(page)
    await page.reload()
    await expect(page).to_have_title(question)
    await expect(line_of(page, question)).to_be_visible()

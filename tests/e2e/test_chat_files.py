"""A chat taken away in a real browser, and the file opened where there is no server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, Request, expect

from conversations.providers.recorded import Script
from tests.e2e.acts import ask, ends
from tests.e2e.conftest import Providers
from tests.e2e.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ANSWER = (
    "See [the page](https://example.com/) and ![a picture](https://example.com/p.png)\n\n"
    "```python\nprint('words')\n```\n\n<script>document.title = 'owned'</script>\n"
)


async def downloaded(page: Page, link: Locator, folder: Path) -> Path:
    async with page.expect_download() as download:
        await link.click()
    file = folder / (await download.value).suggested_filename
    await (await download.value).save_as(file)
    return file


async def opened(browser: Browser, file: Path) -> tuple[Page, list[Request]]:
    """The file in a browser of its own, and whatever it asks for."""
    page = await browser.new_page()
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    await page.goto(file.as_uri())
    return page, asked


async def test_a_chat_is_taken_away_from_its_menu(
    page: Page, browser: Browser, providers: Providers, tmp_path: Path
) -> None:
    await ask(page, providers.on("Take this away", Script(pieces=(ANSWER,))))
    await ends(page)
    line = page.locator(".chat-line").filter(has_text="Take this away").first
    await line.hover()
    await line.get_by_role("button", name="More").click()
    menu = page.get_by_role("group", name="Export")
    file = await downloaded(page, menu.get_by_role("link", name="Markdown"), tmp_path)
    assert file.suffix == ".md"
    assert ANSWER.strip() in await asyncio.to_thread(file.read_text)
    file = await downloaded(page, menu.get_by_role("link", name="JSON"), tmp_path)
    assert '"format":"person/1"' in await asyncio.to_thread(file.read_text)
    file = await downloaded(page, menu.get_by_role("link", name="Web page"), tmp_path)

    alone, asked = await opened(browser, file)
    await expect(alone.get_by_role("heading", name="You")).to_be_visible()
    await expect(alone.locator("figure.code")).to_contain_text("print('words')")
    assert await alone.title() == "Take this away"
    assert [request.url for request in asked] == [file.as_uri()]
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = await alone.evaluate(ground)
    await alone.emulate_media(color_scheme="dark")
    assert await alone.evaluate(ground) != light
    await alone.close()


async def test_all_chats_are_taken_away(page: Page, browser: Browser, site: Site, tmp_path: Path) -> None:
    for question in ("The first of two", "The second of two"):
        await page.goto(site.url)
        await ask(page, question)
        await ends(page)
    await page.locator(".person-button").click()
    await page.get_by_role("link", name="Export").click()
    file = await downloaded(page, page.get_by_role("link", name="Web page"), tmp_path)
    alone, asked = await opened(browser, file)
    contents = alone.get_by_role("navigation", name="Contents")
    await contents.get_by_role("link", name="The second of two").last.click()
    await expect(alone.get_by_role("heading", name="The second of two").last).to_be_in_viewport()
    assert {request.url.partition("#")[0] for request in asked} == {file.as_uri()}
    await alone.close()

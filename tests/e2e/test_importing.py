"""Files brought in by a real browser: sent in pieces, watched, read while somebody is away, found, and gone on with."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, FilePayload, Page, Route, expect

from tests.e2e.acts import ask, ends
from tests.e2e.site import Site, sign_in
from tests.importing import chatgpt, conversation, question_and_answer, zipped

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PATIENCE = 60_000  # milliseconds that the reading of a file may take on a busy machine


def file(data: bytes, name: str = "conversations.json") -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


async def choose(page: Page, site: Site, data: Any) -> None:
    await page.goto(f"{site.url}/chats/files/")
    await page.get_by_label("File").set_input_files(data)
    await page.get_by_label("Go on with").select_option(label="Coca Cola guide, Coca Cola")
    await page.get_by_role("button", name="Import").click()


async def came_in(page: Page, words: str) -> None:
    await expect(page.locator("[data-import-state]")).to_contain_text(words, timeout=PATIENCE)


async def test_chats_come_in_are_found_and_gone_on_with(page: Page, site: Site) -> None:
    brought = conversation(
        ("q", "user", None, "Whence the zqbrought words?"),
        ("a", "assistant", "q", "From **elsewhere**."),
        title="Brought along",
        name="e2e-1",
    )
    await choose(page, site, file(zipped(conversations_json=chatgpt(brought, 5)), "export.zip"))
    await came_in(page, "1 chat with 2 new messages came in")
    await page.get_by_text("1 entry could not be read", exact=True).click()
    await expect(page.get_by_text("no conversation of ChatGPT’s")).to_be_visible()
    await page.get_by_role("link", name="Back to your chats").click()
    found = page.locator("#chat-list mark").first
    async with asyncio.timeout(PATIENCE / 1_000):
        while not await found.is_visible():  # the index has it some moments later
            await page.get_by_role("searchbox", name="Search chats").fill("")
            async with page.expect_response("**/chats/?q=zqbrought"):
                await page.get_by_role("searchbox", name="Search chats").fill("zqbrought")
    await page.locator("#chat-list").get_by_role("link", name="Brought along").click()
    answer = page.get_by_role("article", name="Imported answer")
    await expect(answer.locator("strong")).to_have_text("elsewhere")
    await expect(answer.get_by_text("gpt-4o")).to_be_visible()
    await ask(page, "And from here?")
    await ends(page)
    await expect(page.get_by_role("article", name="Coca Cola guide")).to_have_count(1)


async def test_a_long_file_is_read_while_its_page_is_away(page: Page, site: Site) -> None:
    many = chatgpt(*(question_and_answer(number, "word " * 500) for number in range(400)))
    assert len(many) > 2_000_000
    await choose(page, site, file(many))
    await expect(page.locator('[data-import="waiting"]')).to_be_visible(timeout=PATIENCE)
    await page.goto(site.url)
    await page.goto(f"{site.url}/chats/files/")
    await came_in(page, "400 chats with 800 new messages came in")
    await choose(page, site, file(many))
    await came_in(page, "400 were here already")


async def test_a_piece_that_is_lost_is_sent_again(page: Page, site: Site) -> None:
    lost: list[str] = []

    async def lose(route: Route) -> None:
        if len(lost) < 2:
            lost.append(route.request.url)
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/chats/import/1/", lose)
    words = "word " * 100_000
    await choose(page, site, file(chatgpt(*(question_and_answer(1_000 + n, words) for n in range(3)))))
    await came_in(page, "3 chats")
    assert len(lost) == 2


async def test_what_is_refused_says_why(page: Page, site: Site, tmp_path: Path) -> None:
    await choose(page, site, file(b"\x89PNG\r\n" + bytes(50), "conversations.json"))
    await came_in(page, "This is neither an export")
    huge = tmp_path / "huge.zip"
    with huge.open("wb") as hole:
        hole.truncate(200_000_000)
    await choose(page, site, huge)
    await expect(page.get_by_role("alert")).to_contain_text("This file has 200 MB; at most 100 MB")
    await choose(page, site, file(chatgpt(question_and_answer(2_000))))
    await came_in(page, "1 chat")


async def test_a_server_that_dies_over_it_goes_on_when_it_is_back(
    browser: Browser, chromium: str, tmp_path: Path
) -> None:
    site = Site(tmp_path).install().start()
    context = await browser.new_context()
    context.set_default_timeout(10_000)
    page = await sign_in(context, site, "member")
    await choose(page, site, file(chatgpt(*(question_and_answer(n, "word " * 500) for n in range(400)))))
    some = page.locator('[data-import="waiting"]').filter(has_text=re.compile(r": [1-9]\d* chats so far"))
    await expect(some).to_be_visible(timeout=PATIENCE)
    await asyncio.to_thread(site.kill)
    await asyncio.to_thread(site.start)
    await page.goto(f"{site.url}/chats/files/")
    await came_in(page, "400 chats with 800 new messages came in")
    assert site.rows("SELECT count(*), count(DISTINCT text) FROM conversations_message") == [(800, 800)]
    assert site.rows("SELECT count(*) FROM conversations_importpiece") == [(0,)]
    await context.close()
    await asyncio.to_thread(site.close)


async def test_everything_goes_out_of_one_site_and_into_another(
    page: Page, browser: Browser, site: Site, demo_site: Site, tmp_path: Path
) -> None:
    await page.goto(site.url)
    await ask(page, "Taken to another site")
    await ends(page)
    await page.get_by_role("button", name="Regenerate").click()
    await expect(page.get_by_text("2/2")).to_be_visible()
    await ends(page)
    await page.goto(f"{site.url}/chats/files/")
    async with page.expect_download() as download:
        await page.get_by_role("link", name="JSON").click()
    taken = tmp_path / "person.jsonl"
    await (await download.value).save_as(taken)
    text = await asyncio.to_thread(taken.read_text)
    chats = [json.loads(line) for line in text.splitlines() if '"kind":"conversation"' in line]

    context = await browser.new_context()
    context.set_default_timeout(10_000)
    there = await sign_in(context, demo_site, "member2")
    await choose(there, demo_site, taken)
    await came_in(there, f"{len(chats)} chat")
    await there.get_by_role("link", name="Back to your chats").click()
    await there.locator("#chat-list").get_by_role("link", name="Taken to another site").first.click()
    await expect(there.get_by_text("2/2")).to_be_visible()
    await there.get_by_role("button", name="Previous version").click()
    await expect(there.get_by_text("1/2")).to_be_visible()
    await expect(there.get_by_text("Imported · Coca Cola guide, version 1")).to_be_visible()
    await context.close()

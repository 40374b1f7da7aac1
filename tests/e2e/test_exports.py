"""Exports in a real browser: made, taken away as a file that arrives in parts, resumed, and checked."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from conversations.providers.recorded import Script
from tests.e2e.acts import ask, ends
from tests.e2e.conftest import Providers
from tests.e2e.site import Site, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FILE_ALL = "from conversations import filing; filing.file_ended()"


async def downloaded(page: Page, button: Locator) -> bytes:
    async with page.expect_download() as download:
        await button.click()
    return await asyncio.to_thread(Path(await (await download.value).path()).read_bytes)


def table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


async def test_an_export_is_made_downloaded_resumed_and_checked(
    page: Page, browser: Browser, site: Site, providers: Providers
) -> None:
    formula = providers.on("what is 1+1", Script(pieces=("=1+1, ", "that is 2")))
    for _ in range(3):
        await page.goto(site.url)
        await ask(page, formula)
        await ends(page)
    site.manage("shell", "--verbosity", "0", "-c", FILE_ALL)

    context = await browser.new_context()
    context.set_default_timeout(10_000)
    manager = await sign_in(context, site, "manager")
    await manager.goto(f"{site.url}/admin/review/")
    await manager.get_by_role("link", name="Exports").click()
    await manager.get_by_label("Why are you reading?").fill("A spreadsheet for the board")
    await manager.get_by_role("button", name="Begin reading").click()
    await manager.get_by_role("radio", name="Answers as a table (CSV)").check()
    await manager.get_by_label("Persona").select_option("Coca Cola guide")
    await manager.get_by_role("button", name="Make export").click()
    made = manager.locator(".exports-made tbody tr").first  # the newest; others may have been made before
    await expect(made.get_by_text("Not downloaded whole yet")).to_be_visible()

    data = await downloaded(manager, made.get_by_role("link", name="Download"))
    rows = table(data)
    answers = [row for row in rows if row["question"] == formula]
    assert [row["answer"] for row in answers] == ["'=1+1, that is 2"] * 3
    await manager.reload()
    await expect(made.get_by_text("Not downloaded whole yet")).to_have_count(0)

    await made.get_by_text("Resume").click()
    await made.get_by_label("Record or time of the last whole line").fill(rows[0]["ended_at"])
    rest = await downloaded(manager, made.get_by_role("button", name="Download the rest"))
    had = data[: len(data) - len(rest)]
    assert had + rest == data
    assert table(had) == rows[:1]

    found = await downloaded(manager, made.get_by_role("link", name="Manifest"))
    manifest = json.loads(found)
    assert manifest["unchanged"] is True
    assert manifest["now"]["sha256"] == hashlib.sha256(data).hexdigest()

    await manager.get_by_role("link", name="Record of readings").click()
    await expect(manager.get_by_role("cell", name="Exported").first).to_be_visible()
    await context.close()

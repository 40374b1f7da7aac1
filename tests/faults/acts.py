"""What the tests of faults do over and over: sign in, and compare the page with the record and with the provider."""

from __future__ import annotations

import re
import time

from playwright.async_api import Page, expect

from tests.e2e.acts import answer
from tests.faults.installation import Answer, Installation

SOON = 3.0  # seconds after the return of a connection within which a page is right
UNIQUE = "all => new Set(all.map(e => e.id)).size === all.length"


def conversation(page: Page) -> str:
    """The id of the conversation that a page shows."""
    found = re.search(r"/c/([0-9a-f-]{36})/", page.url)
    assert found, page.url
    return found[1]


async def shown(page: Page) -> str:
    """The text of the last answer on a page."""
    return await answer(page).locator("[data-text]").inner_text()


async def status_of(page: Page) -> str:
    """How the last answer stands on a page."""
    return await answer(page).get_attribute("data-status") or ""


async def agrees(page: Page, installation: Installation) -> Answer:
    """See that a page shows what the record has, each element once, and the same again when it is loaded anew."""
    kept = installation.answers(conversation(page))[-1]
    seen = (await shown(page)).split()
    assert seen == kept.text.split()
    assert await status_of(page) == kept.status
    assert await page.locator("#messages [id]").evaluate_all(UNIQUE)
    before = await page.locator("#messages").inner_text()
    await page.reload()
    await expect(answer(page)).to_have_attribute("data-status", kept.status)
    assert await page.locator("#messages").inner_text() == before
    return kept


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

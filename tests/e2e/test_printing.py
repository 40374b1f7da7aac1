"""A chat on paper: all that was said, nothing to press, nothing cut off, dark letters on white."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from conversations.providers.recorded import Script
from tests.e2e.acts import answer, ask, ends
from tests.e2e.conftest import Providers
from tests.e2e.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PAPER = {"width": 718, "height": 1047}  # A4 within its margins, in CSS pixels
TEXT = (
    "### Soup\n\nFor $n$ people:\n\n$$\\sum_{i=1}^{n} x_i = \\frac{n(n+1)}{2}$$\n\n"
    + "| what | "
    + " | ".join(f"column {number}" for number in range(9))
    + " |\n|"
    + " --- |" * 10
    + "\n"
    + "".join(f"| row {row} |" + " some words |" * 9 + "\n" for row in range(40))
    + "\n```python\n"
    + "".join(f"print({line}, {'x' * 140!r})\n" for line in range(120))
    + "```\n\nThat is all.\n"
)
CUT = """() => [...document.querySelectorAll(".messages *")]
    .filter((each) => each.checkVisibility() && !each.closest(".visually-hidden, math"))
    .filter((each) => each.getBoundingClientRect().right > innerWidth + 1).map((each) => each.outerHTML.slice(0, 80))"""
LIGHT = "getComputedStyle(document.documentElement).colorScheme"


async def on_paper(page: Page) -> None:
    await page.set_viewport_size({"width": PAPER["width"], "height": PAPER["height"]})
    await page.emulate_media(media="print", color_scheme="dark")


async def test_an_answer_with_everything_in_it(page: Page, providers: Providers) -> None:
    await ask(page, providers.on("print this", Script(pieces=(TEXT,))))
    await ends(page)
    await page.get_by_role("button", name="Bad answer").focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("textbox", name="Your comment").wait_for()
    await on_paper(page)
    for name in ("Copy", "Regenerate", "Send feedback", "Wrap lines", "Send"):
        await expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    await expect(page.get_by_role("navigation", name="Chats")).to_have_count(0)
    await expect(page.get_by_role("textbox")).to_have_count(0)
    await expect(answer(page).get_by_text("That is all.")).to_be_visible()
    assert await page.evaluate(CUT) == []
    assert await page.evaluate(LIGHT) == "light"
    assert await page.get_by_role("log").evaluate("log => log.scrollHeight === log.clientHeight")
    pages = (await page.pdf(format="A4")).count(b"/Type /Page\n")
    assert 4 <= pages <= 12


async def test_paper_says_what_is_not_on_it(page: Page, site: Site) -> None:
    make = "from tests.lengthy import lengthy_of; print(lengthy_of('member', 'Coca Cola guide', 100).pk)"
    await page.goto(f"{site.url}/c/{site.manage('shell', '-v0', '-c', make).strip()}/")
    await on_paper(page)
    earlier = page.get_by_role("link", name="Earlier messages")
    await expect(earlier).to_be_visible()
    said = await earlier.evaluate("link => getComputedStyle(link, '::after').content")
    assert "not printed here" in said
    first, last = page.locator("#messages > article").first, page.locator("#messages > article").last
    for turn in (first, last):  # what is out of sight on the screen is laid out on paper
        assert await turn.evaluate("turn => getComputedStyle(turn).contentVisibility") == "visible"

"""What somebody hears who does not look: an answer by its sentences, and how it ended. The clock is the test's."""

from __future__ import annotations

import asyncio
import itertools
import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from conversations.providers.recorded import Pace, Script
from tests.e2e.acts import SLOW, answer, ask, ends, shows
from tests.e2e.conftest import Providers

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

EVERY = 3000  # milliseconds
SAID = """() => {
    window.said = [];
    new MutationObserver(() => {
        const line = document.querySelector("[data-announce]");
        if (line.textContent) window.said.push([Date.now(), line.textContent]);
    }).observe(document.querySelector("[data-announce]"), { childList: true, characterData: true, subtree: true });
}"""
NUMBERS = ("One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")


async def listen(page: Page, providers: Providers) -> None:
    """A conversation with one answer behind it, whose time stands still from now on; what is said is written down."""
    await ask(page, providers.on("to begin with", Script(pieces=("Well begun.",))))
    await ends(page)
    await page.clock.install()
    await page.reload()
    await page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))
    await page.evaluate(SAID)


async def goes_on(page: Page, milliseconds: int) -> None:
    await page.clock.run_for(milliseconds)


async def begins(page: Page) -> None:
    """Wait for the first words of an answer, for which the page needs some moments of its own time."""
    live = page.locator("article:is([data-status=pending], [data-status=running])")
    await live.wait_for()
    async with asyncio.timeout(10):
        while await page.locator("article[data-status=pending]").count():
            await goes_on(page, 20)


async def heard(page: Page) -> list[str]:
    """What was said so far, each never sooner than is allowed after the one before."""
    said: list[tuple[int, str]] = await page.evaluate("window.said")
    times = [at for at, _ in said]
    assert all(later - earlier >= EVERY for earlier, later in itertools.pairwise(times)), said
    return [text for _, text in said]


async def test_whole_sentences_are_said_now_and_then(page: Page, providers: Providers) -> None:
    sentences = [f"{number} is what comes, as e.g. version 3.{len(number)} did." for number in NUMBERS]
    pieces = tuple(re.findall(r"\S+\s*", " ".join(sentences)))
    await listen(page, providers)
    await ask(page, providers.on("count for me", Script(pieces=pieces, pace=SLOW)))
    await begins(page)
    for number in NUMBERS:
        await shows(page, number)
        await goes_on(page, 1000)
        assert all(each.endswith(" did.") for each in await heard(page))  # nothing but whole ones
    await ends(page)
    await goes_on(page, EVERY + 500)
    said = await heard(page)
    assert len(said) >= 4
    assert " ".join(said) == " ".join([*sentences, "Answer finished."])
    await goes_on(page, 60_000)
    assert await heard(page) == said
    log = page.get_by_role("log", name="Conversation")
    await expect(log).to_have_attribute("aria-live", "off")
    assert await page.locator("[data-announce]").get_attribute("aria-live") == "polite"
    assert await log.locator("[aria-live], [role=status], [role=alert]").count() == 0


async def test_what_cannot_be_read_out_is_named(page: Page, providers: Providers) -> None:
    text = (
        "### Soup\n\nTake **water**, `salt`\nand [a pot](https://example.com/pot).\n\n"
        "```python\nprint('secret')\n```\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n"
        "- first this\n- [x] then that\n\n$$\\sum_i x_i$$\n\nWhere $x$ is $\\sqrt{2}$. That is all.\n"
    )
    await listen(page, providers)
    await ask(
        page, providers.on("cook", Script(pieces=tuple(text[i : i + 4] for i in range(0, len(text), 4))))
    )
    await begins(page)
    await ends(page)
    await goes_on(page, EVERY + 500)
    assert " ".join(await heard(page)) == (
        "Soup Take water, salt and a pot. Code block, python. Table. first this Done then that Formula. "
        "Where x is formula. That is all. Answer finished."
    )


async def test_a_failure_is_said_by_its_sentence(page: Page, providers: Providers) -> None:
    failing = Script(pieces=("It begins. And th",), finish=None)
    await listen(page, providers)
    await ask(page, providers.on("fail", failing))
    await begins(page)
    await expect(answer(page)).to_have_attribute("data-status", re.compile("failed|interrupted"))
    sentence = await answer(page).locator(".ending p").inner_text()
    await goes_on(page, 2 * EVERY)
    assert " ".join(await heard(page)) == f"It begins. And th {sentence.strip()}"


async def test_what_is_carried_on_is_not_said_again(page: Page, providers: Providers) -> None:
    cut = Script(pieces=("It begins well. It was c",), finish="length")
    rest = Script(pieces=("ut. But it ends.",))
    await listen(page, providers)
    await ask(page, providers.on("carry on", cut, rest))
    await begins(page)
    await ends(page)
    await goes_on(page, 2 * EVERY)
    first = await heard(page)
    assert " ".join(first).startswith("It begins well. It was c The answer was cut at its length limit.")
    await page.get_by_role("button", name="Continue").click()
    await begins(page)
    await expect(answer(page)).to_contain_text("But it ends.")
    await ends(page)
    await goes_on(page, 2 * EVERY)
    said = await heard(page)
    assert " ".join(said[len(first) :]) == "It was cut. But it ends. Answer finished."


async def test_an_answer_is_said_from_the_start_page_on(page: Page, providers: Providers) -> None:
    slowly = Script(pieces=("Good ", "morning. ", "Good ", "night."), pace=Pace(0.5, 4))
    await page.clock.install()
    await ask(page, providers.on("from the start", slowly))
    await expect(page.locator("[data-announce]")).to_contain_text("Good morning.")
    await page.clock.fast_forward(EVERY)
    await expect(page.locator("[data-announce]")).to_contain_text("Answer finished.")


async def test_a_line_that_was_lost_says_nothing_twice(page: Page, providers: Providers) -> None:
    sentences = [f"{number} it is." for number in NUMBERS]
    pieces = tuple(f"{word} " for word in " ".join(sentences).split())
    await listen(page, providers)
    await ask(page, providers.on("be cut off", Script(pieces=pieces, pace=Pace(0.05, 12))))
    await begins(page)
    await shows(page, "Three")
    await goes_on(page, EVERY + 500)
    assert await heard(page)
    await page.evaluate(
        "window.dispatchEvent(new Event('online'))"
    )  # a new socket, which sends all of it again
    await ends(page)
    await goes_on(page, EVERY + 500)
    assert " ".join(await heard(page)) == " ".join([*sentences, "Answer finished."])

"""Processes that die, are told to end, stand still, and work on what another began."""

from __future__ import annotations

import asyncio
import signal

import pytest
from playwright.async_api import BrowserContext, Page, expect

from conversations.providers.recorded import Pace, Script
from tests.e2e.acts import DELETED, SLOW, Words, answer, answers, ask, delete, ends, shows, undo
from tests.e2e.conftest import Providers
from tests.e2e.site import sign_in_at
from tests.faults.acts import SOON, Stopwatch, agrees, conversation, shown
from tests.faults.installation import Installation

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SWEPT = 30_000  # milliseconds after which an answer that lost its process says so
NEVER_ENDS = Pace(0.05, 4)


async def test_killed_in_the_middle(
    page: Page, installation: Installation, providers: Providers, words: Words
) -> None:
    """All that was shown, but for a second, is there; the answer says that it was cut off; one click asks again."""
    question = providers.on("kill me", Script(pieces=words(400), pace=SLOW), Script(pieces=words(30)))
    await ask(page, question)
    await shows(page, "word90 ")
    seen = await shown(page)
    await asyncio.to_thread(installation.servers[0].kill)
    await asyncio.to_thread(installation.restart, 0)
    await expect(answer(page)).to_have_attribute("data-status", "interrupted", timeout=SWEPT)
    kept = await agrees(page, installation)
    assert len(kept.text.split()) >= len(seen.split()) - 60  # a second of them, and the frame under way
    assert kept.sentence.startswith("The server stopped while it wrote this answer.")
    await page.get_by_role("button", name="Retry").click()
    assert (await ends(page)).split() == [word.strip() for word in words(30)]
    assert len(providers.asked(question)) == 2
    await agrees(page, installation)


async def test_told_to_end_in_the_middle(
    page: Page, installation: Installation, providers: Providers, words: Words
) -> None:
    """An answer that ends soon is let end, whole."""
    question = providers.on("let me end", Script(pieces=words(160), pace=SLOW))
    await ask(page, question)
    await shows(page, "word10 ")
    await asyncio.to_thread(installation.servers[0].end)
    await asyncio.to_thread(installation.restart, 0)
    assert (await ends(page)).split() == [word.strip() for word in words(160)]
    await agrees(page, installation)
    assert len(providers.asked(question)) == 1


async def test_told_to_end_with_an_answer_that_does_not(
    page: Page, installation: Installation, providers: Providers, words: Words
) -> None:
    """After a while it is cut off, honestly and whole up to there."""
    question = providers.on("do not end", Script(pieces=words(400), pace=NEVER_ENDS))
    await ask(page, question)
    await shows(page, "word3 ")
    watch = Stopwatch()
    await asyncio.to_thread(installation.servers[0].end)
    assert watch.seconds < 20
    await asyncio.to_thread(installation.restart, 0)
    await expect(answer(page)).to_have_attribute("data-status", "interrupted")
    kept = await agrees(page, installation)
    assert kept.sentence.startswith("The server was restarted while it wrote this answer.")
    assert len(kept.text.split()) >= providers.asked(question)[0].tokens - 3


async def test_a_question_to_a_process_that_is_about_to_end(
    context: BrowserContext, alone: Installation, providers: Providers, words: Words
) -> None:
    """It is refused with a sentence, the text stays, and the next process takes it."""
    question = providers.on("hold on", Script(pieces=words(400), pace=NEVER_ENDS))
    late = await sign_in_at(context, alone.url, "member2")
    await ask(late, question)
    await shows(late, "word3 ")
    other = await context.new_page()
    await other.goto(alone.url)
    alone.servers[0].process.send_signal(signal.SIGTERM)
    await ask(other, "am I too late?")
    await expect(other.get_by_role("alert")).to_contain_text(
        "The server is being restarted. Your text is kept"
    )
    await asyncio.to_thread(alone.servers[0].process.wait, 25)
    await asyncio.to_thread(alone.restart, 0)
    await other.keyboard.press("Enter")
    await ends(other)


async def test_standing_still_for_a_while(
    page: Page, installation: Installation, providers: Providers, words: Words
) -> None:
    """A process that gets no time for some seconds goes on, and nothing is lost or taken from it."""
    question = providers.on("stand still", Script(pieces=words(200), pace=SLOW))
    await ask(page, question)
    await shows(page, "word20 ")
    installation.servers[0].pause()
    try:
        await asyncio.to_thread(providers.asked(question)[0].over.wait, 5)
    finally:
        installation.servers[0].resume()
    assert (await ends(page)).split() == [word.strip() for word in words(200)]
    await agrees(page, installation)


async def test_stopped_from_another_process(
    context: BrowserContext, together: Installation, providers: Providers, words: Words
) -> None:
    """Within a second, and the provider is told."""
    page = await sign_in_at(context, together.url, "member")
    question = providers.on("stop me elsewhere", Script(pieces=words(400), pace=SLOW))
    await ask(page, question)
    await shows(page, "word20 ")
    together.point(pages=1, sockets=0)
    await page.reload()
    await shows(page, "word40 ")
    watch = Stopwatch()
    await page.get_by_role("button", name="Stop").click()
    await expect(answer(page)).to_have_attribute("data-status", "stopped")
    assert watch.seconds < 2
    assert await providers.asked(question)[0].client_left(2)
    together.point()
    await agrees(page, together)


async def test_a_turn_asked_at_one_process_shows_at_the_other(
    context: BrowserContext, together: Installation, providers: Providers, words: Words
) -> None:
    page = await sign_in_at(context, together.url, "member")
    await ask(page, "first of all")
    await ends(page)
    together.point(pages=1, sockets=0)
    other = await context.new_page()
    await other.goto(page.url)
    await ends(other)
    question = providers.on("both of us", Script(pieces=words(60), pace=SLOW))
    await ask(page, question)
    await shows(other, "word10 ")
    await expect(other.get_by_role("button", name="Stop")).to_be_visible()
    assert await ends(page) == await ends(other)
    await expect(answers(other)).to_have_count(2)
    together.point()
    await agrees(page, together)
    await agrees(other, together)


async def test_a_right_lost_at_one_process_closes_at_the_other(
    context: BrowserContext, together: Installation, providers: Providers, words: Words
) -> None:
    """Within a second or so, with no word about it from anybody."""
    page = await sign_in_at(context, together.url, "member2")
    question = providers.on("who am I", Script(pieces=words(400), pace=SLOW))
    await ask(page, question)
    await shows(page, "word20 ")
    watch = Stopwatch()
    together.execute("UPDATE auth_user SET is_active = false WHERE username = 'member2'")
    try:
        await expect(page.get_by_role("alert")).to_contain_text("This chat is no longer open to you here.")
        assert watch.seconds < SOON
    finally:
        together.execute("UPDATE auth_user SET is_active = true WHERE username = 'member2'")
    assert conversation(page)


async def test_a_title_and_a_deletion_at_one_process_are_told_at_the_other(
    context: BrowserContext, together: Installation, providers: Providers
) -> None:
    providers.name("called by both", "Called by one")
    together.point(pages=1, sockets=0)
    page = await sign_in_at(context, together.url, "member")
    await ask(page, "called by both")
    await ends(page)
    together.point(pages=0, sockets=1)
    other = await context.new_page()
    await other.goto(page.url)
    for tab in (page, other):
        await expect(tab).to_have_title("Called by one")
    (seen,) = [each for each in providers.upstream.titles.requests if "called by both" in str(each.body)]
    assert seen.body["stream"] is False
    await delete(page, "Called by one")
    await expect(other.get_by_role("alert")).to_have_text(DELETED)
    await undo(page).click()
    await expect(other.locator("[data-closed]")).to_have_count(0)
    await delete(page, "Called by one")
    watch = Stopwatch()
    while together.rows("SELECT id FROM conversations_conversation WHERE title = ?", "Called by one"):
        assert watch.seconds < 40
        await asyncio.sleep(0.2)
    together.point()

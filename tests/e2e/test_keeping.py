"""What must not be lost or touched: drafts, words, the place where somebody reads; and who must not see it."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from conversations.providers.recorded import Pace, Script
from tests.e2e.acts import SLOW, Words, answer, ask, ends, shows
from tests.e2e.conftest import Providers
from tests.e2e.site import Site

# Resolves so many frames later.
FRAMES = """async count => { while (count--) await new Promise(requestAnimationFrame) }"""

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_draft_survives_a_reload_and_a_refusal(page: Page, providers: Providers) -> None:
    await ask(page, "open a chat")
    await ends(page)
    box = page.get_by_role("textbox", name="Message")
    await box.fill("a draft\nof two lines")
    await page.reload()
    await expect(box).to_have_value("a draft\nof two lines")
    await box.fill("x" * 33_000)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("This message is too long.")
    await expect(box).to_have_value("x" * 33_000)
    await page.context.set_offline(True)
    await box.fill("sent into the void")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("Could not reach the server. Your text is kept.")
    await expect(box).to_have_value("sent into the void")
    await page.context.set_offline(False)
    await page.keyboard.press("Enter")
    await ends(page)
    await expect(box).to_have_value("")


async def test_a_double_send_is_one_question(page: Page, providers: Providers) -> None:
    await ask(page, "open a chat")
    await ends(page)
    await page.get_by_role("textbox", name="Message").fill("only once")
    await page.get_by_role("button", name="Send").dblclick()
    await expect(page.locator("article")).to_have_count(4)
    await ends(page)
    await page.reload()
    await expect(page.locator("article")).to_have_count(4)
    assert len(providers.asked("only once")) == 1


async def test_scrolling_up_is_respected(page: Page, providers: Providers, words: Words) -> None:
    lines = tuple(f"line {number}\n\n" for number in range(120))
    question = providers.on("go on", Script(pieces=lines, pace=Pace(0.05, 60)))
    await ask(page, question)
    await shows(page, "line 40")
    log = page.get_by_role("log", name="Conversation")
    await log.hover()
    await page.mouse.wheel(0, -2_000)
    jump = page.get_by_role("button", name="Jump to latest")
    await expect(jump).to_be_visible()
    top = await log.evaluate("log => log.scrollTop")
    await shows(page, "line 60")
    assert abs(await log.evaluate("log => log.scrollTop") - top) < 2
    await jump.click()
    await expect(jump).to_be_hidden()
    await ends(page)
    assert await log.evaluate("log => log.scrollHeight - log.scrollTop - log.clientHeight") < 40


async def test_turns_out_of_sight_keep_their_place(page: Page, providers: Providers, words: Words) -> None:
    question = providers.on("much", Script(pieces=words(200)))
    for number in range(6):
        await ask(page, question)
        await expect(page.locator('article[data-status="done"]')).to_have_count(number + 1)
    first, log = page.locator("#messages > .turn").first, page.get_by_role("log", name="Conversation")
    await expect(first).to_have_attribute("data-still", "")
    for width in (1280, 700):
        await page.set_viewport_size({"width": width, "height": 800})
        await page.evaluate(FRAMES, 4)
        await log.evaluate("log => log.scrollTop = log.scrollHeight")
        height = await log.evaluate("log => log.scrollHeight")
        await log.evaluate("log => log.scrollTop = 0")
        await expect(first).to_be_in_viewport()
        await expect(answer(page)).not_to_be_in_viewport()
        await page.evaluate(FRAMES, 4)
        assert abs(await log.evaluate("log => log.scrollHeight") - height) < 2


async def test_the_list_of_chats_marks_the_open_one_while_it_is_answered(
    page: Page, providers: Providers, words: Words
) -> None:
    mark = page.locator("#chats a[aria-current] .chat-running")
    await ask(page, providers.on("mark this", Script(pieces=words(60), pace=SLOW)))
    await shows(page, "word10 ")
    await expect(mark).to_be_visible()
    await ends(page)
    await expect(mark).to_be_hidden()


async def test_a_second_question_shows_that_it_is_being_answered(
    page: Page, providers: Providers, words: Words
) -> None:
    await ask(page, "open a chat")
    await ends(page)
    question = providers.on("and then", Script(pieces=words(60), pace=SLOW))
    await ask(page, question)
    await shows(page, "word5 ")
    await expect(answer(page)).to_have_attribute("data-status", "running")
    await page.keyboard.type("impatient")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("An answer is still being written.")
    await ends(page)
    await expect(page.get_by_role("textbox", name="Message")).to_have_value("impatient")


async def test_what_a_person_writes_stays_as_it_is(page: Page, providers: Providers) -> None:
    text = "def f(x):\n    return  2*3*4  # <b>not bold</b>"
    providers.on(text, Script(pieces=("Seen.",)))
    await ask(page, text)
    await ends(page)
    assert await page.locator('article[data-role="user"] [data-text]').inner_text() == text


async def test_another_company_sees_nothing(page: Page, outsider: Page, site: Site) -> None:
    await ask(page, "our secret question")
    await ends(page)
    await expect(outsider.get_by_role("radio")).to_have_count(1)
    await expect(outsider.get_by_role("radio", name="Globex helpdesk")).to_be_visible()
    await expect(outsider.get_by_text("Coca Cola")).to_have_count(0)
    await expect(outsider.get_by_text("our secret question")).to_have_count(0)
    answered = await outsider.goto(page.url)
    assert answered is not None
    assert answered.status == 404
    await outsider.goto(site.url)
    opened = await outsider.evaluate(
        """url => new Promise(done => {
            const socket = new WebSocket(url);
            socket.onopen = () => done(true);
            socket.onclose = () => done(false);
        })""",
        page.url.replace("http://", "ws://").replace("/c/", "/ws/c/"),
    )
    assert opened is False

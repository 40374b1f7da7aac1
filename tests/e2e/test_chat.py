"""The main job in a real browser: ask, watch it arrive, leave, come back, steer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import pytest
from playwright.async_api import Browser, BrowserContext, Locator, Page, WebSocketRoute, expect

from conversations.providers.recorded import Pace, Script
from tests.e2e.conftest import Providers
from tests.e2e.site import Site, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

Words = Callable[[int], tuple[str, ...]]
SLOW = Pace(0.05, 40)


async def ask(page: Page, text: str) -> None:
    await page.get_by_role("textbox", name="Message").fill(text)
    await page.keyboard.press("Enter")


def answers(page: Page) -> Locator:
    return page.locator('article[data-role="assistant"]')


def answer(page: Page) -> Locator:
    return answers(page).last


async def ends(page: Page, status: str = "done") -> str:
    """Wait for the end of the last answer and give back its text."""
    await expect(answer(page)).to_have_attribute("data-status", status)
    return await answer(page).locator("[data-text]").inner_text()


async def shows(page: Page, text: str) -> None:
    await expect(answer(page).locator("[data-text]")).to_contain_text(text)


class Line:
    """The sockets of a page, which can be cut and kept from coming back."""

    def __init__(self) -> None:
        self.down = False
        self._routes: list[WebSocketRoute] = []

    @classmethod
    async def of(cls, page: Page) -> Line:
        line = cls()
        await page.route_web_socket(re.compile("/ws/c/"), line._opened)
        return line

    async def _opened(self, route: WebSocketRoute) -> None:
        if self.down:
            await route.close(code=1012)
        else:
            route.connect_to_server()
            self._routes.append(route)

    async def cut(self) -> None:
        self.down = True
        await self._routes[-1].close(code=1012)


# -- The first start --------------------------------------------------------------------------------


async def test_both_personas_of_the_demo(context: BrowserContext, demo_site: Site) -> None:
    page = await sign_in(context, demo_site, "member")
    await expect(page.get_by_text("Recorded answers: no key is set")).to_be_visible()
    await page.get_by_role("radio", name="Coca Cola guide").check()
    await ask(page, "what is Coca Cola")
    text = await ends(page)
    assert text.startswith("Coca-Cola, often referred to as Coke")
    assert text.endswith("most recognizable")
    await expect(answer(page)).to_contain_text("The answer was cut at its length limit.")
    await expect(page.get_by_role("button", name="Continue")).to_be_visible()
    await page.get_by_role("button", name="Continue").click()
    await expect(answer(page)).to_have_attribute("data-status", re.compile("pending|running"))
    assert (await ends(page)).startswith(f"{text} brands")
    await expect(answers(page)).to_have_count(1)

    await page.get_by_role("link", name="New chat").click()
    await page.get_by_role("radio", name="Coca Cola historian").check()
    await ask(page, "What is Coca Cola?")
    assert (await ends(page)).endswith("Would you like to know about the history of Coca-Cola?")
    await expect(answer(page)).not_to_contain_text("cut")
    usage = demo_site.rows(
        "SELECT prompt_tokens, completion_tokens FROM conversations_generation AS made"
        " JOIN auth_user ON auth_user.id = made.requested_by_id WHERE username = 'member' ORDER BY created_at"
    )
    assert usage[0] == (34, 100)
    assert usage[2] == (186, 124)


async def test_the_recording_shows_what_the_page_can_do(context: BrowserContext, demo_site: Site) -> None:
    page = await sign_in(context, demo_site, "outsider")
    await ask(page, "hello")
    await ends(page)
    for part in ("table", "ul", "figure.code"):
        await expect(answer(page).locator(part)).to_be_visible()
    await expect(answer(page)).to_contain_text("recording")


# -- Leaving and coming back ------------------------------------------------------------------------


async def test_a_reload_in_the_middle_loses_and_doubles_nothing(
    page: Page, providers: Providers, words: Words
) -> None:
    question = providers.on("reload me", Script(pieces=words(100), pace=SLOW))
    await ask(page, question)
    await shows(page, "word10 ")
    await page.reload()
    await shows(page, "word12 ")
    await page.reload()
    assert (await ends(page)).split() == [f"word{number}" for number in range(100)]
    shown = await page.locator("#messages").inner_text()
    await page.reload()
    assert await page.locator("#messages").inner_text() == shown


async def test_the_answer_goes_on_without_the_browser(
    page: Page, context: BrowserContext, providers: Providers, words: Words
) -> None:
    question = providers.on("leave me", Script(pieces=words(40), pace=SLOW))
    await ask(page, question)
    await shows(page, "word5 ")
    address = page.url
    await page.close()
    seen = providers.asked(question)[0]
    assert await asyncio.to_thread(seen.over.wait, 10)
    assert not seen.left.is_set()
    page = await context.new_page()
    await page.goto(address)
    assert (await ends(page)).split() == [f"word{number}" for number in range(40)]


async def test_two_tabs_show_the_same(
    page: Page, context: BrowserContext, providers: Providers, words: Words
) -> None:
    await ask(page, "first of all")
    await ends(page)
    other = await context.new_page()
    await other.goto(page.url)
    await ends(other)
    question = providers.on("both of you", Script(pieces=words(60), pace=SLOW))
    await ask(page, question)
    await shows(other, "word10 ")
    await expect(other.get_by_role("button", name="Stop")).to_be_visible()
    assert await ends(page) == await ends(other)
    for tab in (page, other):
        await expect(tab.locator("article")).to_have_count(4)
        await expect(tab.get_by_role("button", name="Send")).to_be_visible()
        assert await tab.locator("article [id]").evaluate_all(
            "all => new Set(all.map(e => e.id)).size === all.length"
        )
    assert await page.locator("#messages").inner_text() == await other.locator("#messages").inner_text()


async def test_the_server_killed_in_the_middle(
    context: BrowserContext,
    providers: Providers,
    words: Words,
    tmp_path_factory: pytest.TempPathFactory,
    site: Site,
) -> None:
    own = (
        Site(
            tmp_path_factory.mktemp("killed"),
            **{name: site.environment[name] for name in ("MISTRAL_API_KEY", "MISTRAL_BASE_URL")},
        )
        .install()
        .start()
    )
    try:
        page = await sign_in(context, own, "member")
        question = providers.on(
            "survive", Script(pieces=words(400), pace=SLOW), Script(pieces=("Back again.",))
        )
        await ask(page, question)
        await shows(page, "word60 ")
        own.kill()
        shown = await answer(page).locator("[data-text]").inner_text()
        await expect(page.get_by_role("status").filter(has_text="Reconnecting…")).to_be_visible()
        own.start()
        await expect(answer(page)).to_have_attribute("data-status", "interrupted", timeout=45_000)
        kept = await answer(page).locator("[data-text]").inner_text()
        assert shown.startswith(kept) or kept.startswith(shown)
        assert len(kept.split()) > len(shown.split()) - 60  # a second and a half, at 40 words a second
        await page.get_by_role("button", name="Retry").click()
        assert await ends(page) == "Back again."
        await expect(answer(page)).to_contain_text("2/2")
        await page.get_by_role("button", name="Previous version").click()
        assert await ends(page, "interrupted") == kept
    finally:
        own.close()


# -- Steering ---------------------------------------------------------------------------------------


async def test_stop_from_another_tab_and_continue(
    page: Page, context: BrowserContext, providers: Providers, words: Words
) -> None:
    question = providers.on("stop me", Script(pieces=words(30), hang_after=12), Script(pieces=("and on",)))
    await ask(page, question)
    await shows(page, "word11")
    other = await context.new_page()
    await other.goto(page.url)
    await other.get_by_role("button", name="Stop").click()
    assert await providers.asked(question)[0].client_left(within=1)
    for tab in (page, other):
        assert (await ends(tab, "stopped")).split() == [f"word{number}" for number in range(12)]
        await expect(answer(tab)).to_contain_text("You stopped this answer.")
    await page.get_by_role("button", name="Continue").click()
    assert (await ends(page)).endswith("word11 and on")
    assert providers.asked(question)[1].body["messages"][-1]["prefix"] is True
    assert (await ends(other)).endswith("word11 and on")


async def test_stop_before_the_first_word(page: Page, providers: Providers) -> None:
    question = providers.on("say nothing", Script(pieces=("never",), hang_after=0))
    await ask(page, question)
    await page.get_by_role("button", name="Stop").click()
    assert await ends(page, "stopped") == ""
    assert await providers.asked(question)[0].client_left(within=1)


async def test_a_failure_says_what_to_do_and_retry_does_it(page: Page, providers: Providers) -> None:
    question = providers.on(
        "fail once", Script(status=401, raw=b'{"detail":"Unauthorized"}'), Script(pieces=("Better now.",))
    )
    await ask(page, question)
    await ends(page, "failed")
    await expect(answer(page)).to_contain_text("The API key was refused.")
    await page.get_by_role("button", name="Retry").click()
    assert await ends(page) == "Better now."
    await expect(answers(page)).to_have_count(1)


async def test_edit_and_regenerate_make_versions_to_switch_between(page: Page, providers: Providers) -> None:
    first = providers.on("first words", Script(pieces=("one",)), Script(pieces=("two",)))
    providers.on("other words", Script(pieces=("three",)))
    await ask(page, first)
    assert await ends(page) == "one"
    await answer(page).hover()
    await page.get_by_role("button", name="Regenerate").click()
    await shows(page, "two")
    await ends(page)
    await expect(answer(page)).to_contain_text("2/2")

    await page.locator('article[data-role="user"]').hover()
    await page.get_by_role("button", name="Edit", exact=True).click()
    box = page.get_by_role("textbox", name="Your question")
    await expect(box).to_have_value("first words")
    await box.fill("other words")
    await page.get_by_role("button", name="Save and send").click()
    await shows(page, "three")
    await ends(page)
    question = page.locator('article[data-role="user"]')
    await expect(question).to_contain_text("other words")

    await question.hover()
    await question.get_by_role("button", name="Previous version").click()
    await expect(question).to_contain_text("first words")
    await shows(page, "two")
    await page.reload()
    await shows(page, "two")
    await answer(page).hover()
    await answer(page).get_by_role("button", name="Previous version").click()
    await shows(page, "one")


async def test_thinking_is_folded_above_the_answer(page: Page, providers: Providers) -> None:
    question = providers.on("think", Script(pieces=("So: yes.",), thinking=("Hm, ", "let me see.")))
    await ask(page, question)
    await ends(page)
    thinking = answer(page).locator("details")
    assert await thinking.get_attribute("open") is None
    await thinking.locator("summary").click()
    await expect(thinking).to_contain_text("Hm, let me see.")


# -- What must not be lost --------------------------------------------------------------------------


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


async def test_a_lost_line_is_said_and_mended(page: Page, providers: Providers, words: Words) -> None:
    line = await Line.of(page)
    question = providers.on("lose the line", Script(pieces=words(160), pace=SLOW))
    await ask(page, question)
    await shows(page, "word5 ")
    await line.cut()
    status = page.get_by_role("status").filter(has_text="Reconnecting…")
    await expect(status).to_be_visible()
    line.down = False
    await expect(status).to_have_count(0)
    assert (await ends(page)).split() == [f"word{number}" for number in range(160)]


async def test_an_answer_that_ended_while_the_line_was_down(
    page: Page, providers: Providers, words: Words
) -> None:
    line = await Line.of(page)
    question = providers.on("end without me", Script(pieces=words(60), pace=SLOW))
    await ask(page, question)
    await shows(page, "word5 ")
    await line.cut()
    assert await asyncio.to_thread(providers.asked(question)[0].over.wait, 10)
    line.down = False
    assert (await ends(page)).split() == [f"word{number}" for number in range(60)]
    shown = await page.locator("#messages").inner_text()
    await page.reload()
    assert await page.locator("#messages").inner_text() == shown


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


async def test_an_open_edit_survives_a_switch_in_another_tab(
    page: Page, context: BrowserContext, providers: Providers
) -> None:
    question = providers.on("edit me", Script(pieces=("one",)), Script(pieces=("two",)))
    await ask(page, question)
    await ends(page)
    other = await context.new_page()
    await other.goto(page.url)
    await page.locator('article[data-role="user"]').hover()
    await page.get_by_role("button", name="Edit", exact=True).click()
    await page.get_by_role("textbox", name="Your question").fill("half a thou")
    await answer(other).hover()
    await other.get_by_role("button", name="Regenerate").click()
    await shows(page, "two")
    await expect(page.get_by_role("textbox", name="Your question")).to_have_value("half a thou")


async def test_what_a_person_writes_stays_as_it_is(page: Page, providers: Providers) -> None:
    text = "def f(x):\n    return  2*3*4  # <b>not bold</b>"
    providers.on(text, Script(pieces=("Seen.",)))
    await ask(page, text)
    await ends(page)
    assert await page.locator('article[data-role="user"] [data-text]').inner_text() == text


async def test_the_phone(browser: Browser, site: Site, providers: Providers) -> None:
    context = await browser.new_context(
        viewport={"width": 360, "height": 740},
        has_touch=True,
        is_mobile=True,
        color_scheme="dark",
        reduced_motion="reduce",
    )
    context.set_default_timeout(10_000)
    page = await sign_in(context, site, "member2")
    wide = "| " + " | ".join(f"column {number}" for number in range(12)) + " |\n"
    table = wide + "|" + " --- |" * 12 + "\n" + wide
    question = providers.on("show me a table", Script(pieces=(table, "\n```\n" + "x" * 200 + "\n```\n")))
    await page.get_by_role("textbox", name="Message").fill(question)
    await page.get_by_role("button", name="Send").tap()
    await ends(page)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    chats = page.get_by_role("navigation", name="Chats")
    await expect(chats).to_be_hidden()
    await page.get_by_role("button", name="Chats").tap()
    await expect(chats).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(chats).to_be_hidden()
    await expect(page.get_by_role("button", name="Chats")).to_be_focused()
    await context.close()


async def test_an_answer_is_judged(page: Page, providers: Providers) -> None:
    await ask(page, providers.on("judge me", Script(pieces=("An answer.",))))
    await ends(page)
    bad, good = (page.get_by_role("button", name=f"{name} answer") for name in ("Bad", "Good"))
    await answer(page).hover()
    await bad.click()
    await expect(bad).to_have_attribute("aria-pressed", "true")
    await expect(bad).to_be_focused()
    await page.get_by_role("checkbox", name="Not correct").check()
    await page.get_by_role("textbox", name="Your comment").fill("It is red.")
    await page.get_by_role("button", name="Send feedback").click()
    await expect(page.get_by_text("Change your feedback")).to_be_visible()
    await page.reload()
    await expect(bad).to_have_attribute("aria-pressed", "true")
    await page.get_by_text("Change your feedback").click()
    await expect(page.get_by_role("textbox", name="Your comment")).to_have_value("It is red.")
    await answer(page).hover()
    await good.click()
    await expect(bad).to_have_attribute("aria-pressed", "false")
    await good.click()
    await expect(good).to_have_attribute("aria-pressed", "false")


# -- Others -----------------------------------------------------------------------------------------


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


async def test_the_keyboard_alone(page: Page, providers: Providers) -> None:
    providers.on("typed", Script(pieces=("```python\nprint(1)\n```\n",)))
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    await page.keyboard.type("typed")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.press("Backspace")
    await page.keyboard.press("Enter")
    await ends(page)
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    await page.keyboard.press("Shift+Tab")
    names = []
    for _ in range(8):
        names.append(
            await page.evaluate(
                "document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"
            )
        )
        await page.keyboard.press("Shift+Tab")
    assert {"Regenerate", "Copy"} <= set(names)


async def test_hostile_markdown_is_inert(page: Page, providers: Providers) -> None:
    hostile = (
        "<script>window.hacked = 1</script>\n\n<img src=x onerror='window.hacked = 2'>\n\n"
        "[a](javascript:window.hacked=3) ![i](http://192.0.2.1/pixel.png)\n\n"
        '<div hx-get="/accounts/logout/" hx-trigger="load" id="composer-button">x</div>\n\n'
        "[safe](https://example.com/)\n"
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    question = providers.on(
        "be hostile", Script(pieces=tuple(hostile[i : i + 3] for i in range(0, len(hostile), 3)))
    )
    await ask(page, question)
    await ends(page)
    await page.reload()
    await ends(page)
    text = answer(page).locator("[data-text]")
    assert await page.evaluate("window.hacked") is None
    assert not [url for url in asked if "192.0.2.1" in url or "logout" in url]
    assert await text.locator("script, img, [hx-get], [onerror]").count() == 0
    assert await text.locator("a[href^=javascript]").count() == 0
    link = text.get_by_role("link", name="safe")
    assert "noopener" in str(await link.get_attribute("rel"))
    assert await link.get_attribute("target") == "_blank"

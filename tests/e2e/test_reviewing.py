"""A bad answer reaches a reviewer, who claims, judges, labels, notes, corrects and finishes it by the keyboard."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from conversations.providers.recorded import Script
from tests.e2e.acts import answer, ask, ends
from tests.e2e.conftest import Providers
from tests.e2e.site import Site, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

RULE = (  # no other: a random sample would now and then be what an entry is about
    "from conversations.models import *;"
    "Rule.objects.exclude(kind='bad').delete();"
    "Rule.objects.get_or_create(company=Company.objects.get(name='Coca Cola'), kind='bad', value='')"
)


@pytest_asyncio.fixture(loop_scope="session")
async def colleague(browser: Browser) -> AsyncIterator[BrowserContext]:
    """The browser of a second reviewer."""
    context = await browser.new_context()
    context.set_default_timeout(10_000)
    yield context
    await context.close()


async def entered(page: Page, site: Site) -> str:
    """The conversation of the member's page, once filing has brought it before the reviewers."""
    conversation = urlsplit(page.url).path.split("/")[2]
    deadline = time.monotonic() + 10
    query = "SELECT count(*) FROM conversations_queueentry WHERE conversation_id = ?"
    while site.rows(query, conversation.replace("-", "")) == [(0,)]:
        assert time.monotonic() < deadline
        await page.wait_for_timeout(100)
    return conversation


async def entered_ledger(page: Page, site: Site) -> None:
    """Wait until filing has brought the conversation of the member's page into the ledger."""
    conversation = urlsplit(page.url).path.split("/")[2].replace("-", "")
    deadline = time.monotonic() + 10
    query = "SELECT count(*) FROM conversations_answerrecord WHERE conversation_id = ?"
    while site.rows(query, conversation) == [(0,)]:
        assert time.monotonic() < deadline
        await page.wait_for_timeout(100)


async def reads(page: Page, site: Site, conversation: str) -> None:
    """Open a conversation from the queue, giving a reason where one is asked for."""
    await page.goto(f"{site.url}/admin/review/")
    await page.locator(f'a[href*="{conversation}"]').click()
    await page.get_by_label("Why are you reading?").fill("Review of the queue")
    await page.get_by_role("button", name="Begin reading").click()
    await expect(page.get_by_text("The person found this answer bad.")).to_be_visible()


async def test_a_bad_answer_is_reviewed_by_keyboard(
    page: Page,
    context: BrowserContext,
    colleague: BrowserContext,
    browser: Browser,
    providers: Providers,
    site: Site,
) -> None:
    site.manage("shell", "-c", RULE)
    await ask(page, providers.on("which colour", Script(pieces=("It is **blue**.",))))
    await ends(page)
    await ask(page, providers.on("which shape", Script(pieces=("It is round.",))))
    await ends(page)
    await answer(page).hover()
    await answer(page).get_by_role("button", name="Bad answer").click()
    await expect(answer(page).get_by_role("button", name="Bad answer")).to_have_attribute(
        "aria-pressed", "true"
    )
    conversation = await entered(page, site)
    await context.clear_cookies()

    desk = await sign_in(context, site, "reviewer")
    await reads(desk, site, conversation)
    await expect(desk.get_by_role("button", name="Claim")).to_be_focused()
    await desk.keyboard.press("Enter")
    first, second = (desk.locator("[data-answer]").nth(index) for index in range(2))
    await expect(first.locator("strong", has_text="blue")).to_be_visible()
    await expect(second.locator("article")).to_be_focused()  # the entry is about it
    await desk.keyboard.press("k")
    await expect(first.locator("article")).to_be_focused()

    await desk.keyboard.press("2")
    wrong = first.get_by_role("button", name="Wrong")
    await expect(wrong).to_have_attribute("aria-pressed", "true")
    await desk.keyboard.press("2")
    await expect(wrong).to_have_attribute("aria-pressed", "false")
    await desk.keyboard.press("3")
    await desk.keyboard.press("2")  # at once: the later one holds
    await expect(wrong).to_have_attribute("aria-pressed", "true")
    await desk.keyboard.press("j")
    await expect(second.locator("article")).to_be_focused()
    await desk.keyboard.press("4")
    await expect(second.get_by_role("button", name="Good")).to_have_attribute("aria-pressed", "true")
    await expect(wrong).to_have_attribute("aria-pressed", "true")
    await desk.keyboard.press("?")
    await expect(desk.get_by_role("dialog", name="Keys")).to_be_visible()
    await desk.keyboard.press("Escape")

    await first.get_by_label("Another label").fill("Colour")
    await desk.keyboard.press("Enter")
    await expect(first.get_by_role("button", name="Colour")).to_have_attribute("aria-pressed", "true")
    await desk.get_by_role("textbox", name="A note to colleagues").fill("n j 3: keys are words here")
    await desk.get_by_role("button", name="Add the note").click()
    await expect(desk.locator("#notes-list")).to_contain_text("keys are words here")
    await expect(desk.get_by_role("textbox", name="A note to colleagues")).to_have_value("")

    told = await sign_in(colleague, site, "manager")
    await reads(told, site, conversation)
    await expect(told.get_by_role("status")).to_contain_text("reviewer has claimed this until")
    await expect(told.get_by_role("button", name="Finish")).to_have_count(0)

    await first.locator("article").focus()
    await desk.keyboard.press("c")
    correction = first.get_by_role("textbox", name="How the answer should have been")
    await expect(correction).to_be_focused()
    await expect(correction).to_have_value("It is **blue**.")
    await desk.keyboard.press("Escape")
    await expect(first.locator("article")).to_be_focused()
    await correction.fill("It is red.")
    await desk.get_by_role("textbox", name="A note to colleagues").fill("Kept by finishing.")
    await desk.get_by_role("button", name="Finish", exact=True).click()  # leaving the field saves it first
    await expect(desk.get_by_text("Finished. What you said counts.")).to_be_visible()
    kept = "SELECT count(*) FROM conversations_note WHERE text = 'Kept by finishing.'"
    assert site.rows(kept) == [(1,)]
    counted = site.rows(
        "SELECT grade.name, correction FROM conversations_judgement AS said "
        "JOIN conversations_grade AS grade ON grade.id = grade_id "
        "JOIN conversations_answerrecord AS record ON record.id = record_id "
        "WHERE counts AND conversation_id = ? ORDER BY record.id",
        conversation.replace("-", ""),
    )
    assert counted == [("Wrong", "It is red."), ("Good", "")]


async def test_a_refusal_stays_until_something_is_done_and_the_list_goes_by_keys(
    page: Page, context: BrowserContext, providers: Providers, site: Site
) -> None:
    site.manage("shell", "-c", RULE)
    conversations = []
    for number in range(3):
        await page.goto(site.url)
        await ask(page, providers.on(f"refusal {number}", Script(pieces=("It is square.",))))
        await ends(page)
        await answer(page).hover()
        await answer(page).get_by_role("button", name="Bad answer").click()
        conversations.append(await entered(page, site))
    await context.clear_cookies()
    desk = await sign_in(context, site, "reviewer")
    await reads(desk, site, conversations[0])
    await expect(desk.get_by_role("button", name="Claim")).to_be_focused()
    await desk.keyboard.press("Enter")
    await expect(desk.get_by_role("button", name="Finish and next")).to_be_visible()
    async with desk.expect_response(lambda response: response.url.endswith("/renew/")) as renewed:
        await desk.keyboard.press("n")  # refused, and a sign of work at the same time
    assert (await renewed.value).status == 200
    alert = desk.get_by_role("alert")
    await expect(alert).to_contain_text("Give an answer a grade first")
    await desk.mouse.move(200, 200)
    await desk.set_viewport_size({"width": 640, "height": 400})
    finishing = desk.locator("#finishing")
    assert await finishing.evaluate("form => getComputedStyle(form).position") == "static"
    await desk.set_viewport_size({"width": 1280, "height": 720})
    assert await finishing.evaluate("form => getComputedStyle(form).position") == "sticky"
    await expect(alert).to_contain_text("Give an answer a grade first")
    await desk.keyboard.press("2")
    await expect(desk.get_by_role("button", name="Wrong")).to_have_attribute("aria-pressed", "true")
    await expect(alert).to_have_count(0)
    await desk.keyboard.press("n")
    await desk.wait_for_url(lambda url: conversations[0] not in url)
    await expect(desk.get_by_role("button", name="Finish and next")).to_be_visible()  # claimed as well
    await expect(desk.locator("[data-answer] article").first).to_be_focused()
    await desk.keyboard.press("2")
    await expect(desk.get_by_role("button", name="Wrong")).to_have_attribute("aria-pressed", "true")
    await desk.get_by_role("button", name="Finish", exact=True).click()
    rows = desk.locator(".queue-ledger tbody a")
    await expect(rows.first).to_be_focused()
    await desk.keyboard.press("j")
    await desk.keyboard.press("k")
    await expect(rows.first).to_be_focused()
    await desk.keyboard.press("Enter")
    await expect(desk.get_by_text("Why it is here")).to_be_visible()


async def test_nothing_that_has_the_focus_stands_behind_the_line_of_buttons(
    page: Page, context: BrowserContext, providers: Providers, site: Site
) -> None:
    site.manage("shell", "-c", RULE)
    await ask(page, providers.on("focus", Script(pieces=("It is oval.\n\n" * 12,))))
    await ends(page)
    await answer(page).hover()
    await answer(page).get_by_role("button", name="Bad answer").click()
    conversation = await entered(page, site)
    await context.clear_cookies()
    desk = await sign_in(context, site, "reviewer")
    await reads(desk, site, conversation)
    await desk.get_by_role("button", name="Claim").click()
    await expect(desk.get_by_role("button", name="Finish and next")).to_be_visible()
    await desk.set_viewport_size({"width": 1280, "height": 500})
    await desk.locator("[data-answer] article").first.focus()
    for _ in range(40):
        await desk.keyboard.press("Tab")
        where = await desk.evaluate(
            """() => {
                const at = document.activeElement, bar = document.querySelector(".desk-finish");
                if (bar.contains(at)) return "there";
                const over = bar.getBoundingClientRect().top;
                return at.getBoundingClientRect().bottom > over + 1 ? at.outerHTML : "";
            }"""
        )
        if where == "there":
            return
        assert where == ""
    raise AssertionError("the buttons were not reached")


async def test_the_answers_go_by_keys_and_lead_into_a_conversation_and_back(
    page: Page, context: BrowserContext, providers: Providers, site: Site
) -> None:
    await ask(page, providers.on("the ledger", Script(pieces=("It is **flat**.",))))
    await ends(page)
    await answer(page).hover()
    await answer(page).get_by_role("button", name="Flag for review").click()
    await expect(page.locator("[data-announce]")).to_contain_text("may read this whole conversation")
    await entered_ledger(page, site)
    await context.clear_cookies()
    desk = await sign_in(context, site, "reviewer")
    await desk.goto(f"{site.url}/admin/review/")
    await desk.get_by_role("link", name="Answers").click()
    await desk.get_by_label("Why are you reading?").fill("Review of the queue")
    await desk.get_by_role("button", name="Begin reading").click()
    await desk.get_by_role("searchbox").fill("flat")
    await desk.keyboard.press("Enter")
    await expect(desk.locator("tbody .answer").first).to_have_text("It is flat.")
    await desk.evaluate("document.activeElement.blur()")
    await desk.keyboard.press("j")
    await expect(desk.locator("tbody a").first).to_be_focused()
    await desk.keyboard.press("Enter")
    await expect(desk.get_by_role("link", name="Answers", exact=True)).to_have_attribute(
        "aria-current", "page"
    )
    await desk.get_by_role("link", name="Back to the answers").first.click()
    await expect(desk.get_by_role("searchbox")).to_have_value("flat")
    await desk.set_viewport_size({"width": 360, "height": 740})
    await expect(desk.get_by_label("Persona", exact=True)).to_be_hidden()
    await desk.get_by_text("Filters", exact=True).click()
    await expect(desk.get_by_label("Persona", exact=True)).to_be_visible()
    await desk.get_by_role("button", name="End this sitting").click()
    await expect(desk.get_by_text("Your sitting has ended.")).to_be_visible()


async def test_work_keeps_the_claim_and_what_comes_late_is_a_note(
    page: Page, context: BrowserContext, colleague: BrowserContext, providers: Providers, site: Site
) -> None:
    site.manage("shell", "-c", RULE)
    await ask(page, providers.on("too late", Script(pieces=("It is green.",))))
    await ends(page)
    await answer(page).hover()
    await answer(page).get_by_role("button", name="Bad answer").click()
    conversation = await entered(page, site)
    await context.clear_cookies()
    desk = await sign_in(context, site, "reviewer")
    await reads(desk, site, conversation)
    await desk.get_by_role("button", name="Claim").click()
    await expect(desk.get_by_role("button", name="Finish and next")).to_be_visible()
    lapse = (
        f"from conversations.models import *; QueueEntry.objects.filter(conversation='{conversation}').update"
    )
    async with desk.expect_response(lambda response: response.url.endswith("/renew/")) as renewed:
        await desk.mouse.move(300, 300)
    assert (await renewed.value).status == 200
    site.manage("shell", "-c", f"{lapse}(claim_seen_at='2020-01-01T00:00Z')")
    other = await sign_in(colleague, site, "manager")
    await reads(other, site, conversation)
    await other.get_by_role("button", name="Claim").click()
    await desk.keyboard.press("2")
    alert = desk.get_by_role("alert")
    await expect(alert).to_contain_text("manager has claimed this until")
    await expect(alert).to_contain_text("kept as a note to colleagues")
    await other.reload()
    await expect(other.locator("#notes-list")).to_contain_text("grade Wrong")

"""Steering an answer and judging it: stop, retry, continue, edit, switch."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, Page, Route, expect

from conversations.providers.recorded import Script
from tests.e2e.acts import Words, answer, answers, ask, ends, shows
from tests.e2e.conftest import Providers
from tests.e2e.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


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
        await expect(answer(tab)).to_contain_text("This answer was stopped.")
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


async def test_what_was_said_of_an_answer_is_shown_though_its_foot_was_replaced_meanwhile(
    page: Page, providers: Providers
) -> None:
    await ask(page, providers.on("judge me late", Script(pieces=("An answer.",))))
    await ends(page)

    async def late(route: Route) -> None:
        await page.evaluate(
            "document.querySelectorAll('.foot').forEach((foot) => (foot.outerHTML = foot.outerHTML))"
        )
        await route.continue_()

    await page.route("**/feedback/", late)
    await answer(page).hover()
    await page.get_by_role("button", name="Bad answer").click()
    await expect(page.get_by_role("button", name="Bad answer")).to_have_attribute("aria-pressed", "true")
    await expect(page.get_by_role("textbox", name="Your comment")).to_be_visible()
    await expect(page.locator("[data-announce]")).to_contain_text("Kept with this answer.")


async def test_an_answer_is_flagged_by_the_keyboard_and_tells_what_became_of_it(
    page: Page, providers: Providers, site: Site
) -> None:
    await ask(page, providers.on("flag me", Script(pieces=("An answer.",))))
    await ends(page)
    flag = page.get_by_role("button", name="Flag for review")
    await expect(flag).to_have_attribute("aria-pressed", "false")
    await flag.focus()
    await page.keyboard.press("Enter")
    await expect(flag).to_have_attribute("aria-pressed", "true")
    await expect(flag).to_be_focused()
    await page.reload()
    await expect(flag).to_have_attribute("aria-pressed", "true")
    await flag.focus()
    await page.keyboard.press("Space")
    await expect(flag).to_have_attribute("aria-pressed", "false")
    await answer(page).hover()
    await page.get_by_role("button", name="Bad answer").click()
    await expect(page.get_by_role("button", name="Bad answer")).to_have_attribute("aria-pressed", "true")
    site.manage(
        "shell",
        "-c",
        "from django.utils import timezone; from conversations.models import Feedback; "
        "last = Feedback.objects.order_by('-updated_at').first(); "
        "Feedback.objects.filter(pk=last.pk).update(seen_at=timezone.now(), reply='Thank you: <b>mended</b>.')",
    )
    await page.reload()
    await expect(answer(page).get_by_text("Seen by a reviewer")).to_be_visible()
    await expect(answer(page).get_by_text("Thank you: <b>mended</b>.")).to_be_visible()
    await answer(page).hover()
    await page.get_by_role("button", name="Good answer").click()
    await expect(answer(page).get_by_text("Changed since")).to_be_visible()
    await expect(answer(page).get_by_text("Thank you: <b>mended</b>.")).to_be_visible()

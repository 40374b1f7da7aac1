"""The company's side from end to end: a persona is made, tried and published, an answer of it is judged and corrected,
the person learns of it, and the correction leaves as tuning data with the prompt of that day.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from conversations.providers.recorded import Script
from tests.e2e.acts import answer, ask, ends
from tests.e2e.conftest import Providers
from tests.e2e.site import Site, sign_in
from tests.e2e.test_reviewing import RULE, entered, reads

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FIRST, SECOND = "You sell shoes. All are red.", "You sell shoes. All are red, never blue."


@dataclass
class People:
    """A browser for each."""

    manager: Page
    reviewer: Page
    outsider: Page
    admin: Page


@pytest_asyncio.fixture(loop_scope="session")
async def people(browser: Browser, site: Site) -> AsyncIterator[People]:
    contexts = [await browser.new_context() for _ in range(4)]
    for context in contexts:
        context.set_default_timeout(10_000)
    names = ("manager", "reviewer", "outsider", "admin")
    pages = [await sign_in(context, site, name) for context, name in zip(contexts, names, strict=True)]
    yield People(*pages)
    for context in contexts:
        await context.close()


async def make_and_try(manager: Page, site: Site, question: str) -> None:
    await manager.goto(f"{site.url}/admin/conversations/persona/add/")
    await manager.get_by_label("Company").select_option("Coca Cola")
    await manager.get_by_label("Name", exact=False).first.fill("Shop clerk")
    await manager.get_by_label("Offered").check()
    await manager.get_by_label("System prompt").fill(FIRST)
    await manager.get_by_label("Provider").select_option("Mistral")
    await manager.locator("input[name=model]").fill("mistral-small-latest")
    await manager.get_by_role("button", name="Save draft").click()
    panel = manager.frame_locator('iframe[title="Try it"]')
    await panel.get_by_role("textbox", name="Message").fill(question)
    await panel.get_by_role("button", name="Send").click()
    await expect(panel.locator('article[data-role="assistant"]')).to_contain_text("They are blue.")
    await manager.get_by_role("button", name="Publish").click()
    await expect(manager.get_by_text("Published: version 1 is in force")).to_be_visible()


async def ask_and_complain(member: Page, site: Site, question: str) -> str:
    await member.goto(site.url)
    await member.get_by_role("radio", name="Shop clerk").check()
    await ask(member, question)
    await ends(member)
    await answer(member).get_by_role("button", name="Bad answer").click()
    await member.get_by_role("textbox", name="Your comment").fill("My pair is red.")
    await member.get_by_role("button", name="Send feedback").click()
    return await entered(member, site)


async def publish_and_compare(manager: Page) -> None:
    await manager.get_by_label("System prompt").fill(SECOND)
    await manager.get_by_role("button", name="Publish").click()
    await expect(manager.get_by_text("Published: version 2 is in force")).to_be_visible()
    await manager.get_by_role("button", name="Compare").click()
    await expect(manager.get_by_role("cell", name=SECOND)).to_be_visible()


async def judge(reviewer: Page, site: Site, conversation: str) -> None:
    await reads(reviewer, site, conversation)
    await reviewer.get_by_role("button", name="Claim").click()
    await reviewer.get_by_role("button", name="Wrong").click()
    await reviewer.get_by_label("Another label").fill("Colour")
    await reviewer.keyboard.press("Enter")
    await expect(reviewer.get_by_role("button", name="Colour")).to_have_attribute("aria-pressed", "true")
    await reviewer.get_by_text("Correct the answer").click()
    await reviewer.get_by_label("How the answer should have been").fill("They are red.")
    await reviewer.get_by_text("Answer the person").click()
    await reviewer.get_by_label("Words to the person").fill("You are right. It knows now.")
    await reviewer.get_by_label("Fixed in").select_option("version 2")
    await reviewer.get_by_role("button", name="Save the reply").click()
    await reviewer.get_by_role("textbox", name="A note to colleagues").fill("Seen before.")
    await reviewer.get_by_role("button", name="Add the note").click()
    await expect(reviewer.locator("#notes-list")).to_contain_text("Seen before.")
    await reviewer.get_by_role("button", name="Finish", exact=True).click()
    await expect(reviewer.get_by_text("Finished. What you said counts.")).to_be_visible()


async def take_pairs(manager: Page, site: Site) -> list[dict[str, object]]:
    await manager.goto(f"{site.url}/admin/review/")
    await manager.get_by_role("link", name="Exports").click()
    await manager.get_by_label("Why are you reading?").fill("Data for the next version")
    await manager.get_by_role("button", name="Begin reading").click()
    await manager.get_by_role("radio", name="Tuning: preference pairs").check()
    await manager.get_by_label("Persona").select_option("Shop clerk")
    await manager.get_by_role("button", name="Make export").click()
    async with manager.expect_download() as download:
        await manager.get_by_role("link", name="Download").first.click()
    data = await asyncio.to_thread(Path(await (await download.value).path()).read_text, "utf-8")
    return [json.loads(line) for line in data.splitlines()]


async def test_an_answer_is_judged_and_the_person_and_the_next_version_learn_of_it(
    page: Page, people: People, providers: Providers, site: Site
) -> None:
    site.manage("shell", "-c", RULE)
    question = providers.on("What colour are the shoes?", Script(pieces=("They are ", "blue.")))
    await make_and_try(people.manager, site, question)
    conversation = await ask_and_complain(page, site, question)
    await publish_and_compare(people.manager)
    await judge(people.reviewer, site, conversation)

    await page.reload()
    await expect(answer(page)).to_contain_text("Fixed in version 2")
    await expect(answer(page)).to_contain_text("You are right. It knows now.")

    assert await take_pairs(people.manager, site) == [
        {
            "messages": [{"role": "system", "content": FIRST}, {"role": "user", "content": question}],
            "chosen": {"role": "assistant", "content": "They are red."},
            "rejected": {"role": "assistant", "content": "They are blue."},
        }
    ]

    for address in (f"/c/{conversation}/", "/admin/review/"):
        reply = await people.outsider.goto(f"{site.url}{address}")
        assert reply is not None
        assert reply.status in {403, 404}
        assert "blue" not in await people.outsider.content()

    await people.admin.goto(f"{site.url}/admin/review/")
    await people.admin.get_by_role("main").get_by_role("link", name="Coca Cola").first.click()
    await people.admin.get_by_role("link", name="Record of readings").click()
    row = people.admin.get_by_role("row").filter(has_text="reviewer").filter(has_text="Review of the queue")
    await expect(row.first).to_contain_text("Person ")  # masked there too

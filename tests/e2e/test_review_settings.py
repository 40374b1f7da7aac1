"""A manager settles the review of a company by the keyboard, on a phone's width, and reads what was refused."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.e2e.site import Site, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def _fits(page: Page) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


async def test_rules_grades_and_labels_are_settled_by_the_keyboard(
    context: BrowserContext, demo_site: Site
) -> None:
    page = await sign_in(context, demo_site, "manager")
    await page.set_viewport_size({"width": 360, "height": 740})
    await page.goto(f"{demo_site.url}/admin/review/")
    await page.get_by_role("navigation", name="Review").get_by_role("link", name="Settings").press("Enter")

    await page.get_by_role("link", name="Pattern").press("Enter")
    pattern = page.get_by_role("textbox", name="Pattern")
    await pattern.fill("(open")
    await pattern.press("Enter")
    await expect(pattern).to_have_value("(open")
    await expect(pattern).to_have_accessible_description(
        re.compile("a bracket “\\(” is not closed, at “\\(open”")
    )
    await _fits(page)
    await pattern.fill("(closed)")
    await pattern.press("Enter")
    await expect(page.get_by_text("Added the rule “Pattern: (closed)”.").first).to_be_visible()
    await page.get_by_role("button", name="Switch off “Pattern: (closed)”").press("Enter")
    await expect(page.get_by_role("button", name="Switch on “Pattern: (closed)”")).to_be_visible()
    await page.get_by_role("link", name="Change “Pattern: (closed)”").press("Enter")
    await page.get_by_role("button", name="Remove").press("Enter")
    await expect(page.get_by_text("Removed the rule “Pattern: (closed)”.").first).to_be_visible()

    await page.get_by_role("textbox", name="New label").fill("tone")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("There is a label “Tone” already.")
    await expect(page.get_by_role("textbox", name="New label")).to_be_focused()
    await expect(page.get_by_role("textbox", name="New label")).to_be_in_viewport()
    await _fits(page)
    await page.get_by_role("textbox", name="New label").fill("Too long")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Added the label “Too long”.").first).to_be_in_viewport()
    await page.get_by_role("textbox", name="Name of “Too long”").fill("Long-winded")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Retire “Long-winded”")).to_be_visible()

    await page.get_by_role("link", name="Change the grades").press("Enter")
    second = page.get_by_role("group", name="Grade 2")
    await second.get_by_role("textbox", name="Name").fill("Untrue")
    await second.get_by_role("checkbox", name="Passes").press("Space")
    await _fits(page)
    await page.get_by_role("button", name="Save").press("Enter")
    await expect(page.get_by_role("row", name="2 Untrue It is not correct, or made up. yes")).to_be_visible()
    await _fits(page)

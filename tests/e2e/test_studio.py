"""The persona studio in a real browser: make a persona, publish, write a draft, compare it with what was, restore.

The list of models arrives beside the page, and any name can be typed.
"""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, expect

from tests.e2e.site import Site, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_version_is_written_published_compared_and_restored(
    context: BrowserContext, demo_site: Site
) -> None:
    page = await sign_in(context, demo_site, "manager")
    await page.get_by_role("button", name="manager").click()
    await page.get_by_role("link", name="Administration").click()
    await page.get_by_role("main").get_by_role("link", name="Personas", exact=True).click()
    await page.get_by_role("link", name="Add persona").click()
    await expect(page.get_by_label("Company").locator("option:checked")).to_have_text("Coca Cola")
    await page.get_by_label("Name", exact=False).first.fill("Storyteller")
    await page.get_by_label("System prompt").fill("Tell stories.")

    await page.get_by_label("Provider").select_option("Cohere")
    await expect(page.locator("#models option").first).to_be_attached()
    model = page.locator("input[name=model]")
    await model.fill("typed-by-hand")
    await expect(page.get_by_text("The provider does not list a model of this name.")).to_be_visible()
    await model.fill("command-r-plus-08-2024")
    await expect(page.get_by_role("status").filter(has_text="128,000 tokens")).to_be_visible()

    await expect(page.get_by_text("32,768 tokens of a chat are sent at most")).to_be_visible()

    await expect(page.get_by_label("Safe prompt")).to_be_hidden()  # Cohere takes none
    await page.locator("input[name=k]").fill("9")
    await page.get_by_label("Provider").select_option("Mistral")
    await expect(page.get_by_label("Safe prompt")).to_be_visible()
    await expect(page.locator("input[name=k]")).to_be_visible()  # something stands in it
    await page.locator("input[name=k]").fill("")
    await expect(page.locator("input[name=k]")).to_be_hidden()
    await page.get_by_label("Provider").select_option("Cohere")

    await page.get_by_label("Temperature").fill("7")
    await expect(page.get_by_role("button", name="Publish")).to_be_in_viewport()
    await page.get_by_role("button", name="Save draft").click()
    await expect(page.get_by_label("Temperature")).to_be_focused()
    await page.get_by_role("alert").get_by_role("link", name="Temperature").press("Enter")
    await page.get_by_label("Temperature").fill("")
    await page.get_by_role("button", name="Save draft").click()
    await expect(page.get_by_text("until it is published and “Offered” is ticked.")).to_be_visible()
    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_text("Published: version 1 is in force")).to_be_visible()
    await page.get_by_label("System prompt").fill("Tell stories.\nKeep them short.")
    await page.get_by_role("button", name="Save draft").click()
    await expect(page.get_by_text("The draft is saved. People get version 1")).to_be_visible()
    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_text("Published: version 2 is in force")).to_be_visible()

    await page.get_by_label("Compare", exact=True).select_option("Version 1")
    await page.get_by_label("with", exact=True).select_option("Version 2")
    await page.get_by_role("button", name="Compare").click()
    await expect(page.get_by_role("cell", name="Keep them short.")).to_be_visible()

    await page.go_back()
    await page.get_by_role("link", name="Version 1").click()
    await page.get_by_role("button", name="Restore").click()
    await expect(page.get_by_text("The draft is version 1 again.")).to_be_visible()
    await expect(page.get_by_label("System prompt")).to_have_value("Tell stories.")


async def test_the_scripts_of_the_form_speak_the_language_of_the_page(
    context: BrowserContext, site: Site
) -> None:
    """The administration's own scripts put something else in the place of what Django's catalogue is called by."""
    page = await sign_in(context, site, "manager")
    await context.add_cookies([{"name": "language", "value": "de", "url": site.url}])
    await page.goto(f"{site.url}/admin/conversations/persona/")
    await page.get_by_role("link", name="Coca Cola guide").click()
    await page.get_by_role("combobox", name="Modell").fill("nobody-lists-this")
    await expect(page.get_by_text("Der Anbieter führt kein Modell dieses Namens")).to_be_visible()

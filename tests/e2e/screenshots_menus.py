"""Photographs of what opens over a page or takes its place for a while: menus, dialogs, forms, and what went wrong."""

from __future__ import annotations

import re

from playwright.async_api import BrowserContext, Page, expect

from tests.e2e.acts import answer, ask, ends, menu_of, shows
from tests.e2e.pictures import shoot
from tests.e2e.site import Site, sign_in

PAGE_500 = "from django.template import loader; print(loader.get_template('500.html').render())"


async def over(context: BrowserContext, site: Site, suffix: str) -> None:
    """What opens over a chat."""
    page = await sign_in(context, site, "member2")
    await ask(page, "Show me what you can do")
    await ends(page)
    await page.keyboard.press("Control+k")
    await page.locator("#palette-list a").first.wait_for()
    await shoot(page, f"palette-{suffix}")
    await page.keyboard.type("nothing is called this")
    await page.get_by_text("Nothing found.").wait_for()
    await shoot(page, f"palette-none-{suffix}")
    await page.keyboard.press("Escape")
    await page.get_by_role("log").focus()
    await page.keyboard.press("?")
    await page.get_by_role("dialog", name="Keyboard shortcuts").wait_for()
    await shoot(page, f"shortcuts-{suffix}")
    await page.keyboard.press("Escape")
    await _person(page, suffix)
    await _question(page, suffix)


async def _person(page: Page, suffix: str) -> None:
    if suffix == "phone":
        await page.get_by_role("button", name="Chats").click()
    await page.get_by_role("button", name="member2").click()
    await shoot(page, f"person-menu-{suffix}")
    await page.keyboard.press("Escape")
    if suffix == "phone":
        await page.get_by_role("button", name="Close").click()


async def _question(page: Page, suffix: str) -> None:
    await page.get_by_role("button", name="Regenerate").focus()
    await page.keyboard.press("Enter")
    await expect(answer(page)).to_contain_text("2/2", timeout=20_000)
    await shoot(page, f"versions-{suffix}")
    await page.get_by_role("button", name="Edit", exact=True).focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("textbox", name="Your question").wait_for()
    await shoot(page, f"edit-{suffix}")
    await page.keyboard.press("Escape")


async def chats(context: BrowserContext, site: Site, suffix: str) -> None:
    """The list of chats, kept in order."""
    page = await sign_in(context, site, "member2")
    title = f"A chat to be put away {suffix}"
    await ask(page, title)
    await ends(page)
    if suffix == "phone":
        await page.get_by_role("button", name="Chats").click()
    menu = await menu_of(page, title)
    await menu.get_by_label("or a new one").fill(f"Folder {suffix}")
    await shoot(page, f"menu-{suffix}")
    await menu.get_by_role("button", name="Move").click()
    folder = page.get_by_role("button", name=f"Folder {suffix}", exact=True)
    await folder.click()
    await page.get_by_role("heading", name=f"Folder {suffix}").wait_for()
    await shoot(page, f"folder-{suffix}")
    await page.get_by_role("button", name="More about this folder").click()
    await page.get_by_role("button", name="Remove the folder").wait_for()
    await shoot(page, f"folder-menu-{suffix}")
    await page.keyboard.press("Escape")
    await (await menu_of(page, title)).get_by_role("button", name="Select several").click()
    await shoot(page, f"selecting-{suffix}")
    await page.get_by_role("button", name="Done").click()
    await page.get_by_role("searchbox", name="Search chats").fill("put away")
    await page.get_by_text(re.compile("Found|best")).first.wait_for()
    await shoot(page, f"search-{suffix}")
    await page.get_by_role("searchbox", name="Search chats").fill("nobodysaidthat")
    await page.get_by_text("Nothing found.").wait_for()
    await shoot(page, f"search-none-{suffix}")
    await page.get_by_role("searchbox", name="Search chats").fill("")
    await (await menu_of(page, title)).get_by_role("button", name="Archive", exact=True).click()
    await page.get_by_role("button", name="Archived").click()
    await page.get_by_role("heading", name="Archived").wait_for()
    await shoot(page, f"archived-{suffix}")


async def running(context: BrowserContext, site: Site, suffix: str) -> None:
    """An answer while it is written, and one that was stopped."""
    page = await sign_in(context, site, "member")
    await ask(page, "What is Coca Cola?")
    await shows(page, "The drink is known")
    await page.get_by_role("button", name="Stop").click()
    await ends(page, "stopped")
    await shoot(page, f"stopped-{suffix}")
    await page.get_by_role("textbox", name="Message").fill("x" * 32_800)
    await page.keyboard.press("Enter")
    await page.get_by_text("This message is too long.").wait_for()
    await shoot(page, f"too-long-{suffix}")
    await page.get_by_role("textbox", name="Message").fill("")


async def refusals(context: BrowserContext, site: Site, suffix: str) -> None:
    """Pages that say no, or that something broke."""
    page = await sign_in(context, site, "member")
    await page.goto(f"{site.url}/admin/")
    await shoot(page, f"forbidden-{suffix}")
    await page.goto(f"{site.url}/c/00000000-0000-4000-8000-000000000000/")
    await shoot(page, f"not-found-{suffix}")
    await page.goto(f"{site.url}/accounts/password/")
    await page.evaluate("document.querySelector('[name=csrfmiddlewaretoken]').value = 'x'.repeat(32)")
    await page.locator("main form").evaluate("form => { form.noValidate = true; form.submit(); }")
    await page.get_by_role("heading", name="This form was open too long").wait_for()
    await shoot(page, f"form-too-old-{suffix}")
    broken = site.manage("shell", "-v", "0", "-c", PAGE_500)
    await page.route(
        "**/broken/", lambda route: route.fulfill(status=500, body=broken, content_type="text/html")
    )
    await page.goto(f"{site.url}/broken/")
    await shoot(page, f"broken-{suffix}")


MENUS = (over, chats, running, refusals)

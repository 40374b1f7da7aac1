"""The keyboard is never lost: whatever takes the place of what was pressed, something is focused to go on from."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from conversations.providers.recorded import Pace, Script
from tests.e2e.acts import SLOW, Words, answer, ask, ends, line_of, shows, undo
from tests.e2e.conftest import Providers
from tests.e2e.site import Site, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# Somewhere, and on something that is seen.
SOMEWHERE = "document.activeElement !== document.body && document.activeElement.checkVisibility()"
# htmx has looked at what came a moment ago.
READY = "e => !e.matches('[hx-get], [hx-post]') || e['htmx-internal-data']?.initHash !== undefined"
FRAMES = "async () => { for (let i = 0; i < 4; i += 1) await new Promise(requestAnimationFrame); }"


async def press(target: Locator, key: str = "Enter") -> None:
    """Press a key on something, as who has only a keyboard does."""
    await target.focus()
    async with asyncio.timeout(10):
        while not await target.evaluate(READY):
            await target.page.evaluate(FRAMES)
    await target.press(key)


async def stays(page: Page, target: Locator | None = None) -> None:
    """The keyboard is somewhere, now that what was to come has come; on `target`, where one is named."""
    if target is not None:
        await expect(target).to_be_focused()
    async with asyncio.timeout(10):
        while not await page.evaluate(SOMEWHERE):
            await page.evaluate(FRAMES)
    await page.evaluate(FRAMES)
    assert await page.evaluate(SOMEWHERE)


def message(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message")


def named(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


async def test_what_makes_an_answer(page: Page, providers: Providers, words: Words) -> None:
    scripts = (
        Script(pieces=words(30), hang_after=12),
        Script(pieces=("and on.",)),
        Script(status=401, raw=b"{}"),
        Script(pieces=("Better.",)),
    )
    await ask(page, providers.on("say this and that", *scripts))
    await shows(page, "word11")
    await press(named(page, "Stop"))
    await ends(page, "stopped")
    await stays(page, message(page))
    await press(named(page, "Continue"))
    await shows(page, "and on.")
    await ends(page)
    await stays(page, message(page))
    await press(named(page, "Regenerate"))
    await ends(page, "failed")
    await stays(page, message(page))
    await press(named(page, "Retry"))
    await shows(page, "Better.")
    await ends(page)
    await stays(page, message(page))


async def test_a_request_that_does_not_arrive(page: Page, providers: Providers) -> None:
    await ask(page, providers.on("be unreachable", Script(pieces=("Here.",))))
    await ends(page)
    await page.route(re.compile("/(regenerate|feedback|menu|edit)/"), lambda route: route.abort())
    for name in ("Regenerate", "Good answer", "Edit"):
        await press(named(page, name))
        await expect(page.get_by_role("alert")).to_contain_text("Could not reach the server.")
        await stays(page, named(page, name))


async def test_versions_and_edits(page: Page, providers: Providers) -> None:
    providers.on("other words", Script(pieces=("three",)))
    await ask(page, providers.on("first words", Script(pieces=("one",)), Script(pieces=("two",))))
    await ends(page)
    await press(named(page, "Regenerate"))
    await expect(answer(page)).to_contain_text("2/2")
    await stays(page)
    previous, following = named(page, "Previous version"), named(page, "Next version")
    await press(previous)
    await shows(page, "one")
    await stays(page, following)  # there is none before the first
    await press(following)
    await shows(page, "two")
    await stays(page, previous)

    box = page.get_by_role("textbox", name="Your question")
    for leave in (named(page, "Cancel"), box):
        await press(named(page, "Edit"))
        await stays(page, box)
        await press(leave, "Escape" if leave is box else "Enter")
        await stays(page, named(page, "Edit"))
    await press(named(page, "Edit"))
    await box.fill("other words")
    await press(named(page, "Save and send"))
    await shows(page, "three")
    await ends(page)
    await stays(page, message(page))


async def test_what_is_said_of_an_answer(page: Page, providers: Providers) -> None:
    await ask(page, providers.on("judge me", Script(pieces=("An answer.",))))
    await ends(page)
    for name in ("Good answer", "Bad answer", "Flag for review", "Flag for review"):
        button = named(page, name)
        pressed = await button.get_attribute("aria-pressed")
        await press(button)
        await expect(button).to_have_attribute("aria-pressed", "false" if pressed == "true" else "true")
        await stays(page, button)
    await press(page.locator(".feedback > summary"))
    await press(named(page, "Send feedback"))
    await expect(page.locator(".feedback[open]")).to_have_count(0)
    await stays(page, page.locator(".feedback > summary"))
    await press(named(page, "Bad answer"))
    await expect(named(page, "Bad answer")).to_have_attribute("aria-pressed", "false")
    await stays(page, named(page, "Bad answer"))


async def test_the_menu_of_a_chat(page: Page, providers: Providers) -> None:
    title = "a chat for the keyboard"
    await ask(page, providers.on(title, Script(pieces=("Well.",))))
    await ends(page)
    more = line_of(page, title).get_by_role("button", name="More").first
    menu = page.locator("#chat-menu")
    await press(more)
    await stays(page, menu.get_by_label("Title"))
    await page.keyboard.press("Escape")
    await stays(page, more)
    for deed in ("Pin", "Unpin"):
        await press(more)
        await press(menu.get_by_role("button", name=deed, exact=True))
        await expect(menu).to_be_hidden()
        await stays(page, more)
    await press(more)
    await menu.get_by_label("Title").fill(f"{title} 2")
    await page.keyboard.press("Enter")
    title = f"{title} 2"
    await expect(line_of(page, title).first).to_be_visible()
    more = line_of(page, title).get_by_role("button", name="More").first
    await stays(page, more)
    for deed in ("Archive", "Delete"):
        await press(more)
        await press(menu.get_by_role("button", name=deed, exact=True))
        await expect(line_of(page, title)).to_have_count(0)
        await stays(page, undo(page))
        await page.keyboard.press("Enter")
        await expect(line_of(page, title).first).to_be_visible()
        await stays(page, more)


async def test_folders_the_archive_and_searching(page: Page, providers: Providers) -> None:
    title = "a chat to be filed"
    menu = page.locator("#chat-menu")
    await ask(page, providers.on("a chat to be put away", Script(pieces=("Well.",))))
    await ends(page)
    await press(line_of(page, "a chat to be put away").get_by_role("button", name="More").first)
    await press(menu.get_by_role("button", name="Archive", exact=True))
    await expect(line_of(page, "a chat to be put away")).to_have_count(0)
    await press(page.get_by_role("link", name="New chat").first)
    await ask(page, providers.on(title, Script(pieces=("Well.",))))
    await ends(page)
    more = line_of(page, title).get_by_role("button", name="More").first
    await press(more)
    await menu.get_by_label("or a new one").fill("Papers")
    await press(menu.get_by_role("button", name="Move"))
    folder, back = named(page, "Papers"), named(page, "Back to all chats")
    await expect(folder).to_be_visible()
    await stays(page)
    for place in (folder, named(page, "Archived")):
        await press(place)
        await stays(page, back)
        await page.keyboard.press("Enter")
        await expect(folder).to_be_visible()
        await stays(page, place)
    search = page.get_by_role("searchbox", name="Search chats")
    for words in ("filed", "nobodysaidthat", ""):
        await search.fill(words)
        await expect(line_of(page, title)).to_have_count(0 if words.startswith("nobody") else 1)
        await stays(page, search)
    await press(folder)
    await stays(page, back)
    await press(named(page, "More about this folder"))
    await stays(page, menu.get_by_label("Name"))
    await page.keyboard.press("Escape")
    await stays(page, named(page, "More about this folder"))
    await page.keyboard.press("Enter")
    await menu.get_by_label("Name").fill("Letters")
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Letters").or_(named(page, "Letters")).first.wait_for()
    await stays(page)
    if await named(page, "Letters").is_visible():
        await press(named(page, "Letters"))
    await press(named(page, "More about this folder"))
    await press(menu.get_by_role("button", name="Remove the folder"))
    await expect(page.get_by_role("heading", name="Letters")).to_have_count(0)
    await stays(page)


async def test_several_at_once(page: Page, providers: Providers) -> None:
    title = "one of several"
    await ask(page, providers.on(title, Script(pieces=("Well.",))))
    await ends(page)
    menu = page.locator("#chat-menu")
    more = line_of(page, title).get_by_role("button", name="More").first
    await press(more)
    await press(menu.get_by_role("button", name="Select several"))
    await stays(page, page.get_by_role("checkbox", name=f"Select {title}").first)
    await press(named(page, "Done"))
    await stays(page, more)
    await press(more)
    await press(menu.get_by_role("button", name="Select several"))
    await press(page.locator("[data-selection]").get_by_role("button", name="Archive"))
    await expect(line_of(page, title)).to_have_count(0)
    await stays(page, undo(page))


async def test_what_opens_over_the_page(page: Page) -> None:
    await press(message(page), "Control+k")
    await stays(page, page.get_by_role("searchbox", name="Chat, persona or command"))
    await page.keyboard.press("Escape")
    await stays(page, message(page))
    person = page.locator(".person-button")
    await press(person)
    await page.keyboard.press("Escape")
    await stays(page, person)
    await press(person)
    await press(named(page, "Keyboard shortcuts"))
    await stays(page, named(page, "Close"))
    await page.keyboard.press("Enter")
    await stays(page)


async def test_what_is_read_while_it_is_written(page: Page, providers: Providers) -> None:
    """The keyboard on a link in the open end of an answer, on the code above it, and on both when it ends."""
    text = "See [the one](https://example.com/1) and [the other](https://example.com/2)"
    pieces = tuple(re.findall(r"\S+\s*", f"{text} and more and more and *more*.\n\nThe end of it all."))
    await ask(page, providers.on("write links", Script(pieces=pieces, pace=Pace(0.05, 6))))
    link = answer(page).get_by_role("link", name=re.compile("the other"))
    await link.focus()
    await shows(page, "more and more")
    await stays(page, link)
    await shows(page, "The end")
    await stays(page, link)
    await ends(page)
    await stays(page, link)


async def test_another_tab_changes_the_branch(page: Page, providers: Providers) -> None:
    code = Script(pieces=("```\none\n```\n\n```\ntwo\n```\n",))
    await ask(page, providers.on("give me code", code))
    await ends(page)
    await ask(page, providers.on("and more", Script(pieces=("one",)), Script(pieces=("two",))))
    await shows(page, "one")
    await ends(page)
    other = await page.context.new_page()
    await other.goto(page.url)
    second = page.locator("[data-copy-code]").nth(1)
    await second.focus()
    await press(other.get_by_role("button", name="Regenerate").last)
    await shows(page, "two")
    await stays(page, second)
    await page.get_by_role("button", name="Edit", exact=True).first.focus()
    await page.keyboard.press("Enter")
    box = page.get_by_role("textbox", name="Your question")
    await box.fill("half a thou")
    await press(other.get_by_role("button", name="Previous version").last)
    await shows(page, "one")
    await stays(page, box)
    await page.keyboard.type("ght")
    await expect(box).to_have_value("half a thought")


async def test_a_finger_loses_nothing_either(
    browser: Browser, site: Site, providers: Providers, words: Words
) -> None:
    """Where the box would bring a keyboard onto the screen, Stop and Send take each other's place."""
    context = await browser.new_context(
        viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    context.set_default_timeout(10_000)
    page = await sign_in(context, site, "member2")
    await ask(page, providers.on("begin", Script(pieces=("Begun.",))))
    await ends(page)
    await message(page).fill(providers.on("go on slowly", Script(pieces=words(20), pace=SLOW, hang_after=15)))
    await press(named(page, "Send"))
    await shows(page, "word3")
    await stays(page)
    await press(named(page, "Stop"))
    await ends(page, "stopped")
    await stays(page, named(page, "Send"))
    await press(named(page, "Chats"))
    await stays(page)
    await page.keyboard.press("Escape")
    await stays(page, named(page, "Chats"))
    await context.close()

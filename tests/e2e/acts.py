"""What the browser tests do over and over: ask, wait for what is shown, and keep the list of chats in order."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.async_api import Locator, Page, WebSocketRoute, expect

from conversations.providers.recorded import Pace

Words = Callable[[int], tuple[str, ...]]
SLOW = Pace(0.05, 40)
DELETED = "This chat was deleted. Your text is kept."


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


def line_of(page: Page, title: str) -> Locator:
    """The lines of chats with just this title: those of other tests may begin alike."""
    chats = page.get_by_role("navigation", name="Chats").get_by_role("listitem")
    return chats.filter(has=page.locator(".chat-title", has_text=re.compile(f"^{re.escape(title)}$")))


def undo(page: Page) -> Locator:
    return page.get_by_role("button", name="Undo")


async def menu_of(page: Page, title: str) -> Locator:
    """The opened menu of a chat."""
    await line_of(page, title).hover()
    await line_of(page, title).get_by_role("button", name="More").click()
    return page.locator("#chat-menu")


async def delete(page: Page, title: str) -> None:
    await (await menu_of(page, title)).get_by_role("button", name="Delete").click()
    await expect(line_of(page, title)).to_have_count(0)


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

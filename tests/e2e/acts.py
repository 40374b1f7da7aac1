"""What the browser tests do over and over: ask, and wait for what is shown."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.async_api import Locator, Page, WebSocketRoute, expect

from conversations.providers.recorded import Pace

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

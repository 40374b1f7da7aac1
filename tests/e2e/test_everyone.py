"""Every page that is photographed (`screenshots.py` and its like) is also judged: see `everyone.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import date

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from tests.e2e import screenshots, screenshots_accounts, screenshots_menus, screenshots_review
from tests.e2e.everyone import wrong
from tests.e2e.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

Walk = Callable[[BrowserContext, Site, str], Awaitable[None]]
TAKING = (screenshots, screenshots_accounts, screenshots_menus, screenshots_review)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Site]:
    """A site as it is started for the first time, in which much was said already."""
    site = Site(tmp_path_factory.mktemp("everything")).install()
    site.manage("demo_history", "--messages", "1000", "--end", f"{date.today()}")
    yield site.start()
    site.close()
    assert "Traceback" not in site.log.read_text()


@pytest.mark.parametrize(
    "walk", screenshots.WALKS, ids=lambda walk: f"{walk.__module__.rpartition('_')[2]}-{walk.__name__}"
)
async def test_every_page_is_for_everyone(
    walk: Walk, browser: Browser, everything: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems: list[str] = []
    judged: list[str] = []

    async def judge(page: Page, name: str, *, whole: bool = False) -> None:
        judged.append(name)
        problems.extend(await wrong(page, name.removesuffix("-light")))

    for module in TAKING:
        monkeypatch.setattr(module, "shoot", judge)
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(10_000)
    await walk(context, everything, "light")
    await context.close()
    assert judged
    assert problems == []

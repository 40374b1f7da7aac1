"""No server: the page says so, keeps what is being written, and comes back by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.e2e.acts import ask, ends
from tests.e2e.everyone import wrong
from tests.e2e.site import Site, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

KEPT = """async () => {
    const found = [];
    for (const name of await caches.keys()) {
        for (const { url } of await (await caches.open(name)).keys()) found.push(new URL(url).pathname);
    }
    return found;
}"""


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Site]:
    """A site that a test may end and start again."""
    site = Site(tmp_path_factory.mktemp("offline")).install().start()
    yield site
    site.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A browser that keeps what the site asks it to keep."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(10_000)
    yield context
    await context.close()


async def ready(page: Page) -> None:
    """Wait until the browser keeps the offline page."""
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")


async def test_a_draft_is_kept_over_a_server_that_is_away(context: BrowserContext, own: Site) -> None:
    page = await sign_in(context, own, "member")
    await ask(page, "What is Coca Cola?")
    await ends(page)
    await ready(page)
    await page.get_by_role("textbox", name="Message", exact=True).fill("half a th")
    address = page.url
    own.kill()
    await page.reload()
    await expect(page.get_by_role("heading", name="The server cannot be reached")).to_be_visible()
    assert page.url == address
    box = page.get_by_role("textbox", name="Your message, not sent yet")
    await expect(box).to_have_value("half a th")
    await box.press("End")
    await page.keyboard.type("ought")
    await page.get_by_role("button", name="Try again now").click()
    await expect(page.get_by_role("status")).to_contain_text("The server does not answer yet.")
    assert await wrong(page, "offline") == []

    own.start()
    composer = page.get_by_role("textbox", name="Message", exact=True)
    await expect(composer).to_have_value("half a thought", timeout=20_000)
    await composer.press("Enter")
    await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(page.locator("article")).to_have_count(4)
    assert await page.evaluate(KEPT) == ["/offline/"]

    await composer.fill("not for the next person")
    await page.locator(".person-button").click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert await page.evaluate("JSON.stringify(sessionStorage) + JSON.stringify(localStorage)") == "{}{}"
    assert await page.evaluate(KEPT) == ["/offline/"]


async def test_what_is_begun_offline_in_a_new_tab_is_there_afterwards(
    context: BrowserContext, own: Site
) -> None:
    await ready(await sign_in(context, own, "member"))
    own.kill()
    page = await context.new_page()
    await page.goto(own.url)
    await page.get_by_role("textbox", name="Your message, not sent yet").fill("begun in the train")
    own.start()
    await expect(page.get_by_role("textbox", name="Message", exact=True)).to_have_value(
        "begun in the train", timeout=20_000
    )
    await page.reload()
    await expect(page.get_by_role("textbox", name="Message", exact=True)).to_have_value("begun in the train")


async def test_no_box_where_nothing_can_be_written(context: BrowserContext, own: Site) -> None:
    page = await sign_in(context, own, "member")
    await ready(page)
    own.kill()
    await page.goto(f"{own.url}/accounts/")
    await expect(page.get_by_role("heading", name="The server cannot be reached")).to_be_visible()
    await expect(page.get_by_role("textbox")).to_have_count(0)
    own.start()
    await expect(page.get_by_role("heading", name="Your account")).to_be_visible(timeout=20_000)


async def test_it_is_alive_in_every_language(context: BrowserContext, own: Site) -> None:
    """The page is whole in itself: what its script says in another language stands in it as well."""
    page = await context.new_page()
    problems: list[str] = []
    context.on("weberror", lambda error: problems.append(str(error.error)))
    for language, button, said in (
        ("de", "Jetzt erneut versuchen", "Der Server antwortet noch nicht"),
        ("fr", "Réessayer maintenant", "Le serveur ne répond pas encore"),
    ):
        await page.goto(f"{own.url}/offline/?language={language}")
        await page.route("**/*", lambda route: route.abort())
        await page.get_by_role("button", name=button).click()
        await expect(page.get_by_text(said)).to_be_visible()
        await page.unroute_all()
    assert problems == []

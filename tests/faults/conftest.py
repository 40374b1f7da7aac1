"""Both ways in which the product is run, a browser before each, and what a page must agree with in the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from conversations.providers import recorded
from tests.conftest import missing
from tests.e2e.conftest import Providers
from tests.e2e.site import launch, sign_in_at
from tests.faults.installation import Installation
from tests.faults.services import program

# Short enough to be waited for, long enough for a machine that is busy.
CLOCKS = {
    "UPSTREAM_CONNECT_TIMEOUT": "2",
    "UPSTREAM_FIRST_TOKEN_TIMEOUT": "7",
    "UPSTREAM_SILENCE_TIMEOUT": "3",
    "UPSTREAM_TOTAL_TIMEOUT": "40",
}


@pytest.fixture(autouse=True)
def _patience() -> Iterator[None]:
    """What comes about after a fault may take its time; where it may not, a test looks at the clock."""
    expect.set_options(timeout=15_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture(scope="session")
def all_providers() -> Providers:
    return Providers()


@pytest.fixture
def providers(all_providers: Providers) -> Providers:
    """Every provider, with nothing of other tests in its memory."""
    all_providers.forget()
    return all_providers


@pytest.fixture(scope="session")
def provided(all_providers: Providers) -> Iterator[dict[str, str]]:
    """The settings with which the product asks those providers."""
    server = recorded.serve(all_providers.upstream)
    yield {
        **CLOCKS,
        "MISTRAL_API_KEY": "key-of-the-tests",
        "MISTRAL_BASE_URL": server.base_url("mistral"),
        "CO_API_KEY": "key-of-the-tests",
        "COHERE_BASE_URL": server.base_url("cohere"),
    }
    server.close()


@pytest.fixture(scope="session")
def alone(provided: dict[str, str], chromium: str) -> Iterator[Installation]:
    """One process on SQLite."""
    yield from _installed(together=False, environment=provided)


@pytest.fixture(scope="session")
def together(provided: dict[str, str], chromium: str) -> Iterator[Installation]:
    """Two processes on PostgreSQL and Redis of their own."""
    for name in ("redis-server", "postgres", "initdb"):
        if program(name) is None:
            missing(name)
    yield from _installed(together=True, environment=provided)


@pytest.fixture(params=["alone", "together"])
def installation(request: pytest.FixtureRequest) -> Installation:
    """Either."""
    found: Installation = request.getfixturevalue(request.param)
    return found


def _installed(*, together: bool, environment: dict[str, str]) -> Iterator[Installation]:
    made = Installation(together=together, **environment)
    yield made
    made.close()
    log = made.log()
    assert "Traceback" not in log, log
    assert "key-of-the-tests" not in log


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    playwright, browser = await launch(chromium)
    yield browser
    await browser.close()
    await playwright.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A browser of one person."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(15_000)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext, installation: Installation) -> Page:
    """The member's start page."""
    return await sign_in_at(context, installation.url, "member")


@pytest.fixture
def words() -> Callable[[int], tuple[str, ...]]:
    """An answer of so many numbered words, each a token."""
    return lambda number: tuple(f"word{index} " for index in range(number))

"""A site of its own for the browser tests, with scripted providers, and pages that complain aloud."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page

from conversations.providers import recorded
from conversations.providers.recorded import RecordedUpstream, Script, Seen
from tests import canaries
from tests.e2e.site import Site, launch, sign_in
from tests.e2e.watching import Watched

# A refusal or a lost line shows in the console by itself; what it does to the page is tested.
EXPECTED = (
    "Failed to load resource",
    "WebSocket connection",
    "htmx:sendError",
    "htmx:afterRequest",
    "htmx:responseError",
    "Response Status Error Code",
    "htmx:wsError",
    "[object Event]",
)


@dataclass
class Providers:
    """Every provider, scripted by the question that is asked."""

    scripts: dict[str, list[Script]] = field(default_factory=dict)
    names: dict[str, Script] = field(default_factory=dict)
    upstream: RecordedUpstream = field(init=False)

    def __post_init__(self) -> None:
        self.upstream = RecordedUpstream(pace=recorded.Pace(0.05, 200), choose=self._choose)
        self.upstream.choose_title = self._name

    def forget(self) -> None:
        """Begin anew, at the same address."""
        self.scripts.clear()
        self.names.clear()
        self.upstream.reset()
        self.upstream.choose, self.upstream.choose_title = self._choose, self._name

    def on(self, question: str, *scripts: Script) -> str:
        """Answer `question` with `scripts`, one each time, the last one from then on."""
        self.scripts[question] = list(scripts)
        return question

    def asked(self, question: str) -> list[Seen]:
        """The requests that asked `question` last."""
        return [seen for seen in self.upstream.log.requests if question_of(seen) == question]

    def name(self, question: str, title: str, **more: Any) -> None:
        """Give the chat that begins with `question` a title."""
        self.names[question] = Script(pieces=(title,), pace=recorded.UNPACED, **more)

    def _name(self, seen: Seen) -> Script | None:
        said = question_of(seen).removeprefix("Question:\n")
        return next((script for asked, script in self.names.items() if said.startswith(f"{asked}\n\n")), None)

    def _choose(self, seen: Seen) -> Script | None:
        scripts = self.scripts.get(question_of(seen))
        if not scripts:
            return None
        return scripts.pop(0) if len(scripts) > 1 else scripts[0]


def question_of(seen: Seen) -> str:
    """What a request asked last, without what was attached to it."""
    messages = (seen.body or {}).get("messages", [])
    said = next((str(each["content"]) for each in reversed(messages) if each["role"] == "user"), "")
    return said.partition("\n\nAttached file: ")[0]


@pytest.fixture(scope="session")
def providers() -> Providers:
    return Providers()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, providers: Providers, chromium: str) -> Iterator[Site]:
    """A site with keys, whose providers are scripted."""
    server = recorded.serve(providers.upstream)
    site = Site(
        tmp_path_factory.mktemp("site"),
        MISTRAL_API_KEY=canaries.KEY,
        MISTRAL_BASE_URL=server.base_url("mistral"),
        CO_API_KEY=canaries.KEY,
        COHERE_BASE_URL=server.base_url("cohere"),
    )
    yield site.install().start()
    assert not site.has_stale_readers()
    assert site.csp_reports() == []
    site.close()
    server.close()
    log = site.log.read_text()
    assert "Traceback" not in log, log
    assert canaries.KEY not in log


@pytest.fixture(scope="session")
def demo_site(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Site]:
    """A site as it is started for the first time: no key, so the recorded upstream answers."""
    site = Site(tmp_path_factory.mktemp("demo"))
    yield site.install().start()
    site.close()
    assert "Traceback" not in site.log.read_text()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    playwright, browser = await launch(chromium)
    yield browser
    await browser.close()
    await playwright.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A browser of one person. Any error on a page that a test did not foresee fails it.

    What tests do to requests they do to none that a service worker has heard of: `test_offline.py` lets it in.
    """
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, service_workers="block")
    context.set_default_timeout(10_000)
    problems: list[str] = []
    context.on("weberror", lambda error: problems.append(str(error.error)))

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(EXPECTED):
            problems.append(message.text)

    context.on("console", heard)
    watched = Watched(context)
    yield context
    await watched.end()
    found = list(problems)  # before the end: an answer that meets a page being torn down finds nothing there
    await context.close()
    assert found == []


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext, site: Site) -> Page:
    """The member's start page."""
    return await sign_in(context, site, "member")


@pytest.fixture
def words() -> Callable[[int], tuple[str, ...]]:
    """An answer of so many numbered words, each a token."""
    return lambda number: tuple(f"word{index} " for index in range(number))


@pytest_asyncio.fixture(loop_scope="session")
async def outsider(browser: Browser, site: Site) -> AsyncIterator[Page]:
    """The start page of somebody at the other company, in a browser of their own."""
    context = await browser.new_context()
    context.set_default_timeout(10_000)
    watched = Watched(context)
    yield await sign_in(context, site, "outsider")
    await watched.end()
    await context.close()

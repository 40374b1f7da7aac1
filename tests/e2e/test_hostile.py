"""Hostile words in a real browser: live, after a reload, and on the staff's pages. Nothing runs, nothing is fetched."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from conversations.providers.recorded import Script
from tests.e2e.acts import ask, ends
from tests.e2e.conftest import Providers
from tests.e2e.site import Site, sign_in
from tests.e2e.watching import Watched
from tests.rendering.corpus import DEFINITIONS, HOSTILE
from tests.test_hostile_pages import LONG, SHORT

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# Told on every page before anything of it is read: violations of the policy, and a sentinel.
LISTEN = """
window.violations = [];
document.addEventListener("securitypolicyviolation",
  event => violations.push(`${event.violatedDirective} ${event.blockedURI}`));
for (const name of ["zqfire", "alert", "msgbox"]) window[name] = () => { window.fired = name; };
"""

# As a shell of the site's: names and words of Coca Cola's become hostile. What they are comes from the environment.
POISON = f"""
from django.contrib.auth.models import User
from conversations.models import Company, Label, Persona, Rule
short, long = {SHORT!r}, {LONG!r}
coca = Company.objects.get(name="Coca Cola")
Persona.objects.filter(company=coca, name="Coca Cola guide").update(
    name=short, tagline=short, greeting=long, starters=[long, short], avatar="<\u202e")
Label.objects.create(company=coca, name=short)
Rule.objects.create(company=coca, kind=Rule.Kind.WORDS, value="zqfire")
for person in User.objects.filter(username__in=["member", "manager"]):
    User.objects.filter(pk=person.pk).update(first_name=short, last_name=short)
Company.objects.filter(pk=coca.pk).update(name=short)
"""
RESTORE = f"""
from django.contrib.auth.models import User
from conversations.models import Company, Label, Persona, Rule
short = {SHORT!r}
Label.objects.filter(name=short).delete()
Rule.objects.filter(value="zqfire").delete()
Persona.objects.filter(name=short).update(
    name="Coca Cola guide", tagline="", greeting="", starters=[], avatar="")
User.objects.filter(first_name=short).update(first_name="", last_name="")
Company.objects.filter(name=short).update(name="Coca Cola")
"""


@dataclass
class Heard:
    """What a browser did that nobody asked for."""

    site: Site
    wrong: list[str] = field(default_factory=list)

    def listen(self, context: BrowserContext) -> None:
        context.on("request", lambda request: self._asked(request.url))
        context.on("dialog", lambda dialog: self.wrong.append(f"a dialog: {dialog.message}"))
        context.on("console", lambda said: self._said(said.text))
        context.on("page", lambda page: page.on("websocket", lambda socket: self._asked(socket.url)))

    def _asked(self, url: str) -> None:
        at = re.sub(r"^(http|ws)", "http", url)
        if not at.startswith(self.site.url) or "zq.png" in at or "/zq" in at:
            self.wrong.append(f"asked for {url}")

    def _said(self, text: str) -> None:
        if "Content Security Policy" in text or "Content-Security-Policy" in text:
            self.wrong.append(text)

    async def look(self, page: Page) -> None:
        """See that a page is as it should be."""
        self.wrong += await page.evaluate("violations")
        if await page.evaluate("window.fired"):
            self.wrong.append(f"ran on {page.url}")
        if await page.locator("zqtag, [zqattr], #zqid, [name=zqid], .zqid, base").count():
            self.wrong.append(f"an element on {page.url}")


@pytest_asyncio.fixture(loop_scope="session")
async def heard(site: Site) -> AsyncIterator[Heard]:
    site.manage("shell", "-c", POISON)
    heard = Heard(site)
    yield heard
    site.manage("shell", "-c", RESTORE)
    assert heard.wrong == []


async def browser_of(browser: Browser, heard: Heard) -> tuple[BrowserContext, Watched]:
    context = await browser.new_context()
    context.set_default_timeout(15_000)
    await context.add_init_script(LISTEN)
    heard.listen(context)
    return context, Watched(context)


async def test_nothing_runs_in_an_answer(
    browser: Browser, site: Site, providers: Providers, heard: Heard
) -> None:
    """Live, in pieces of some letters; then reloaded, which must show the same."""
    text = "\n\n".join([*HOSTILE, *DEFINITIONS, LONG]).replace("\ud83d \udc00", "")
    question = providers.on(
        f"Hostile? {SHORT}", Script(pieces=tuple(text[at : at + 7] for at in range(0, len(text), 7)))
    )
    context, watched = await browser_of(browser, heard)
    page = await sign_in(context, site, "member")
    await heard.look(page)
    await ask(page, question)
    await ends(page)
    await heard.look(page)
    shown = page.locator('article[data-role="assistant"] [data-text]').last
    live = await shown.inner_html()
    assert await page.locator("#composer-text").count() == 1
    await page.reload()
    await expect(shown).not_to_be_empty()
    assert await shown.inner_html() == live
    await heard.look(page)
    await watched.end()
    await context.close()


@pytest.mark.parametrize("who", ["manager", "admin"])
async def test_nothing_runs_on_the_pages_of_staff(
    browser: Browser, site: Site, heard: Heard, who: str
) -> None:
    context, watched = await browser_of(browser, heard)
    page = await sign_in(context, site, who)
    ((company,),) = site.rows("SELECT id FROM conversations_company WHERE name = ?", SHORT)
    ((persona,),) = site.rows("SELECT id FROM conversations_persona WHERE name = ?", SHORT)
    studio = f"/admin/conversations/persona/{uuid.UUID(persona)}"
    review = f"/admin/review/{uuid.UUID(company)}"
    await page.goto(f"{site.url}{review}/sitting/")
    if await page.get_by_role("textbox").count():
        await page.get_by_role("textbox").last.fill(SHORT)
        await page.locator("main button[type=submit], #content button[type=submit]").first.click()
    for address in (
        *("/admin/", "/admin/conversations/persona/", f"{studio}/change/", f"{studio}/history/"),
        *(
            "/admin/conversations/membership/",
            f"{review}/",
            f"{review}/answers/",
            f"{review}/answers/?text=zqtag",
        ),
        *(f"{review}/usage/", f"{review}/exports/", f"{review}/settings/", f"{review}/readings/"),
    ):
        response = await page.goto(site.url + address)
        assert response is not None
        assert response.status == 200, address
        await heard.look(page)
    isolated = "element => getComputedStyle(element).unicodeBidi"
    for tag in ("a", "strong"):
        assert await page.locator(f"body {tag}").first.evaluate(isolated) == "isolate"
    await watched.end()
    await context.close()

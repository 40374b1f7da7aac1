"""Accounts in a browser: an authenticator app, a passkey, an invitation. Passkeys want an address with a name."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from allauth.mfa.totp.internal import auth as totp
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.e2e.site import PASSWORD, Site
from tests.openid import CLIENT, SECRET, Running

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NEW = "another battery staple"


@pytest.fixture(scope="module")
def people_elsewhere() -> Iterator[Running]:
    """A provider at which a company's people sign in."""
    running = Running()
    yield running
    running.close()


@pytest.fixture(scope="module")
def named_site(
    tmp_path_factory: pytest.TempPathFactory, chromium: str, people_elsewhere: Running
) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("accounts"), LOCAL_UPSTREAMS=people_elsewhere.place)
    yield site.install().start()
    site.close()
    assert "Traceback" not in site.log.read_text(), site.log.read_text()


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(browser: Browser, named_site: Site) -> AsyncIterator[BrowserContext]:
    """A browser of somebody who is not signed in. An error on a page fails the test."""
    context = await browser.new_context(base_url=at(named_site))
    context.set_default_timeout(10_000)
    problems: list[str] = []
    context.on("weberror", lambda error: problems.append(str(error.error)))
    context.on(
        "console",
        lambda said: (
            problems.append(said.text)
            if said.type == "error" and "Failed to load resource" not in said.text
            else None
        ),
    )
    yield context
    await context.close()
    assert problems == []


def at(site: Site) -> str:
    return f"http://localhost:{site.port}"


async def enter(page: Page, name: str, password: str = PASSWORD) -> None:
    await page.goto("/accounts/login/")
    await page.get_by_label("Username").fill(name)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in", exact=True).click()


async def prove(page: Page, password: str = PASSWORD) -> None:
    await expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Continue").click()


async def leave(page: Page) -> None:
    await page.goto("/")
    await page.locator(".person-button").click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def code(secret: str, ahead: int = 0) -> str:
    """A code that is good now; of the next half minute, where this one's was used."""
    return str(totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30 + ahead)))


async def test_an_app_is_set_up_and_asked_for(visitor: BrowserContext) -> None:
    page = await visitor.new_page()
    await enter(page, "member")
    await page.locator(".person-button").click()
    await page.get_by_role("link", name="Your account").click()
    await page.get_by_role("link", name="Set up").click()
    await prove(page)
    picture = page.get_by_role("img")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("each => each.naturalWidth") > 0
    secret = await page.locator("#totp-key").inner_text()
    await page.get_by_label("Code").fill(code(secret))
    await page.get_by_role("button", name="Turn on").click()
    await expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    spare = await page.locator(".account-codes code").first.inner_text()
    await leave(page)
    await enter(page, "member")
    await expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    await page.get_by_label("Code").fill(code(secret, 1))
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="New chat")).to_be_visible()
    await leave(page)
    await enter(page, "member")
    await page.get_by_label("Code").fill(spare)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="New chat")).to_be_visible()


async def test_a_passkey_stands_beside_the_password_and_instead_of_it(visitor: BrowserContext) -> None:
    page = await visitor.new_page()
    line = await visitor.new_cdp_session(page)
    await line.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    added = await line.send("WebAuthn.addVirtualAuthenticator", {"options": device})
    await enter(page, "member2")
    await page.goto("/accounts/")
    await page.get_by_role("link", name="Add a passkey").click()
    await prove(page)
    await page.get_by_label("Name").fill("My laptop")
    await page.get_by_role("button", name="Add it").click()
    await expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    await page.goto("/accounts/")
    await expect(page.get_by_text("My laptop")).to_be_visible()
    await leave(page)
    # Beside the password.
    await enter(page, "member2")
    await expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    await page.get_by_role("button", name="Use a passkey").click()
    await expect(page.get_by_role("heading", name="New chat")).to_be_visible()
    await leave(page)
    # Instead of it, and on to where one was going.
    await page.goto("/accounts/login/?next=/accounts/")
    await page.get_by_role("button", name="Use a passkey").click()
    await expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    # Another change needs it once more; then it is gone.
    await page.get_by_role("link", name="Remove My laptop").click()
    await page.get_by_role("link", name="Use a passkey").click()
    await page.get_by_role("button", name="Use a passkey").click()
    await page.get_by_role("button", name="Remove it").click()
    await expect(page.get_by_text("My laptop")).to_be_hidden()
    # A device without one says so.
    await leave(page)
    await line.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": added["authenticatorId"]})
    await line.send("WebAuthn.addVirtualAuthenticator", {"options": device})
    await page.get_by_role("button", name="Use a passkey").click()
    await expect(page.get_by_text("No passkey was given.")).to_be_visible()


async def test_an_invitation_is_made_and_accepted(visitor: BrowserContext, browser: Browser) -> None:
    page = await visitor.new_page()
    await enter(page, "manager")
    await page.goto("/admin/conversations/membership/")
    await page.get_by_role("link", name="Invite somebody").click()
    await page.get_by_label("Note").fill("Ada")
    await page.get_by_role("button", name="Save").click()
    await visitor.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.get_by_role("button", name="Copy the link").click()
    await expect(page.get_by_role("status")).to_have_text("Copied")
    link = str(await page.evaluate("navigator.clipboard.readText()"))
    assert link == await page.get_by_label("The link").input_value()
    await visitor.clear_cookies()
    await page.goto(link)
    await page.get_by_label("Username").fill("ada")
    await page.get_by_label("Password", exact=True).fill(NEW)
    await page.get_by_label("Password again").fill("something else")
    await page.get_by_role("button", name="Join").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_label("Password again")).to_be_focused()
    await page.get_by_label("Password", exact=True).fill(NEW)
    await page.get_by_label("Password again").fill(NEW)
    await page.get_by_role("button", name="Join").click()
    await expect(page.get_by_role("heading", name="New chat")).to_be_visible()
    await expect(page.get_by_role("radio", name="Coca Cola guide")).to_be_visible()
    await leave(page)
    await page.goto(link)
    await expect(page.get_by_role("heading", name="This link does not lead anywhere")).to_be_visible()
    await enter(page, "ada", NEW)
    await expect(page.get_by_role("heading", name="New chat")).to_be_visible()


async def test_somebody_with_an_account_signs_in_and_joins(visitor: BrowserContext) -> None:
    page = await visitor.new_page()
    await enter(page, "manager")
    await page.goto("/admin/conversations/invitation/add/")
    await page.get_by_role("button", name="Save").click()
    link = await page.get_by_label("The link").input_value()
    await visitor.clear_cookies()
    await page.goto(link)
    await page.get_by_role("link", name="Sign in and join with it").click()
    await page.get_by_label("Username").fill("outsider")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.get_by_role("button", name="Join as outsider").click()
    await expect(page.get_by_role("radio", name="Coca Cola guide")).to_be_visible()
    await expect(page.get_by_role("radio", name="Globex helpdesk")).to_be_visible()


async def test_a_company_signs_in_at_its_own_provider(
    visitor: BrowserContext, named_site: Site, browser: Browser, people_elsewhere: Running
) -> None:
    running = people_elsewhere
    running.provider.person = {"sub": "1001", "preferred_username": "grace", "groups": ["staff"]}
    page = await visitor.new_page()
    await enter(page, "admin")
    await page.goto("/admin/conversations/companysignin/add/")
    await page.get_by_label("Company:").select_option("Coca Cola")
    await page.get_by_label("Issuer").fill(running.provider.issuer)
    await page.get_by_label("Client id").fill(CLIENT)
    await page.get_by_label("Client secret").fill(SECRET)
    await page.get_by_label("Role claim").fill("groups")
    await page.get_by_label("Member values").fill("staff")
    await page.get_by_role("button", name="Save and continue editing").click()
    link = str(await page.get_by_role("link", name="/accounts/company/").get_attribute("href"))
    await visitor.clear_cookies()
    await page.goto(link)
    await page.get_by_role("button", name="Sign in with Coca Cola").click()
    await expect(page.get_by_role("heading", name="New chat")).to_be_visible()
    await expect(page.locator(".person-name")).to_have_text("grace")
    await leave(page)
    await page.get_by_role("button", name="Continue with Coca Cola").click()
    await expect(page.locator(".person-name")).to_have_text("grace")
    stranger = await browser.new_page(base_url=at(named_site))
    await stranger.goto("/accounts/login/")
    await expect(stranger.get_by_role("button", name="Use a passkey")).to_be_visible()
    await expect(stranger.get_by_text("Coca Cola")).to_be_hidden()
    await stranger.close()

"""Pictures of accounts: what one signs in with, invitations, and what is refused."""

from __future__ import annotations

from playwright.async_api import BrowserContext, Page

from tests.e2e.pictures import shoot
from tests.e2e.site import PASSWORD, Site, sign_in


async def _again(page: Page) -> None:
    if await page.get_by_role("heading", name="Is it you?").is_visible():
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Continue").click()


async def account(context: BrowserContext, site: Site, suffix: str) -> None:
    """One's own account, and what is changed there."""
    await sign_in(await context.browser.new_context(), site, "member2")  # type: ignore[union-attr]
    page = await sign_in(context, site, "member2")
    await page.goto(f"{site.url}/accounts/")
    await shoot(page, f"account-{suffix}", whole=True)
    await page.goto(f"{site.url}/accounts/password/")
    await shoot(page, f"account-password-{suffix}")
    await page.goto(f"{site.url}/accounts/app/")
    await shoot(page, f"account-again-{suffix}")
    await _again(page)
    await shoot(page, f"account-app-{suffix}", whole=True)
    await page.get_by_label("Code").fill("000000")
    await page.get_by_role("button", name="Turn on").click()
    await page.locator(".field-error").first.wait_for()
    await shoot(page, f"account-app-wrong-{suffix}", whole=True)
    await page.goto(f"{site.url}/accounts/passkeys/add/")
    await page.get_by_role("button", name="Add it").click()
    await page.locator("[data-passkey-error]:not(:empty)").wait_for()
    await shoot(page, f"account-passkey-{suffix}")


async def invitation(context: BrowserContext, site: Site, suffix: str) -> None:
    """An invitation as its maker, its reader and everybody else see it."""
    page = await sign_in(context, site, "manager")
    await page.goto(f"{site.url}/admin/conversations/membership/")
    await shoot(page, f"people-{suffix}")
    await page.get_by_role("link", name="Invite somebody").click()
    await shoot(page, f"invite-{suffix}")
    await page.get_by_label("Note").fill("Ada, from quality")
    await page.get_by_role("button", name="Save").click()
    await shoot(page, f"invited-{suffix}")
    link = await page.get_by_label("The link").input_value()
    await page.goto(f"{site.url}/admin/conversations/invitation/")
    await shoot(page, f"invitations-{suffix}")
    await page.goto(link)
    await shoot(page, f"invitation-there-{suffix}")
    await context.clear_cookies()
    await page.goto(link)
    await shoot(page, f"invitation-{suffix}", whole=True)
    await page.goto(f"{site.url}/accounts/invitation/guessed/")
    await shoot(page, f"invitation-dead-{suffix}")


async def refused(context: BrowserContext, site: Site, suffix: str) -> None:
    """Too many tries, and what operators do for who cannot get in."""
    page = await context.new_page()
    for _ in range(6):
        await page.goto(f"{site.url}/accounts/login/")
        await page.get_by_label("Username").fill(f"nobody-{suffix}")
        await page.get_by_label("Password").fill("wrong")
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await page.get_by_role("alert").first.wait_for()
    await shoot(page, f"too-many-{suffix}")
    await page.close()
    page = await sign_in(context, site, "admin")
    await page.goto(f"{site.url}/admin/conversations/companysignin/add/")
    await shoot(page, f"company-sign-in-{suffix}", whole=True)
    await page.goto(f"{site.url}/admin/auth/user/?q=member2")
    await page.get_by_role("link", name="member2").click()
    await shoot(page, f"account-admin-{suffix}", whole=True)
    await page.get_by_role("button", name="Make a link for a new password").click()
    await page.get_by_label("The link").wait_for()
    await shoot(page, f"password-link-{suffix}")
    link = await page.get_by_label("The link").input_value()
    await context.clear_cookies()
    await page.goto(link)
    await shoot(page, f"new-password-{suffix}")


ACCOUNTS = (account, invitation, refused)

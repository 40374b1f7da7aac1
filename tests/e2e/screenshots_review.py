"""Photographs of the company's side: the reviewers' workplace, its settings, exports and figures."""

from __future__ import annotations

import uuid

from playwright.async_api import BrowserContext, Page, expect

from tests.e2e.pictures import shoot
from tests.e2e.site import Site, sign_in

COMPANY = "SELECT id FROM conversations_company WHERE name = ?"


def workplace(site: Site, company: str = "Coca Cola") -> str:
    """The address of a company's workplace."""
    return f"{site.url}/admin/review/{uuid.UUID(site.rows(COMPANY, company)[0][0])}/"


async def begin(page: Page) -> None:
    """Say why one reads."""
    await page.get_by_label("Why are you reading?").fill("Review of the queue")
    await page.get_by_role("button", name="Begin reading").click()


async def queue(context: BrowserContext, site: Site, suffix: str) -> None:
    """The queue, and a conversation of it under review."""
    page = await sign_in(context, site, "reviewer")
    await page.goto(workplace(site))
    await shoot(page, f"queue-{suffix}")
    await page.locator("tbody a").first.click()
    await shoot(page, f"sitting-{suffix}")
    await begin(page)
    await shoot(page, f"entry-{suffix}", whole=True)
    await page.get_by_role("button", name="Claim").click()
    await page.get_by_role("button", name="Incomplete").first.click()
    await shoot(page, f"review-{suffix}")
    await shoot(page, f"review-whole-{suffix}", whole=True)
    await page.get_by_role("button", name="Give it back to the queue").click()
    await expect(page.get_by_role("heading", name="Review queue")).to_be_visible()


async def answers(context: BrowserContext, site: Site, suffix: str) -> None:
    """The ledger of answers: all, some that were found, none."""
    page = await sign_in(context, site, "reviewer")
    await page.goto(f"{workplace(site)}answers/")
    await begin(page)
    await shoot(page, f"answers-{suffix}")
    await page.goto(f"{workplace(site)}answers/?text=recipe+secret")
    await shoot(page, f"answers-found-{suffix}")
    await page.goto(f"{workplace(site)}answers/?text=nobody+said+that&error=any")
    await shoot(page, f"answers-none-{suffix}")


async def settings(context: BrowserContext, site: Site, suffix: str) -> None:
    """What managers settle about review, as it is at first and after an error."""
    page = await sign_in(context, site, "manager")
    await page.goto(f"{workplace(site)}settings/")
    await shoot(page, f"review-settings-{suffix}", whole=True)
    await page.get_by_role("link", name="Pattern").click()
    await page.get_by_role("textbox", name="Pattern").fill("(open")
    await page.get_by_role("button", name="Add rule").click()
    await shoot(page, f"review-rule-error-{suffix}", whole=True)
    await page.goto(f"{workplace(site)}readings/")
    await shoot(page, f"readings-{suffix}")


async def exports(context: BrowserContext, site: Site, suffix: str) -> None:
    """The exports of a company: the form, and what was made."""
    page = await sign_in(context, site, "manager")
    await page.goto(f"{workplace(site)}exports/")
    await begin(page)
    await shoot(page, f"exports-form-{suffix}", whole=True)
    for kind in ("Answers as a table", "Tuning: examples"):
        await page.get_by_role("radio", name=kind).check()
        await page.get_by_role("button", name="Make export").click()
    await page.evaluate("document.querySelector('#exports-made').scrollIntoView()")
    await shoot(page, f"exports-{suffix}")


async def usage(context: BrowserContext, site: Site, suffix: str) -> None:
    """The figures of a company and of all."""
    page = await sign_in(context, site, "admin")
    for name, address in (
        ("usage", f"{workplace(site)}usage/"),
        ("usage-year", f"{workplace(site)}usage/?days=365"),
        ("usage-empty", f"{workplace(site, 'Globex')}usage/?from=2020-01-01&to=2020-01-31"),
        ("usage-problem", f"{workplace(site, 'Globex')}usage/?from=2020-02-01&to=2020-01-31"),
        ("usage-all", f"{site.url}/admin/review/usage/"),
    ):
        await page.goto(address)
        await shoot(page, f"{name}-{suffix}", whole=True)


REVIEW = (queue, answers, settings, exports, usage)

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


async def keeping(context: BrowserContext, site: Site, suffix: str) -> None:
    """How long chats are kept, what is held, and all of one person's."""
    page = await sign_in(context, site, "manager")
    await (
        page.get_by_role("button", name="manager").or_(page.get_by_role("button", name="Chats")).first.click()
    )
    await shoot(page, f"menu-{suffix}")
    await page.goto(f"{workplace(site)}keeping/")
    await page.get_by_label("Days", exact=True).fill("3")
    await page.get_by_role("button", name="Save the period", exact=True).click()
    await shoot(page, f"period-preview-{suffix}", whole=True)
    await page.get_by_role("button", name="Shorten the period").click()
    await page.goto(f"{workplace(site)}people/")
    await shoot(page, f"people-{suffix}", whole=True)
    await page.get_by_role("link", name="member2").click()
    await page.get_by_label("Why must it be kept?").fill("A dispute about an invoice")
    await shoot(page, f"person-{suffix}", whole=True)
    await page.get_by_role("button", name="Hold", exact=True).click()
    await shoot(page, f"person-held-{suffix}", whole=True)
    await page.goto(f"{workplace(site)}keeping/")
    await page.get_by_text("Lift", exact=True).first.click()
    await shoot(page, f"keeping-{suffix}", whole=True)
    await page.get_by_label("Why need it not be held any more?").first.fill("It is settled")
    await page.get_by_role("button", name="Lift the hold").first.click()
    await page.get_by_role("button", name="Take back").click()
    await page.get_by_label("Days", exact=True).fill("x")
    await page.get_by_role("button", name="Save the period", exact=True).click()
    await shoot(page, f"keeping-refused-{suffix}")


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


async def keys(context: BrowserContext, site: Site, suffix: str) -> None:
    """A company's own keys at providers: none, one that was refused, one that is set; and an operator's provider."""
    page = await sign_in(context, site, "manager")
    await page.goto(f"{workplace(site)}keys/")
    await shoot(page, f"keys-{suffix}", whole=True)
    await page.get_by_label("key for Mistral").fill("two words")
    await page.get_by_role("button", name="key for Mistral").click()
    await shoot(page, f"keys-error-{suffix}", whole=True)
    await page.get_by_label("key for Mistral").fill("a-key-that-is-none-4711")
    await page.get_by_role("button", name="key for Mistral").click()
    await expect(page.get_by_text("ending in …4711")).to_be_visible()
    await shoot(page, f"keys-set-{suffix}", whole=True)
    await page.get_by_role("button", name="Remove the key for Mistral").click()
    page = await sign_in(await _other(context), site, "admin")
    await page.goto(f"{site.url}/admin/conversations/endpoint/add/")
    await page.get_by_label("Name").fill("A server of one's own")
    await page.get_by_label("Address").fill("http://127.0.0.1:11434")
    await page.get_by_label("Protocol").select_option("openai")
    await page.get_by_label("Key").fill("a-key-that-is-none-4711")
    await page.get_by_role("button", name="Save", exact=True).click()
    await shoot(page, f"provider-error-{suffix}", whole=True)
    await page.goto(f"{site.url}/admin/conversations/endpoint/")
    await page.get_by_role("link", name="Mistral").click()
    await shoot(page, f"provider-{suffix}", whole=True)
    await page.context.close()


async def _other(context: BrowserContext) -> BrowserContext:
    """A browser of somebody else's that looks the same."""
    assert context.browser is not None
    page = context.pages[0]
    dark = await page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    return await context.browser.new_context(
        viewport=page.viewport_size, color_scheme="dark" if dark else "light"
    )


async def budgets(context: BrowserContext, site: Site, suffix: str) -> None:
    """A budget that a manager makes: the empty page, the form after an error, and the page with it; the prices."""
    page = await sign_in(context, site, "manager")
    await page.goto(f"{workplace(site)}budgets/new/")
    await page.get_by_label("Whose").select_option("member")
    await page.get_by_role("textbox", name="Ends at").fill("many")
    await page.get_by_role("button", name="Add budget").click()
    await shoot(page, f"budget-error-{suffix}", whole=True)
    await page.get_by_role("textbox", name="Ends at").fill("50,000")
    await page.get_by_role("button", name="Add budget").click()
    await shoot(page, f"budgets-{suffix}", whole=True)
    await page.get_by_role("link", name="Change").first.click()
    await page.get_by_role("button", name="Remove").click()


REVIEW = (queue, answers, settings, keeping, exports, usage, keys, budgets)

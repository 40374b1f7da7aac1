"""Reading an answer: formulas, what is copied of it, long lines of code."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, Page, expect

from conversations.providers.recorded import Script
from tests.e2e.acts import SLOW, answer, ask, ends
from tests.e2e.conftest import Providers

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ROOTS = (
    "The roots of $ax^2 + bx + c$ cost $5 or **$6**, with \\(a \\ne 0\\):\n\n"
    "\\[\nx = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}\n\\]\n\n"
    "$$\n\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix} \\cdot \\mathbf{x} = "
    "\\begin{cases} \\sum_{i=1}^{n} x_i & x > 0 \\\\ \\hat{y} & \\text{else} \\end{cases}\n$$\n\n"
    "That is all of it.\n"
)
CODE = (
    "Here:\n\n```python\n"
    + "print('a long line', " * 20
    + ")\n```\n\nIt is **long**, see https://example.com/a.\n"
)
COPIED = """
async () => {
  const [item] = await navigator.clipboard.read();
  const read = async (type) => (await item.getType(type)).text();
  return [await read("text/plain"), await read("text/html")];
}
"""


async def test_formulas_are_drawn_as_they_stream(page: Page, providers: Providers) -> None:
    pieces = tuple(ROOTS[at : at + 5] for at in range(0, len(ROOTS), 5))
    await ask(page, providers.on("which roots?", Script(pieces=pieces, pace=SLOW)))
    text = answer(page).locator("[data-text]")
    await expect(text.locator("math").first).to_be_visible()
    await expect(answer(page)).to_have_attribute("data-status", "running")
    await ends(page)
    await expect(text.locator("math")).to_have_count(4)
    await expect(text.locator("math[display=block]")).to_have_count(2)
    await expect(text).to_contain_text("cost $5 or $6, with")
    fraction = await text.locator("mfrac").bounding_box()
    above = await text.locator("mfrac > *").first.bounding_box()
    below = await text.locator("mfrac > *").last.bounding_box()
    assert fraction
    assert above
    assert below
    assert above["y"] + above["height"] <= below["y"]


async def test_an_answer_is_copied_as_markdown_and_as_rich_text(
    context: BrowserContext, page: Page, providers: Providers
) -> None:
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    await ask(page, providers.on("copy this", Script(pieces=(CODE,))))
    await ends(page)
    await answer(page).get_by_role("button", name="Copy").last.click()
    await expect(page.get_by_text("Copied")).to_be_attached()
    plain, rich = await page.evaluate(COPIED)
    assert plain == CODE
    assert "<strong>long</strong>" in rich
    assert "print" in rich
    assert "Copy" not in rich
    assert "<button" not in rich


async def test_lines_of_code_are_wrapped_on_demand(page: Page, providers: Providers) -> None:
    await ask(page, providers.on("a long line", Script(pieces=(CODE,))))
    await ends(page)
    code = answer(page).locator("figure pre")
    overflows = "pre => pre.scrollWidth > pre.clientWidth"
    assert await code.evaluate(overflows)
    wrap = answer(page).get_by_role("button", name="Wrap lines")
    await wrap.click()
    await expect(wrap).to_have_attribute("aria-pressed", "true")
    assert not await code.evaluate(overflows)
    await wrap.press("Enter")
    await expect(wrap).to_have_attribute("aria-pressed", "false")
    assert await code.evaluate(overflows)

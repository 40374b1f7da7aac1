"""The frames in a real browser, swapped by the htmx and the ws extension that the product ships."""

from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from conversations.rendering import fragments
from conversations.rendering.blocks import BlockStream
from conversations.rendering.markdown import render
from tests.rendering.corpus import ANSWER, DEFINITIONS, HOSTILE

pytestmark = pytest.mark.browser

MID = "0f0e6d1c-7b1a-4f0e-9d55-0123456789ab"
SCRIPTS = Path(str(files("django_htmx"))) / "static" / "django_htmx"
LONG = (
    "".join(f"- item {n} is of *some* length\n" for n in range(60))
    + "\nThen:\n\n| n | name |\n|--:|------|\n"
    + "".join(f"| {n} | **row** {n} of the table |\n" for n in range(60))
)
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run", "--disable-quic"),
]

# A socket that never leaves the page: what the test hands to it arrives as a message.
SOCKET = """() => {
htmx.config.allowScriptTags = false;
window.lost = [];
document.body.addEventListener("htmx:oobErrorNoTarget", (event) => lost.push(event.detail.target));
htmx.createWebSocket = () => {
  window.socket = new EventTarget();
  socket.addEventListener("message", (event) => socket.onmessage?.(event));
  socket.close = () => {};
  return socket;
};
window.take = (frame) => socket.dispatchEvent(new MessageEvent("message", { data: frame }));
}"""


@pytest.fixture
async def page(chromium: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = await browser.new_page()
        await page.set_content(f'<div id="log"><p id="sentinel">x</p><div id="text-{MID}"></div></div>')
        await page.add_script_tag(path=SCRIPTS / "htmx-2.js")
        await page.add_script_tag(path=SCRIPTS / "ext" / "hx-ws-2.js")
        await page.evaluate(SOCKET)
        await page.evaluate(
            """() => {
                const log = document.getElementById("log");
                log.setAttribute("hx-ext", "ws");
                log.setAttribute("ws-connect", "/never");
                htmx.process(log);
            }"""
        )
        yield page
        assert await page.evaluate("lost") == []
        await browser.close()


async def inside(page: Page, selector: str) -> str:
    return str(await page.evaluate("(selector) => document.querySelector(selector).innerHTML", selector))


async def parsed(page: Page, html: str) -> str:
    """`html` as this browser writes it."""
    script = (
        "(html) => { const t = document.createElement('template'); t.innerHTML = html; return t.innerHTML; }"
    )
    return str(await page.evaluate(script, html))


async def play(page: Page, text: str, step: int) -> BlockStream:
    stream = BlockStream()
    await page.evaluate("take", fragments.snapshot(MID, stream))
    for at in range(0, len(text), step):
        frame = fragments.frame(MID, stream.feed(text[at : at + step]))
        await page.evaluate("take", frame)
    return stream


def tidy(html: str) -> str:
    return html.replace("\n", "")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(ANSWER, id="answer"),
        pytest.param(LONG, id="long"),
        pytest.param("\n\n".join([*DEFINITIONS, *HOSTILE]), id="hostile"),
    ],
)
async def test_frames_end_as_the_whole(page: Page, text: str) -> None:
    live: list[object] = []
    page.on("request", lambda request: live.append(request))
    page.on("dialog", lambda dialog: live.append(dialog))
    stream = await play(page, text, 17)
    shown = await inside(page, f"#text-{MID}")
    expected = await parsed(page, fragments.inside(MID, stream))
    assert tidy(shown) == tidy(expected)
    await page.evaluate("take", fragments.ending(MID, stream.finish()))
    assert await inside(page, f"#text-{MID}") == await parsed(page, render(text))
    assert await inside(page, "#sentinel") == "x"
    assert live == []


async def test_the_end_leaves_settled_nodes_and_a_selection_alone(page: Page) -> None:
    stream = await play(page, "The first block.\n\nThe second one.\n", 5)
    await page.evaluate(
        "(id) => { window.first = document.querySelector(id).firstElementChild;"
        " getSelection().selectAllChildren(first); }",
        f"#text-{MID}",
    )
    await page.evaluate("take", fragments.frame(MID, stream.feed("\nThe third.")))
    await page.evaluate("take", fragments.ending(MID, stream.finish()))
    assert await page.evaluate("first.isConnected && getSelection().toString()") == "The first block."
    assert await page.evaluate("document.querySelector('.tail')") is None

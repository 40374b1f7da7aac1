"""Files that go with a message: by the button, by dropping, by pasting; taken off again, sent, unfolded, kept."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from conversations.providers.recorded import Script
from tests.e2e.acts import answer, ask, ends
from tests.e2e.conftest import Providers

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NAME = "<img src=x onerror=alert(1)>\u202etxt.md"
ARRIVES = """({ kind, files, text }) => {
  const data = new DataTransfer();
  for (const { name, body, bytes } of files) {
    data.items.add(new File([body ?? new Uint8Array(bytes)], name));
  }
  if (text) data.setData("text/plain", text);
  const target = kind === "paste" ? document.querySelector("[data-composer] textarea") : document.body;
  const about = { bubbles: true, cancelable: true };
  const event = kind === "paste"
    ? new ClipboardEvent(kind, { ...about, clipboardData: data })
    : new DragEvent(kind, { ...about, dataTransfer: data });
  return !target.dispatchEvent(event);
}"""


def named(name: str, body: str = "some words\n") -> Any:
    return {"name": name, "mimeType": "text/plain", "buffer": body.encode()}


def chips(page: Page) -> Locator:
    return page.get_by_role("list", name="Files to be sent").get_by_role("listitem")


async def choose(page: Page, *files: Any) -> None:
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Attach files").click()
    await (await chooser.value).set_files(list(files))


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message")


async def test_files_go_with_a_message(page: Page, providers: Providers) -> None:
    question = providers.on("What is in them?", Script(pieces=("Words.",)))
    await box(page).fill(question)
    await choose(page, named("notes.md", "# Plan\n"), named("data.csv", "a,b\n" * 600))
    await expect(chips(page)).to_have_count(2)
    await expect(chips(page).nth(0)).to_contain_text("notes.md")
    await expect(chips(page).nth(1)).to_contain_text("2 KB")
    await expect(box(page)).to_be_focused()
    await choose(page, named(NAME, "hostile\n"), named("unwanted.txt"))
    await expect(chips(page)).to_have_count(4)
    await page.get_by_role("button", name="Remove unwanted.txt").click()
    await expect(chips(page)).to_have_count(3)
    await expect(page.get_by_role("button", name=f"Remove {NAME}")).to_be_focused()
    await box(page).press("Enter")
    await page.wait_for_url("**/c/*/")
    await ends(page)
    sent = providers.upstream.log.requests[-1].body["messages"][-1]["content"]
    assert sent.startswith(
        f"{question}\n\nAttached file: notes.md\n```\n# Plan\n```\n\nAttached file: data.csv\n"
    )
    await expect(chips(page)).to_have_count(0)

    for _ in range(2):  # as it came, and as it is kept
        asked = page.get_by_role("list", name="Attached files")
        await expect(asked.get_by_role("listitem")).to_have_count(3)
        await asked.get_by_text("notes.md").first.click()
        await expect(asked.locator("pre")).to_have_text("# Plan\n")
        await expect(asked.get_by_role("listitem").nth(2)).to_contain_text(
            "<img src=x onerror=alert(1)>txt.md"
        )
        await page.reload()

    async with page.expect_download() as download:
        await page.get_by_text("data.csv").first.click()
        await page.get_by_role("link", name="Download data.csv").click()
    assert (await download.value).suggested_filename == "data.csv"

    await page.get_by_role("article", name="You").hover()
    await page.get_by_role("button", name="Edit").click()
    edit = page.get_by_role("textbox", name="Your question")
    await expect(page.get_by_text("What is attached goes with it again.")).to_be_visible()
    await edit.fill(providers.on("And now?", Script(pieces=("The same.",))))
    await edit.press("Enter")
    await expect(answer(page).locator("[data-text]")).to_have_text("The same.")
    await expect(page.get_by_role("list", name="Attached files").get_by_role("listitem")).to_have_count(3)
    sent = providers.upstream.log.requests[-1].body["messages"][-1]["content"]
    assert sent.startswith("And now?\n\nAttached file: notes.md")


async def test_files_are_dropped_and_pasted(page: Page, providers: Providers) -> None:
    await ask(page, providers.on("first", Script(pieces=("One.",))))
    await ends(page)
    dropped = {"kind": "drop", "files": [{"name": "dropped.txt", "body": "x"}]}
    await page.evaluate(ARRIVES, {**dropped, "kind": "dragenter"})
    await expect(page.locator("body[data-dropping]")).to_have_count(1)
    assert await page.evaluate(ARRIVES, dropped)
    await expect(page.locator("body[data-dropping]")).to_have_count(0)
    await expect(chips(page)).to_have_text(["dropped.txt1 byte×"])
    assert await page.evaluate(ARRIVES, {"kind": "paste", "files": [{"name": "pasted.csv", "body": "a,b"}]})
    await expect(chips(page)).to_have_count(2)
    # What was copied out of a document: its words are meant, not its picture.
    both = {"kind": "paste", "files": [{"name": "image.png", "body": "x"}], "text": "words"}
    assert not await page.evaluate(ARRIVES, both)
    await expect(chips(page)).to_have_count(2)
    await ask(page, providers.on("second", Script(pieces=("Two.",))))
    await expect(answer(page).locator("[data-text]")).to_have_text("Two.")
    await expect(page.get_by_role("list", name="Attached files").get_by_role("listitem")).to_have_count(2)
    await expect(chips(page)).to_have_count(0)


async def test_what_cannot_go_is_said_and_the_rest_is_kept(page: Page, providers: Providers) -> None:
    alert = page.locator("#composer-error")
    await box(page).fill("my words")
    await choose(page, named("good.txt"))
    await page.evaluate(
        ARRIVES, {"kind": "drop", "files": [{"name": "photo.png", "bytes": [137, 80, 78, 71, 0]}]}
    )
    await expect(alert).to_have_text(
        "“photo.png” is not a file of text: nothing else can be attached. What you attached before is kept."
    )
    await choose(page, named("big.txt", "x" * (1024 * 1024 + 1)))
    await expect(alert).to_contain_text("“big.txt” is larger than 1 MB.")
    await choose(page, *[named(f"{number}.txt") for number in range(9)])
    await expect(alert).to_contain_text("At most 8 files can go with a message.")
    await expect(chips(page)).to_have_count(8)
    await choose(page, named("empty.txt", ""))
    await expect(alert).to_contain_text("“empty.txt” is empty.")
    for number in range(7):
        await page.get_by_role("button", name=f"Remove {number}.txt").click()
    await expect(chips(page)).to_have_count(1)

    # What only the server sees is refused there, and nothing is lost.
    await page.evaluate(ARRIVES, {"kind": "drop", "files": [{"name": "sly.txt", "bytes": [1, 2, 3, 4]}]})
    await expect(chips(page)).to_have_count(2)
    await box(page).press("Enter")
    await expect(alert).to_contain_text("“sly.txt” is not a file of text, whatever its name says.")
    await expect(box(page)).to_have_value("my words")
    await expect(chips(page)).to_have_count(2)
    await page.get_by_role("button", name="Remove sly.txt").click()
    await box(page).fill(" ")
    await box(page).press("Enter")
    await expect(alert).to_have_text("Write what is to be done with what you attached.")
    await box(page).fill(providers.on("my words", Script(pieces=("Taken.",))))
    await box(page).press("Enter")
    await expect(answer(page).locator("[data-text]")).to_have_text("Taken.")


async def test_the_draft_and_its_files_outlive_a_lost_line(page: Page, providers: Providers) -> None:
    await ask(page, providers.on("first of a lost line", Script(pieces=("One.",))))
    await ends(page)
    await box(page).fill(providers.on("second of a lost line", Script(pieces=("Two.",))))
    await choose(page, named("notes.txt"))
    await page.context.set_offline(True)
    await box(page).press("Enter")
    await expect(page.locator("#composer-error")).to_contain_text("Could not reach the server")
    await expect(chips(page)).to_have_count(1)
    await page.context.set_offline(False)
    await box(page).press("Enter")
    await expect(answer(page).locator("[data-text]")).to_have_text("Two.")
    await expect(page.get_by_role("list", name="Attached files").get_by_role("listitem")).to_have_count(1)


async def test_an_answer_says_what_it_rests_on(page: Page, providers: Providers) -> None:
    script = Script(pieces=("The tallest ", "is the emperor."), cites=(("emperor", 0),))
    await page.get_by_role("radio", name="Coca Cola historian").check()
    await box(page).fill(providers.on("Who is tallest?", script))
    await choose(page, named("birds.md", "Emperor penguins <b>are</b> the tallest.\n"))
    await box(page).press("Enter")
    await ends(page)
    assert providers.upstream.log.requests[-1].body["documents"][0]["data"]["title"] == "birds.md, line 1"
    for _ in range(2):  # as it came, and as it is kept
        notes = answer(page).get_by_role("region", name="Sources of this answer")
        note = notes.get_by_role("listitem")
        await expect(note).to_contain_text("birds.md, line 1")
        await expect(note.locator("q")).to_have_text("emperor")
        await note.locator("summary").click()
        await expect(note.locator("blockquote")).to_have_text("Emperor penguins <b>are</b> the tallest.")
        await page.reload()
    # Another version has its own.
    providers.on("Who is tallest?", Script(pieces=("I do not know.",)))
    await answer(page).hover()
    await page.get_by_role("button", name="Regenerate").click()
    await expect(answer(page).locator("[data-text]")).to_have_text("I do not know.")
    await expect(page.get_by_role("region", name="Sources of this answer")).to_have_count(0)


async def test_a_long_name_leaves_send_where_it_is(page: Page) -> None:
    """On the page of a new chat, on a telephone."""
    await page.set_viewport_size({"width": 320, "height": 640})
    name = f"{'W' * 60}.md"
    field = page.locator("input[type=file]")
    await field.set_input_files({"name": name, "mimeType": "text/markdown", "buffer": b"Words."})
    await expect(page.get_by_role("button", name=f"Remove {name}")).to_be_in_viewport(ratio=1)
    await expect(page.get_by_role("button", name="Send")).to_be_in_viewport(ratio=1)

"""What the scripts say: out of the catalogue of the page's language, or else in English, and nothing past that."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import async_playwright

SCRIPTS = Path(__file__).resolve().parents[1] / "static" / "js"
STRING = r'"(?:[^"\\\n]|\\.)*"'
MARKED = re.compile(rf"\bn?gettext\(\s*{STRING}(?:,\s*{STRING})?")
COMMENT = re.compile(r"(?m)^\s*//.*$|(?<=[;,{}]) // .*$")
# Two words with a capital, an end of a sentence, words beside what is put in.
SENTENCE = re.compile(r"""^.[A-Z“]\w* \w|[a-z]\.["`]$|…|\} [a-z]{3,}|[a-z]{3,} \$\{""")
UNSAID = {
    '"The browser did not copy."',  # thrown, and caught where it is said in other words
    '"JSON by a schema"',  # what the server calls it, by which our word for it is found
}
PAGE = """source => import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })))
  .then((words) => { window.words = words; })"""
CATALOGUE = """Object.assign(globalThis, {
  gettext: (text) => ({ "Copied": "Kopiert", "Remove %(name)s": "%(name)s entfernen" })[text] ?? text,
  ngettext: (one, many, count) => (count === 1 ? "eins" : "viele"),
})"""


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.js")), ids=lambda path: path.name)
def test_every_sentence_is_marked(script: Path) -> None:
    source = MARKED.sub("", COMMENT.sub("", script.read_text(encoding="utf-8")))
    found = re.findall(rf"{STRING}|`[^`]*`", source)
    assert [each for each in found if SENTENCE.search(each) and each not in UNSAID] == []


@pytest.mark.browser
@pytest.mark.parametrize(
    ("language", "spoken"),
    [
        (
            "en",
            {
                'words.gettext("Copied")': "Copied",
                'words.ngettext("one", "many", 1)': "one",
                'words.ngettext("one", "many", 0)': "many",
                "words.number(1234567)": "1,234,567",
                "words.number(1.25, { maximumFractionDigits: 1 })": "1.3",
            },
        ),
        (
            "de",
            {
                'words.gettext("Copied")': "Kopiert",
                'words.gettext("Not in it")': "Not in it",
                'words.ngettext("one", "many", 2)': "viele",
                "words.number(1234567)": "1.234.567",
                'words.interpolate(words.gettext("Remove %(name)s"), { name: "x" })': "x entfernen",
            },
        ),
    ],
)
async def test_the_words_of_a_page(chromium: str, language: str, spoken: dict[str, str]) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page()
        await page.set_content(f'<!doctype html><html lang="{language}"><title>x</title></html>')
        if language != "en":
            await page.evaluate(CATALOGUE)
        await page.evaluate(PAGE, (SCRIPTS / "words.js").read_text(encoding="utf-8"))
        said: dict[str, Any] = {each: await page.evaluate(each) for each in spoken}
        # The administration's scripts keep something of their own under that name. What is put in is put in as it is.
        await page.evaluate("globalThis.django = { jQuery: 1 }")
        rest = [
            await page.evaluate('words.gettext("Copied")'),
            await page.evaluate('words.interpolate("%(a)s %(b)s %(c)s", { a: "$& $1 %(b)s", b: 2 })'),
            await page.evaluate('words.interpolate("%(constructor)s", {})'),
        ]
        await browser.close()
    assert said == spoken
    assert rest == [spoken['words.gettext("Copied")'], "$& $1 %(b)s 2 %(c)s", "%(constructor)s"]

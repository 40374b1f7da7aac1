"""All words of the pages go through the catalogues, and the catalogues of all languages are whole.

For the first, the pages are asked for in a language that puts every word of the program's in brackets: what stands
outside of them on a page was written by somebody, or was forgotten.
"""

from __future__ import annotations

import gettext
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils.translation import trans_real

from tests.conftest import Cast, missing
from tests.servers import ROOT
from tests.test_access import cookie_of, sign_in, socket
from tests.test_access_admin import sit
from tests.test_hostile_pages import Node, Reader, pages, poison

BEGIN, END = "\u27e6", "\u27e7"
SPOKEN = {"title", "aria-label", "placeholder", "alt", "aria-description", "aria-roledescription", "label"}
SILENT = {"script", "style", "template", "math"}
TRANSLATED = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
CATALOGUES = ROOT / "conversations" / "locale"
# What is not the program's to translate: names, what people of the demo wrote, and what a provider calls its things.
GIVEN = re.compile(
    r"""zq|\u202e|English|Deutsch|Français|Coca[ ]Cola|Globex|Mistral|Cohere|OpenAI|Ctrl|Shift|Alt|Esc|Enter
    |JSONL?|CSV|HTML|Markdown|ChatGPT|USD|EUR|TOTP|OpenID|[\w.+-]+@[\w.-]+|https?://\S*|/[\w./-]+
    |\b(?:admin|member2?|reviewer|manager|outsider)\b|\w*[_-]\w*\d[\w-]*|[0-9a-f]{8,}""",
    re.VERBOSE,
)


class Bracketing:
    """A translation into brackets."""

    def gettext(self, message: str) -> str:
        return f"{BEGIN}{message.rpartition(chr(4))[2]}{END}"

    def ngettext(self, one: str, many: str, number: int) -> str:
        return self.gettext(one if number == 1 else many)

    def to_language(self) -> str:
        return "de"


@pytest.fixture
def bracketing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(trans_real._translations, "de", Bracketing())  # type: ignore[attr-defined]


def outside(node: Node, depth: list[int]) -> Iterator[str]:
    """What is said on a page beside the catalogue's words. Messages may hold elements: brackets reach across them."""
    for name in SPOKEN & set(node.attributes):
        value = node.attributes[name]
        while BEGIN in value and END in value:
            value, before = re.sub(f"{BEGIN}[^{BEGIN}{END}]*{END}", "", value), value
            if value == before:
                break
        yield from _letters(value, f"{name} of <{node.tag}>")
    for each in node.inside:
        if isinstance(each, Node):
            if each.tag not in SILENT:
                yield from outside(each, depth)
            continue
        for piece in re.split(f"([{BEGIN}{END}])", each):
            depth[0] += {BEGIN: 1, END: -1}.get(piece, 0)
            if depth[0] == 0:
                yield from _letters(piece, f"<{node.tag} class={node.attributes.get('class', '')!r}>")


def _letters(text: str, where: str) -> Iterator[str]:
    if GIVEN.search(text) is None and re.search(r"[^\W\d_]{2}", text):
        yield f"{' '.join(text.split())[:80]!r} in {where}"


@pytest.mark.parametrize("who", ["member", "admin", "manager", "reviewer"])
def test_all_words_go_through_the_catalogue(live_cast: Cast, bracketing: None, who: str) -> None:
    conversation = poison(live_cast)
    client = Client(headers={"Accept-Language": "de"})
    sign_in(client, live_cast, who)
    if who != "member":
        sit(client, live_cast)
    forgotten, read = [], 0
    for person, address in pages(live_cast, conversation):
        if person != who:
            continue
        response = client.get(address)
        if response.streaming or "html" not in response.headers.get("Content-Type", ""):
            continue
        read += 1
        found = outside(Reader(response.content.decode()).root, [0])
        forgotten += [f"{words} at {address}" for words in dict.fromkeys(found)]
    assert read > 5
    assert not forgotten, "\n".join(forgotten)


# -- The catalogues ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalogues as they are when all words are looked for anew."""
    for tool in ("xgettext", "msgfmt"):
        if shutil.which(tool) is None:
            missing(f"GNU gettext ({tool})")
    copy = tmp_path_factory.mktemp("sources")
    for name in ("chatsite", "conversations", "templates", "static"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("manage.py", "pyproject.toml", "Makefile"):
        shutil.copy(ROOT / name, copy)
    subprocess.run(
        ["make", "--silent", "messages", f"BIN={Path(sys.executable).parent}", "PREREQUISITE="],
        cwd=copy, check=True, capture_output=True,
    )  # fmt: skip
    return copy / "conversations" / "locale"


@pytest.mark.parametrize("domain", ["django", "djangojs"])
@pytest.mark.parametrize("language", TRANSLATED)
def test_every_word_is_translated(extracted: Path, language: str, domain: str) -> None:
    """None is missing, none was guessed, none is of a word that is not said any more; what it names stands in each."""
    file = extracted / language / "LC_MESSAGES" / f"{domain}.po"
    checked = subprocess.run(
        ["msgfmt", "--check-format", "--check-header", "--statistics", "-o", "/dev/null", str(file)],
        check=True, capture_output=True, text=True, env={"LC_ALL": "C"},
    )  # fmt: skip
    assert re.fullmatch(r"\d+ translated messages?\.", checked.stderr.strip()), checked.stderr
    assert "#~ " not in file.read_text()
    said = {message: words for message, words in _read(file.with_suffix(".mo")).items() if message}
    assert len(said) > 10
    for message, words in said.items():
        one = message[0] if isinstance(message, tuple) else message
        if not isinstance(message, tuple):
            assert _named(one) == _named(words), one
            assert re.findall(r"</?\w+", one) == re.findall(r"</?\w+", words) or sorted(
                re.findall(r"</?\w+", one)
            ) == sorted(re.findall(r"</?\w+", words)), one


@pytest.mark.parametrize("domain", ["django", "djangojs"])
@pytest.mark.parametrize("language", TRANSLATED)
def test_what_is_spoken_is_what_was_translated(extracted: Path, language: str, domain: str) -> None:
    """The compiled catalogues, which a site uses as they are, hold the same as those for people to edit."""
    place = Path(language) / "LC_MESSAGES" / f"{domain}.mo"
    assert _read(CATALOGUES / place) == _read(extracted / place)


def _read(compiled: Path) -> dict[str | tuple[str, int], str]:
    with compiled.open("rb") as file:
        found = dict(gettext.GNUTranslations(file)._catalog)  # type: ignore[attr-defined]
    found.pop("", None)
    return found


def _named(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)[sd]|\{\w*\}", text))

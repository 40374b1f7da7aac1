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
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils.translation import trans_real

from conversations.database import in_database
from conversations.rendering import markup
from conversations.views import installing
from tests.conftest import Cast, missing
from tests.servers import ROOT
from tests.test_access import cookie_of, sign_in, socket
from tests.test_access_admin import sit
from tests.test_hostile_pages import Node, Reader, pages, poison
from tests.test_posting import end, start

BEGIN, END = "\u27e6", "\u27e7"
SPOKEN = {"title", "aria-label", "placeholder", "alt", "aria-description", "aria-roledescription", "label"}
SILENT = {"script", "style", "template", "math"}
TRANSLATED = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
CATALOGUES = ROOT / "conversations" / "locale"
# What is not the program's to translate: names, what people of the demo wrote, and what a provider calls its things.
GIVEN = re.compile(
    r"""zq|\u202e|English|Deutsch|Français|Coca[ ]Cola|Globex|Mistral|Cohere|OpenAI|Ctrl|Shift|Alt|Esc|Enter
    |JSONL?|CSV|HTML|Markdown|ChatGPT|USD|EUR|TOTP|OpenID|[\w.+-]+@[\w.-]+|https?://\S*|/[\w./-]+
    |\b(?:admin|member2?|reviewer|manager|outsider)\b|\w*[_-]\w*\d[\w-]*|[0-9a-f]{8,}|mistral-large-latest
    |(?:Erased[ ])?[Pp]erson[ ][0-9A-F]+|\d[ ]ms|^\s*(?:CH|stop|md5|to[ ]find[ ]out)\s*$|X-Zq|\*{8}|Pemberton
    |Tells[ ]how|bottle|the[ ]story[ ]from
    # What Django itself says in English alone.
    |^(?:Search|True|False)$|^Whether[ ]the[ ]user|^If[ ]disabled,[ ]the[ ]current""",
    re.VERBOSE,
)


class Bracketing:
    """A translation into brackets."""

    def gettext(self, message: str) -> str:
        said = message.rpartition(chr(4))[2]
        if said == "yes,no,maybe":  # one message that is three
            return ",".join(f"{BEGIN}{each}{END}" for each in said.split(","))
        return f"{BEGIN}{said}{END}"

    def ngettext(self, one: str, many: str, number: int) -> str:
        return self.gettext(one if number == 1 else many)

    def to_language(self) -> str:
        return "de"


@pytest.fixture
def bracketing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """German is brackets, also where words are kept."""
    kept = (markup._words, installing._offline, installing._program)
    for each in kept:
        each.cache_clear()
    monkeypatch.setitem(trans_real._translations, "de", Bracketing())  # type: ignore[attr-defined]
    yield
    for each in kept:
        each.cache_clear()


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
    if GIVEN.search(text.strip()) is None and re.search(r"[^\W\d_]{2}", text):
        yield f"{' '.join(text.split())[:80]!r} in {where}"


@pytest.mark.parametrize("who", ["member", "admin", "manager", "reviewer"])
def test_all_words_go_through_the_catalogue(live_cast: Cast, bracketing: None, who: str) -> None:
    conversation = poison(live_cast)
    client = Client(headers={"Accept-Language": "de"})
    sign_in(client, live_cast, who)
    if who != "member":
        sit(client, live_cast)
    forgotten, read = [], 0
    further = [
        *(reverse(name) for name in ("account", "palette", "shared_after_sign_in", "account_reauthenticate")),
        *(reverse(name, args=[conversation.pk]) for name in ("chat_menu", "conversation")),
        *(reverse(name, args=["guessed"]) for name in ("shared", "invitation", "new_password")),
        "/c/nothing/",
    ]
    for person, address in (*pages(live_cast, conversation), *((who, address) for address in further)):
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


def test_whoever_is_nobody_yet_is_spoken_to_as_well(bracketing: None, live_cast: Cast) -> None:
    client = Client(headers={"Accept-Language": "de"})
    for address in (
        "/accounts/login/",
        "/accounts/invitation/guessed/",
        "/offline/?language=de",
        "/nowhere/",
    ):
        page = client.get(address).content.decode()
        assert BEGIN in page, address
        assert not list(outside(Reader(page).root, [0])), address
    wrong = client.post("/accounts/login/", {"username": "member", "password": "wrong"}).content.decode()
    assert not list(outside(Reader(wrong).root, [0]))


# -- Which language ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "spoken"),
    [("de-AT,de;q=0.8,en;q=0.5", "de"), ("fr", "fr"), ("it,fr;q=0.5", "fr"), ("it", "en"), ("", "en")],
)
def test_the_pages_follow_the_browser(cast: Cast, wanted: str, spoken: str) -> None:
    client = Client(headers={"Accept-Language": wanted})
    client.force_login(cast.member)
    page = client.get("/").content.decode()
    assert f'<html lang="{spoken}">' in page
    assert {"en": "New chat", "de": "Neuer Chat", "fr": "Nouvelle discussion"}[spoken] in page
    assert ("/words/" in page) is (spoken != "en")


def test_a_language_that_was_chosen_stays(cast: Cast) -> None:
    client = Client(headers={"Accept-Language": "de"})
    response = client.post(
        "/language/", {"language": "fr"}, headers={"Referer": "http://testserver/accounts/login/?next=/x/"}
    )
    assert response.headers["Location"] == "http://testserver/accounts/login/?next=/x/"
    client.force_login(cast.member)
    assert "Nouvelle discussion" in client.get("/").content.decode()
    client.post("/language/", {"language": "tlh"})
    assert "Nouvelle discussion" in client.get("/").content.decode()


def test_nobody_is_led_elsewhere_by_it(db: None) -> None:
    for place in ("https://evil.example/", "//evil.example/"):
        for form in ({"language": "de", "next": place}, {"language": "de"}):
            response = Client().post("/language/", form, headers={"Referer": place})
            assert response.headers["Location"] == "/"


def test_the_scripts_words_are_kept_for_good_under_the_name_of_their_edition(cast: Cast) -> None:
    client = Client(headers={"Accept-Language": "de"})
    client.force_login(cast.member)
    found = re.search(r'src="(/words/de\.js\?v=[0-9a-f]{12})"', client.get("/").content.decode())
    assert found is not None
    response = client.get(found[1], headers={"Accept-Language": "fr"})
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["Content-Type"].startswith("text/javascript")
    assert "Verbindung wird" in response.content.decode()
    assert client.get("/words/tlh.js").status_code == 404


async def test_a_socket_speaks_the_language_of_its_page(live_cast: Cast) -> None:
    """Also what threads look up for it, and what is shown after a look at everybody's rights."""
    turn = await in_database(start, live_cast)
    await in_database(end, turn)
    for headers, words in (
        ([(b"accept-language", b"de")], "Antwort"),
        ([(b"accept-language", b"de"), (b"cookie", b"language=fr")], "ponse"),
        ([], "answer"),
    ):
        cookie = await in_database(cookie_of, live_cast.member)
        tab = socket(f"/ws/c/{turn.conversation.pk}/?state=old", cookie)
        kept = dict(tab.scope["headers"])
        given = dict(headers)
        given[b"cookie"] = b"; ".join(filter(None, (kept[b"cookie"], given.get(b"cookie"))))
        tab.scope["headers"] = list((kept | given).items())
        assert (await tab.connect())[0]
        frame = await tab.receive_from()
        assert words in re.sub(r"<svg.*?</svg>", "", frame), headers
        await tab.disconnect()


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
        ["msgfmt", "--check-format", "--statistics", "-o", "/dev/null", str(file)],
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

"""What a person finds in their own chats."""

from __future__ import annotations

import re
import uuid

import pytest
from django.test import Client
from django.utils.html import strip_tags

from conversations import filing, posting, recall, search
from conversations.models import AnswerRecord, Conversation
from tests.answers import ended, ended_in
from tests.conftest import Cast
from tests.test_search import HOSTILE

HTMX = {"HX-Request": "true"}


def titles(cast: Cast, text: str) -> list[str]:
    """The titles of what the member finds, the best first."""
    filing.file_ended()
    return [hit.conversation.title for hit in recall.found(cast.member, text)]


@pytest.mark.parametrize(
    "text",
    [
        "creme",
        "Crème brûlée",
        "brul",
        "max_tokens",
        "maxtokens",
        "max_tok",
        "東京",
        "東",
        '"in a row"',
        "BRÛLÉE row",
    ],
)
def test_what_was_said_is_found(cast: Cast, text: str) -> None:
    ended(cast, "Crème brûlée, `max_tokens`, 東京, words in a row.", question="A question?")
    ended(cast, "Nothing of it: a word, in one row.")
    assert titles(cast, text) == ["A question?"]


def test_questions_are_found_too_and_the_link_leads_to_what_was_said(cast: Cast) -> None:
    asked = ended(cast, "An answer.", question="Where is the marzipan?")
    said = ended(cast, "In the cupboard, with the nougat.", question="Where else?")
    filing.file_ended()
    (hit,) = recall.found(cast.member, "marzipan")
    assert hit.message == asked.answer.parent_id
    assert hit.excerpt == "Where is the <mark>marzipan</mark>?"
    (hit,) = recall.found(cast.member, "nougat")
    assert hit.message == said.answer.pk
    assert "<mark>nougat</mark>" in hit.excerpt


def test_titles_come_first_then_what_fits_best(cast: Cast) -> None:
    ended(cast, "Sugar, sugar, sugar: nothing but sugar.", question="One?")
    ended(cast, "A long text in which there is " + "much else and " * 60 + "sugar.", question="Two?")
    ended(cast, "Sweet.", question="Sugar?")
    assert titles(cast, "sugar") == ["Sugar?", "One?", "Two?"]


def test_a_chat_is_found_once_by_its_best_place(cast: Cast) -> None:
    turn = ended(cast, "Something else with a vanilla " + "and more " * 80, question="One?")
    best = ended_in(turn.conversation, "Vanilla, vanilla.")
    filing.file_ended()
    (hit,) = recall.found(cast.member, "vanilla")
    assert hit.message == best.answer.pk


def test_a_new_title_is_found_and_the_old_one_is_not(cast: Cast) -> None:
    turn = ended(cast, question="Why?")
    assert titles(cast, "why") == ["Why?"]
    record = AnswerRecord.objects.get(message=turn.answer)
    search.entitle({record.pk: (cast.member.pk, "Recipes")})
    Conversation.objects.update(title="Recipes")
    assert titles(cast, "recip") == ["Recipes"]
    (hit,) = recall.found(cast.member, "why")  # it was asked, all the same
    assert hit.message == turn.answer.parent_id


def test_only_ones_own_in_ones_own_companies(cast: Cast) -> None:
    ended(cast, "marzipan", by=cast.member2)
    ended(cast, "marzipan", by=cast.outsider, persona=cast.helpdesk)
    ended(cast, "marzipan", question="Mine?")
    assert titles(cast, "marzipan") == ["Mine?"]
    cast.member.memberships.all().delete()
    assert titles(cast, "marzipan") == []


def test_titles_are_not_in_the_search_of_a_company(cast: Cast) -> None:
    ended(cast, question="Why?")
    filing.file_ended()
    search.entitle({AnswerRecord.objects.get().pk: (cast.member.pk, "zqprivate")})
    assert search.ids([search.tag("company", cast.coca_cola.pk)], recall.as_typed("zqprivate"), limit=9) == []


def test_what_is_deleted_is_found_no_more(cast: Cast) -> None:
    turn = ended(cast, "marzipan", question="Marzipan?")
    assert titles(cast, "marzipan") == ["Marzipan?"]
    Conversation.objects.filter(pk=turn.conversation.pk).delete()
    assert search.best(cast.member.pk, recall.as_typed("marzipan"), limit=9) == []
    assert search.best(cast.member.pk, recall.as_typed("marzipan"), titles=True, limit=9) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_queries_find_nothing_and_raise_nothing(cast: Cast, text: str) -> None:
    ended(cast, "An answer.", question="A question?")
    assert titles(cast, text) == []


def test_more_than_is_shown(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "MOST", 3)
    for number in range(5):
        ended(cast, f"marzipan {number}", question=f"Question {number}?")
    assert len(titles(cast, "marzipan")) == 3
    client = Client(headers=HTMX)
    client.force_login(cast.member)
    page = client.get("/chats/", {"q": "marzipan"}).content.decode()
    assert "The 3 best" in page
    assert "A further word finds fewer." in page


def test_the_page_of_what_is_found(cast: Cast) -> None:
    ended(cast, "It is <b>marzipan</b> & more.", question="<i>What</i>?")
    filing.file_ended()
    client = Client(headers=HTMX)
    client.force_login(cast.member)
    page = client.get("/chats/", {"q": "marzipan"}).content.decode()
    assert "<mark>marzipan</mark>" in page
    assert "<b>" not in page
    assert "&lt;i&gt;What&lt;/i&gt;?" in page
    assert "Nothing found." in strip_tags(client.get("/chats/", {"q": "absent"}).content.decode())
    assert "Write a word" in client.get("/chats/", {"q": "?!"}).content.decode()
    assert client.get("/chats/", {"q": "x" * 10_000}).status_code == 200
    link = re.search(r'href="([^"]+)"', page)
    assert link
    assert client.get(link[1]).status_code == 200


def test_a_link_to_another_branch_offers_the_way_there(cast: Cast) -> None:
    turn = ended(cast, "marzipan")
    other = posting.regenerate(cast.member, turn.answer, client_id=uuid.uuid4())
    client = Client()
    client.force_login(cast.member)
    for message, offered in (
        (turn.answer.pk, True),
        (other.answer.pk, False),
        (uuid.uuid4(), False),
        ("x", False),
    ):
        page = client.get(f"/c/{turn.conversation.pk}/?to={message}").content.decode()
        assert ("in another version of this chat" in page) == offered


SAID = (
    "Crème brûlée – naïve cafe\u0301; ＦＵＬＬ width. 東京タワー 한국어 ร้านอาหาร. Call foo.bar() and getUserName(x), "
    "set max_tokens=3.14 in C++. It’s 👩‍💻 ❤️ work: “quoted words”, https://example.com/a?b=c#d"
)


@pytest.mark.parametrize(
    "text",
    [
        *("creme", "CRÈME", "bru\u0302le\u0301e", "naive", "café", "full"),
        *("東京", "タワー", "한국", "อาหาร", "東京 creme"),
        *("foo.bar", "foo.bar()", "foo.b", "bar", "getUserName", "get_user_name", "getUserN", "name(x"),
        *("max_tokens", "maxTokens", "MAX_TOK", "3.14", "c++", "it's", "It’s", "example.com/a"),
        *('"quoted words"', "“quoted words”", '"quoted words', "quoted words”", "«quoted words»"),
        *("❤️ work", "👩‍💻work", "work 🎉", "quoted ❤️ words", "(creme) & | !work:*", "creme -"),
        pytest.param("creme " * 2_000, id="10 KB of one word"),
        pytest.param(f"{SAID} " * 40, id="10 KB of what was said"),
    ],
)
def test_what_was_said_is_found_however_it_is_typed(cast: Cast, text: str) -> None:
    ended(cast, SAID, question="Whereto?")
    ended(cast, "Nothing of it.")
    filing.file_ended()
    client = Client(headers=HTMX)
    client.force_login(cast.member)
    page = client.get("/chats/", {"q": text}).content.decode()
    assert page.count(">Whereto?<") == 1, page
    assert "<mark>" in page
    assert "Nothing of it" not in page


@pytest.mark.parametrize(
    "text",
    [
        *(
            "?!",
            '"',
            '""" \'',
            "* * *",
            "-",
            "()",
            "&& ||",
            "._.",
            "🎉",
            "❤️ 👩‍💻",
            "\u0301",
            "\u200b",
            "\0",
            "…",
            "“”",
            "%",
        )
    ],
)
def test_what_has_no_word_is_told_so(cast: Cast, text: str) -> None:
    ended(cast, SAID)
    filing.file_ended()
    client = Client(headers=HTMX)
    client.force_login(cast.member)
    page = client.get("/chats/", {"q": text}).content.decode()
    assert ("Write a word" in page) == bool(text.strip("\0")), page

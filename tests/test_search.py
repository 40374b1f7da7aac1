"""The search finds what stands in an answer or its question, inside one company, and nothing that was deleted."""

from __future__ import annotations

import uuid
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations import feedback, filing, search, words
from conversations.models import AnswerRecord, Company, Generation
from conversations.words import Term
from tests.answers import ended
from tests.conftest import Cast

HOSTILE = (
    '" OR *) NEAR(',
    '"',
    '""',
    '"""',
    "*",
    "a*b*",
    "' & | ! <-> :* \\",
    "tags : x",
    "{words wholes} : x",
    "conversations_search MATCH 'x'",
    "NOT NOT",
    "^x",
    "-x +y",
    "x AND",
    "'; DROP TABLE conversations_search; --",
    "%s %(x)s %%",
    "\ud800",
    "\0",
    "\u0301",
    "._.",
    "a" * 10_000,
    "(" * 10_000,
    "\u202e",
    "ﷺ ½ ｶﾞ ㈱",
)


def found(company: Company, text: str) -> list[str]:
    """The answers that a query finds, the newest first."""
    filing.file_ended()
    ids = search.ids([search.tag("company", company.pk)], words.parse(text), limit=100)
    assert ids == search.among(ids, [search.tag("company", company.pk)], words.parse(text))
    texts = dict(AnswerRecord.objects.filter(pk__in=ids).values_list("pk", "message__text"))
    return [texts[pk] for pk in ids]


def documents() -> int:
    """How many answers are indexed; titles have negative ids."""
    key = "rowid" if connection.vendor == "sqlite" else "record_id"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM conversations_search WHERE {key} > 0")  # noqa: S608
        return int(cursor.fetchone()[0])


# -- What a word is -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected", "apart"),
    [
        ("What is Coca-Cola?", "what is coca cola", ""),
        ("Crème BRÛLÉE, Straße, İstanbul", "creme brulee strasse istanbul", ""),
        ("max_tokens", "max tokens", "maxtokens"),
        ("getUserName", "get user name", "getusername"),
        ("HTTPServer", "http server", "httpserver"),
        ("__init__", "init", ""),
        ("user.age2", "user age2", "userage2"),
        ("3.14 and 1,000", "3 14 and 1 000", "3.14"),
        ("the end.", "the end", ""),
        ("東京", "東京", "東 京"),
        ("私は東京", "私は は東 東京", "私 は 東 京"),
        ("水", "水", ""),
        ("iPhone手机", "i phone 手机", "iphone 手 机"),
        ("ｶﾞ ガ", "ガ ガ", ""),
        ("한국어", "한국 국어", "한 국 어"),
        ("हिन्दी में", "हिनदी में", ""),
        ("I ❤️ tea, 1️⃣ 👩‍💻 🇩🇪", "i tea 1", ""),
    ],
)
def test_words(text: str, expected: str, apart: str) -> None:
    plain, wholes = words.scan(text)
    assert " ".join(word for word, _, _ in plain) == expected
    assert " ".join(word for word, _, _ in wholes) == apart


def test_a_dotted_name_is_found_by_each_of_its_stretches() -> None:
    _, wholes = words.scan("request.user.full_name")
    assert {word for word, _, _ in wholes} == {
        "requestuser",
        "requestuserfullname",
        "userfullname",
        "fullname",
    }


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("sugar Water", [Term(("sugar",)), Term(("water",))]),
        ("sugar sugar", [Term(("sugar",))]),
        ('"in order" x', [Term(("in", "order")), Term(("x",))]),
        ("“in order” x", [Term(("in", "order")), Term(("x",))]),
        ('"never closed', [Term(("never", "closed"))]),
        ("maxTokens", [Term(("maxtokens",))]),
        ("beg*", [Term(("beg",), prefix=True)]),
        ("be*", [Term(("be",))]),
        ("max_to*", [Term(("maxto",), prefix=True)]),
        ("東京駅", [Term(("東京", "京駅"))]),
        ("東*", [Term(("東",))]),
        ("?!", []),
        ("", []),
    ],
)
def test_queries(text: str, terms: list[Term]) -> None:
    assert list(words.parse(text)) == terms


@given(st.text(max_size=300))
def test_words_hold_nothing_that_a_query_language_could_read(text: str) -> None:
    plain, wholes = words.scan(text)
    for word, start, end in (*plain, *wholes):
        assert 0 <= start < end <= len(text)
        assert len(word) <= words.WORD_CHARS
        assert not set(word) & set(" \"'\\*()&|!:<>{}^-+,;\0")


@given(st.text(max_size=60))
def test_what_is_found_is_marked(text: str) -> None:
    for word, *_ in words.scan(text)[0]:
        if query := words.parse(word):
            spans = words.marks(text, query)
            assert all(a < b for a, b in spans)
            assert all(one[1] < other[0] for one, other in pairwise(spans))


def test_marks_stand_where_the_words_are() -> None:
    text = "Set max_tokens, not Ünits; 東京タワー."
    for query, marked in (
        ("tokens units", ["tokens", "Ünits"]),
        ("maxTokens", ["max_tokens"]),
        ('"not units"', ["not Ünits"]),
        ('"units not"', []),
        ("京タ", ["京タ"]),
        ("tok*", ["tokens"]),
    ):
        assert [text[a:b] for a, b in words.marks(text, words.parse(query))] == marked, query


# -- What is found --------------------------------------------------------------------------------------------


def test_questions_and_answers_are_found_newest_first(cast: Cast) -> None:
    ended(cast, "Sugar and water.", question="What is in it?")
    ended(cast, "Water only.", question="And sugar?")
    ended(cast, "Nothing.")
    assert found(cast.coca_cola, "sugar") == ["Water only.", "Sugar and water."]
    assert found(cast.coca_cola, "sugar ONLY") == ["Water only."]
    assert found(cast.coca_cola, "sugar nothing") == []


@pytest.mark.parametrize(
    ("text", "finds", "finds_not"),
    [
        ("Crème brûlée", ["creme", "BRULEE", "brûlée"], ["crem"]),
        (
            "the quick brown fox",
            ['"quick brown"', "brown quick", "qui*"],
            ['"brown quick"', '"quick fox"', "qui"],
        ),
        ("call getUserName(x)", ["getUserName", "getusername", "user", '"call get user"'], ["usern"]),
        ("set max_tokens", ["max_tokens", "maxTokens", "MAX_TOKENS", "tokens"], ["max_token"]),
        ("self.user.name is set", ["user.name", "self.user", "name", "self.user.name"], ["self.name"]),
        ("version 3.14", ["3.14", "14"], ["314"]),
        ("昨日東京タワーに行きました", ["東京", "京", "東京タワー", "タワーに"], ["京東", "東タ"]),
        ("ร้านอาหารไทย", ["อาหาร", "ไทย"], ["ไทอ"]),
        ("it's 50% off", ["it's", "50"], ["its"]),
    ],
)
def test_what_finds_a_text(cast: Cast, text: str, finds: list[str], finds_not: list[str]) -> None:
    ended(cast, text, question="?")
    assert {query: found(cast.coca_cola, query) for query in finds} == {query: [text] for query in finds}
    assert {query: found(cast.coca_cola, query) for query in finds_not} == {query: [] for query in finds_not}


def test_a_search_stays_in_its_company(cast: Cast) -> None:
    ended(cast, "A shared word.")
    ended(cast, "A word shared elsewhere.", by=cast.outsider, persona=cast.helpdesk)
    assert found(cast.coca_cola, "shared") == ["A shared word."]
    assert found(cast.globex, "shared") == ["A word shared elsewhere."]
    # The tags are no words: neither a company's nor anything that looks like one is found by typing it.
    for tag in (*search.tags_of(AnswerRecord.objects.order_by("pk")[0]), "company", "company*"):
        assert found(cast.globex, tag) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_queries_find_nothing_and_raise_nothing(cast: Cast, text: str) -> None:
    ended(cast, "An answer.", question="A question?")
    assert found(cast.coca_cola, text) == []


def test_no_query_raises(cast: Cast) -> None:
    tags = [search.tag("company", cast.coca_cola.pk)]

    @settings(max_examples=150, deadline=None)
    @given(st.text(st.characters() | st.sampled_from("\"*()'\\:&|!<>-_. "), max_size=80))
    def ask(text: str) -> None:
        assert search.ids(tags, words.parse(text), limit=5) == []

    ask()


def test_any_text_can_be_indexed_and_is_found_by_its_words(cast: Cast) -> None:
    tags = [search.tag("company", cast.coca_cola.pk)]
    numbers = iter(range(1, 1_000_000))

    @settings(max_examples=60, deadline=None)
    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
    def index(text: str) -> None:
        pk = next(numbers)
        record = AnswerRecord(pk=pk, company=cast.coca_cola, message_id=uuid.uuid4(), model="m")
        search.add([(record, "", text)])
        for word, *_ in words.scan(text)[0]:
            assert pk in search.ids(tags, (Term((word,)),), above=pk - 1, limit=1), word
        in_a_row = tuple(word for word, *_ in words.scan(text)[0][:3])
        assert not in_a_row or search.ids(tags, (Term(in_a_row),), above=pk - 1, limit=1) == [pk]

    index()


@pytest.mark.parametrize(
    "text",
    [
        " ".join(f"w{number}" for number in range(20_000)),
        "w1 " + "word " * 50_000,
        "w1 " + "x" * 300_000,
        "w1 " + "東" * 100_000,
        "w1 " + " ".join(f"{'é' * 90}{number}" for number in range(8_000)),
        "w1 " + "a_b." * 20_000,
    ],
    ids=["many words", "one word often", "a long word", "one character", "many bytes", "a long name"],
)
def test_what_is_too_long_is_cut(cast: Cast, text: str) -> None:
    turn = ended(cast, "")
    type(turn.answer).objects.filter(pk=turn.answer.pk).update(text=text)
    assert len(found(cast.coca_cola, "w1")) == 1


@pytest.mark.parametrize("walked", [1, 5, 100])
def test_what_is_between_two_ids_is_found_without_gaps(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, walked: int
) -> None:
    monkeypatch.setattr(search.asking, "WALKED", walked)
    tags, query = [search.tag("company", cast.coca_cola.pk)], words.parse("word")
    has = [pk for pk in range(1, 16) if pk % 4]
    search.add(
        (
            AnswerRecord(pk=pk, company=cast.coca_cola, message_id=uuid.uuid4()),
            "",
            "word" if pk in has else "",
        )
        for pk in range(1, 16)
    )
    for above, below in ((0, 2**62), (3, 9), (3, 4), (7, 8), (0, 1), (14, 100), (9, 3)):
        between = [pk for pk in has if above < pk < below]
        for limit in (1, 3, 50):
            up = search.ids(tags, query, above=above, below=below, oldest=True, limit=limit)
            down = search.ids(tags, query, above=above, below=below, limit=limit)
            assert (up, down) == (between[:limit], between[::-1][:limit]), (above, below, limit)


# -- What comes in and what leaves ----------------------------------------------------------------------------


def test_an_answer_is_indexed_once(cast: Cast, django_assert_num_queries: Any) -> None:
    turn = ended(cast, "Once only.")
    found(cast.coca_cola, "once")
    feedback.rate(cast.member, turn.answer, good=True)
    assert found(cast.coca_cola, "once") == ["Once only."]
    assert documents() == 1
    record = AnswerRecord.objects.get()
    with django_assert_num_queries(1):  # what is there
        search.add([(record, "", "Once only.")])


def test_indexing_a_batch_costs_the_same_number_of_queries(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        ended(cast, f"Number {number}")
    with django_assert_max_num_queries(19):
        filing.file_ended()
    assert documents() == 20


def test_trials_are_not_indexed(cast: Cast) -> None:
    record = AnswerRecord(pk=1, company=cast.coca_cola, message_id=uuid.uuid4(), trial=True)
    search.add([(record, "a", "b")])
    assert documents() == 0


def test_deleted_answers_leave_the_index(cast: Cast) -> None:
    for delete in (
        lambda turn: turn.conversation.delete(),
        lambda turn: turn.answer.delete(),
        lambda turn: AnswerRecord.objects.filter(message=turn.answer).delete(),
        lambda turn: AnswerRecord.objects.filter(message=turn.answer).update(message=None),
    ):
        gone, stays = ended(cast, "secret one"), ended(cast, "secret two")
        assert found(cast.coca_cola, "secret") == ["secret two", "secret one"]
        delete(gone)
        assert found(cast.coca_cola, "secret") == ["secret two"]
        assert documents() == 1
        delete(stays)
        assert documents() == 0


def test_what_leaves_can_come_again(cast: Cast) -> None:
    ended(cast, "again")
    filing.file_ended()
    AnswerRecord.objects.all().delete()
    Generation.objects.update(filed=False)
    assert found(cast.coca_cola, "again") == ["again"]

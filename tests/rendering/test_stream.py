"""An answer that arrives in pieces ends as the page would show it whole, and never changes behind the reader."""

import random
import uuid
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.rendering import blocks, fragments
from conversations.rendering.blocks import BlockStream, Ending
from conversations.rendering.markdown import render
from tests.rendering.corpus import ANSWER, BLOCKS, DEFINITIONS, GAPS, HOSTILE, PROSE
from tests.rendering.dom import Page, parse

MID = "0f0e"
RUN = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def documents(*kinds: tuple[str, ...]) -> st.SearchStrategy[str]:
    blocks = st.sampled_from([text for kind in kinds for text in kind])
    piece = st.tuples(blocks, st.sampled_from(GAPS)).map("".join)
    ends = st.sampled_from(["\n", "\n", "\r\n"])
    whole = st.lists(piece, min_size=1, max_size=9).map("".join)
    return st.tuples(whole, ends).map(lambda pair: pair[0].replace("\n", pair[1]))


def cut(text: str, seed: int) -> list[str]:
    """`text` in pieces of one to some dozens of characters."""
    chance = random.Random(seed)
    longest = [1, 4, 12, 60][seed % 4]
    cuts = [0]
    while cuts[-1] < len(text):
        cuts.append(min(len(text), cuts[-1] + chance.randint(1, longest)))
    return [text[start:end] for start, end in pairwise(cuts)]


def play(pieces: list[str], *, look_every: int = 1) -> tuple[Page, Ending]:
    """Send the pieces to a page as frames; on the way the page shows what the stream says that it shows."""
    page, stream = Page(MID), BlockStream()
    page.take(fragments.snapshot(MID, stream))
    settled = ""
    for number, piece in enumerate(pieces):
        patch = stream.feed(piece)
        page.take(fragments.frame(MID, patch))
        assert stream.settled == settled + patch.settled, "settled HTML changed"
        settled = stream.settled
        if number % look_every:
            continue
        expected = parse(fragments.inside(MID, stream))
        assert page.answer.html(tidy=True) == expected.html(tidy=True)
    end = stream.finish()
    page.take(fragments.ending(MID, end))
    return page, end


@RUN
@given(documents(PROSE, BLOCKS), st.integers(0, 2**32))
def test_blockwise_is_whole(text: str, seed: int) -> None:
    page, end = play(cut(text, seed))
    assert page.answer.html() == parse(render(text)).html()
    assert not end.replace


@RUN
@given(documents(PROSE, BLOCKS, DEFINITIONS, HOSTILE), st.integers(0, 2**32))
def test_any_text_ends_whole(text: str, seed: int) -> None:
    page, _ = play(cut(text, seed))
    assert page.answer.html() == parse(render(text)).html()


@RUN
@given(st.text(alphabet="ab *_`~#>-+=|[]()!<&\\:.1\n\n\t\r^x\u202eé漢", max_size=80), st.integers(0, 2**32))
def test_any_characters_end_whole(text: str, seed: int) -> None:
    page, _ = play(cut(text, seed))
    assert page.answer.html() == parse(render(text)).html()


@pytest.mark.parametrize("size", [1, 2, 5, 20, 200, 10_000])
def test_answer_in_pieces(size: int) -> None:
    page, end = play([ANSWER[at : at + size] for at in range(0, len(ANSWER), size)])
    assert page.answer.html() == parse(render(ANSWER)).html()
    assert not end.replace


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("".join(f"- item {n} is **of** some length\n" for n in range(60)), id="list"),
        pytest.param("".join(f"{n}. item {n} is of some length\n" for n in range(3, 60)), id="ordered"),
        pytest.param("".join(f"* item {n} is of some length\n\n" for n in range(60)), id="loose"),
        pytest.param(
            "".join(f"- item {n} is of some length\n" for n in range(40)) + "\n- loose at the end\n" * 20,
            id="loose at the end",
        ),
        pytest.param(
            "".join(f"- item {n} é\n  - [x] nested\n    ```py\n    x = {n}\n    ```\n" for n in range(40)),
            id="nested",
        ),
        pytest.param(
            "| n | name |\n|--:|---|\n" + "".join(f"| {n} | **row** {n} é |\n" for n in range(80)), id="table"
        ),
        pytest.param("n | name\n--|---\n" + "".join(f"{n} | row {n}\n" for n in range(99)), id="bare table"),
        pytest.param("- item of a list\n" * 60 + "-\n*\n\nlazy\n- x\n", id="empty items"),
        pytest.param("- item of a list\n" * 60 + "1. other\n" * 60 + "# Title\n", id="two lists"),
        pytest.param("- item of a list\n" * 60 + "word\n\n    code in it\n\nEnd.\n" * 2, id="lazy"),
        pytest.param("> quoted **words** go on and on\n" * 150, id="quote"),
    ],
)
def test_long_blocks(text: str, seed: int) -> None:
    page, end = play(cut(text + "\nThe *end*.", seed), look_every=5)
    assert page.answer.html() == parse(render(text + "\nThe *end*.")).html()
    assert not end.replace


def test_late_definition_replaces_everything() -> None:
    text = "See [the site].\n\nMore.\n\n[the site]: https://example.com\n"
    page, end = play(cut(text, 1))
    assert end.replace
    assert 'href="https://example.com"' in page.answer.html()


def test_finish_keeps_the_settled_nodes() -> None:
    page, stream = Page(MID), BlockStream()
    page.take(fragments.snapshot(MID, stream))
    page.take(fragments.frame(MID, stream.feed("First.\n\nSecond **open")))
    first = page.answer.children[0]
    page.take(fragments.ending(MID, stream.finish()))
    assert page.answer.children[0] is first


def test_one_who_joins_late_sees_the_same() -> None:
    for joined in range(0, len(ANSWER), 23):
        page, stream = Page(MID), BlockStream()
        stream.feed(ANSWER[:joined])
        page.take(fragments.snapshot(MID, stream))
        page.take(fragments.frame(MID, stream.feed(ANSWER[joined:])))
        page.take(fragments.ending(MID, stream.finish()))
        assert page.answer.html() == parse(render(ANSWER)).html()


def test_page_of_a_running_answer_has_the_shape_of_a_snapshot() -> None:
    stream = BlockStream()
    stream.feed(ANSWER[:700])
    assert fragments.inline_state(MID, ANSWER[:700]) == fragments.inside(MID, stream)


def test_too_long_ends_as_plain_text() -> None:
    stream = BlockStream()
    for _ in range(9):
        stream.feed("word " * 13_000 + "\n\n")
    end = stream.finish()
    assert end.replace
    assert end.html.startswith('<p class="plain"')


def test_nothing_changed_is_no_frame() -> None:
    stream = BlockStream()
    stream.feed("Word")
    for piece in ("", "\r", "\x00", "**", " "):
        assert fragments.frame(MID, stream.feed(piece)) == ""


def test_reasoning_is_plain_text() -> None:
    page = Page(MID)
    for piece in ("first", " <b>bold</b>", "\n*third*"):
        page.take(fragments.reasoning(MID, piece, whole=False))
    assert page.root.children[0].text() == "first <b>bold</b>\n*third*"  # type: ignore[union-attr]
    page.take(fragments.reasoning(MID, "anew", whole=True))
    assert page.root.children[0].text() == "anew"  # type: ignore[union-attr]


def test_a_slow_tail_waits_and_a_snapshot_waits_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the stream decides that looking again is too dear, page and snapshot agree."""
    monkeypatch.setattr(blocks, "CHEAP", 0.0)
    monkeypatch.setattr(blocks, "DOUBLING", 0.0005)
    text = "".join(f"- item {n} is of **some** length\n" for n in range(60)) + "\n" + ANSWER
    for seed in range(4):
        page, _ = play(cut(text, seed), look_every=3)
        assert page.answer.html() == parse(render(text)).html()


@pytest.mark.parametrize(("piece", "times"), [(12, 8), (40, 4)])
def test_prose_costs_some_times_its_text(piece: int, times: int) -> None:
    """Paragraphs of 80 words: what is sent grows with the text, not with its square."""
    sentence = (
        "It is a carbonated soft drink (made since 1886), sold everywhere; its name says what's in it: "
    )
    text = "\n\n".join([" ".join((sentence * 5).split()[:80]) for _ in range(20)])
    mid, stream = str(uuid.uuid4()), BlockStream()
    frames = [fragments.frame(mid, stream.feed(text[at : at + piece])) for at in range(0, len(text), piece)]
    assert sum(map(len, frames)) < times * len(text)


def test_a_long_paragraph_grows_by_appending() -> None:
    stream = BlockStream()
    stream.feed("It begins with *emphasis* and " + "words that go on and on " * 400)
    sizes = [len(fragments.frame(MID, stream.feed(f"word number {n} of it, "))) for n in range(300)]
    assert max(sizes) < 200


def test_words_behind_markup_are_appended_again() -> None:
    stream = BlockStream()
    stream.feed("It says **much")
    assert stream.feed(" more** than").tail is not None
    assert stream.feed(" words").append == " words"
    assert stream.feed(", see https://example.com").tail is not None
    assert 'href="https://example.com/a"' in str(stream.feed("/a").tail)
    assert stream.feed(" and").tail is not None
    assert stream.feed(" on").append == " on"

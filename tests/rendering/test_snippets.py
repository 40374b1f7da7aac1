"""Snippets show the words of an answer and not its marks, in time that grows with the text alone."""

from __future__ import annotations

import time

import pytest

from conversations.rendering.snippets import plain


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("## It is **blue** and *green*", "It is blue and green"),
        ("- one\n* two\n+ three\n- [x] four", "one\ntwo\nthree\nfour"),
        ("> quoted __words__", "quoted words"),
        ('see [the page](https://example.com/a_b "title") ![picture](x.png)', "see the page picture"),
        ("```python\nx = 1\n```", "\nx = 1\n"),
        ("call `run` ~~never~~", "call run never"),
        ("| a | b |\n|---|:-:|\n| 1 | 2 |", " a  b \n\n 1  2 "),
        ("above\n***\nbelow", "above\n\nbelow"),
        # What are no marks stays.
        (
            "2 * 3 = 2*3 in snake_case, C#, ~10 and C:\\temp",
            "2 * 3 = 2*3 in snake_case, C#, ~10 and C:\\temp",
        ),
        ("1. first\n[1] and a [bracket]", "1. first\n[1] and a [bracket]"),
        (r"\*as it stands\*", "*as it stands*"),
        ("<b>tags</b> &amp; entities", "<b>tags</b> &amp; entities"),
        ("", ""),
    ],
)
def test_marks_go_and_words_stay(markdown: str, words: str) -> None:
    assert plain(markdown) == words


@pytest.mark.parametrize(
    "piece",
    ["[", "](", "[a](", "*", "_", "|", "\n", " ", "\t ", "-", "|-", "`", "\\", "> ", "# ", '[a](b "', " \n"],
)
def test_no_text_takes_long(piece: str) -> None:
    begin = time.process_time()
    plain(piece * 20_000)
    assert time.process_time() - begin < 1

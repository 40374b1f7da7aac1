"""What a reader sees of a line that is not finished: never half a marker."""

import pytest

from conversations.rendering.blocks import BlockStream
from conversations.rendering.preview import preview
from tests.rendering.corpus import ANSWER, BLOCKS, BOMBS, HOSTILE, PROSE
from tests.rendering.dom import parse


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Some **bo", "<strong>bo</strong>"),
        ("Some **", "Some</p>"),
        ("Some **bold*", "<strong>bold</strong>"),
        ("Some *it", "<em>it</em>"),
        ("Some ***both", "<em><strong>both</strong></em>"),
        ("Some **bold and *it", "<strong>bold and <em>it</em></strong>"),
        ("Some ~~go", "<del>go</del>"),
        ("Some `co", "<code>co</code>"),
        ("Some `a*b", "<code>a*b</code>"),
        ("See [the si", ">See the si</p>"),
        ("See [the site]", ">See the site</p>"),
        ("See [the site](https://exa", ">See the site</p>"),
        ("See ![the lo", ">See the lo</p>"),
        ("See [the **si", ">See the <strong>si</strong></p>"),
        ("2 * 3", ">2 * 3</p>"),
        ("snake_case", ">snake_case</p>"),
        ("AT&am", ">AT</p>"),
        ("Text\n-", ">Text</p>"),
        ("Text\n==", ">Text</p>"),
        ("Text\n\n##", ">Text</p>"),
        ("Text\n\n```py", ">Text</p>"),
        ("Text\n\n> ", ">Text</p>"),
        ("- a\n- ", "<li>a</li>\n</ul>"),
        ("- a\n- [x", "<li>a</li>\n</ul>"),
        ("- a **b", "<li>a <strong>b</strong></li>"),
        ("- ```py\n  x = a*b", "<code>x = a*b</code>"),
        ("Text\n| Name", ">Text\n| Name</p>"),
        ("Text\n\n[^1]:", ">Text</p>"),
        ("| Name |", "<th>Name</th></tr>"),
        ("| Name | A", "<th>Name</th><th>A</th></tr>"),
        ("| Name | Age |\n|", "<th>Name</th><th>Age</th></tr>"),
        ("| Name | Age |\n| --", "<th>Name</th><th>Age</th></tr>"),
        ("| a \\| b | c |\n|-", "<th>a | b</th><th>c</th></tr>"),
        ("| a |\n|---|\n| **b", "<td><strong>b</strong></td>"),
    ],
)
def test_open_end(text: str, shown: str) -> None:
    for pieces in ([text], list(text)):
        stream = BlockStream()
        for piece in pieces:
            stream.feed(piece)
        assert shown in stream.settled + stream.tail


def test_open_code_is_code_from_its_first_line() -> None:
    stream = BlockStream()
    assert stream.feed("```py").tail is None
    patch = stream.feed("thon\nx = ")
    assert patch.tail is not None
    assert parse(patch.tail).text() == "pythonWrap linesCopyx = \n"
    assert stream.feed("'<b>'\n``").append == "'&lt;b&gt;'\n"
    patch = stream.feed("`\n")
    assert patch.settled.count('<span class="s">') == 1
    assert patch.tail == ""


def test_open_code_costs_nothing_to_go_on() -> None:
    stream = BlockStream()
    stream.feed("```python\n")
    for _ in range(2_000):
        patch = stream.feed("word ")
        assert (patch.settled, patch.tail, patch.append) == ("", None, "word ")


def test_long_list_sends_its_last_rows_only() -> None:
    stream = BlockStream()
    for number in range(400):
        stream.feed(f"- item {number} of a list\n")
    patch = stream.feed("- the *la")
    assert patch.rows is not None
    assert patch.rows.html.count("<li>") == 2
    assert "<em>la</em>" in patch.rows.html


@pytest.mark.parametrize(
    "text", [*PROSE, *BLOCKS, *HOSTILE, ANSWER, *(text[:3_000] for text in BOMBS.values())]
)
def test_any_prefix_is_readable(text: str) -> None:
    for end in range(0, len(text), max(1, len(text) // 100)):
        assert len(preview(text[:end])) <= 3 * end + 8_192

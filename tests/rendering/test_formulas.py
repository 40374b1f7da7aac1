"""What is TeX in a text and what is money, and what becomes of it."""

import random
import subprocess
import sys
import time

import pytest

from conversations.rendering.formulas import LONGEST, MOST_BRACKETS, MOST_OPENERS, mathml
from conversations.rendering.markdown import render
from tests.rendering.dom import parse
from tests.rendering.test_hostile import assert_inert

TOKENS = (
    *(
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "^",
        "_",
        "x",
        "1",
        "é",
        "&",
        "\\\\",
        "<",
        ">",
        '"',
        "'",
        "%",
        "\n",
        "~",
        "$",
        "#1",
    ),
    *(
        r"\frac",
        r"\left",
        r"\right",
        r"\sqrt",
        r"\sum",
        r"\limits",
        r"\hat",
        r"\not",
        r"\mathbb",
        r"\operatorname*",
    ),
    *(
        r"\begin{matrix}",
        r"\end{matrix}",
        r"\begin{array}{c|c}",
        r"\end{array}",
        r"\begin{align}",
        r"\end{align}",
    ),
    *(
        r"\text{",
        r"\textbf{",
        r"\label{a}",
        r"\ref{a}",
        r"\tag{<b>}",
        r"\color{red}",
        r"\href{javascript:x}{y}",
    ),
    *(
        r"\hspace{1e9em}",
        r"\rule{1em}{2em}",
        r"\hline",
        r"\middle|",
        r"\Bigg",
        r"\kern1em",
        r"\!",
        r"\def",
        r"\char",
    ),
    *(
        r"\xrightarrow",
        r"\overset",
        r"\cancel",
        r"\phantom",
        r"\smash",
        r"\class{x}",
        r"\genfrac",
        r"\multicolumn{2}{c}",
    ),
)


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("Let $x$ be.", 1),
        ("Let \\(x\\) and \\( y \\) be.", 2),
        ("$$x$$", 1),
        ("\\[\nx\n\\]", 1),
        ("1. First:\n   \\[ x \\]\n", 1),
        ("$x$-axis, ($y$), **$z$**", 3),
        ("It costs $5 and $10.", 0),
        ("**$5**–**$10**, US$5 or A$10, $5-$10", 0),
        ("$5 for $x$", 1),
        ("`$x$` and `\\(x\\)`", 0),
        ("```tex\n$x$ \\[y\\]\n\\[ z \\]\n```", 0),
        ("    \\[ x \\]\n", 0),
        ("é `\\(` é \\(é\\)", 1),
        ("See \\[1\\] and \\\\(x\\\\).", 0),
        ("\\$x$", 0),
        ("$x\n\ny$ and \\(x\n\ny\\)", 0),
        ("https://example.com/$a$b", 0),
        ("$ x $", 0),
    ],
)
def test_a_formula_and_money(text: str, formulas: int) -> None:
    html = render(text)
    assert html.count("<math") == formulas
    assert "\x01" not in html


def test_a_formula_is_what_tex_says() -> None:
    assert render(r"$\frac{a}{b} < \text{5 \& 6}$") == (
        '<p dir="auto"><math><mfrac><mi>a</mi><mi>b</mi></mfrac><mo>&lt;</mo>'
        "<mtext>5&nbsp;&amp;6</mtext></math></p>\n"
    )


def test_a_formula_of_its_own_scrolls() -> None:
    assert render("$$x$$") == (
        '<p dir="auto"><span class="formula" tabindex="0"><math display="block"><mi>x</mi></math></span></p>\n'
    )


def test_money_stays_within_its_marks() -> None:
    assert render("**$5**–**$10** `$PATH` [x](https://example.com/$1) $") == (
        '<p dir="auto"><strong>$5</strong>–<strong>$10</strong> <code>$PATH</code> <a href="https://example.com/$1" '
        'target="_blank" rel="noopener noreferrer nofollow">x <span class="host">example.com</span></a> $</p>\n'
    )


@pytest.mark.parametrize("tex", [r"\unknown{x}", r"\frac{1}", r"\hspace{90em} x", r"\def\a{\a}\a"])
def test_what_is_no_formula_is_shown_as_it_was_written(tex: str) -> None:
    assert render(f"${tex}$") == f'<p dir="auto"><code>${tex}$</code></p>\n'


@pytest.mark.parametrize("opener", ["{", r"\frac{", r"\hat ", r"\left(", r"\sqrt{", r"\begin{matrix}", "x^{"])
def test_depth_does_not_end_the_process(opener: str) -> None:
    """In a thread with a megabyte of stack, an eighth of what threads have."""
    lengths = (LONGEST, LONGEST + 1, MOST_OPENERS * len(opener) // 2)
    program = f"""
import threading
from conversations.rendering.formulas import mathml
def look():
    for length in {lengths}:
        mathml(({opener!r} * {LONGEST})[:length], display=True)
threading.stack_size(1 << 20)
looking = threading.Thread(target=look)
looking.start()
looking.join()
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@pytest.mark.parametrize(
    "opener", ["(", "(x", "(1,", "[", "{(}", r"\{", r"\langle ", r"\lVert x", "⟨", "'", r"\mathopen("]
)
def test_brackets_that_nothing_closes_cost_nothing(opener: str) -> None:
    """The converter takes twice as long for each of them."""
    for number in (MOST_BRACKETS, MOST_BRACKETS + 1, 28, LONGEST // len(opener)):
        began = time.thread_time()
        mathml(opener * number, display=False)
        assert time.thread_time() - began < 0.1


def test_many_costly_formulas_become_plain_text_in_time() -> None:
    text = " ".join(f"${number}{'(' * MOST_BRACKETS}x{chr(39) * 600}$" for number in range(500))
    began = time.thread_time()
    render(text)
    assert time.thread_time() - began < 0.3


def test_nothing_lifts_words_out_of_their_line() -> None:
    html = render(r"$\raisebox{4em}{\text{above}} \raisebox{-1em}{\text{below}}$")
    assert "offset" not in html
    assert "mpadded" not in html


@pytest.mark.parametrize("seed", range(20))
def test_no_formula_is_live(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(500):
        tex = "".join(chance.choices(TOKENS, k=chance.randint(1, 14)))
        assert_inert(parse(render(f"$${tex}$$")))
        assert_inert(parse(mathml(tex, display=False) or ""))

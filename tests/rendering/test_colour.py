"""A company's colour is readable, whatever it is."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conversations.rendering import colour
from conversations.rendering.colour import AA, Colour
from conversations.rendering.highlight import PALETTE

SURFACES_OF_CODE = (Colour(0.975, 0.003, 260), Colour(0.185, 0.006, 260))
PAIR = re.compile(r"--([\w-]+): light-dark\(oklch\(([^)]*)\), oklch\(([^)]*)\)\)")
colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def oklch(text: str) -> Colour:
    lightness, chroma, hue = map(float, text.split())
    return Colour(lightness, chroma, hue)


@settings(max_examples=300, deadline=None)
@given(colours)
@example("#ffffff")
@example("#000000")
@example("#ffff00")
@example("#0000ff")
@example("#f40009")
def test_every_colour_reaches_aa(text: str) -> None:
    pairs = {name: (oklch(light), oklch(dark)) for name, light, dark in PAIR.findall(colour.stylesheet(text))}
    assert set(pairs) == {"accent", "accent-text", "accent-tint"}
    grounds = (colour.LIGHT_SURFACES, colour.DARK_SURFACES)
    texts = (colour.LIGHT_TEXT, colour.DARK_TEXT)
    for theme in (0, 1):
        accent, on_accent, tint = (pairs[name][theme] for name in ("accent", "accent-text", "accent-tint"))
        assert all(accent.contrast(Colour.parse(ground)) >= AA for ground in grounds[theme])
        assert accent.contrast(tint) >= AA
        assert accent.contrast(on_accent) >= AA
        assert tint.contrast(Colour.parse(texts[theme])) >= AA


@settings(max_examples=100, deadline=None)
@given(colours)
def test_hue_stays_and_a_good_colour_is_left_alone(text: str) -> None:
    company = Colour.parse(text)
    accent = colour.light_accent(company).accent
    assert accent.hue == company.hue
    assert accent.lightness <= company.lightness
    assert colour.light_accent(accent).accent.lightness == pytest.approx(accent.lightness, abs=1e-6)


def test_known_values() -> None:
    red = Colour.parse("#ff0000")
    assert (round(red.lightness, 3), round(red.chroma, 3), round(red.hue, 1)) == (0.628, 0.258, 29.2)
    assert Colour.parse("#000000").contrast(Colour.parse("#ffffff")) == pytest.approx(21)
    assert Colour.parse("#777777").contrast(Colour.parse("#ffffff")) == pytest.approx(4.48, abs=0.01)


def test_class_name() -> None:
    assert colour.class_name("#F40009") == colour.class_name("f40009") == "accent-f40009"
    assert colour.stylesheet("#F40009").startswith(".accent-f40009 {")


@pytest.mark.parametrize(
    "text", ["", "red", "#fff", "#1234567", "#12345g", "#123456\n", "#123456}*{color:red"]
)
def test_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a colour"):
        colour.stylesheet(text)


def test_code_colours_reach_aa() -> None:
    for pair in PALETTE.values():
        for value, ground in zip(pair, SURFACES_OF_CODE, strict=True):
            assert oklch(value.removeprefix("oklch(").removesuffix(")")).contrast(ground) >= AA

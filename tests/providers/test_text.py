"""Cleaned text can be stored anywhere, and is otherwise what the provider sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.providers.text import Cleaner, clean

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=30)


def cleaned(*pieces: str) -> str:
    cleaner = Cleaner()
    return "".join(map(cleaner.feed, pieces)) + cleaner.flush()


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["\ud83c", "\udf0d"], "🌍"),
        (["a\ud83c", "\udf0db"], "a🌍b"),
        (["\ud83c", "", "\udf0d"], "🌍"),
        (["\ud83c", "x"], "\ufffdx"),
        (["\ud83c", "\ud83c", "\udf0d"], "\ufffd🌍"),
        (["\udf0d"], "\ufffd"),
        (["a\ud83c"], "a\ufffd"),
        (["a\0b", "\0"], "ab"),
        (["\ud83c\0", "\udf0d"], "\ufffd\ufffd"),
        (["\u2028\u0085\u202e\ufeff\r\x07"], "\u2028\u0085\u202e\ufeff\r\x07"),
        (["é", "🌍", "\ufffd"], "é🌍\ufffd"),
    ],
)
def test_known_cases(pieces: list[str], expected: str) -> None:
    assert cleaned(*pieces) == expected


@given(ANY_TEXT, st.data())
def test_the_cut_does_not_matter(whole: str, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(whole)))
    assert cleaned(whole[:position], whole[position:]) == clean(whole)
    assert cleaned(*whole) == clean(whole)


@given(ANY_TEXT)
def test_anything_can_be_stored(whole: str) -> None:
    result = clean(whole)
    assert result.encode().decode() == result
    assert "\0" not in result


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_good_text_is_left_alone(whole: str) -> None:
    assert clean(whole) == whole

"""Charts are well-formed, begin at zero, say their values themselves, and take whatever they are given."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.utils import translation
from django.utils.safestring import SafeString

from conversations.bars import Ranking, ranked, share
from conversations.charts import HEIGHT, LEFT, WIDTH, Chart, Series, daily

SVG = "{http://www.w3.org/2000/svg}"
FIRST = date(2026, 3, 1)


def whole(value: float) -> str:
    return f"{value:,.0f}"


def drawn(*series: Any, say: Callable[[float], str] = whole, **more: Any) -> ElementTree.Element:
    """The chart of those lists of values, one day each, as parsed."""
    lines = [each if isinstance(each, Series) else Series(each) for each in series]
    days = [FIRST + timedelta(days=number) for number in range(len(lines[0].values))]
    return parsed(daily(Chart("c", "Answers", days, lines, say, "numbers", **more)))


def parsed(markup: SafeString) -> ElementTree.Element:
    assert isinstance(markup, SafeString)
    assert "style" not in markup
    root = ElementTree.fromstring(markup.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))  # noqa: S314
    for found in root.iter():
        for name, value in found.items():
            if name in {"d", "x", "y", "cx", "cy", "width"}:
                assert re.fullmatch(r"[\d. MVHLhz-]*", value), value
                assert all(abs(float(number)) <= WIDTH for number in re.findall(r"-?[\d.]+", value)), value
    return root


def texts(root: ElementTree.Element, kind: str) -> list[str]:
    found = root.iter(f"{SVG}text")
    return [each.text or "" for each in found if kind in each.attrib["class"].split()]


def title(root: ElementTree.Element) -> str:
    return root.findtext(f"{SVG}title") or ""


def path(root: ElementTree.Element, kind: str) -> str:
    return next(p.attrib["d"] for p in root.iter(f"{SVG}path") if kind in p.attrib["class"].split())


def heights(root: ElementTree.Element) -> list[float]:
    """Of the bars, each from the axis up."""
    axis = float(path(root, "chart-axis").split()[1].partition("H")[0])
    return [axis - float(top) for top in re.findall(r"V([\d.]+)h", path(root, "chart-bar"))]


def test_bars_stand_on_zero_and_are_as_high_as_their_values() -> None:
    root = drawn([10, 20, 0, 40], bars=True)
    low, middle, high = heights(root)
    assert (low * 4, middle * 2) == pytest.approx((high, high), abs=0.5)
    assert texts(root, "chart-tick")[0:6:1][:3] == ["0", "20", "40"]


def test_a_chart_says_its_highest_and_its_last_value() -> None:
    root = drawn([3, 90, *[5] * 28, 7], bars=True)
    assert texts(root, "chart-label") == ["90", "7"]
    assert title(root) == "Answers. highest 90 on 2 Mar, last 7 on 31 Mar."
    assert (root.attrib["role"], root.attrib["aria-labelledby"]) == ("img", "c-title")
    assert root.attrib["aria-describedby"] == "numbers"
    assert root.attrib["viewBox"] == f"0 0 {WIDTH} {HEIGHT}"


def test_two_lines_are_named_where_they_end_and_do_not_touch() -> None:
    root = drawn(Series([1, 2, 50], "p50"), Series([3, 4, 50], "p95"))
    labels = [each for each in root.iter(f"{SVG}text") if "chart-label" in each.attrib["class"]]
    assert sorted(each.text or "" for each in labels) == ["p50 50", "p95 50"]
    places = [float(each.attrib["y"]) for each in labels]
    assert abs(places[0] - places[1]) >= 12


def test_a_gap_is_a_gap_and_a_value_alone_is_a_dot() -> None:
    root = drawn([1, 2, None, 4, None, 5, 6, None])
    assert path(root, "chart-line").count("M") == 2
    assert len(list(root.iter(f"{SVG}circle"))) == 1
    assert texts(root, "chart-label")[-1] == "6"


@pytest.mark.parametrize("count", [1, 2, 6, 7, 31, 120, 365, 366])
@pytest.mark.parametrize("bars", [True, False])
def test_any_number_of_days_fits(count: int, bars: bool) -> None:
    root = drawn(list(range(count)), bars=bars)
    dates = [t for t in texts(root, "chart-tick") if re.fullmatch(r"\d+ [A-Z][a-z]{2}( \d{4})?", t)]
    no_room = count >= 365 and not bars  # for three dates with their years
    assert len(dates) == (1 if count == 1 else 2 if count < 7 or no_room else 3)
    xs = [float(x) for x in re.findall(r"M([\d.]+) ", path(root, "chart-bar" if bars else "chart-line"))]
    assert all(LEFT <= x <= WIDTH for x in xs)


@pytest.mark.parametrize("bars", [True, False])
@pytest.mark.parametrize(
    "values",
    [
        [],
        [0],
        [0, 0, 0],
        [None, None],
        [math.nan, 1, math.inf, -math.inf],
        [-5, 3],
        [1e-9, 2e-9],
        [1, 1e18],
        [1, 2, 1e300],
        [7] * 366,
    ],
)
def test_extreme_values_are_drawn_or_left_out(values: list[float | None], bars: bool) -> None:
    root = drawn(values, bars=bars, say="{:.3g}".format)
    ticks = texts(root, "chart-tick")[:3]
    assert len(set(ticks)) == 3
    assert ticks[0] == "0"


def test_what_is_not_nothing_is_seen_beside_an_enormous_value() -> None:
    assert heights(drawn([1, 0, 1_000_000], bars=True))[0] >= 1


def test_nothing_at_all_is_said() -> None:
    assert title(drawn([None, None])) == "Answers. no values."
    assert title(drawn([0, 0])) == "Answers. 0 throughout."


def test_the_end_of_the_axis_can_be_given() -> None:
    root = drawn([0.5, 1.0, 0.75], say="{:.0%}".format, top=1.0)
    assert texts(root, "chart-tick")[:3] == ["0%", "50%", "100%"]
    assert texts(root, "chart-label") == ["75%"]


def test_words_are_escaped() -> None:
    bad = '</title><script>alert("1")</script>'
    markup = daily(Chart("c", bad, [FIRST], [Series([1.0], bad)], lambda value: bad + str(value), bad))
    assert "<script" not in markup
    root = parsed(markup)
    assert bad in title(root)
    assert root.attrib["aria-describedby"] == bad


@pytest.mark.parametrize(
    ("part", "of", "width"),
    [(0, 0, 0), (0, 5, 0), (1, 4, 25), (9, 4, 100), (1, 10**9, 1), (math.nan, 1, 0), (-1, 2, 0), (1, 0, 1)],
)
def test_a_share_is_as_long_as_it_is(part: float, of: float, width: float) -> None:
    root = parsed(share(part, of))
    assert float(root[0].attrib["width"]) == width
    assert root.attrib["aria-hidden"] == "true"


def test_an_axis_does_not_go_beyond_what_can_be() -> None:
    root = drawn([0.0, 1.0, 0.5], say="{:.0%}".format, most=1.0)
    assert texts(root, "chart-tick")[:3] == ["0%", "50%", "100%"]
    assert texts(drawn([0.01, 0.03], say="{:.0%}".format, most=1.0), "chart-tick")[2] == "4%"


def test_days_of_two_years_say_which() -> None:
    days = [date(2025, 12, 1) + timedelta(days=7 * number) for number in range(12)]
    root = parsed(
        daily(Chart("c", "Answers", days, [Series(range(12))], whole, "numbers", weekly=True, bars=True))
    )
    assert texts(root, "chart-tick")[3:] == ["1 Dec 2025", "16 Feb 2026", "12 Jan 2026"]
    assert title(root).endswith("last 11 in the week from 16 Feb 2026.")


# -- Side by side


def side_by_side(names: list[str], *series: Series, **more: Any) -> ElementTree.Element:
    return parsed(ranked(Ranking("c", "Answers", names, series, whole, "numbers", **more)))


def test_bars_side_by_side_are_named_and_as_long_as_their_values() -> None:
    root = side_by_side(["guide", "historian", "nobody"], Series([40, 10, None]))
    assert texts(root, "chart-name") == ["guide", "historian", "nobody"]
    assert texts(root, "chart-label") == ["40", "10", "–"]
    wide = [float(each.attrib["width"]) for each in root.iter(f"{SVG}rect")]
    assert wide[1] * 4 == pytest.approx(wide[0], abs=0.5)
    assert wide[2] == 0
    assert title(root) == "Answers. guide: 40. historian: 10. nobody: –."


def test_two_bars_of_one_say_which_is_which() -> None:
    root = side_by_side(["guide"], Series([4], "in"), Series([2], "out"))
    assert texts(root, "chart-tick") == ["in", "out"]
    assert title(root) == "Answers. guide: in 4, out 2."


@pytest.mark.parametrize("values", [[], [0.0], [None], [math.nan, 1e300], [1e-9, 5]])
def test_bars_take_whatever_they_are_given(values: list[float | None]) -> None:
    bad = "<script>" * 20
    root = side_by_side([bad] * len(values), Series(values), top=1.0)
    assert all(float(each.attrib["width"]) <= WIDTH for each in root.iter(f"{SVG}rect"))
    assert all(len(name) <= 48 for name in texts(root, "chart-name"))


@pytest.mark.parametrize("language", ["de", "fr"])
def test_where_things_are_drawn_is_the_same_in_every_language(language: str) -> None:
    """Only what is said is in it: a comma in a coordinate would be two numbers."""
    values = [n * 1_234.56 for n in range(9)]
    ranking = Ranking("r", "Answers", ["a", "b", "c"], [Series([1.5, 2, 33])], whole, "numbers")
    plain = [path(drawn(values), "chart-line"), path(drawn(values, bars=True), "chart-bar")]
    with translation.override(language):
        assert [path(drawn(values), "chart-line"), path(drawn(values, bars=True), "chart-bar")] == plain
        parsed(ranked(ranking))
        parsed(share(1, 3))

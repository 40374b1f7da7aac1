"""What is measured: by name a case, which gives rows of figures and says how they are shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.bench import answers, lines, pages, starting, tables, weight
from tests.bench.answers import Load, Rows, many
from tests.bench.product import Setting
from tests.bench.tables import Columns

RUSH = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class Case:
    """Something to measure, and the columns of its table."""

    title: str
    note: str
    measure: Callable[[Setting], Rows]
    columns: Columns


def cases(load: Load) -> dict[str, Case]:
    """Every case by its name, the main one with `load`."""
    return {
        "answers": _hot("the next question of an open chat", load),
        "rush": _hot("the same, all asked in 5 s", replace(load, ramp=min(load.ramp, RUSH))),
        "first": _hot(
            "the first question of a chat: its page is loaded after it", replace(load, mode="first")
        ),
        "fifty": _hot("fifty", many(50, 300, 50, 0.5)),
        "one": _hot("one", many(1, 300, 50, 0)),
        "flood": _hot("unpaced", many(20, 1000, 0, 1)),
        "flood-one": _hot("unpaced, one", many(1, 4000, 0, 0)),
        "catch-up": Case(
            "Coming back at once",
            f"200 answers at 10 tokens/s. All sockets are lost {lines.LOST:g} s after the last question has been "
            f"answered; {lines.OFF:g} s later all connect again.",
            lines.catch_up,
            lines.CATCH_UP_COLUMNS,
        ),
        "sockets": Case(
            "Idle sockets",
            f"{lines.TABS} tabs of each of {lines.CONVERSATIONS} conversations.",
            lines.idle,
            lines.IDLE_COLUMNS,
        ),
        "bytes": Case("Bytes to the browser", weight.NOTE, weight.measure, weight.COLUMNS),
        "start": Case("Cold start", "", starting.measure, starting.COLUMNS),
        "pages": Case(
            "Main pages", f"A small database; {pages.ALONE} times each.", pages.measure, pages.COLUMNS
        ),
    }


def _hot(title: str, load: Load) -> Case:
    ask = load.asks[0]
    pace = f"at {ask.rate:g} tokens/s" if ask.rate else "unpaced"
    note = f"{len(load.asks)} answers of {ask.tokens:,} tokens {pace}; the questions are sent over {load.ramp:g} s."
    return Case(f"Answers: {title}", note, lambda setting: answers.compared(setting, load), tables.HOT)

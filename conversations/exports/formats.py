"""The formats by kind: which answers, in what batches, as which lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from conversations.exports import rows, table, transcripts, tuning
from conversations.exports.rows import Line
from conversations.models import AnswerRecord, Export


@dataclass(frozen=True, slots=True)
class Format:
    """How one kind of export is written. `unique` ones leave out lines that were there before."""

    name: str
    extension: str
    content_type: str
    answers: Callable[[Export], QuerySet[AnswerRecord]]
    lines: Callable[[Export, Sequence[AnswerRecord]], Iterable[Line]]
    batch: (
        int  # answers read at once; of conversations and their kin fewer, because whole trees come with them
    )
    head: str = ""
    unique: bool = False


def _table_rows(export: Export) -> QuerySet[AnswerRecord]:
    return rows.chosen(export).select_related("message__parent", "message__feedback")


_JSON_LINES = "application/jsonl; charset=utf-8"

FORMATS: dict[str, Format] = {
    Export.Kind.CSV: Format(
        "csv/1", "csv", "text/csv; charset=utf-8", _table_rows, table.lines, batch=200, head=table.HEAD
    ),
    Export.Kind.CONVERSATIONS: Format(
        transcripts.FORMAT, "jsonl", _JSON_LINES, rows.chosen, transcripts.lines, batch=50
    ),
    Export.Kind.EXAMPLES: Format(
        "examples/1", "jsonl", _JSON_LINES, tuning.learnable, tuning.examples, batch=50, unique=True
    ),
    Export.Kind.PAIRS: Format(
        "pairs/1", "jsonl", _JSON_LINES, tuning.preferable, tuning.pairs, batch=50, unique=True
    ),
}

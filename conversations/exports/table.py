"""Answers as a table: a row an answer, its cells inert in every spreadsheet."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator, Sequence

from conversations import attached
from conversations.exports import rows
from conversations.exports.rows import Line
from conversations.models import AnswerRecord, Export, Judgement, Message
from conversations.reading import masked_name

COLUMNS = (
    "record",
    "conversation",
    "message",
    "ended_at",
    "person",
    "persona",
    "version",
    "model",
    "question",
    "answer",
    "status",
    "finish",
    "error",
    "prompt_tokens",
    "completion_tokens",
    "first_token_ms",
    "rating",
    "reasons",
    "comment",
    "verdict",
    "correction",
    "labels",
    "attachments",
)

Cell = str | int | None

_QUOTES = "\"'`´‘’‚‛“”„‟«»‹›＂＇"
_BEGINNINGS = {"=", "+", "-", "@"}


def inert(text: str) -> str:
    """`text` as a cell that no spreadsheet takes for a formula: behind an apostrophe where it could be one.

    What counts is the first character that is neither blank nor a quotation mark, which programs strip on the way
    in; full-width and other forms of the signs count as the signs. One apostrophe less gives the text back.
    """
    if text.lstrip(_QUOTES)[:1] in {"\t", "\r", "\n"}:
        return "'" + text
    for character in text:
        if character in _QUOTES or character.isspace() or unicodedata.category(character)[0] in "CZ":
            continue
        plain = unicodedata.normalize("NFKC", character)[:1]
        return "'" + text if plain in _BEGINNINGS or character in "−﹣" else text
    return text


def row(cells: Sequence[Cell]) -> str:
    """A line by RFC 4180: texts inert and in quotation marks, numbers as they are, nothing as an empty text."""
    line = io.StringIO(newline="")
    writer = csv.writer(line, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow([inert(cell) if isinstance(cell, str) else cell for cell in cells])
    return line.getvalue()


# Spreadsheets take UTF-8 without the mark at its beginning for whatever their country is used to.
HEAD = "\ufeff" + row(COLUMNS)


def lines(export: Export, records: Sequence[AnswerRecord]) -> Iterator[Line]:
    """A row for each of `records`."""
    judgements = rows.judgements(export, [record.pk for record in records])
    labels = rows.labels(export, [record.pk for record in records])
    files = attached.names({record.message.parent_id for record in records if record.message})
    for record, conversation, message in rows.with_words(records):
        cells = [
            record.pk,
            str(conversation.pk),
            str(message.pk),
            rows.moment(record.ended_at),
            masked_name(export.company, conversation.owner_id),
            *_facts(record, message),
            *_said(message, judgements.get(record.pk)),
            "; ".join(labels.get(record.pk, [])),
            "; ".join(files.get(message.parent_id, [])),
        ]
        yield Line(record.pk, conversation, row(cells))


def _facts(record: AnswerRecord, message: Message) -> list[Cell]:
    return [
        record.persona.name,
        record.version.number,
        record.model,
        message.parent.text if message.parent else "",
        message.text,
        record.status,
        record.finish_reason,
        record.error_kind,
        record.prompt_tokens,
        record.completion_tokens,
        record.first_token_ms,
    ]


def _said(message: Message, judgement: Judgement | None) -> list[Cell]:
    feedback = getattr(message, "feedback", None)
    return [
        rows.rating(feedback),
        "; ".join(feedback.reasons) if feedback else "",
        feedback.comment if feedback else "",
        judgement.grade.name if judgement and judgement.grade else "",
        judgement.correction if judgement else "",
    ]

"""Whole conversations, one a line: every branch, how each answer was made, and what was said of it.

A conversation stands where the first of its answers stands that the filters let through. What was written after the
export was made is not in it; system prompts, and what a model thought to itself, are in none.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Min

from conversations import attached
from conversations.exports import rows
from conversations.exports.rows import Line
from conversations.models import AnswerRecord, Conversation, Export, Judgement, Message, Note
from conversations.reading import masked_name

FORMAT = "conversations/1"

Messages = dict[uuid.UUID, Message]


@dataclass(frozen=True, slots=True)
class _Said:
    """What a batch of conversations holds, and what was said of it."""

    messages: dict[uuid.UUID, Messages]
    records: dict[uuid.UUID, AnswerRecord]
    judgements: dict[int, Judgement]
    labels: dict[int, list[str]]
    notes: dict[uuid.UUID, list[Note]]


def lines(export: Export, records: Sequence[AnswerRecord]) -> Iterator[Line]:
    """A line for each conversation whose first answer in the export is among `records`."""
    ids = {record.conversation_id for record in records}
    firsts = rows.chosen(export).filter(conversation__in=ids).values("conversation")
    first = {each["first"] for each in firsts.annotate(first=Min("pk"))}
    anchors = [each for each in rows.with_words(records) if each[0].pk in first]
    said = _said(export, [conversation.pk for _, conversation, _ in anchors])
    for record, conversation, _ in anchors:
        yield rows.json_line(record, conversation, _document(export, record, conversation, said))


def _said(export: Export, conversations: Sequence[uuid.UUID]) -> _Said:
    messages: dict[uuid.UUID, Messages] = defaultdict(dict)
    found = Message.objects.filter(conversation__in=conversations).order_by("created_at", "pk")
    found = found.prefetch_related("attachments")
    related = ("generation", "imported", "feedback", "flag")
    for message in found.select_related(*related).defer("generation__reasoning"):
        messages[message.conversation_id][message.pk] = message
    records = {
        record.message_id: record
        for record in AnswerRecord.objects.filter(
            message__conversation__in=conversations, pk__lte=export.upto
        ).select_related("version")
        if record.message_id
    }
    numbers = [record.pk for record in records.values()]
    return _Said(
        messages,
        records,
        rows.judgements(export, numbers),
        rows.labels(export, numbers),
        rows.notes(export, conversations),
    )


def _document(
    export: Export, record: AnswerRecord, conversation: Conversation, said: _Said
) -> dict[str, Any]:
    messages = said.messages[conversation.pk]
    return {
        "format": FORMAT,
        "record": record.pk,
        "ended_at": rows.moment(record.ended_at),
        "conversation": str(conversation.pk),
        "title": conversation.title,
        "person": masked_name(export.company, conversation.owner_id),
        "persona": conversation.persona.name,
        "created_at": rows.moment(conversation.created_at),
        "messages": [_message(message, said) for message in _in_time(messages, said)],
        "notes": [_note(export, note) for note in said.notes.get(conversation.pk, [])],
    }


def _in_time(messages: Messages, said: _Said) -> Iterable[Message]:
    """The answers that had been filed when the export was made, and the way to each."""
    kept = {
        message.pk
        for answer in messages.values()
        if answer.pk in said.records
        for message in rows.path(messages, answer)
    }
    return (message for message in messages.values() if message.pk in kept)


def _message(message: Message, said: _Said) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": str(message.pk),
        "parent": str(message.parent_id) if message.parent_id else None,
        "role": message.role,
        "text": message.text,
        "created_at": rows.moment(message.created_at),
    }
    if message.role == Message.Role.USER and (files := message.attachments.all()):
        document["attachments"] = [attached.line(file) for file in files]
    if hasattr(message, "imported"):
        document["imported"] = message.imported.origin
    if record := said.records.get(message.pk):
        document |= _answer(message, record, said)
    return document


def _answer(message: Message, record: AnswerRecord, said: _Said) -> dict[str, Any]:
    judgement = said.judgements.get(record.pk)
    grade = judgement.grade if judgement else None
    feedback = getattr(message, "feedback", None)
    return {
        "answer": {
            "record": record.pk,
            "version": record.version.number,
            "model": record.model,
            "recorded": message.generation.recorded,
            "status": record.status,
            "finish": record.finish_reason,
            "error": record.error_kind,
            "prompt_tokens": record.prompt_tokens,
            "completion_tokens": record.completion_tokens,
            "first_token_ms": record.first_token_ms,
            "left_out": message.generation.left_out,
            **({"citations": message.generation.citations} if message.generation.citations else {}),
            "ended_at": rows.moment(record.ended_at),
        },
        "feedback": {
            "rating": rows.rating(feedback),
            "reasons": feedback.reasons,
            "comment": feedback.comment,
        }
        if feedback
        else None,
        "flagged": hasattr(message, "flag"),
        "verdict": {"grade": grade.name, "passes": grade.passes} if grade else None,
        "correction": judgement.correction if judgement else "",
        "labels": said.labels.get(record.pk, []),
    }


def _note(export: Export, note: Note) -> dict[str, Any]:
    return {
        "author": masked_name(export.company, note.author_id) if note.author_id else "Deleted account",
        "text": note.text,
        "late": note.late,
        "created_at": rows.moment(note.created_at),
    }

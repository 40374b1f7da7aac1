"""Data to tune a model by, from answers that were reviewed: examples of good ones, and pairs of a better and a worse.

Each stands in its own context, behind the system prompt of the version that it was made by. For managers alone.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from conversations import attached
from conversations.exports import rows
from conversations.exports.rows import Line
from conversations.models import AnswerRecord, Export, Judgement, Message

Turns = list[dict[str, Any]]

_CORRECTED = Q(judgements__correction__gt="")  # negated, it would ask of all judgements
_PASSED = Q(judgements__grade__passes=True)
# Where the reviewers gave no grade, what the person said of the answer holds.
_LIKED = Q(judgements__grade__isnull=True, good=True)


@dataclass(frozen=True, slots=True)
class _Batch:
    """The conversations of some answers, and the judgements that count of all that is in them."""

    messages: dict[uuid.UUID, dict[uuid.UUID, Message]]
    judgements: dict[uuid.UUID, Judgement]


def learnable(export: Export) -> QuerySet[AnswerRecord]:
    """The answers that are examples: found good enough, or put right."""
    return _reviewed(export, _PASSED | _CORRECTED)


def preferable(export: Export) -> QuerySet[AnswerRecord]:
    """The answers that may be the better one of a pair, or were put right."""
    return _reviewed(export, _PASSED | _CORRECTED | _LIKED)


def _reviewed(export: Export, said: Q) -> QuerySet[AnswerRecord]:
    """The chosen answers of which the judgement that counts says that, in one query and by one join."""
    return rows.told(export, rows.chosen(export)).filter(rows.counted(export, "judgements__") & said)


def examples(export: Export, records: Sequence[AnswerRecord]) -> Iterator[Line]:
    """A line for each of `records` that has something to learn from."""
    batch = _load(export, records)
    for record, conversation, answer in rows.with_words(records):
        judgement = batch.judgements.get(answer.pk)
        if judgement is None or not (_passes(judgement) or judgement.correction.strip()):
            continue  # a correction of blanks, for example
        context, target = _context(record, answer, batch), _target(answer, judgement)
        if context and target:
            yield rows.json_line(record, conversation, {"messages": [*context, _says(target)]})


def pairs(export: Export, records: Sequence[AnswerRecord]) -> Iterator[Line]:
    """For each of `records`: what it was put right to against what it was, and it against its worse siblings."""
    batch = _load(export, records)
    worse = _failed_siblings(export, records)
    for record, conversation, answer in rows.with_words(records):
        judgement = batch.judgements.get(answer.pk)
        context, target = _context(record, answer, batch), _target(answer, judgement)
        losers = [answer.text] if judgement and judgement.correction.strip() else []
        if judgement and (judgement.grade.passes if judgement.grade else record.good):
            losers += worse[answer.parent_id]
        for loser in losers:
            if context and target and loser.strip() and loser != target:
                pair = {"messages": context, "chosen": _says(target), "rejected": _says(loser)}
                yield rows.json_line(record, conversation, pair)


def _load(export: Export, records: Sequence[AnswerRecord]) -> _Batch:
    conversations = {record.conversation_id for record in records}
    messages: dict[uuid.UUID, dict[uuid.UUID, Message]] = defaultdict(dict)
    found = Message.objects.filter(conversation__in=conversations).select_related("generation")
    for message in found.defer("generation__reasoning").prefetch_related("attachments"):
        messages[message.conversation_id][message.pk] = message
    counting = Judgement.objects.filter(rows.counted(export), record__message__conversation__in=conversations)
    judgements = {
        judgement.record.message_id: judgement
        for judgement in counting.select_related("grade", "record")
        if judgement.record.message_id
    }
    return _Batch(messages, judgements)


def _failed_siblings(export: Export, records: Sequence[AnswerRecord]) -> dict[uuid.UUID | None, list[str]]:
    """By question, its answers that the reviewers failed, in the order in which they ended."""
    questions = {record.message.parent_id for record in records if record.message}
    found: dict[uuid.UUID | None, list[str]] = defaultdict(list)
    failed = Judgement.objects.filter(
        rows.counted(export),
        grade__passes=False,
        record__message__parent__in=questions,
        record__pk__lte=export.upto,
    ).order_by("record")
    for question, text in failed.values_list("record__message__parent", "record__message__text"):
        found[question].append(text)
    return found


def _target(answer: Message, judgement: Judgement | None) -> str:
    """What is to be learned: the answer, or what it was put right to. Empty where there are no words."""
    if judgement and judgement.correction.strip():
        return judgement.correction
    return answer.text if answer.text.strip() else ""


def _context(record: AnswerRecord, answer: Message, batch: _Batch) -> Turns:
    """What the model was sent: the prompt of that version, and the branch down to the question, where it all fitted.

    Questions that follow one another, because the answer between them was empty, are one turn as they were for the
    provider. An earlier answer that nobody found good is there to be read, and weighs nothing. Empty where the
    conversation has just been deleted.
    """
    messages = batch.messages[answer.conversation_id]
    branch = rows.path(messages, messages.get(answer.pk))[:-1]
    left_out = messages[answer.pk].generation.left_out if branch else 0
    turns: Turns = []
    for message in (each for each in branch[left_out:] if each.text.strip()):
        if turns and turns[-1]["role"] == message.role == Message.Role.USER:
            turns[-1]["content"] += "\n\n" + attached.sent(message)
        else:
            turns.append(_turn(message, batch))
    if not turns or turns[0]["role"] != Message.Role.USER or turns[-1]["role"] != Message.Role.USER:
        return []
    prompt = record.version.system_prompt
    return [{"role": "system", "content": prompt}, *turns] if prompt.strip() else turns


def _turn(message: Message, batch: _Batch) -> dict[str, Any]:
    if message.role == Message.Role.USER:
        return {"role": "user", "content": attached.sent(message)}
    unlearned = {} if _good(batch.judgements.get(message.pk)) else {"weight": 0}
    return _says(message.text) | unlearned


def _says(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def _passes(judgement: Judgement) -> bool:
    return bool(judgement.grade and judgement.grade.passes)


def _good(judgement: Judgement | None) -> bool:
    """Whether the very words of an answer were found good enough."""
    return bool(judgement and _passes(judgement) and not judgement.correction.strip())

"""The rules of the queue: which answers bring their conversation before a company's reviewers, and why.

A rule sees an answer when it is filed, and again whenever it is filed anew; it gives a reason at most once. Patterns
are RE2's, whose time grows with the text and with nothing else, so that none can hold up the filing of others.
"""

from __future__ import annotations

import hashlib
import logging
import unicodedata
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import re2
from django.core.exceptions import ValidationError

from conversations.models import AnswerRecord, Company, EntryReason, Generation, QueueEntry, Rule

Kind = Rule.Kind
OFFERED = [kind for kind in Kind if kind != Kind.HAND]
logger = logging.getLogger(__name__)

Item = tuple[AnswerRecord, Generation]

PATTERN_CHARS = 1_000
WORDS = 100
NEEDS_VALUE = {Kind.SAMPLE, Kind.WORDS, Kind.PATTERN}
REFUSALS = {  # RE2's words for what is wrong with a pattern, and ours
    "missing )": "a bracket “(” is not closed",
    "unexpected )": "a bracket “)” was not opened",
    "missing ]": "a bracket “[” is not closed",
    "trailing \\": "it ends in a backslash",
    "invalid escape sequence": "there is no such escape, and no reference back to a group",
    "invalid perl operator": "there is no such group, and no looking ahead or behind",
    "invalid named capture group": "the name of a group is not complete",
    "invalid character class": "there is no such class of characters",
    "invalid character class range": "there is no such range of characters",
    "no argument for repetition operator": "nothing stands there to be repeated",
    "bad repetition operator": "one repetition follows another",
    "invalid repetition size": "it repeats more than 1,000 times, or backwards",
}
TROUBLE = {Generation.Status.FAILED, Generation.Status.INTERRUPTED}


def check(rule: Rule) -> None:
    """Raise ValidationError by field where `rule` makes no sense; tidy its value otherwise."""
    if rule.kind not in OFFERED:
        raise ValidationError({"kind": "Choose what the rule looks for."})
    rule.value = rule.value.strip() if rule.kind in NEEDS_VALUE else ""
    if rule.persona is not None and rule.persona.company_id != rule.company_id:
        raise ValidationError({"persona": "Choose a persona of the company."})
    if rule.kind == Kind.SAMPLE:
        if not (rule.value.isascii() and rule.value.isdigit() and 1 <= int(rule.value[:4]) <= 100):
            raise ValidationError(
                {"value": "Give a whole number from 1 to 100: so many of a hundred answers."}
            )
        rule.value = str(int(rule.value))
    if rule.kind == Kind.WORDS:
        words = [line.strip() for line in rule.value.splitlines() if line.strip()]
        if not 1 <= len(words) <= WORDS:
            raise ValidationError({"value": f"Give one word or phrase a line, at most {WORDS}."})
        rule.value = "\n".join(words)
    if rule.kind == Kind.PATTERN:
        if not 1 <= len(rule.value) <= PATTERN_CHARS:
            raise ValidationError({"value": f"Give a pattern of at most {PATTERN_CHARS:,} characters."})
        try:
            _compiled(rule.value)
        except re2.error as error:
            raise ValidationError({"value": _refusal(error)}) from error


def consider(items: Sequence[Item]) -> None:
    """Ask the rules of each answer's company, and open or extend entries for what they find."""
    if not items:
        return
    active: dict[uuid.UUID, list[Rule]] = defaultdict(list)
    for rule in Rule.objects.filter(active=True, company__in={record.company_id for record, _ in items}):
        active[rule.company_id].append(rule)
    found = [
        (record, rule, said)
        for record, answer in items
        for rule in active[record.company_id]
        if rule.persona_id in {None, record.persona_id} and (said := reason(rule, record, answer))
    ]
    _enter(found)


def reason(rule: Rule, record: AnswerRecord, answer: Generation) -> str:
    """Why `rule` wants the answer to be reviewed, in words; empty where it does not."""
    match rule.kind:
        case Kind.BAD:
            return "The person found this answer bad." if record.good is False else ""
        case Kind.FLAG:
            return "The person asked for a review." if hasattr(answer.message, "flag") else ""
        case Kind.TROUBLE:
            return _trouble(answer)
        case Kind.SAMPLE:
            return f"In the random sample of {rule.value} %." if _sampled(rule, record) else ""
        case Kind.WORDS:
            word = _first_word(rule.value.splitlines(), _texts(answer))
            return f"Says “{word}”." if word else ""
        case Kind.PATTERN:
            return _matched(rule.value, _texts(answer))
    raise ValueError(rule.kind)


def _enter(found: Iterable[tuple[AnswerRecord, Rule, str]]) -> None:
    found = list(found)
    given = set(
        EntryReason.objects.filter(record__in={record.pk for record, _, _ in found}).values_list(
            "rule_id", "record_id"
        )
    )
    new = [
        (record, rule, said)
        for record, rule, said in found
        if (rule.pk, record.pk) not in given and record.conversation_id is not None
    ]
    if not new:
        return
    # Two processes that file for one company take turns, so that a conversation has one waiting entry.
    list(
        Company.objects.select_for_update()
        .filter(pk__in={record.company_id for record, _, _ in new})
        .order_by("pk")
    )
    waiting = QueueEntry.objects.exclude(status=QueueEntry.Status.DONE)
    conversations = {record.conversation_id: record for record, _, _ in new}
    entries = {entry.conversation_id: entry for entry in waiting.filter(conversation__in=conversations)}
    opened = [
        QueueEntry(company_id=record.company_id, conversation_id=pk)
        for pk, record in conversations.items()
        if pk not in entries and pk is not None
    ]
    QueueEntry.objects.bulk_create(opened)
    entries |= {entry.conversation_id: entry for entry in opened}
    EntryReason.objects.bulk_create(
        EntryReason(
            entry=entries[record.conversation_id], rule=rule, record=record, kind=rule.kind, said=said[:200]
        )
        for record, rule, said in new
        if record.conversation_id is not None
    )


def _trouble(answer: Generation) -> str:
    if answer.status in TROUBLE:
        return (
            f"The answer {answer.status}: {answer.error_kind}."
            if answer.error_kind
            else f"The answer {answer.status}."
        )
    if answer.finish_reason == "length":
        return "The answer was cut at its length limit."
    return ""


def _sampled(rule: Rule, record: AnswerRecord) -> bool:
    """The same for the same answer at all times, so that filing it again draws no second lot."""
    lot = hashlib.sha256(f"{rule.pk} {record.message_id}".encode()).digest()
    return int.from_bytes(lot[:4], "big") % 10_000 < int(rule.value) * 100


def _texts(answer: Generation) -> list[str]:
    """What was asked and what was answered."""
    question = answer.message.parent
    return [question.text if question else "", answer.message.text]


def _first_word(words: Sequence[str], texts: Sequence[str]) -> str:
    """The first of `words` that stands in a text as a word or words of its own, whatever its case and accents."""
    folded = [f" {_folded(text)} " for text in texts]
    return next((word for word in words if any(_stands_in(_folded(word), text) for text in folded)), "")


def _stands_in(word: str, text: str) -> bool:
    # Scripts without spaces between words (CJK, Thai) have no edges to look for.
    spaceless = any("\u0e00" <= c <= "\u0eff" or c >= "\u2e80" for c in word)
    return bool(word) and (word if spaceless else f" {word} ") in text


def _folded(text: str) -> str:
    bare = (c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in bare).split())


def _matched(pattern: str, texts: Sequence[str]) -> str:
    try:
        compiled = _compiled(pattern)
    except re2.error:  # it was checked when it was saved, by another release of the engine maybe
        logger.warning("a pattern of the queue cannot be used any more")
        return ""
    for text in texts:
        if match := compiled.search(text):
            words = " ".join(match.group().split())[:60]
            return f"Matches the pattern: “{words}”." if words else "Matches the pattern."
    return ""


def _refusal(error: re2.error) -> str:
    """What is wrong with a pattern and where."""
    said = error.args[0] if error.args else ""
    said = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    what, _, where = said.partition(": ")
    wrong = REFUSALS.get(what, what)
    return f"This pattern cannot be used: {wrong}{f', at “{where}”' if where else ''}."


def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 8 << 20
    return re2.compile(pattern, options)

"""The rules of the queue: which answers bring their conversation before a company's reviewers, and why.

A rule sees an answer when it is filed, and again whenever it is filed anew; it gives a reason at most once, but for
what the person says again after a review. Patterns are RE2's: their time grows with the text and never explodes, but a
large one is slow all the same. So what texts are looked through for is done by `read`, outside of any transaction, and
a pattern is timed before it is taken.
"""

from __future__ import annotations

import hashlib
import logging
import time
import unicodedata
import uuid
from collections.abc import Iterable, Sequence, Set
from typing import Any

import re2
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, Subquery

from conversations.models import (
    AnswerRecord,
    Company,
    EntryReason,
    Feedback,
    Flag,
    Generation,
    QueueEntry,
    Rule,
)

Kind = Rule.Kind
OFFERED = [kind for kind in Kind if kind != Kind.HAND]
logger = logging.getLogger(__name__)

Item = tuple[AnswerRecord, Generation]
Read = dict[tuple[int, uuid.UUID], str]  # by rule and message, the reason in words

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
    "pattern too large - compile failed": "it is too large; use fewer or smaller repetitions",
    "invalid repetition size": "it repeats more than 1,000 times, or backwards",
}
PATTERN_BYTES = 1 << 20  # of memory for a compiled one
PATTERN_SECONDS = 0.1  # of processor time, for TRIAL_TEXTS
SCANNED = 65_536  # characters of a text in which a pattern is looked for
TRIAL_TEXTS = ("a" * 32_768, "refund 1234-5678, please. " * 1_260, "xyz 日本語 été\n" * 2_340)
TEXTUAL = {Kind.WORDS, Kind.PATTERN}
TROUBLE = {Generation.Status.FAILED, Generation.Status.INTERRUPTED}


def check(rule: Rule) -> None:
    """Raise ValidationError by field where `rule` makes no sense; tidy its value otherwise."""
    if rule.kind not in OFFERED:
        raise ValidationError({"kind": "Choose what the rule looks for."})
    rule.value = rule.value.strip() if rule.kind in NEEDS_VALUE else ""
    if rule.persona is not None and rule.persona.company_id != rule.company_id:
        raise ValidationError({"persona": "Choose a persona of the company."})
    if rule.kind == Kind.SAMPLE:
        digits = rule.value.lstrip("0")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 3 and int(digits) <= 100):
            raise ValidationError(
                {"value": "Give a whole number from 1 to 100: so many of a hundred answers."}
            )
        rule.value = digits
    if rule.kind == Kind.WORDS:
        words = [line.strip() for line in rule.value.splitlines() if line.strip()]
        if not 1 <= len(words) <= WORDS:
            raise ValidationError({"value": f"Give one word or phrase a line, at most {WORDS}."})
        rule.value = "\n".join(words)
    if rule.kind == Kind.PATTERN:
        if not 1 <= len(rule.value) <= PATTERN_CHARS:
            raise ValidationError({"value": f"Give a pattern of at most {PATTERN_CHARS:,} characters."})
        _check_pattern(rule.value)


def _check_pattern(pattern: str) -> None:
    try:
        slow = _seconds(_compiled(pattern)) > PATTERN_SECONDS
    except re2.error as error:
        raise ValidationError({"value": _refusal(error)}) from error
    if slow:
        raise ValidationError({"value": "This pattern takes too long. Use fewer or smaller repetitions."})


def read(answers: Sequence[Generation]) -> Read:
    """What the rules that look for words and patterns find. Slow, so outside of a transaction; texts do not change."""
    rules = [rule for rule in _active({_company(each) for each in answers}) if rule.kind in TEXTUAL]
    return {
        (rule.pk, answer.message_id): said
        for answer in answers
        for rule in rules
        if _concerns(rule, answer) and (said := _read(rule, answer))
    }


def consider(items: Sequence[Item], found: Read) -> None:
    """Ask the rules of each answer's company, and open or extend entries for what they say and what was `found`."""
    rules = _active({record.company_id for record, _ in items})
    reasons = [
        (record, rule, said)
        for record, answer in items
        for rule in rules
        if _concerns(rule, answer)
        and (
            said := found.get((rule.pk, answer.message_id), "")
            if rule.kind in TEXTUAL
            else reason(rule, record, answer)
        )
    ]
    _enter(reasons)


def reason(rule: Rule, record: AnswerRecord, answer: Generation) -> str:
    """Why `rule`, which does not look at texts, wants the answer to be reviewed; empty where it does not."""
    match rule.kind:
        case Kind.BAD:
            return "The person found this answer bad." if record.good is False else ""
        case Kind.FLAG:
            return "The person asked for a review." if hasattr(answer.message, "flag") else ""
        case Kind.TROUBLE:
            return _trouble(answer)
        case Kind.SAMPLE:
            return f"In the random sample of {rule.value} %." if _sampled(rule, record) else ""
    raise ValueError(rule.kind)


def _active(companies: Set[uuid.UUID]) -> list[Rule]:
    return list(Rule.objects.filter(active=True, company__in=companies)) if companies else []


def _company(answer: Generation) -> uuid.UUID:
    return answer.conversation.persona.company_id


def _concerns(rule: Rule, answer: Generation) -> bool:
    of_persona = rule.persona_id in {None, answer.conversation.persona_id}
    return rule.company_id == _company(answer) and of_persona


def _read(rule: Rule, answer: Generation) -> str:
    texts = [text[:SCANNED] for text in _texts(answer)]
    if rule.kind == Kind.PATTERN:
        return _matched(rule.value, texts)
    word = _first_word(rule.value.splitlines(), texts)
    return f"Says “{word}”." if word else ""


def _enter(found: Iterable[tuple[AnswerRecord, Rule, str]]) -> None:
    found = list(found)
    given = _given(found)
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
    entries = {
        entry.conversation_id: entry
        for entry in waiting.select_for_update().filter(conversation__in=conversations)
    }
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


def _given(found: Sequence[tuple[AnswerRecord, Rule, str]]) -> set[tuple[int | None, int]]:
    """By rule and answer, the reasons that hold already: but not what the person said again since a review ended."""
    said = Feedback.objects.filter(message=OuterRef("record__message")).values("updated_at")
    flagged = Flag.objects.filter(message=OuterRef("record__message")).values("created_at")
    reasons = (
        EntryReason.objects.filter(record__in={record.pk for record, _, _ in found})
        .select_related("entry")
        .annotate(said_at=Subquery(said), flagged_at=Subquery(flagged))
    )

    def again(reason: Any) -> bool:
        told = {Kind.BAD: reason.said_at, Kind.FLAG: reason.flagged_at}.get(reason.kind)
        closed = reason.entry.closed_at
        return told is not None and closed is not None and told > closed

    newest: dict[tuple[int | None, int], bool] = {}
    for reason in reasons.order_by("pk"):
        newest[reason.rule_id, reason.record_id] = again(reason)
    return {key for key, is_said_again in newest.items() if not is_said_again}


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
    options.max_mem = PATTERN_BYTES
    return re2.compile(pattern, options)


def _seconds(pattern: Any) -> float:
    """Of processor time, for texts that patterns find hard."""
    began = time.thread_time()
    for text in TRIAL_TEXTS:
        pattern.search(text)
    return time.thread_time() - began

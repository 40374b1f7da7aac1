"""The rules of the queue: which answers bring their conversation before a company's reviewers, and why.

A rule sees an answer when it is filed, and again whenever it is filed anew; it gives a reason at most once, but for
what the person says again after a review. What is looked for in texts is found before, by `scanning.py`.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence, Set
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import OuterRef, Subquery
from django.utils.formats import number_format
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from conversations import matching
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

Item = tuple[AnswerRecord, Generation]
Read = dict[tuple[int, uuid.UUID], str]  # by rule and message, the reason in words

PATTERN_CHARS = 1_000
WORDS = 100
TEXT_RULES = 20  # of a company that look through texts at the same time
NEEDS_VALUE = {Kind.SAMPLE, Kind.WORDS, Kind.PATTERN}
TEXTUAL = {Kind.WORDS, Kind.PATTERN}
IN_GENERAL = {Kind.SAMPLE, Kind.TROUBLE}
TROUBLE = {Generation.Status.FAILED, Generation.Status.INTERRUPTED}

# Reasons as they are kept beside an entry or a rule, in one language; `worded` says them in that of who reads them.
FOUND_BAD = gettext_noop("The person found this answer bad.")
ASKED = gettext_noop("The person asked for a review.")
BY_HAND = gettext_noop("Opened by a reviewer.")
CUT = gettext_noop("The answer was cut at its length limit.")
FAILED = gettext_noop("The answer failed.")
INTERRUPTED = gettext_noop("The answer interrupted.")
FAILED_BY = gettext_noop("The answer failed: %(why)s.")
INTERRUPTED_BY = gettext_noop("The answer interrupted: %(why)s.")
SAMPLED = gettext_noop("In the random sample of %(share)s %%.")
TOO_SLOW = gettext_noop(
    "It needed more than %(seconds)s seconds to look through one answer, so it held up the others. "
    "Have it look for less, then switch it on."
)
SENTENCES = {FOUND_BAD, ASKED, BY_HAND, CUT, FAILED, INTERRUPTED, matching.MATCHES}
AROUND = (
    (FAILED_BY, "why"),
    (INTERRUPTED_BY, "why"),
    (SAMPLED, "share"),
    (TOO_SLOW, "seconds"),
    (matching.SAYS, "words"),
    (matching.MATCHES_WORDS, "words"),
)


def check(rule: Rule) -> None:
    """Raise ValidationError by field where `rule` makes no sense; tidy its value otherwise."""
    if rule.kind not in OFFERED:
        raise ValidationError({"kind": _("Choose what the rule looks for.")})
    rule.value = rule.value.strip() if rule.kind in NEEDS_VALUE else ""
    if rule.persona is not None and rule.persona.company_id != rule.company_id:
        raise ValidationError({"persona": _("Choose a persona of the company.")})
    if rule.kind == Kind.SAMPLE:
        digits = rule.value.lstrip("0")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 3 and int(digits) <= 100):
            raise ValidationError(
                {"value": _("Give a whole number from 1 to 100: so many of a hundred answers.")}
            )
        rule.value = digits
    if rule.kind == Kind.WORDS:
        words = [line.strip() for line in rule.value.splitlines() if line.strip()]
        if not 1 <= len(words) <= WORDS:
            said = _("Give one word or phrase a line, at most %(most)s.")
            raise ValidationError({"value": said % {"most": WORDS}})
        rule.value = "\n".join(words)
    if rule.kind == Kind.PATTERN:
        if not 1 <= len(rule.value) <= PATTERN_CHARS:
            said = _("Give a pattern of at most %(most)s characters.")
            most = number_format(PATTERN_CHARS, force_grouping=True)
            raise ValidationError({"value": said % {"most": most}})
        try:
            matching.check_pattern(rule.value)
        except matching.Unusable as unusable:
            raise ValidationError({"value": str(unusable)}) from unusable


def check_room(rule: Rule) -> None:
    """Raise ValidationError where the company has as many rules at work on texts as it may, but for `rule`.

    To be asked by who has the company's row.
    """
    others = Rule.objects.filter(company=rule.company_id, active=True, kind__in=TEXTUAL).exclude(pk=rule.pk)
    if rule.kind in TEXTUAL and others.count() >= TEXT_RULES:
        said = _(
            "Your company has %(most)s rules for words and patterns switched on, which is the most. "
            "Switch one off, or put several into one."
        )
        raise ValidationError({"value": said % {"most": TEXT_RULES}})


def named(rule: Rule) -> str:
    """A rule as a sentence names it."""
    facts = {"rule": Truncator(str(rule)).chars(100), "persona": rule.persona}
    return (_("“%(rule)s” for %(persona)s") if rule.persona else _("“%(rule)s”")) % facts


def worded(said: str) -> str:
    """A reason as it is kept, in the language of who reads it."""
    if said in SENTENCES:
        return _(said)
    for sentence, name in AROUND:
        before, behind = sentence.replace("%%", "%").split(f"%({name})s")
        if len(said) > len(before + behind) and said.startswith(before) and said.endswith(behind):
            what = said[len(before) : len(said) - len(behind)]
            return _(sentence) % {name: number_format(what) if name == "seconds" else what}
    return said


def consider(items: Sequence[Item], found: Read) -> None:
    """Ask the rules of each answer's company, and open or extend entries for what they say and what was `found`."""
    rules = active({record.company_id for record, __ in items})
    reasons = [
        (record, rule, said)
        for record, answer in items
        for rule in rules
        if concerns(rule, answer)
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
            return FOUND_BAD if record.good is False else ""
        case Kind.FLAG:
            return ASKED if hasattr(answer.message, "flag") else ""
        case Kind.TROUBLE:
            return _trouble(answer)
        case Kind.SAMPLE:
            return SAMPLED % {"share": rule.value} if _sampled(rule, record) else ""
    raise ValueError(rule.kind)


def active(companies: Set[uuid.UUID]) -> list[Rule]:
    """The rules of the companies that are switched on."""
    return list(Rule.objects.filter(active=True, company__in=companies)) if companies else []


def concerns(rule: Rule, answer: Generation) -> bool:
    """Whether `rule` is for answers of this one's persona. A temporary chat stays for what is said in it, and not to be
    looked at in general."""
    persona = answer.conversation.persona
    if answer.conversation.temporary_until is not None and rule.kind in IN_GENERAL:
        return False
    return rule.company_id == persona.company_id and rule.persona_id in {None, persona.pk}


def _enter(found: Iterable[tuple[AnswerRecord, Rule, str]]) -> None:
    found = list(found)
    if not found:
        return
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
        .filter(pk__in={record.company_id for record, *__ in new})
        .order_by("pk")
    )
    waiting = QueueEntry.objects.exclude(status=QueueEntry.Status.DONE)
    conversations = {record.conversation_id: record for record, *__ in new}
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
        EntryReason.objects.filter(record__in={record.pk for record, *__ in found})
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
        failed = answer.status == Generation.Status.FAILED
        if not answer.error_kind:
            return FAILED if failed else INTERRUPTED
        return (FAILED_BY if failed else INTERRUPTED_BY) % {"why": answer.error_kind}
    if answer.finish_reason == "length":
        return CUT
    return ""


def _sampled(rule: Rule, record: AnswerRecord) -> bool:
    """The same for the same answer at all times, so that filing it again draws no second lot."""
    lot = hashlib.sha256(f"{rule.pk} {record.message_id}".encode()).digest()
    return int.from_bytes(lot[:4], "big") % 10_000 < int(rule.value) * 100

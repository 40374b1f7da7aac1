"""Looking through the texts of answers for what a company's rules name, with an eye on the time.

Slow, so it is done outside of any transaction; texts do not change. A rule that takes too much time is switched off,
and the rest of a company's answers waits for the next filing, so that what one company looks for holds up no other.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterable, Sequence

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from conversations import attached, matching, rules
from conversations.models import Company, Generation, Rule

Kind = Rule.Kind
Files = dict[uuid.UUID, str]
Seekers = dict[Rule, matching.Words | matching.Pattern]
logger = logging.getLogger(__name__)

RULE_SECONDS = 0.2  # of processor time for one answer; a rule that takes longer is switched off
READ_SECONDS = 1.0  # of processor time for the answers of a company, before it is another's turn
THE_SITE = (
    "the site"  # by whom it is on record what nobody did; no form makes an account with a space in its name
)


def read(company: uuid.UUID, ids: Sequence[uuid.UUID]) -> tuple[rules.Read, list[uuid.UUID]]:
    """What the rules of a company that look for words and patterns find in answers, and in which of these: those at
    the end are left out when the time is up. Where there are no such rules, no text is read."""
    began, found = time.thread_time(), rules.Read()
    seekers = _seekers(rules.active({company}))
    if not seekers:
        return found, list(ids)
    answers = list(
        Generation.objects.filter(pk__in=ids)
        .select_related("conversation__persona", "message__parent")
        .order_by("finished_at")
    )
    files = attached.words([each.message.parent_id for each in answers if each.message.parent_id])
    seen: list[uuid.UUID] = []
    for answer in answers:
        if not _read(answer, files, seekers, found, until=began + READ_SECONDS):
            break
        seen.append(answer.pk)
        if time.thread_time() - began > READ_SECONDS:
            break
    return found, seen


def _seekers(active: Iterable[Rule]) -> Seekers:
    """The rules that look through texts, each with what does it."""
    seekers: Seekers = {}
    for rule in active:
        try:
            if rule.kind == Kind.PATTERN:
                seekers[rule] = matching.Pattern(rule.value)
            elif rule.kind == Kind.WORDS:
                seekers[rule] = matching.Words(rule.value.splitlines())
        except matching.Unusable:  # it was checked when it was saved, by another release of the engine maybe
            logger.warning("a pattern of the queue cannot be used any more")
    return seekers


def _read(answer: Generation, files: Files, seekers: Seekers, found: rules.Read, *, until: float) -> bool:
    """Look through one answer, and switch off what takes too long. False where the time was up before the end: without
    what was switched off, the next time gets further."""
    fold = any(isinstance(seeker, matching.Words) for seeker in seekers.values())
    texts = [matching.Text.of(text, fold=fold) for text in _texts(answer, files)]
    stopped = False
    for rule, seeker in list(seekers.items()):
        if not rules.concerns(rule, answer):
            continue
        if stopped and time.thread_time() > until:
            return False
        try:
            if said := matching.find(seeker, texts, RULE_SECONDS):
                found[rule.pk, answer.message_id] = said
        except matching.TooSlow:
            _switch_off(rule)
            del seekers[rule]
            stopped = True
    return True


def _switch_off(rule: Rule) -> None:
    """End a rule that holds up the others, which the company's managers find in its log and beside the rule."""
    why = rules.TOO_SLOW % {"seconds": RULE_SECONDS}
    with transaction.atomic():
        same = Rule.objects.filter(pk=rule.pk, active=True, value=rule.value)
        if not same.update(active=False, stopped=why):
            return
        site, _ = User.objects.get_or_create(
            username=THE_SITE, defaults={"is_active": False, "password": make_password(None)}
        )
        LogEntry.objects.create(
            user=site,
            content_type=ContentType.objects.get_for_model(Company),
            object_id=str(rule.company_id),
            object_repr=str(rule.company)[:200],
            action_flag=CHANGE,
            change_message=f"Switched off the rule {rules.named(rule)}. {why}",
        )
    logger.warning("a rule of the queue took too long and was switched off")


def _texts(answer: Generation, files: Files) -> list[str]:
    """What was asked, what was answered, and how that begins which was attached."""
    question = answer.message.parent
    if question is None:
        return ["", answer.message.text]
    hung = files.get(question.pk)
    return [question.text, answer.message.text, *([hung] if hung else [])]

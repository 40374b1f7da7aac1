"""A conversation as the person saw it, with what is known and said of each answer beside it.

Called after `reading.py` has recorded the look. The number of queries does not grow with the length.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from conversations import attached, reviewing
from conversations.admin.workplace import desk as desks
from conversations.admin.workplace.facts import Fact, facts
from conversations.attached import Begun
from conversations.models import (
    AnswerLabel,
    AnswerRecord,
    Conversation,
    Generation,
    Grade,
    Judgement,
    Label,
    PersonaVersion,
    Review,
)
from conversations.turn import Turn

OFFERED = 24  # labels that stand as buttons; the others are typed


@dataclass(frozen=True, slots=True)
class Panel:
    """What the reviewer has said of one answer so far."""

    message_id: uuid.UUID
    grade_id: int | None = None
    labels: list[Label] = field(default_factory=list)
    offered: list[Label] = field(default_factory=list)
    correction: str = ""
    reply: str = ""
    fixed_in_id: int | None = None

    @property
    def further(self) -> list[Label]:
        """The labels to press that are not given; what is beyond them is typed."""
        given = {label.pk for label in self.labels}
        return [label for label in self.offered if label.pk not in given][:OFFERED]


@dataclass(frozen=True, slots=True)
class Said:
    """What a review that may be seen says of one answer."""

    review: Review
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Row:
    """One message; an answer with its facts, and a panel where its reader may judge it."""

    turn: Turn
    number: int | None = None
    version: PersonaVersion | None = None
    facts: list[Fact] = field(default_factory=list)
    record: AnswerRecord | None = None
    verdict: Grade | None = None
    labels: list[Label] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    panel: Panel | None = None
    later: list[PersonaVersion] = field(default_factory=list)
    live: bool = False
    files: list[Begun] = field(default_factory=list)

    @property
    def reasons(self) -> list[str]:
        """What the person found wrong, in words."""
        given = self.turn.feedback.reasons if self.turn.feedback else []
        return [label for value, label in self.turn.reasons if value in given]


def rows(conversation: Conversation, turns: list[Turn], desk: desks.Desk) -> list[Row]:
    """The messages of a branch, each with what belongs beside it."""
    ids = [turn.id for turn in turns if turn.generation_id]
    answers = {
        each.message_id: each
        for each in Generation.objects.filter(message__in=ids)
        .select_related("version__endpoint")
        .defer("version__system_prompt", "reasoning")
    }
    records = {
        each.message_id: each
        for each in AnswerRecord.objects.filter(message__in=ids).select_related("verdict", "version")
    }
    standing: dict[int, list[Label]] = {}
    shown = [] if desk.unseen else list(records.values())
    for given in AnswerLabel.objects.filter(record__in=shown).select_related("label"):
        standing.setdefault(given.record_id, []).append(given.label)
    offered = offered_labels(desk.mine) if desk.mine else []
    later = _published(conversation) if desk.mine else []
    with_files = [turn.id for turn in turns if turn.files]
    files = attached.beginnings(with_files) if with_files else {}
    found = []
    for turn in turns:
        answer, record = answers.get(turn.id), records.get(turn.id)
        if answer is None:
            found.append(Row(turn, files=files.get(turn.id, [])))
            continue
        number = answer.version.number or 0
        found.append(
            Row(
                turn,
                number=len([row for row in found if row.number]) + 1,
                version=answer.version,
                facts=facts(answer),
                record=record,
                verdict=record.verdict if record and not desk.unseen else None,
                labels=standing.get(record.pk, []) if record else [],
                said=_said(desk, record),
                panel=_panel(desk, turn, record, standing, offered) if desk.mine and record else None,
                later=[each for each in later if (each.number or 0) > number],
                live=answer.live,
            )
        )
    return found


def panel(review: Review, record: AnswerRecord) -> Panel:
    """The panel of one answer, as `review` has it now."""
    judgement = review.judgements.get(record=record)
    return Panel(
        message_id=record.message_id or uuid.UUID(int=0),
        grade_id=judgement.grade_id,
        labels=list(judgement.labels.all()),
        offered=offered_labels(review),
    )


def offered_labels(review: Review) -> list[Label]:
    """The labels that stand there to be given in `review`."""
    known = reviewing.known_labels(review.entry.company, review.reviewer)
    return list(known.filter(retired=False)[:500])


def _panel(
    desk: desks.Desk,
    turn: Turn,
    record: AnswerRecord,
    standing: dict[int, list[Label]],
    offered: list[Label],
) -> Panel:
    own = next((j for j in _of(desk.mine) if j.record_id == record.pk), None)
    told = turn.outcome
    labels = list(own.labels.all()) if own else standing.get(record.pk, [])
    correction = own.correction if own else ""
    if desk.ruling and own is None:
        both = [said.judgement for said in _said(desk, record)]
        labels = list({label.pk: label for each in both for label in each.labels.all()}.values()) or labels
    return Panel(
        message_id=turn.id,
        grade_id=own.grade_id if own else None,
        labels=labels,
        offered=offered,
        correction=correction,
        reply=(own.reply if own else "") or (told.reply if told else ""),
        fixed_in_id=(own.fixed_in_id if own else None) or (told.fixed_in_id if told else None),
    )


def _said(desk: desks.Desk, record: AnswerRecord | None) -> list[Said]:
    if record is None:
        return []
    return [
        Said(review, judgement)
        for review in desk.said
        for judgement in _of(review)
        if judgement.record_id == record.pk
    ]


def _of(review: Review | None) -> list[Judgement]:
    return list(review.judgements.all()) if review else []


def _published(conversation: Conversation) -> list[PersonaVersion]:
    versions = conversation.persona.versions.filter(number__isnull=False)
    return list(versions.defer("system_prompt"))

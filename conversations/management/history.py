"""A made-up history of a company's chats, as rows to be stored: the same rows for the same generator and size.

Everything that real answers bring with them is here: turns, how they were made and ended, the ledger, what people and
reviewers said. Nothing is stored here; that is the command's.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Model

from conversations import providers
from conversations.generation import store
from conversations.management import sentences
from conversations.models import (
    AnswerLabel,
    AnswerRecord,
    Conversation,
    EntryReason,
    Feedback,
    Generation,
    Grade,
    Judgement,
    Label,
    Message,
    Persona,
    PersonaVersion,
    QueueEntry,
    Review,
    Rule,
)
from conversations.posting import title_of

Status = Generation.Status

DAYS: Final = 400
BATCH: Final = 2_000  # turns
OPEN_DAYS: Final = 20  # entries younger than that wait for their review
ENDINGS: Final = (  # status, finish reason, error, how many of a thousand
    (Status.DONE, "complete", "", 880),
    (Status.DONE, "length", "", 60),
    (Status.DONE, "filtered", "", 5),
    (Status.STOPPED, "", "", 20),
    (Status.INTERRUPTED, "", "", 5),
    (Status.FAILED, "", "rate_limited", 15),
    (Status.FAILED, "", "timeout", 10),
    (Status.FAILED, "", "unavailable", 4),
    (Status.FAILED, "", "auth", 1),
)
SENTENCES: Final = {
    Status.STOPPED: store.STOPPED,
    Status.INTERRUPTED: store.INTERRUPTED,
}
REASONS: Final = {
    "bad": "The person found this answer bad.",
    "trouble": "The answer was cut at its length limit.",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A company's part of the history: who asks whom, and with what reviewers judge. Versions are by age."""

    people: list[User]
    versions: dict[Persona, list[PersonaVersion]]
    rules: dict[str, Rule]
    grades: list[Grade]
    labels: list[Label]
    reviewer: User | None


@dataclass(slots=True)
class Batch:
    """Rows that are stored together, in the order of the models."""

    rows: dict[type[Model], list[Model]] = field(
        default_factory=lambda: {
            model: []
            for model in (
                Conversation,
                Message,
                Generation,
                AnswerRecord,
                Feedback,
                QueueEntry,
                EntryReason,
                Review,
                Judgement,
                AnswerLabel,
            )
        }
    )
    texts: dict[uuid.UUID, tuple[str, str]] = field(
        default_factory=dict
    )  # by answer: what was asked and said

    def add(self, row: Model) -> None:
        self.rows[type(row)].append(row)


class History:
    """`turns` questions and answers up to `end`, in batches. `first` are the numbers that rows begin with."""

    def __init__(
        self,
        rng: Random,
        settings: list[tuple[int, Setting]],
        *,
        turns: int,
        end: datetime,
        first: dict[type[Model], int],
    ) -> None:
        self.rng, self.turns, self.end = rng, turns, end
        self.settings = [setting for _, setting in settings]
        self.weights = [weight for weight, _ in settings]
        self.numbers = {model: count(number) for model, number in first.items()}
        self.told = 0

    def batches(self) -> Iterator[Batch]:
        """All of it, the oldest first."""
        while self.told < self.turns:
            batch, goal = Batch(), min(self.told + BATCH, self.turns)
            while self.told < goal:
                self._conversation(batch, min(self.rng.choice((1, 2, 3, 4, 4, 6, 8)), goal - self.told))
            self._number(batch)
            yield batch

    def _conversation(self, batch: Batch, turns: int) -> None:
        rng = self.rng
        setting = rng.choices(self.settings, self.weights)[0]
        persona = rng.choice(list(setting.versions))
        share = self.told / self.turns
        at = self.end - timedelta(days=DAYS) * (1 - share) + timedelta(seconds=rng.uniform(0, 60))
        at = min(at, self.end - timedelta(minutes=20))
        versions = setting.versions[persona]
        version = versions[min(int(share * len(versions)), len(versions) - 1)]
        conversation = Conversation(
            id=self._uuid(), owner=rng.choice(setting.people), persona=persona, created_at=at
        )
        batch.add(conversation)
        parent: Message | None = None
        records = []
        for _ in range(turns):
            parent, record, at = self._turn(batch, conversation, version, parent, at)
            records.append(record)
            if not conversation.title:
                conversation.title = title_of(batch.texts[parent.pk][0])
        conversation.head, conversation.active_at = parent, at
        self.told += turns
        self._reviewed(batch, setting, conversation, records)

    def _turn(
        self,
        batch: Batch,
        conversation: Conversation,
        version: PersonaVersion,
        parent: Message | None,
        at: datetime,
    ) -> tuple[Message, AnswerRecord, datetime]:
        rng = self.rng
        status, finish, error, _ = rng.choices(ENDINGS, [share for *_, share in ENDINGS])[0]
        asked = sentences.question(rng)
        said = sentences.answer(rng) if status != Status.FAILED else ""
        ended = at + timedelta(seconds=rng.uniform(1, 30))
        question = parent.reply(asked) if parent else Message.opening(conversation, asked)
        question.id, question.created_at = self._uuid(), at
        if parent is None:
            question.strand = question.id
        answer = question.reply(said)
        answer.id, answer.created_at = self._uuid(), at
        batch.texts[answer.pk] = (asked, said)
        made = {
            "status": status,
            "finish_reason": finish,
            "prompt_tokens": 20 + len(asked) // 4,
            "completion_tokens": len(said) // 4,
            "first_token_ms": rng.randrange(150, 2_500) if said else None,
        }
        generation = Generation(
            id=self._uuid(), conversation=conversation, message=answer, version=version, client_id=self._uuid(),
            requested_by_id=conversation.owner_id, heartbeat_at=ended, error_kind=error, model=version.model,
            created_at=at, started_at=at, finished_at=ended, filed=True, recorded=True,
            sentence=_sentence(status, finish, error, version.endpoint.name), **made,
        )  # fmt: skip
        record = AnswerRecord(
            company_id=conversation.persona.company_id, persona_id=conversation.persona_id, version=version,
            person_id=conversation.owner_id, conversation=conversation, message=answer, model=version.model,
            error_kind=error or None, ended_at=ended, good=self._rated(batch, conversation, answer, ended), **made,
        )  # fmt: skip
        for row in (question, answer, generation, record):
            batch.add(row)
        return answer, record, ended + timedelta(seconds=rng.uniform(5, 90))

    def _rated(self, batch: Batch, conversation: Conversation, answer: Message, at: datetime) -> bool | None:
        draw = self.rng.random()
        if draw >= 0.08:
            return None
        good = draw < 0.05
        comment = self.rng.choice(sentences.COMMENTS)
        batch.add(
            Feedback(
                id=next(self.numbers[Feedback]), message=answer, person_id=conversation.owner_id, good=good,
                reasons=[] if good else ["wrong"], comment=comment, created_at=at, updated_at=at,
            )
        )  # fmt: skip
        return good

    def _reviewed(
        self, batch: Batch, setting: Setting, conversation: Conversation, records: list[AnswerRecord]
    ) -> None:
        """Bad answers and cut ones come into the queue; what has waited for long was reviewed."""
        why = [(record, "bad") for record in records if record.good is False]
        why += [(r, "trouble") for r in records if r.finish_reason == "length" and self.rng.random() < 0.1]
        if not why:
            return
        at = conversation.active_at
        done = at < self.end - timedelta(days=OPEN_DAYS)
        entry = QueueEntry(
            id=self._uuid(), company_id=conversation.persona.company_id, conversation=conversation, opened_at=at,
            status=QueueEntry.Status.DONE if done else QueueEntry.Status.OPEN, closed_at=at if done else None,
        )  # fmt: skip
        batch.add(entry)
        for record, kind in why:
            batch.add(
                EntryReason(
                    id=next(self.numbers[EntryReason]), entry=entry, rule=setting.rules[kind], record=record,
                    kind=kind, said=REASONS[kind], created_at=at,
                )
            )  # fmt: skip
        if done:
            self._judged(batch, setting, entry, records)

    def _judged(self, batch: Batch, setting: Setting, entry: QueueEntry, records: list[AnswerRecord]) -> None:
        at = entry.opened_at + timedelta(days=1)
        review = Review(
            id=next(self.numbers[Review]), entry=entry, reviewer=setting.reviewer, seat="first",
            started_at=at, submitted_at=at,
        )  # fmt: skip
        batch.add(review)
        for record in records:
            record.verdict = self.rng.choice(setting.grades)
            batch.add(
                Judgement(
                    id=next(self.numbers[Judgement]), review=review, record=record, grade=record.verdict,
                    counts=True, updated_at=at,
                )
            )  # fmt: skip
            if self.rng.random() < 0.3:
                batch.add(
                    AnswerLabel(
                        id=next(self.numbers[AnswerLabel]), label=self.rng.choice(setting.labels), record=record,
                        by=setting.reviewer, created_at=at,
                    )
                )  # fmt: skip

    def _number(self, batch: Batch) -> None:
        """Number the ledger in the order of the ends, and let what points there know."""
        records = batch.rows[AnswerRecord]
        records.sort(key=lambda record: record.ended_at)  # type: ignore[attr-defined]
        for record in records:
            record.pk = next(self.numbers[AnswerRecord])
        for model in (EntryReason, Judgement, AnswerLabel):
            for row in batch.rows[model]:
                row.record_id = row.record.pk  # type: ignore[attr-defined]

    def _uuid(self) -> uuid.UUID:
        return uuid.UUID(int=self.rng.getrandbits(128), version=4)


def _sentence(status: Generation.Status, finish: str, error: str, provider: str) -> str:
    """What a person reads below an answer that ended so: in the words of those that really do."""
    if error:
        return providers.error_sentence(providers.ProviderError(providers.ErrorKind(error), provider))
    if finish:
        return providers.finish_sentence(providers.FinishReason(finish), "", provider)
    return SENTENCES[status]

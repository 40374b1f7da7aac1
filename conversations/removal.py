"""Removing whole conversations with all that hangs on them, in few statements however many there are.

What hangs on a conversation is read from the models, so that one which is added later goes too: what the database would
delete along is deleted, what would be set to nothing is set so. The ledger is of the second kind and stays, without a
way back to the words; triggers of the database take these out of the search then. Callers have locked the conversations
and know that they may go: `expiry.py` by age, `erasing/` with a person, `deleting.py` by their owner's will.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from conversations.models import AnswerLabel, Conversation, Generation
from conversations.models.keeping import held

CONVERSATIONS = 20  # at once
MESSAGES = (
    300  # at once, but for a conversation that has more by itself: within some 0.2 s on a busy small machine
)


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a removal: rows of `model` that `lookup` leads to go, or lose what `field` holds."""

    model: type[models.Model]
    lookup: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Removed:
    """How many conversations went, and how many rows of each kind with them, by the plural names of the kinds."""

    conversations: int
    rows: Counter[str]

    @property
    def messages(self) -> int:
        return self.rows["messages"]


def removable() -> Q:
    """That a conversation may go now: nobody holds or reviews it, no answer is being written, and all are in the
    ledger."""
    live_or_unfiled = Generation.objects.filter(conversation=OuterRef("pk")).filter(
        Q(finished_at=None) | Q(filed=False)
    )
    return ~held() & ~Q(Exists(live_or_unfiled))


def batch(candidates: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """As many of the first candidates as are removed at once."""
    counted = Conversation.objects.filter(pk__in=candidates).annotate(many=Count("messages"))
    many = dict(counted.values_list("pk", "many"))
    chosen: list[uuid.UUID] = []
    total = 0
    for pk in candidates[:CONVERSATIONS]:
        total += many.get(pk, 0)
        if chosen and total > MESSAGES:
            break
        chosen.append(pk)
    return chosen


def remove(candidates: Sequence[uuid.UUID], still: Q) -> Removed:
    """Remove those of the conversations that are `removable` and `still` as they should be, in the caller's
    transaction. Whoever writes in one at this moment has it first or finds it gone."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("A conversation goes whole or not at all.")
    # The lock first, then the question: what another transaction did before it got out of the way counts.
    locked = Conversation.objects.select_for_update().filter(pk__in=candidates).order_by("pk")
    ids = [row.pk for row in locked.only("pk")]
    ids = list(Conversation.objects.filter(removable(), still, pk__in=ids).values_list("pk", flat=True))
    rows: Counter[str] = Counter()
    if ids:
        for step in plan():
            found: QuerySet[Any] = models.QuerySet(step.model).filter(**{f"{step.lookup}__in": ids})
            if step.field:
                found.update(**{step.field: None})
            elif number := found._raw_delete(using=found.db):
                rows[str(step.model._meta.verbose_name_plural)] += number
    return Removed(rows["conversations"], rows)


@cache
def plan() -> tuple[Step, ...]:
    """The statements, those first whose rows hang on others'. Raises TypeError for a relation that forbids it."""
    labels = Step(AnswerLabel, "record__conversation")  # what reviewers call the words goes with the words
    below = dict.fromkeys(_below(Conversation, ""))
    return (labels, *below, Step(Conversation, "pk"))


def _below(model: type[models.Model], lookup: str) -> Iterator[Step]:
    """What hangs on rows of `model`, which `lookup` leads to."""
    clears: list[Step] = []
    for relation in model._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ManyToOneRel) or relation.related_model is model:
            continue
        child: Any = relation.related_model
        way = f"{relation.field.name}__{lookup}" if lookup else relation.field.name
        if relation.on_delete is models.CASCADE:
            yield from _below(child, way)
            yield Step(child, way)
        elif relation.on_delete is models.SET_NULL:
            if child is not Conversation:
                clears.append(Step(child, way, relation.field.name))
        elif relation.on_delete is not models.DO_NOTHING:
            raise TypeError(f"{relation.field} does not say what becomes of it with a conversation.")
    yield from clears

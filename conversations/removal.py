"""Removing whole conversations with all that hangs on them, in few statements however many there are.

What hangs on a conversation is read from the models, so that one which is added later goes too: what the database would
delete along is deleted, what would be set to nothing is set so. The ledger is of the second kind and stays, without a
way back to the words; triggers of the database take these out of the search then. Callers know that the conversations
may go: `expiry.py` by age, `erasing/` with a person, `deleting.py` by their owner's will.

A conversation goes whole: it is there, or nobody sees any of it. One that has more messages than are removed at once is
closed in one transaction, and removed in several behind it.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from conversations import traces
from conversations.models import AnswerLabel, AnswerRecord, Attachment, Conversation, Generation, Message
from conversations.models.keeping import held

CONVERSATIONS = 10  # at once
MESSAGES = 60  # at once; a conversation that has more by itself is closed, and goes in pieces of so many
FILE_BYTES = 32 * 1024  # of what is attached to them that take as long as a message


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a removal: rows of `model` that `lookup` leads to go, or lose what `field` holds."""

    model: type[models.Model]
    lookup: str
    field: str = ""

    @property
    def kind(self) -> str:
        """What receipts call its rows."""
        return str(self.model._meta.verbose_name_plural)

    def rows(self, ids: Sequence[uuid.UUID]) -> QuerySet[Any]:
        """What it concerns, of the conversations, or the messages, with these ids."""
        found: QuerySet[Any] = models.QuerySet(self.model)
        return found.filter(**{f"{self.lookup}__in": ids})

    def do(self, rows: QuerySet[Any]) -> int:
        """Do it with `rows`. Gives back how many went."""
        if not self.field:
            return int(rows._raw_delete(using=rows.db))
        rows.update(**{self.field: None})
        return 0


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
    return Q(closed_at=None) & ~held() & ~Q(Exists(live_or_unfiled))


def batch(candidates: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """As many of the first candidates as are removed at once."""
    many = _weights(candidates)
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
    transaction, or close the one that is too long for it. Whoever writes in one at this moment has it first or finds it
    gone."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("A conversation goes whole or not at all.")
    # The lock first, then the question: what another transaction did before it got out of the way counts.
    locked = Conversation.objects.select_for_update().filter(pk__in=candidates).order_by("pk")
    ids = [row.pk for row in locked.only("pk")]
    ids = list(Conversation.objects.filter(removable(), still, pk__in=ids).values_list("pk", flat=True))
    if len(ids) == 1 and _weights(ids)[ids[0]] > MESSAGES:
        return _close(ids[0])
    rows: Counter[str] = Counter()
    for step in plan() if ids else ():
        if number := step.do(step.rows(ids)):
            rows[step.kind] += number
    return Removed(rows["conversations"], rows)


def _weights(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    """By conversation, how many messages take as long as all of it."""
    counted = Conversation.objects.filter(pk__in=ids).annotate(many=Count("messages"))
    weights = dict(counted.values_list("pk", "many"))
    hung = Attachment.objects.filter(message__conversation__in=ids).order_by().values("message__conversation")
    for pk, size in hung.annotate(all=Sum("size")).values_list("message__conversation", "all"):
        weights[pk] += size // FILE_BYTES
    return weights


def work() -> bool:
    """Remove a piece of a conversation that was closed, whatever may stand in the way by now. False where there is
    none."""
    closed = Conversation.objects.filter(closed_at__isnull=False).order_by("closed_at")
    if not closed.exists():
        return False  # as nearly always: without a transaction, which would keep SQLite's writers waiting
    with transaction.atomic():
        mine = list(closed.select_for_update(skip_locked=True).values_list("pk", flat=True)[:1])
        done = [_last_messages(pk) or _rest(pk) for pk in mine]
    return bool(done)


def _close(pk: uuid.UUID) -> Removed:
    """Have nobody see a conversation any more. Gives back what goes with it."""
    Conversation.objects.filter(pk=pk).update(closed_at=timezone.now(), head=None)
    # Where several ways lead to a kind, the last one is the shortest.
    ways = {step.kind: step for step in plan() if not step.field}
    rows = {kind: number for kind, step in ways.items() if (number := step.rows([pk]).count())}
    return Removed(1, Counter(rows))


def _last_messages(pk: uuid.UUID) -> int:
    """Remove the last messages of a conversation, on which no others hang. Gives back how many."""
    newest = Message.objects.filter(conversation=pk).order_by("-created_at")
    sizes = newest.annotate(hung=Sum("attachments__size", default=0)).values_list("pk", "hung")[:MESSAGES]
    ids: list[uuid.UUID] = []
    left = MESSAGES
    for message, hung in sizes:
        left -= 1 + hung // FILE_BYTES
        if ids and left < 0:
            break
        ids.append(message)
    if ids:
        Message.objects.filter(parent__in=ids).update(parent=None)  # those of the same moment
        for step in _of_messages():
            step.do(step.rows(ids))
    return len(ids)


def _rest(pk: uuid.UUID) -> int:
    """Remove some of what hangs on a conversation that has no messages any more; in the end, itself. Gives back how
    many rows."""
    left = MESSAGES
    for step in plan():
        if some := list(step.rows([pk]).values_list("pk", flat=True)[:left]):
            step.do(models.QuerySet(step.model).filter(pk__in=some))
            left -= len(some)
            if step.model is Conversation:
                traces.due()
    return MESSAGES - left


@cache
def plan() -> tuple[Step, ...]:
    """The statements, those first whose rows hang on others'. Raises TypeError for a relation that forbids it."""
    labels = Step(AnswerLabel, "record__conversation")  # what reviewers call the words goes with the words
    below = dict.fromkeys(_below(Conversation, ""))
    return (labels, *below, Step(Conversation, "pk"))


@cache
def _of_messages() -> tuple[Step, ...]:
    """The same for messages alone, after which the ledger has no way back to their conversation either."""
    labels = Step(AnswerLabel, "record__message")
    ledger = Step(AnswerRecord, "message", "conversation")
    return (labels, ledger, *dict.fromkeys(_below(Message, "")), Step(Message, "pk"))


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

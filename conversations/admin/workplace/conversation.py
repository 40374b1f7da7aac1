"""One conversation under review: why it is here, the transcript as the person saw it, what is known and said of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from conversations import access, holds, reviewing, rules, thread
from conversations import reading as record
from conversations.admin.workplace import desk as desks
from conversations.admin.workplace import doors, transcript
from conversations.admin.workplace.way import Way, carried
from conversations.models import Company, Conversation, QueueEntry
from conversations.reading import Sitting


@dataclass(frozen=True, slots=True)
class Link:
    """What is said of an answer, and the way to it. `number` is its own where it is on the branch that is shown."""

    said: str
    href: str
    number: int | None


@require_safe
@doors.reading
def page(request: HttpRequest, sitting: Sitting, conversation_id: uuid.UUID) -> HttpResponse:
    """Read a conversation, on record; `head` asks for the branch through another message than the person's last."""
    found = record.conversation(sitting, conversation_id)
    as_of = timezone.now().isoformat()  # before anything is read: what comes later may not be on the page
    head = _uuid(request.GET["head"]) if request.GET.get("head") else None
    turns = thread.whole(found, head)
    desk = desks.desk(sitting.reader, found)
    rows = transcript.rows(found, turns, desk)
    company, persona, way = sitting.company, found.persona, carried(request.GET.dict())
    masked = found.owner_id != sitting.reader.pk and found.owner_id not in sitting.unmasked
    context = {
        "title": _("%(person)s with %(persona)s")
        % {"person": sitting.name_of(found.owner), "persona": persona},
        "here": "queue" if way.query is None else "answers",
        "way": way,
        "back": way.back(company),
        "refused": any(each.level >= messages.ERROR for each in messages.get_messages(request)),
        "conversation": found,
        "persona": persona,
        "owner_name": sitting.name_of(found.owner),
        "masked": masked,
        "rows": rows,
        "head": str(head or ""),
        "as_of": as_of,
        "other_branch": bool(turns) and turns[-1].id != found.head_id,
        "reasons": _links(
            [(rules.worded(each.said), each.record.message_id) for each in desk.entry.reasons.all()]
            if desk.entry
            else [],
            rows,
            way,
        ),
        "differing": _links([("", pk) for pk in desks.differing(desk)], rows, way),
        "last_answer": next((row.turn.id for row in reversed(rows) if row.record), None),
        "desk": desk,
        "review": desk.mine,
        "rubric": reviewing.rubric(desk.mine) if desk.mine else None,
        "labels": transcript.offered_labels(desk.mine) if desk.mine else [],
        "notes": desks.notes(sitting.reader, found, desk),
        "holds": holds.of(company, conversation=found),
        "next": _address(company, _next(sitting, desk.entry)),
        "previous": _address(company, desks.previous(company, desk.entry) if desk.entry else None),
    }
    return doors.page(request, "conversation.html", company, context)


def address(company: Company, conversation: Conversation | uuid.UUID) -> str:
    """Where a conversation is reviewed."""
    pk = conversation.pk if isinstance(conversation, Conversation) else conversation
    return reverse("admin:review_conversation", args=[company.pk, pk])


def _links(ids: Iterable[tuple[str, uuid.UUID | None]], rows: list[transcript.Row], way: Way) -> list[Link]:
    """The way to answers, on the branch that is shown or on another, each with what is to be said of it, once."""
    along = f"&{way.carried}" if way.carried else ""
    numbers = {row.turn.id: row.number for row in rows}
    return [
        Link(
            said,
            f"{'' if pk in numbers else f'?head={pk}{along}'}#message-{pk}" if pk else "",
            numbers.get(pk) if pk else None,
        )
        for said, pk in dict.fromkeys(ids)
    ]


def _next(sitting: Sitting, entry: QueueEntry | None) -> QueueEntry | None:
    waiting = entry.status if entry and entry.status != QueueEntry.Status.DONE else QueueEntry.Status.OPEN
    return desks.following(sitting.company, sitting.reader, waiting, entry)


def _address(company: Company, entry: QueueEntry | None) -> str:
    return address(company, entry.conversation_id) if entry else ""


def _uuid(value: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except ValueError as error:
        raise access.NotVisible from error

"""All that is kept of one person, as lines of JSON: for themselves, for a company's managers, for operators.

One pass in short queries, a batch of lines at a time; a long conversation is many lines. No system prompt is in it, no
key, and of other people what they are and not who. `docs/person.md` says what stands in each line.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.utils import timezone

from conversations.database import in_database
from conversations.erasing import names
from conversations.exports.rows import moment, rating
from conversations.models import (
    Company,
    Conversation,
    Export,
    Judgement,
    Membership,
    Message,
    Note,
    Reading,
    Review,
)
from conversations.models.conversation import present
from conversations.models.keeping import held

logger = logging.getLogger(__name__)

FORMAT = "person/1"
BROKEN = "The export stopped here. It is not complete: download it again."
BATCH = 100  # rows read at once

Line = dict[str, Any]
Before = Callable[[list[Conversation]], None]


class PersonExport:
    """One pass over what is kept of `person`, at `company` or everywhere.

    `before` is called with the conversations whose words are about to leave, also with none, and may raise: what it
    refuses does not leave.
    """

    def __init__(self, person: User, company: Company | None, before: Before) -> None:
        self._person = person
        self._company = company
        self._before = before
        self._lines = self._to_the_end()

    async def stream(self) -> AsyncIterator[bytes]:
        """The lines, some at a time. It never raises behind the first one: see `delivery.py`."""
        try:
            while part := await in_database(self._next):
                yield part
        except Exception:
            logger.exception("the export of a person broke off")
            yield _json({"kind": "broken", "sentence": BROKEN})

    def _next(self) -> bytes:
        """The next lines; none at the end."""
        self._before([])
        return b"".join(map(_json, islice(self._lines, BATCH)))

    def _to_the_end(self) -> Iterator[Line]:
        """All lines, and a last one which says that they are all."""
        lines = 1  # the last one
        for line in self._all():
            lines += 1
            yield line
        yield {"kind": "end", "lines": lines}

    def _all(self) -> Iterator[Line]:
        person = self._person
        yield {
            "kind": "export",
            "format": FORMAT,
            "made_at": moment(timezone.now()),
            "account": person.pk,
            "company": self._company.name if self._company else None,
        }
        yield self._profile()
        for section in (
            self._memberships,
            self._conversations,
            self._notes,
            self._reviews,
            self._readings,
            self._exports,
            self._history,
        ):
            yield from section()

    def _profile(self) -> Line:
        """Who it is; what else is of the account is nothing of one company's."""
        person = self._person
        line: Line = {
            "kind": "profile",
            "username": person.username,
            "first_name": person.first_name,
            "last_name": person.last_name,
            "email": person.email,
        }
        if self._company is not None:
            return line
        return line | {
            "joined_at": moment(person.date_joined),
            "signed_in_at": moment(person.last_login) if person.last_login else None,
            "active": person.is_active,
            "operator": person.is_superuser,
        }

    def _memberships(self) -> Iterator[Line]:
        places = Membership.objects.filter(user=self._person).select_related("company")
        for place in _in_batches(self._here(places, "company")):
            yield {
                "kind": "membership",
                "company": place.company.name,
                "role": place.role,
                "since": moment(place.created_at),
            }

    def _conversations(self) -> Iterator[Line]:
        # Of what they deleted, or was temporary, that which is kept all the same.
        mine = Conversation.objects.filter(present() | held(), owner=self._person)
        mine = mine.select_related("persona__company", "owner")
        for found in _batches(self._here(mine, "persona__company")):
            self._before(found)
            for each in found:
                yield {
                    "kind": "conversation",
                    "id": str(each.pk),
                    "company": each.persona.company.name,
                    "persona": each.persona.name,
                    "title": each.title,
                    "trial": each.trial_id is not None,
                    "created_at": moment(each.created_at),
                    "active_at": moment(each.active_at),
                    "deleted_at": moment(each.deleted_at) if each.deleted_at else None,
                    "temporary_until": moment(each.temporary_until) if each.temporary_until else None,
                }
                yield from map(_message, _in_time(each))

    def _notes(self) -> Iterator[Line]:
        notes = Note.objects.filter(author=self._person)
        for note in _in_batches(self._here(notes, "conversation__persona__company")):
            yield {
                "kind": "note",
                "text": note.text,
                "late": note.late,
                "created_at": moment(note.created_at),
            }

    def _reviews(self) -> Iterator[Line]:
        said = Judgement.objects.filter(review__reviewer=self._person).select_related("review", "grade")
        for each in _in_batches(self._here(said, "review__entry__company")):
            submitted = each.review.submitted_at
            yield {
                "kind": "review",
                "seat": Review.Seat(each.review.seat).value,
                "grade": each.grade.name if each.grade else None,
                "correction": each.correction,
                "reply": each.reply,
                "submitted_at": moment(submitted) if submitted else None,
            }

    def _readings(self) -> Iterator[Line]:
        """Who looked at the person's chats: what they were there, and not their names."""
        looks = Reading.objects.filter(owner_id=self._person.pk).select_related("company")
        for found in _batches(self._here(looks, "company")):
            roles = _roles(found)
            for look in found:
                yield {
                    "kind": "reading",
                    "at": moment(look.at),
                    "company": look.company.name,
                    "reader": roles.get(
                        (look.reader_id, look.company_id), "operator, or somebody who has left"
                    ),
                    "what": Reading.What(look.what).label,
                    "conversation": str(look.conversation_id) if look.conversation_id else None,
                    "reason": look.reason,
                }

    def _exports(self) -> Iterator[Line]:
        made = Export.objects.filter(by=self._person).select_related("company")
        for export in _in_batches(self._here(made, "company")):
            yield {
                "kind": "export_made",
                "company": export.company.name,
                "what": Export.Kind(export.kind).label,
                "filters": export.filters,
                "reason": export.reason,
                "created_at": moment(export.created_at),
            }

    def _history(self) -> Iterator[Line]:
        """What the person changed in the administration, and what was changed of their account. Not whose else's."""
        account = ContentType.objects.get_for_model(User)
        own = Q(content_type=account, object_id=str(self._person.pk))
        if self._company is not None:
            entries = LogEntry.objects.filter(names.of_company(self._company), user=self._person)
        else:
            entries = LogEntry.objects.filter(own | Q(user=self._person))
        for entry in _in_batches(entries.select_related("content_type")):
            kind = entry.content_type
            yield {
                "kind": "history",
                "at": moment(entry.action_time),
                "by_the_person": entry.user_id == self._person.pk,
                "what": entry.get_action_flag_display(),
                "of": str(kind) if kind else None,
            }

    def _here(self, rows: QuerySet[Any], company: str) -> QuerySet[Any]:
        return rows.filter(**{company: self._company}) if self._company else rows


_WITH = ("generation__version", "feedback", "flag")


def _in_time(conversation: Conversation) -> Iterator[Message]:
    """All messages of a conversation, whatever branch they are on, the oldest first."""
    rows = Message.objects.filter(conversation=conversation).select_related(*_WITH)
    rows = rows.defer("generation__reasoning").order_by("created_at", "pk")
    ahead = rows
    while found := list(ahead[:BATCH]):
        yield from found
        last = found[-1]
        later = Q(created_at__gt=last.created_at) | Q(pk__gt=last.pk)
        ahead = rows.filter(later, created_at__gte=last.created_at)


def _message(message: Message) -> Line:
    line: Line = {
        "kind": "message",
        "id": str(message.pk),
        "conversation": str(message.conversation_id),
        "parent": str(message.parent_id) if message.parent_id else None,
        "role": message.role,
        "text": message.text,
        "created_at": moment(message.created_at),
    }
    if message.role != Message.Role.ASSISTANT:
        return line
    made, said, flag = message.generation, getattr(message, "feedback", None), getattr(message, "flag", None)
    return line | {
        "version": made.version.number,
        "model": made.version.model,
        "status": made.status,
        "sentence": made.sentence,
        "prompt_tokens": made.prompt_tokens,
        "completion_tokens": made.completion_tokens,
        "rating": rating(said),
        "reasons": said.reasons if said else [],
        "comment": said.comment if said else "",
        "rated_at": moment(said.updated_at) if said else None,
        "flagged_at": moment(flag.created_at) if flag else None,
        "reply": (said.reply if said else "") or (flag.reply if flag else ""),
    }


def _roles(looks: list[Reading]) -> dict[tuple[int, uuid.UUID], str]:
    """By reader and company, what they are there today."""
    places = Membership.objects.filter(
        user__in={look.reader_id for look in looks}, company__in={look.company_id for look in looks}
    )
    return {(place.user_id, place.company_id): place.role for place in places}


def _in_batches(rows: QuerySet[Any]) -> Iterator[Any]:
    for found in _batches(rows):
        yield from found


def _batches(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """The rows by key, in queries of their own: none stays open while the reader is slow."""
    after = None
    while found := list((rows if after is None else rows.filter(pk__gt=after)).order_by("pk")[:BATCH]):
        yield found
        after = found[-1].pk


def _json(line: Line) -> bytes:
    """One line, also for readers that know more ends of a line than LF."""
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
    for end in "\x85\u2028\u2029":
        text = text.replace(end, f"\\u{ord(end):04x}")
    return f"{text}\n".encode()

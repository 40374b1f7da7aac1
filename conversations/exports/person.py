"""All that is kept of one person, as lines of JSON: for themselves, for a company's managers, for operators.

One pass in short queries, a batch of lines at a time; a long conversation is many lines. No system prompt is in it, no
key, and of other people what they are and not who. `docs/person.md` says what stands in each line.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import override

from conversations import histories
from conversations.exports import account, chat_lines
from conversations.exports.batches import batches, in_batches
from conversations.exports.chat_lines import Line
from conversations.exports.rows import moment
from conversations.exports.streaming import gathered, streamed
from conversations.models import (
    Company,
    Conversation,
    Export,
    Import,
    Judgement,
    Membership,
    Note,
    Reading,
    Review,
    SharedLink,
)
from conversations.models.conversation import present
from conversations.models.keeping import held

FORMAT = "person/1"
BROKEN = "The export stopped here. It is not complete: download it again."
Before = Callable[[list[Conversation]], None]


class PersonExport:
    """One pass over what is kept of `person`, at `company` or everywhere.

    `before` is called with the conversations whose words are about to leave, also with none, and may raise: what it
    refuses does not leave. With a `chat` the lines are those of this one alone.
    """

    def __init__(
        self, person: User, company: Company | None, before: Before, chat: Conversation | None = None
    ) -> None:
        self._person = person
        self._company = company
        self._before = before
        self._chat = chat
        self._lines = map(_json, self._to_the_end())

    def stream(self) -> AsyncIterator[bytes]:
        """The lines, some at a time."""
        return streamed(self._next, _json({"kind": "broken", "sentence": BROKEN}).encode())

    def _next(self) -> bytes:
        """The next lines; none at the end."""
        self._before([])
        return gathered(self._lines)

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
            "conversation": str(self._chat.pk) if self._chat else None,
        }
        if self._chat:
            yield from self._conversations()
            return
        yield self._profile()
        if self._company is None:
            yield from account.lines(self._person)
        yield from account.invitations(self._person, self._company)
        for section in (
            self._memberships,
            self._conversations,
            self._shared,
            self._imports,
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
        for place in in_batches(self._here(places, "company")):
            yield {
                "kind": "membership",
                "company": place.company.name,
                "role": place.role,
                "since": moment(place.created_at),
            }

    def _conversations(self) -> Iterator[Line]:
        # Of what they deleted, or was temporary, that which is kept all the same.
        mine = Conversation.objects.there().filter(present() | held(), owner=self._person)
        mine = mine.filter(pk=self._chat.pk) if self._chat else mine
        mine = mine.select_related("persona__company", "owner")
        for found in batches(self._here(mine, "persona__company")):
            self._before(found)
            for each in found:
                yield from chat_lines.of(each, folders=self._company is None)

    def _shared(self) -> Iterator[Line]:
        links = SharedLink.objects.filter(conversation__owner=self._person)
        for link in in_batches(self._here(links, "conversation__persona__company")):
            yield {
                "kind": "shared_link",
                "conversation": str(link.conversation_id),
                "created_at": moment(link.created_at),
                "expires_at": moment(link.expires_at),
            }

    def _imports(self) -> Iterator[Line]:
        """Files that the person brought in; what came out of them are conversations."""
        brought = Import.objects.filter(person=self._person)
        for file in in_batches(self._here(brought, "persona__company")):
            yield {
                "kind": "import",
                "name": file.name,
                "changed_at": moment(file.changed_at),
                "chats": file.chats,
                "problems": file.problems,
            }

    def _notes(self) -> Iterator[Line]:
        notes = Note.objects.filter(author=self._person)
        for note in in_batches(self._here(notes, "conversation__persona__company")):
            yield {
                "kind": "note",
                "text": note.text,
                "late": note.late,
                "created_at": moment(note.created_at),
            }

    def _reviews(self) -> Iterator[Line]:
        said = Judgement.objects.filter(review__reviewer=self._person).select_related("review", "grade")
        for each in in_batches(self._here(said, "review__entry__company")):
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
        for found in batches(self._here(looks, "company")):
            roles = _roles(found)
            for look in found:
                yield {
                    "kind": "reading",
                    "at": moment(look.at),
                    "company": look.company.name,
                    "reader": roles.get(
                        (look.reader_id, look.company_id), "operator, or somebody who has left"
                    ),
                    "what": _plainly(Reading.What(look.what).label),
                    "conversation": str(look.conversation_id) if look.conversation_id else None,
                    "reason": look.reason,
                }

    def _exports(self) -> Iterator[Line]:
        made = Export.objects.filter(by=self._person).select_related("company")
        for export in in_batches(self._here(made, "company")):
            yield {
                "kind": "export_made",
                "company": export.company.name,
                "what": _plainly(Export.Kind(export.kind).label),
                "filters": export.filters,
                "reason": export.reason,
                "created_at": moment(export.created_at),
            }

    def _history(self) -> Iterator[Line]:
        """What the person changed in the administration, and what was changed of their account. Not whose else's."""
        account = ContentType.objects.get_for_model(User)
        own = Q(content_type=account, object_id=str(self._person.pk))
        if self._company is not None:
            entries = LogEntry.objects.filter(histories.of_companies([self._company.pk]), user=self._person)
        else:
            entries = LogEntry.objects.filter(own | Q(user=self._person))
        for entry in in_batches(entries.select_related("content_type")):
            kind = entry.content_type
            with override(None):
                what, of = str(entry.get_action_flag_display()), str(kind) if kind else None
            yield {
                "kind": "history",
                "at": moment(entry.action_time),
                "by_the_person": entry.user_id == self._person.pk,
                "what": what,
                "of": of,
            }

    def _here(self, rows: QuerySet[Any], company: str) -> QuerySet[Any]:
        return rows.filter(**{company: self._company}) if self._company else rows


def _roles(looks: list[Reading]) -> dict[tuple[int, uuid.UUID], str]:
    """By reader and company, what they are there today."""
    places = Membership.objects.filter(
        user__in={look.reader_id for look in looks}, company__in={look.company_id for look in looks}
    )
    return {(place.user_id, place.company_id): place.role for place in places}


def _plainly(label: object) -> str:
    """A label as it is in every language's file: whoever reads these lines may be a program."""
    with override(None):
        return str(label)


def _json(line: Line) -> str:
    """One line, also for readers that know more ends of a line than LF."""
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
    for end in "\x85\u2028\u2029":
        text = text.replace(end, f"\\u{ord(end):04x}")
    return f"{text}\n"

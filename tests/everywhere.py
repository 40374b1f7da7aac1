"""A person with a canary in whatever can hold their words or their name, and a look at all that a database holds."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.db.models import Model, QuerySet
from django.utils import timezone

from conversations import (
    attaching,
    erasing,
    feedback,
    filing,
    histories,
    keys,
    order,
    personas,
    posting,
    sharing,
)
from conversations.accounts import links
from conversations.models import (
    AnswerLabel,
    AnswerRecord,
    Attachment,
    Budget,
    Company,
    Conversation,
    Download,
    EntryReason,
    Erasure,
    Export,
    Feedback,
    Flag,
    Generation,
    Hold,
    Import,
    Imported,
    Invitation,
    Judgement,
    Label,
    Membership,
    Message,
    Note,
    PasswordLink,
    Persona,
    PersonaVersion,
    QueueEntry,
    Reading,
    Review,
    SignIn,
)
from tests.answers import ended
from tests.conftest import Cast

WORD = "zqcanary"
NAME = f"{WORD}.name"


def dump(*, without: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """Every row of every table of the database, as text: those of Django, of ours, and of the index of words."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table not in without:
                found[table] = _rows(cursor, table)
        if connection.vendor == "sqlite":  # the tables that FTS5 keeps its index in
            cursor.execute("SELECT name FROM sqlite_master WHERE name LIKE 'conversations_search%'")
            for (table,) in cursor.fetchall():
                found[table] = _rows(cursor, table)
    return found


def with_word(word: str = WORD) -> list[str]:
    """Where the word still stands: in rows, in what sessions hold, and in the bytes of SQLite's files."""
    found = [f"{table}: {row[:300]}" for table, rows in dump().items() for row in rows if word in row]
    for model in apps.get_models(include_auto_created=True):
        if model._meta.label == "sessions.Session":
            data = [SessionStore().decode(each.session_data) for each in model._default_manager.all()]  # type: ignore[attr-defined]
            found += [f"session: {each}" for each in data if word in json.dumps(each)]
    return found + [f"bytes of {file}" for file in files() if word.encode() in file.read_bytes()]


def files() -> list[Path]:
    """The files of the database, where they can be read."""
    if connection.vendor != "sqlite":
        return []
    name = str(connection.settings_dict["NAME"])
    return [file for suffix in ("", "-wal") if (file := Path(name + suffix)).exists()]


def rows_of(company: Company) -> dict[str, list[dict[str, Any]]]:
    """All rows that belong to a company, by model, as they are."""
    ways = {
        Membership: "company", Persona: "company", PersonaVersion: "persona__company", Export: "company",
        Conversation: "persona__company", Generation: "conversation__persona__company", Reading: "company",
        AnswerRecord: "company", QueueEntry: "company", Note: "conversation__persona__company",
        Review: "entry__company", Judgement: "review__entry__company", Hold: "company",
        Feedback: "message__conversation__persona__company", Flag: "message__conversation__persona__company",
    }  # fmt: skip
    models: dict[type[Model], str] = dict(ways)
    return {
        model.__name__: list(QuerySet(model).filter(**{way: company}).order_by("pk").values())
        for model, way in models.items()
    }


def ledger() -> list[dict[str, Any]]:
    """The figures of the ledger."""
    figures = [
        each.attname
        for each in AnswerRecord._meta.concrete_fields
        if each.name not in {"conversation", "message", "person"}
    ]
    return list(AnswerRecord.objects.order_by("pk").values(*figures))


def person_of(cast: Cast, *companies: Company) -> User:
    """A reviewer of the companies, with a name that is a canary."""
    person = User.objects.create_user(
        NAME, f"{WORD}@example.com", "pw", first_name=f"{WORD}First", last_name=f"{WORD}Last"
    )
    for company in companies:
        Membership.objects.create(user=person, company=company, role=Membership.Role.REVIEWER)
    return person


def says(person: User, company: Company, cast: Cast) -> posting.Turn:
    """A chat of the person's with everything in it and said of it, whose review is over."""
    persona = cast.guide if company == cast.coca_cola else cast.helpdesk
    word = f"{WORD}chat"
    facts: dict[str, Any] = dict.fromkeys(("sentence", "reasoning", "request_id", "model"), word)
    facts["citations"] = [{"name": word, "first": 1, "last": 1, "text": word, "places": []}]
    turn = ended(cast, word, question=f"{word} question", by=person, persona=persona, **facts)
    feedback.rate(person, turn.answer, good=False, comment=word)
    feedback.flag(person, turn.answer)
    filing.file_ended()
    record = AnswerRecord.objects.get(message=turn.answer)
    label, _ = Label.objects.get_or_create(company=company, name="Made up")
    AnswerLabel.objects.create(label=label, record=record, by=cast.admin)
    entry, _ = QueueEntry.objects.get_or_create(company=company, conversation=turn.conversation)
    EntryReason.objects.create(entry=entry, record=record, kind="words", said=word)
    _review(entry, record, cast.admin, word)
    Note.objects.create(conversation=turn.conversation, author=cast.admin, text=word)
    Feedback.objects.filter(message=turn.answer).update(reply=word)
    Flag.objects.filter(message=turn.answer).update(reply=word)
    entry.status, entry.closed_at = QueueEntry.Status.DONE, timezone.now()
    entry.save()
    _hold(company, cast.admin, word, conversation=turn.conversation)
    sharing.share(turn.conversation, days=7)
    assert turn.answer.parent
    file = attaching.made(f"{word}.txt", word)
    Attachment.objects.bulk_create(attaching.rows(turn.answer.parent, [file]))
    brought = Message.opening(turn.conversation, word)
    brought.save(force_insert=True)
    Imported.objects.create(message=brought, origin=word, sentence=word)
    _reading(company, cast.admin, person, f"about {NAME}", turn.conversation)
    return turn


def works(person: User, company: Company, other: posting.Turn, cast: Cast) -> None:
    """What the person said as a reviewer of the company about somebody else's chat, `other`, and did there."""
    word = f"{WORD}work"
    filing.file_ended()
    record = AnswerRecord.objects.get(message=other.answer)
    feedback.rate(other.conversation.owner, other.answer, good=False)
    feedback.flag(other.conversation.owner, other.answer)
    entry, _ = QueueEntry.objects.get_or_create(company=company, conversation=other.conversation)
    _review(entry, record, person, word)
    Feedback.objects.filter(message=other.answer).update(reply=word)
    Flag.objects.filter(message=other.answer).update(reply=word)
    Note.objects.create(conversation=other.conversation, author=person, text=word)
    QueueEntry.objects.filter(pk=entry.pk).update(status="done", claimed_by=person, closed_at=timezone.now())
    label, _ = Label.objects.get_or_create(company=company, name="Out of date")
    AnswerLabel.objects.create(label=label, record=record, by=person)
    Export.objects.create(
        company=company, kind="csv", by=person, by_name=person.username, reason=word, upto=record.pk, answers=1,
        filters={"text": word},
    )  # fmt: skip
    _reading(company, person, other.conversation.owner, word, other.conversation)
    _hold(company, person, word, conversation=other.conversation)
    _hold(company, cast.admin, word, person=person)
    # What others wrote of somebody else, with the person's name in it.
    _reading(company, cast.admin, other.conversation.owner, f"like {NAME}", other.conversation)
    _hold(company, cast.admin, f"not {NAME} alone", conversation=other.conversation)
    Export.objects.create(
        company=company, kind="csv", by=cast.admin, by_name="admin", reason=f"for {WORD}First", upto=record.pk,
        answers=1, filters={},
    )  # fmt: skip
    endpoint = cast.guide.current.endpoint  # type: ignore[union-attr]
    persona = cast.guide if company == cast.coca_cola else cast.helpdesk
    made = PersonaVersion(endpoint=endpoint, model="m", seed=len(word) + company.pk.int % 1_000)
    personas.publish(persona, made, by=person)
    Budget.objects.create(
        company=company, person=person, unit="tokens", period="day", began=record.ended_at.date(), hard=10**9
    )
    keys.put(endpoint, company, "a-key-of-the-company", by=person)
    _log(person, company, cast)
    _comes_in(person, company, cast.admin, word)
    order.make_folder(person, word)
    Download.objects.get_or_create(person=person, defaults={"token": uuid.uuid4(), "until": timezone.now()})
    file = Import.objects.create(
        person=person, persona=persona, name=word, size=9, status="failed", problems=[{"title": word, "why": word}],
        changed_at=timezone.now(),
    )  # fmt: skip
    file.pieces.create(number=0, data=word.encode())
    filing.file_ended()


def _comes_in(person: User, company: Company, operator: User, word: str) -> None:
    """By an invitation, an address, a passkey, a company's provider; with a link for a password at hand."""
    links.invite(Invitation(company=company, note=word), person, days=7)
    links.invite(Invitation(company=company, note=word, used_by=person), operator, days=7)
    for by, to in ((operator, person), (person, operator)):
        PasswordLink.objects.create(
            user=to, made_by=by, token_hash=uuid.uuid4().hex, expires_at=timezone.now()
        )
    SignIn.objects.create(user=person, session_key=uuid.uuid4().hex, agent=word, at=timezone.now())
    EmailAddress.objects.get_or_create(user=person, email=f"{word}@example.com")
    Authenticator.objects.get_or_create(user=person, type="webauthn", data={"name": word})
    SocialAccount.objects.get_or_create(
        user=person, provider="openid_connect", uid=f"{word} {company.pk}", extra_data={"name": word}
    )


def session_of(person: User) -> str:
    """A session in which the person typed a reason."""
    store = SessionStore()
    store["_auth_user_id"] = str(person.pk)
    store["sittings"] = {"x": {"reason": f"{WORD}work"}}
    store.save()
    return str(store.session_key)


def _review(entry: QueueEntry, record: AnswerRecord, reviewer: User, word: str) -> None:
    review = Review.objects.create(entry=entry, reviewer=reviewer, seat="first", submitted_at=timezone.now())
    judgement = Judgement.objects.create(review=review, record=record, correction=word, reply=word)
    judgement.labels.set(Label.objects.filter(company=record.company))


def _hold(company: Company, by: User, word: str, **on: Any) -> None:
    Hold.objects.create(
        company=company,
        reason=word,
        lifted_reason=word,
        placed_by=by,
        lifted_by=by,
        lifted_at=timezone.now(),
        **on,
    )


def _reading(company: Company, reader: User, owner: User, why: str, conversation: Conversation) -> None:
    Reading.objects.create(
        company=company, reader_id=reader.pk, reader_name=reader.username, owner_id=owner.pk,
        owner_name=owner.username, conversation_id=conversation.pk, what="page", reason=why, sitting=uuid.uuid4(),
    )  # fmt: skip


def _log(person: User, company: Company, cast: Cast) -> None:
    """Entries of histories: of the account by an operator, of its place by a manager, of the company by the person."""
    place = f"{person.username} at {company.name}"
    added = json.dumps([{"added": {"name": "person", "object": place}}])
    for by, row, message in (
        (cast.admin, person, json.dumps([{"changed": {"fields": ["Email"]}}])),
        (cast.admin, Membership(pk=7, user=person, company=company), ""),
        (cast.admin, company, added),
        (person, company, f"Let {person.get_full_name()} in."),
    ):
        log(by, row, message)


def log(by: User, row: Model, message: str) -> LogEntry:
    """An entry about `row` in the histories, as the administration makes one."""
    entry = LogEntry.objects.create(
        user=by, content_type=ContentType.objects.get_for_model(row), object_id=str(row.pk),
        object_repr=str(row), action_flag=CHANGE, change_message=message,
    )  # fmt: skip
    histories.keep([entry], [row])
    return entry


def age(conversation: Conversation, days: float) -> None:
    """Have nobody written in it for so long."""
    Conversation.objects.filter(pk=conversation.pk).update(active_at=timezone.now() - timedelta(days=days))


def carry_out(erasure: Erasure) -> Erasure:
    """Do all the steps that can be done."""
    for _ in range(1_000):
        erasure = Erasure.objects.select_related("person", "stand_in", "company").get(pk=erasure.pk)
        if not erasing.advance(erasure):
            break
    erasure.refresh_from_db()
    return erasure


def _rows(cursor: Any, table: str) -> list[str]:
    cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 (a name that the database gave)
    return [_as_text(row) for row in cursor.fetchall()]


def _as_text(row: tuple[Any, ...]) -> str:
    return " | ".join(
        bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
        for value in row
    )


def columns() -> Iterator[tuple[str, Any]]:
    """Every column of every model of every installed app, by its name."""
    for model in apps.get_models(include_auto_created=True):
        for each in model._meta.concrete_fields:
            yield f"{model._meta.label}.{each.name}", each

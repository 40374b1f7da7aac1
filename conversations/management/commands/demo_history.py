"""Fill the demo companies with a long history: the same for the same number of messages, seed and end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Max, Model
from django.utils import timezone

from conversations import personas, rubrics, search, statements
from conversations.management.history import Batch, History, Setting
from conversations.models import (
    AnswerLabel,
    AnswerRecord,
    Company,
    Conversation,
    EntryReason,
    Feedback,
    Judgement,
    Label,
    Membership,
    Persona,
    PersonaVersion,
    Review,
    Rule,
)

UNUSABLE = "!"  # Django takes that for one that nothing fits
END = "2026-06-30"
COMPANIES = {"Coca Cola": (95, 60), "Globex": (5, 8)}  # how much of the history, and how many further people
MODELS = ("-small-latest", "-medium-latest", "-large-latest", "-small-2603", "")
LABELS = ("Hallucination", "Too long", "Too short", "Wrong language", "Tone", "Needs a source")
NUMBERED: tuple[type[Model], ...] = (AnswerRecord, Feedback, EntryReason, Review, Judgement, AnswerLabel)


class Command(BaseCommand):
    help = "Fill the demo companies with a made-up history, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--messages", type=int, default=10_000, help="questions and answers together")
        parser.add_argument("--people", type=int, default=60, help="whose it is, at most, in each company")
        parser.add_argument("--seed", type=int, default=1886)
        parser.add_argument("--end", type=datetime.fromisoformat, default=END, help="the last day of it")

    def handle(self, *args: Any, **options: Any) -> None:
        companies = {company.name: company for company in Company.objects.filter(name__in=COMPANIES)}
        if set(companies) != set(COMPANIES):
            raise CommandError("The demo companies are not there. Run manage.py demo first.")
        if User.objects.filter(username__startswith="coca-cola-").exists():
            raise CommandError("There is a made-up history already. Take a fresh database for another.")
        turns = max(options["messages"] // 2, 1)
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA cache_size = -400000")  # much is written at random places
        with transaction.atomic():
            settings = [
                (weight, _setting(companies[name], min(people, options["people"])))
                for name, (weight, people) in COMPANIES.items()
            ]
        first = {
            model: (model._base_manager.aggregate(last=Max("pk"))["last"] or 0) + 1 for model in NUMBERED
        }
        end = options["end"]
        end = (datetime.fromisoformat(end) if isinstance(end, str) else end).replace(tzinfo=UTC)
        history = History(Random(options["seed"]), settings, turns=turns, end=end, first=first)  # noqa: S311
        said = 0
        with _Indexed():
            for batch in history.batches():
                _store(batch)
                if history.told * 10 // turns > said:
                    said = history.told * 10 // turns
                    self.stdout.write(f"{history.told * 2:,} of {turns * 2:,} messages")
                    self.stdout.flush()
        _tidy()
        self.stdout.write("Done.")


def _setting(company: Company, people: int) -> Setting:
    """What a company needs to have a history: people, versions, rules, grades and labels."""
    slug = company.name.lower().replace(" ", "-")
    made = [User(username=f"{slug}-{number:02}", password=UNUSABLE) for number in range(1, people + 1)]
    asking = User.objects.bulk_create(made)
    Membership.objects.bulk_create(Membership(user=person, company=company) for person in asking)
    rubric = rubrics.in_use(company)
    company.rubrics.filter(pk=rubric.pk, frozen_at=None).update(frozen_at=timezone.now())
    for name in LABELS:
        Label.objects.get_or_create(company=company, name=name)
    rules = {
        kind: Rule.objects.get_or_create(company=company, kind=kind, persona=None)[0]
        for kind in ("bad", "trouble")
    }
    return Setting(
        people=asking,
        versions={persona: _versions(persona) for persona in company.personas.order_by("name")},
        rules=rules,
        grades=list(rubric.grades.all()),
        labels=list(company.labels.order_by("name")),
        reviewer=User.objects.filter(memberships__company=company, memberships__role="reviewer").first(),
    )


def _versions(persona: Persona) -> list[PersonaVersion]:
    """Several versions, of which the last says what the one in force said."""
    current = persona.current
    if current is None:
        raise CommandError(f"{persona} has no version in force. Take a fresh database.")
    family = current.model.split("-")[0]
    for suffix in MODELS:
        version = personas.copy(current)
        version.model = f"{family}{suffix}" if suffix else current.model
        personas.publish(persona, version, by=None)
    return list(persona.versions.filter(number__isnull=False).select_related("endpoint").order_by("number"))


def _store(batch: Batch) -> None:
    with transaction.atomic():
        for model, rows in batch.rows.items():
            _insert(model, rows)
        records: list[AnswerRecord] = batch.rows[AnswerRecord]  # type: ignore[assignment]
        search.add((r, *batch.texts[r.message_id]) for r in records if r.message_id is not None)
        first = {record.conversation_id: record.pk for record in reversed(records)}
        chats: list[Conversation] = batch.rows[Conversation]  # type: ignore[assignment]
        search.entitle({first[chat.pk]: (chat.owner_id, chat.title) for chat in chats})


def _insert(model: type[Model], rows: Sequence[Model]) -> None:
    """Store rows as they are: Django's way would set the times of their making to now."""
    fields = model._meta.concrete_fields
    names = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    values = (
        [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields] for row in rows
    )
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for value in values:
                    copy.write_row(value)
        else:
            marks = statements.marks(fields)
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values))  # noqa: S608


class _Indexed:
    """On PostgreSQL the indexes of words are made once at the end, which takes minutes less."""

    names = ("conversations_search_words", "conversations_search_pairs")
    definitions: list[str] = []

    def __enter__(self) -> None:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                for name in self.names:
                    cursor.execute("SELECT pg_get_indexdef(%s::regclass)", [name])
                    self.definitions = [*self.definitions, cursor.fetchone()[0]]
                    cursor.execute(f"DROP INDEX {name}")

    def __exit__(self, *exception: object) -> None:
        with connection.cursor() as cursor:
            for definition in self.definitions:
                cursor.execute("SET maintenance_work_mem = '1GB'")
                cursor.execute(definition)
                cursor.execute("RESET maintenance_work_mem")


def _tidy() -> None:
    """What the database does by itself in the course of time."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(NUMBERED)):
            cursor.execute(statement)
        if connection.vendor == "postgresql" and not connection.in_atomic_block:
            cursor.execute("VACUUM ANALYZE")

"""The queries of a generation, and every change of its status.

A status changes only by an UPDATE that names the old one, so that of two finishers - a runner, a stop, a sweep -
exactly one wins and the others do nothing. All functions here block: call them through `in_database`.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import DatabaseError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from conversations import attached, endpoints, estimates, personas, providers, spending, statements
from conversations.citing import Note
from conversations.generation import history
from conversations.models import Generation, Membership, Message, PersonaVersion
from conversations.tree import Tree, place

Status = Generation.Status

INTERRUPTED = gettext_noop(
    "The server stopped while it wrote this answer. All but the last second is kept. "
    "Continue it or try again."
)
RESTARTED = gettext_noop(
    "The server was restarted while it wrote this answer. What had arrived is kept. Continue it or try again."
)
STOPPED = gettext_noop("This answer was stopped.")
SHUT = gettext_noop(
    "This answer ended because the page was closed to you meanwhile: you were signed out, lost your place here, or had "
    "to prove first who you are or to set up a second factor. What had arrived is kept."
)

_READ = (
    "SELECT made.status, said.text, made.reasoning FROM conversations_generation made "
    "JOIN conversations_message said ON said.id = made.message_id WHERE made.id = %s"
)
_KEEP_TEXT = "UPDATE conversations_message SET text = %s WHERE id = %s"
_KEEP_LAST = (
    "UPDATE conversations_message SET text = %s "
    "WHERE id = (SELECT message_id FROM conversations_generation WHERE id = %s)"
)
_KEEP_REASONING = "UPDATE conversations_generation SET reasoning = %s WHERE id = %s"


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed generation: what to ask of whom, and the text that it carries on."""

    generation_id: uuid.UUID
    message_id: uuid.UUID
    server: providers.Endpoint | Exception  # whom to ask, or why nobody can be
    request: providers.ChatRequest
    inherited: str
    prompt_estimate: int  # tokens
    notes: list[Note] = field(default_factory=list)  # on what it carries on

    @property
    def endpoint(self) -> providers.Endpoint:
        """Whom to ask. Raises what keeps us from it, a ProviderError where that was foreseen."""
        if isinstance(self.server, Exception):
            raise self.server
        return self.server


@dataclass(frozen=True, slots=True)
class Progress:
    """What of a running answer is to be saved. None means unchanged since the last time."""

    generation_id: uuid.UUID
    message_id: uuid.UUID
    text: str | None
    reasoning: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an answer ended, and all that is kept about it. `first_token_ms` is in milliseconds from the claim."""

    status: Generation.Status
    text: str
    reasoning: str = ""
    finish_reason: str = ""
    error_kind: str = ""
    sentence: str = ""
    provider_status: int | None = None
    request_id: str = ""
    model: str = ""
    usage: providers.UsageReport | None = None
    prompt_estimate: int | None = None  # tokens, where the provider may have been asked
    inherited_chars: int = 0
    first_token_ms: int | None = None
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stored:
    """A generation as the database has it."""

    status: Generation.Status
    text: str
    reasoning: str

    @property
    def ended(self) -> bool:
        return self.status not in Generation.LIVE


def claim(generation: Generation, lease: uuid.UUID, *, again: bool = False) -> Job | None:
    """Take a pending generation for the process `lease`; None where it was stopped, swept or taken before.

    Where the database did not say whether it was, ask `again`: what this process has taken before, it has.
    Of `generation` only that counts which never changes, so it may be as it was when it was made.
    """
    version = generation.version
    context_length = version.context_length or estimates.DEFAULT_CONTEXT_LENGTH
    answer_tokens = estimates.answer_room(version.max_tokens, context_length)
    said = _said(generation)
    sizes = attached.weights([each.pk for each in said if each.role == Message.Role.USER])
    messages, cut = history.fitting(
        version.system_prompt,
        [_chat_message(each) for each in said],
        context_length=context_length,
        answer_tokens=answer_tokens,
        attached=[sizes.get(each.pk, 0) for each in said],
    )
    left_out = said[cut].depth if messages else 0
    messages = _with_files(messages, [each.pk for each in said[cut:]], sizes)
    sent = (version.system_prompt, *(providers.quoted(message) for message in messages))
    prompt_estimate = sum(map(estimates.estimated_tokens, sent))
    now, server = timezone.now(), _server(version)
    free = models.Q(status=Status.PENDING)
    if again:
        free |= models.Q(status=Status.RUNNING, lease=lease)
    taken = Generation.objects.filter(free, pk=generation.pk).update(
        status=Status.RUNNING,
        lease=lease,
        started_at=now,
        heartbeat_at=now,
        left_out=left_out,
        prompt_estimate=prompt_estimate,
        recorded=isinstance(server, endpoints.Server) and server.recorded,
        key_of=server.key_of if isinstance(server, endpoints.Server) else None,
    )
    if not taken:
        return None
    request = providers.ChatRequest(
        model=version.model,
        system=version.system_prompt,
        messages=messages,
        parameters=personas.parameters(version),
        continue_last=bool(generation.inherited_chars),
    )
    return Job(
        generation_id=generation.pk,
        message_id=generation.message_id,
        server=server.called if isinstance(server, endpoints.Server) else server,
        request=request,
        inherited=generation.message.text,
        prompt_estimate=prompt_estimate,
        notes=generation.citations or [],
    )


def _server(version: PersonaVersion) -> endpoints.Server | Exception:
    """Who is asked for an answer of `version`, or why nobody is: the answer is claimed all the same, to end so."""
    try:
        return endpoints.resolve(version.endpoint, version.company_id)
    except DatabaseError:
        raise
    except Exception as broke:
        return broke


def _said(generation: Generation) -> list[Message]:
    """What was said down to the question, as far back as is ever sent, and the text to carry on where there is some."""
    end = place(generation.message)
    path = Tree(generation.conversation_id).path(end)
    messages = Message.objects.only("role", "text", "strand", "depth")
    near = path.messages(end.depth - history.REACH, end.depth, messages)
    return [
        each for each in near if each.text.strip()
    ]  # providers refuse turns without words, as failed answers are


def _chat_message(message: Message) -> providers.ChatMessage:
    return providers.ChatMessage(
        role="user" if message.role == Message.Role.USER else "assistant", text=message.text
    )


def _with_files(
    messages: tuple[providers.ChatMessage, ...], ids: list[uuid.UUID], sizes: Mapping[uuid.UUID, int]
) -> tuple[providers.ChatMessage, ...]:
    """What is sent, with what hangs on it: read for these messages alone."""
    files = attached.documents([pk for pk in ids if pk in sizes]) if sizes else {}
    pairs = zip(messages, ids, strict=True)
    return tuple(replace(said, documents=files[pk]) if pk in files else said for said, pk in pairs)


def save(progress: Sequence[Progress], lease: uuid.UUID) -> set[uuid.UUID]:
    """Keep the text so far and the heartbeat of running answers, in one transaction.

    Gives back the generations that are to run on: still this process's, and not asked to stop.
    """
    running = Generation.objects.filter(
        pk__in=[item.generation_id for item in progress], status=Status.RUNNING, lease=lease
    )
    with transaction.atomic():
        # The heartbeat locks the rows that still run: an answer that has just ended keeps its last text.
        running.update(heartbeat_at=timezone.now())
        alive = dict(running.values_list("pk", "stop_requested"))
        here = [item for item in progress if item.generation_id in alive]
        statements.run(_KEEP_TEXT, [(item.text, item.message_id) for item in here if item.text is not None])
        statements.run(
            _KEEP_REASONING,
            [(item.reasoning, item.generation_id) for item in here if item.reasoning is not None],
        )
    return {pk for pk, stop_requested in alive.items() if not stop_requested}


def finish(generation_id: uuid.UUID, lease: uuid.UUID, outcome: Outcome) -> bool:
    """End a running generation of this process; False where another finisher came first, or it was deleted.

    What it used is settled either way: whoever came first has done so, and of what was deleted nobody else knows.
    """
    usage = outcome.usage
    with transaction.atomic():
        won = Generation.objects.filter(pk=generation_id, status=Status.RUNNING, lease=lease).update(
            status=outcome.status,
            reasoning=outcome.reasoning,
            citations=outcome.notes or None,
            finish_reason=outcome.finish_reason,
            error_kind=outcome.error_kind,
            sentence=outcome.sentence,
            provider_status=outcome.provider_status,
            request_id=outcome.request_id[:200],
            model=outcome.model[:200],
            first_token_ms=outcome.first_token_ms,
            finished_at=timezone.now(),
            **(
                {
                    "prompt_tokens": usage.prompt_tokens,
                    "completion_tokens": usage.completion_tokens,
                    "billed_prompt_tokens": usage.billed_prompt_tokens,
                    "billed_completion_tokens": usage.billed_completion_tokens,
                }
                if usage
                else {}
            ),
        )
        if won:
            statements.run(_KEEP_LAST, [(outcome.text, generation_id)])
        spending.settle({generation_id: _used(outcome)})
    return bool(won)


def _used(outcome: Outcome) -> spending.Used:
    """What an ended answer used: as it was reported, or else by its characters."""
    if outcome.usage:
        return spending.Used(*outcome.usage.charged)
    written = outcome.text[outcome.inherited_chars :] + outcome.reasoning
    return _estimate(outcome.status, outcome.prompt_estimate, written)


def _estimate(status: Generation.Status, prompt_estimate: int | None, written: str) -> spending.Used:
    """What an answer used of which no provider reported anything: `written` is what it added.

    What nobody took on, and what failed before its first word, was not billed; a call that was broken off was.
    """
    if prompt_estimate is None or (status == Status.FAILED and not written):
        return spending.NOTHING
    return spending.Used(
        prompt_estimate, estimates.estimated_tokens(written) if written else 0, estimated=True
    )


def live_ids(conversation_id: uuid.UUID) -> list[uuid.UUID]:
    """The live answers of a conversation: at most one."""
    live = Generation.objects.live().filter(conversation_id=conversation_id)
    return list(live.values_list("pk", flat=True))


def request_stop(conversation_id: uuid.UUID, sentence: str = STOPPED) -> None:
    """Ask the live answer of a conversation to stop; one that nobody has claimed is stopped here and now."""
    live = Generation.objects.filter(conversation_id=conversation_id)
    _end(live.filter(status=Status.PENDING), Status.STOPPED, sentence)
    live.filter(status=Status.RUNNING).update(stop_requested=True)


def forsaken(ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Those of the live answers `ids` whose asker has no account or no place at the company any more."""
    places = Membership.objects.filter(
        user=models.OuterRef("requested_by"), company=models.OuterRef("conversation__persona__company")
    )
    found = Generation.objects.live().filter(pk__in=ids)
    placeless = ~models.Exists(places) & ~models.Q(requested_by__is_superuser=True)
    gone = models.Q(requested_by=None) | models.Q(requested_by__is_active=False) | placeless
    return set(found.filter(gone).values_list("pk", flat=True))


def beats() -> dict[uuid.UUID, datetime]:
    """The live answers of all processes, and when each was last cared for."""
    return dict(Generation.objects.live().values_list("pk", "heartbeat_at"))


def sweep(lost: Mapping[uuid.UUID, datetime]) -> int:
    """End answers whose heartbeat still is what it was when they were found lost. Gives back how many there were."""
    return _lose(Generation.objects.live().filter(pk__in=lost, heartbeat_at__in=set(lost.values())))


def sweep_all() -> int:
    """End every live answer, where no process can be running one. Gives back how many there were."""
    ended = _lose(Generation.objects.live())
    spending.settle_lost(alone=True)
    return ended


def _lose(lost: models.QuerySet[Generation]) -> int:
    stopped = _end(lost.filter(stop_requested=True), Status.STOPPED, STOPPED)
    return stopped + _end(lost, Status.INTERRUPTED, INTERRUPTED)


def _end(live: models.QuerySet[Generation], status: Generation.Status, sentence: str) -> int:
    """End `live` answers, of which no process knows more than the record does, and settle them by that."""
    facts = ("pk", "prompt_estimate", "inherited_chars", "message__text", "reasoning")
    with transaction.atomic():
        rows = list(live.select_for_update(of=("self",)).order_by("pk").values_list(*facts))
        ended = Generation.objects.filter(pk__in=[pk for pk, *_ in rows])
        if rows:
            ended.update(status=status, sentence=sentence, finished_at=timezone.now())
            spending.settle(
                {
                    pk: _estimate(status, sent, text[old:] + reasoning)
                    for pk, sent, old, text, reasoning in rows
                }
            )
    return len(rows)


def read(generation_id: uuid.UUID) -> Stored | None:
    """The generation as it is stored; None where it was deleted."""
    for status, text, reasoning in statements.fetch(_READ, generation_id):
        return Stored(Status(status), text, reasoning)
    return None

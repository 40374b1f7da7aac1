"""Titles by themselves: after the first exchange the provider that answered is asked for one, once.

Behind the answer, in tasks of their own that nobody waits for. Until it comes, and where none does, the title is the
first question's beginning; a title that the person gave stays. Whoever asks first puts it on the ledger, under the
conversation's id, so that of several processes one does and none asks again, whatever became of it. What a model says
is somebody else's text: one line of it is taken, without what could harm the page around it.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import re
import uuid
from collections import deque
from dataclasses import dataclass

from django.db import Error as DatabaseError
from django.db import IntegrityError, transaction

from conversations import announcements, endpoints, estimates, metrics, order, posting, providers, spending
from conversations.database import aside
from conversations.models import Conversation, Generation
from conversations.providers import ErrorKind, FinishReason, ProviderError
from conversations.providers.opening import Retries
from conversations.rendering import plaintext

logger = logging.getLogger(__name__)

AT_ONCE = 4  # that a process asks for
LOOKED_AT = 1_000  # characters of what a model says
WAITING = 200  # beyond which the oldest are given up
CLOCKS = providers.Clocks(connect=5.0, first_token=20.0, silence=20.0, total=20.0)  # seconds

_CUT, _MODEL = Conversation.TitledBy.CUT, Conversation.TitledBy.MODEL
_CALLED = re.compile(r"^title\s*:", re.I)
_DRESSING = " \t#*_`\"'“”„«»‘’「」『』"
_JOINERS = "\u200c\u200d"  # which scripts and emoji need

_waiting: deque[uuid.UUID] = deque(maxlen=WAITING)
_workers: set[asyncio.Task[None]] = set()


@dataclass(frozen=True, slots=True)
class Job:
    """A title to ask for: of whom, and for which conversation and answer. It is on the ledger."""

    generation_id: uuid.UUID
    conversation_id: uuid.UUID
    server: providers.Endpoint
    request: providers.ChatRequest


def begin(generation_id: uuid.UUID) -> None:
    """Have the conversation of an answer that ended well given a title, where it is to have one. Waits for nothing."""
    _waiting.append(generation_id)
    if len(at_work()) < AT_ONCE:
        task = asyncio.create_task(_work(), context=contextvars.Context())
        _workers.add(task)
        task.add_done_callback(_workers.discard)


def at_work() -> set[asyncio.Task[None]]:
    """The tasks of this event loop that make titles at the moment."""
    loop = asyncio.get_running_loop()
    return {task for task in _workers if task.get_loop() is loop}


async def close() -> None:
    """Give up what waits, and what is being asked for, where this event loop is to end before its process does."""
    _waiting.clear()
    tasks = at_work()
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


async def _work() -> None:
    while _waiting:
        try:
            await _entitle(_waiting.popleft())
        except DatabaseError as error:
            metrics.database_failures.labels("title").inc()
            logger.error("a title has to be done without: %s", type(error).__name__)
        except Exception:
            logger.exception("a title could not be made")


async def _entitle(generation_id: uuid.UUID) -> None:
    job = await aside(_reserve, generation_id)
    if job is None:
        return
    title, used = await _asked(job)
    person_id = await aside(_keep, job, title, used)
    if person_id is not None:
        await announcements.titled(person_id, job.conversation_id, title)


async def _asked(job: Job) -> tuple[str, spending.Used | None]:
    """What the provider makes of it, which may be nothing, and what that took; None for all that was reserved."""
    try:
        answer = await providers.complete(job.server, job.request, clocks=CLOCKS, retries=Retries(limit=0))
    except ProviderError as error:
        metrics.titles.labels("failed").inc()
        logger.warning("no title of conversation %s: %s", job.conversation_id, error)
        return "", None if error.kind is ErrorKind.TIMEOUT else spending.NOTHING
    title = title_in(answer)
    metrics.titles.labels("made" if title else "useless").inc()
    logger.info("a title of conversation %s: request %s", job.conversation_id, answer.request_id or "-")
    if answer.usage:
        return title, spending.Used(*answer.usage.charged)
    written = estimates.estimated_tokens(answer.text + answer.reasoning)
    return title, spending.Used(_sent(job.request), written, estimated=True)


def title_in(answer: providers.Answer) -> str:
    """The title in what a model said, at most `posting.TITLE_CHARS` long; empty where there is none."""
    lines = plaintext.clean(answer.text[:LOOKED_AT]).splitlines()
    if answer.finish.reason is FinishReason.LENGTH:
        lines = lines[:-1]  # it breaks off there
    elif answer.finish.reason is not FinishReason.COMPLETE:
        return ""
    for line in map(_undressed, lines):
        if any(map(str.isalnum, line)):
            return posting.title_of(line)
    return ""


def _undressed(line: str) -> str:
    """A line without marks of Markdown and quotation around it, and without signs that show nothing."""
    shown = "".join(sign for sign in " ".join(line.split()) if sign.isprintable() or sign in _JOINERS)
    return _CALLED.sub("", shown.lstrip(_DRESSING), count=1).strip(_DRESSING).removesuffix(".")


def _reserve(generation_id: uuid.UUID) -> Job | None:
    """Put a title on the ledger; None where there is to be none, where another process did, or for lack of room."""
    related = ("version__endpoint", "message__parent", "conversation__persona")
    generation = Generation.objects.select_related(*related).filter(pk=generation_id).first()
    if generation is None or not _is_wanted(generation):
        return None
    version, answer = generation.version, generation.message
    request = providers.title_request(
        version.model,
        answer.parent.text if answer.parent else "",
        answer.text,
        thinks=bool(generation.reasoning),
        effort=version.reasoning_effort,
    )
    try:
        server = endpoints.resolve(version.endpoint, version.company_id).called
        with transaction.atomic():
            spending.reserve_title(generation, _sent(request), request.parameters.max_tokens or 0)
    except (ProviderError, IntegrityError):
        return None
    except spending.OverBudget:
        metrics.titles.labels("no_room").inc()
        return None
    return Job(generation.pk, generation.conversation_id, server, request)


def _is_wanted(generation: Generation) -> bool:
    """Whether it answered a chat's first question, and the chat is to stay and has no other title yet."""
    chat, question = generation.conversation, generation.message.parent
    first = question is not None and question.parent_id is None
    lasts = chat.trial_id is None and chat.deleted_at is None and chat.temporary_until is None
    return first and lasts and chat.titled_by == _CUT


def _sent(request: providers.ChatRequest) -> int:
    """A guess at the tokens of a request."""
    return sum(map(estimates.estimated_tokens, (request.system, *(each.text for each in request.messages))))


def _keep(job: Job, title: str, used: spending.Used | None) -> int | None:
    """Settle what a title took, and give it to the chat, unless that was given another or deleted meanwhile. Gives back
    whose it is where it has that title now."""
    with transaction.atomic():
        untitled = Conversation.objects.select_for_update(no_key=True).filter(titled_by=_CUT, deleted_at=None)
        chat = untitled.filter(pk=job.conversation_id).first() if title else None
        if chat is not None:
            # Whoever files the answer has its row until that is done, or else reads this title.
            answer = Generation.objects.select_for_update(no_key=True).filter(pk=job.generation_id)
            list(answer.values_list("pk"))
            order.entitle(chat, title, _MODEL)
        spending.settle({job.conversation_id: used})
    return chat.owner_id if chat else None

"""One task per answer: claim, read the provider's stream into the log, save the end, and only then publish it.

A run belongs to no browser and no request. It ends by itself, by `Run.stop`, or with the process; what is left
of it then is found by the sweep. The periodic saving of all runs together is the keeper's.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import time
import uuid

from django.db import Error as DatabaseError
from django.utils.translation import gettext_noop

from conversations import citing, endpoints, language, metrics, peers, providers, titles, trace
from conversations.database import writing
from conversations.generation import redis_log, store
from conversations.generation.log import AnswerLog
from conversations.generation.pace import PACE
from conversations.models import Generation
from conversations.providers import FinishReason, echoes, sentences, stream

logger = logging.getLogger(__name__)

LEASE = peers.ME
FIRST_PAUSE = 0.5  # seconds between two tries to take on an answer, and the first two to save its end
LONGEST_PAUSE = 10.0  # seconds between two tries to save an end
LONGEST_CLAIM = 15.0  # seconds
BROKE = gettext_noop("Something went wrong on our side. What had arrived is kept. Try again.")
RUNS: dict[uuid.UUID, Run] = {}
metrics.answers_running.set_function(lambda: len(RUNS))

Status = store.Status

_STATUS_OF = {
    FinishReason.ERROR: Status.FAILED,
    FinishReason.CANCELLED: Status.STOPPED,
    FinishReason.INTERRUPTED: Status.INTERRUPTED,
    FinishReason.TIMEOUT: Status.INTERRUPTED,
}  # every other way of finishing is the provider's own end: done, with a sentence where it is not a good one
_BROKEN_OFF = {FinishReason.ERROR, FinishReason.INTERRUPTED, FinishReason.TIMEOUT}


class Run:
    """A running answer: its log, its task, and what is known of it so far."""

    def __init__(self, generation: Generation) -> None:
        self.generation_id = generation.pk
        self.message_id: uuid.UUID | None = None
        self.end: store.Stored | None = None  # once it is in the database
        self.log = AnswerLog()
        self.stopping: tuple[store.Status, str] | None = (
            None  # as what it is to end, and why, where it ends early
        )
        self.saved = self.log.cursor
        self._reader: asyncio.Task[store.Outcome] | None = None
        self._job: store.Job | None = None  # once it is claimed
        self._claimed_at = 0.0
        self._first_token_ms: int | None = None
        self._usage: providers.UsageReport | None = None
        self._citations: list[providers.Citation] = []
        self._started = providers.ResponseStarted(None, None)
        # A context of its own: the request's would tie the run to the request's thread and connection.
        context = contextvars.Context()
        trace.carry_into(context)
        language.carry_into(context)
        self.task = asyncio.create_task(self._run(generation), context=context)

    def stop(self, sentence: str = store.STOPPED, status: store.Status = Status.STOPPED) -> None:
        """End the answer now; closing the upstream connection is how a provider is told. Who comes first says why."""
        if self.stopping is None:
            self.stopping = status, sentence
        if self._reader is not None:
            self._reader.cancel()

    async def _run(self, generation: Generation) -> None:
        try:
            job = await self._claim(generation)
            if job is None:
                return
            self._job = job
            self.log.append(text=job.inherited)
            self.saved = self.log.cursor
            self.message_id = job.message_id
            redis_log.share(self.generation_id, self.log)
            with trace.span(
                "chat", gen_ai__operation__name="chat", gen_ai__request__model=job.request.model
            ) as facts:
                outcome = await self._outcome(job)
                facts |= _facts(self.generation_id, outcome)
            await self._finish(outcome)
        except Exception:
            # Nothing that is foreseen comes here. A claimed answer still gets its end, and its reader a sentence.
            logger.exception("answer %s broke", self.generation_id)
            await self._finish(self._ended(Status.FAILED, error_kind="internal", sentence=BROKE))
        finally:
            RUNS.pop(self.generation_id, None)
            self.log.finish()

    async def _claim(self, generation: Generation) -> store.Job | None:
        """Take the answer on. A database that is away is waited for a while: nothing has been asked or paid yet."""
        deadline = time.monotonic() + LONGEST_CLAIM
        again = False
        while True:
            try:
                return await writing(store.claim, generation, LEASE, again=again)
            except DatabaseError as error:
                metrics.database_failures.labels("claim").inc()
                logger.error("answer %s has to wait to begin: %s", self.generation_id, type(error).__name__)
                if time.monotonic() > deadline:
                    return None  # which the sweep will find
            again = True
            await asyncio.sleep(FIRST_PAUSE)

    async def _outcome(self, job: store.Job) -> store.Outcome:
        self._reader = asyncio.create_task(self._read(job))
        if self.stopping:
            self._reader.cancel()
        try:
            return await self._reader
        except asyncio.CancelledError:
            if not self.stopping:
                raise
            status, sentence = self.stopping
            return self._ended(status, sentence=sentence)
        except providers.ProviderError as error:
            error.message = echoes.without(error.message, job.request)
            logger.warning("answer %s: %s", self.generation_id, error)
            return self._ended(
                Status.FAILED,
                error_kind=error.kind,
                sentence=sentences.error_sentence(error),
                provider_status=error.status,
                request_id=error.request_id or self._started.request_id or "",
            )

    async def _read(self, job: store.Job) -> store.Outcome:
        self._claimed_at = time.monotonic()
        finished: providers.Finished | None = None
        batches = stream.batches(job.endpoint, job.request, clocks=endpoints.clocks())
        async with contextlib.aclosing(batches):
            async for batch in batches:
                text, reasoning = [], []
                for event in batch.events:
                    match event:
                        case providers.TextDelta(piece):
                            text.append(piece)
                        case providers.ReasoningDelta(piece):
                            reasoning.append(piece)
                        case providers.Finished():
                            finished = event
                        case _:
                            self._take(event)
                if text or reasoning:
                    self._note_first_token()
                    self.log.append(text="".join(text), reasoning="".join(reasoning))
                    if finished is None:
                        # Who has fallen behind rests no longer than alone, however many others run.
                        await PACE.rest(1 if batch.more else len(RUNS))
        finished = finished or providers.Finished(FinishReason.INTERRUPTED)
        return self._ended(
            _STATUS_OF.get(finished.reason, Status.DONE),
            finish_reason=finished.reason,
            sentence=sentences.finish_sentence(
                finished.reason, echoes.without(finished.detail, job.request), job.endpoint.label
            ),
        )

    def _take(self, about: providers.Event) -> None:
        """Keep what is said about an answer beside its words."""
        match about:
            case providers.Citation():
                self._citations.append(about)
            case providers.UsageReport():
                self._usage = about
            case providers.ResponseStarted():
                self._started = about

    def _note_first_token(self) -> None:
        if self._first_token_ms is None:
            self._first_token_ms = round((time.monotonic() - self._claimed_at) * 1000)

    def _ended(
        self,
        status: store.Status,
        *,
        sentence: str = "",
        finish_reason: str = "",
        error_kind: str = "",
        provider_status: int | None = None,
        request_id: str = "",
    ) -> store.Outcome:
        return store.Outcome(
            status=status,
            text=self.log.text.since(0),
            reasoning=self.log.reasoning.since(0),
            finish_reason=finish_reason,
            error_kind=error_kind,
            sentence=sentence,
            provider_status=provider_status,
            request_id=request_id or self._started.request_id or "",
            model=self._started.model or "",
            usage=self._usage,
            prompt_estimate=self._job.prompt_estimate if self._job else None,
            inherited_chars=len(self._job.inherited) if self._job else 0,
            first_token_ms=self._first_token_ms,
            notes=self._notes(),
        )

    def _notes(self) -> list[citing.Note]:
        """What the answer rests on, as far as that was said."""
        if self._job is None or not (self._citations or self._job.notes):
            return []
        inherited = len(self._job.inherited)
        text = self.log.text.since(0)
        return citing.notes(self._job.request, text, self._citations, inherited=self._job.notes, at=inherited)

    async def _finish(self, outcome: store.Outcome) -> None:
        """Save the end, however long the database takes to come back; until then the log keeps it readable."""
        pause = FIRST_PAUSE
        while True:
            try:
                won = await writing(store.finish, self.generation_id, LEASE, outcome)
            except DatabaseError as error:
                metrics.database_failures.labels("finish").inc()
                logger.error("the end of answer %s has to wait: %s", self.generation_id, type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                if won:
                    self.end = store.Stored(outcome.status, outcome.text, outcome.reasoning)
                    _note(self.generation_id, outcome)
                    if outcome.status is Status.DONE and self._is_first:
                        titles.begin(self.generation_id)
                return

    @property
    def _is_first(self) -> bool:
        """Whether no more than one question was sent, as far as this tells of a conversation."""
        asked = self._job.request.messages if self._job else ()
        return sum(message.role == "user" for message in asked) == 1

    def progress(self) -> store.Progress | None:
        """What is new since the last save; None before the claim. The keeper moves `saved` after a good save."""
        if self.message_id is None:
            return None
        now = self.log.cursor
        return store.Progress(
            generation_id=self.generation_id,
            message_id=self.message_id,
            text=self.log.text.since(0) if now.text != self.saved.text else None,
            reasoning=self.log.reasoning.since(0) if now.reasoning != self.saved.reasoning else None,
        )


def _facts(generation_id: uuid.UUID, outcome: store.Outcome) -> dict[str, str | int]:
    """What a span tells of an answer, in the words of OpenTelemetry's conventions where these have one."""
    return {
        "chat__answer": str(generation_id),
        "chat__status": outcome.status,
        "error__type": outcome.error_kind,
        "gen_ai__response__id": outcome.request_id,
        "gen_ai__response__model": outcome.model,
        "gen_ai__usage__input_tokens": (outcome.usage and outcome.usage.prompt_tokens) or 0,
        "gen_ai__usage__output_tokens": (outcome.usage and outcome.usage.completion_tokens) or 0,
        "chat__first_token_ms": outcome.first_token_ms or 0,
    }


def _note(generation_id: uuid.UUID, outcome: store.Outcome) -> None:
    # With the number of the person's request that the line bears, the whole way can be told.
    logger.info(
        "answer %s: %s, the provider's request %s", generation_id, outcome.status, outcome.request_id or "-"
    )
    metrics.answers_ended.labels(outcome.status).inc()
    if outcome.first_token_ms is not None:
        metrics.first_token.observe(outcome.first_token_ms / 1000)
    if outcome.error_kind or outcome.finish_reason in _BROKEN_OFF:
        metrics.upstream_errors.labels(outcome.error_kind or outcome.finish_reason).inc()
    if outcome.usage:
        metrics.tokens.labels("prompt").inc(outcome.usage.prompt_tokens or 0)
        metrics.tokens.labels("completion").inc(outcome.usage.completion_tokens or 0)

"""The bytes of a 200 body in, the events of an answer out: framing, reading, cleaning and limits.

Here it is decided what the end of a body means and that `Finished` comes exactly once. No sockets and
no waiting: those are in `stream`.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from conversations.providers import failures
from conversations.providers.continuing import Repetition
from conversations.providers.events import (
    Citation,
    Endpoint,
    ErrorKind,
    Event,
    Finished,
    FinishReason,
    ProviderError,
    ReasoningDelta,
    ResponseStarted,
    TextDelta,
)
from conversations.providers.fields import DONE, parse_object
from conversations.providers.framing import Framer, OversizeError
from conversations.providers.reading import AnswerError, Delta, Words
from conversations.providers.text import Cleaner, clean
from conversations.providers.wires import WIRES

logger = logging.getLogger(__name__)

ANSWER_LIMIT = 512 * 1024
EVENTS_PER_SECOND = 2_000
EMPTY = "the answer was empty"
MOST_CITATIONS = 500

_BURST_SECONDS = 10


class Intake:
    """Takes in the body of one answer.

    `ended` turns true with the event `Finished`; `pieces` counts the deltas that came, whether or not
    they were passed on at once, for the clocks that wait for content.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        headers: Mapping[str, str],
        *,
        now: Callable[[], float],
        asked_at: float,
        repetition: str = "",
    ) -> None:
        self.ended = False
        self.pieces = 0
        self._endpoint = endpoint
        self._headers = headers
        self._wire = WIRES[endpoint.wire]
        self._framer = Framer(headers.get("content-type", ""))
        self._reader = self._wire.reader()
        self._text, self._thinking = Cleaner(), Cleaner()
        self._repetition = Repetition(repetition)
        self._pace = _Pace(now, asked_at)
        self._size = 0
        self._citations = 0
        self._has_text = False
        self._started = False
        self._unreadable = 0

    @property
    def finishing(self) -> bool:
        """Whether the finish marker has come, so that only usage may still follow."""
        return self._reader.standing.finish is not None

    def feed(self, data: bytes) -> list[Event]:
        """Return the events completed by `data`. Raises `ProviderError` before any content."""
        try:
            payloads = self._framer.feed(data)
        except OversizeError:
            return self._stop("the provider sent too large a piece")
        return self._take(payloads)

    def end(self) -> list[Event]:
        """Return the last events, at the end of the body. Raises `ProviderError` for no answer at all."""
        try:
            events = self._take(self._framer.end())
        except OversizeError:
            return self._stop("the provider sent too large a piece")
        if self.ended:
            return events
        if not self._reader.standing.answered:
            raise self._error(ErrorKind.BAD_RESPONSE, "The response held no answer.")
        return events + self._stop("the connection closed before the end")

    def cut(self, kind: ErrorKind, cause: str) -> list[Event]:
        """Return the last events of an answer that something outside ended.

        An answer whose finish marker has come is whole; one with content is interrupted. Raises
        `ProviderError` of the given kind where nothing came.
        """
        if not self.finishing and not self.pieces:
            raise self._error(kind, f"{cause[:1].upper()}{cause[1:]}.")
        return self._stop(cause)

    def _take(self, payloads: list[bytes]) -> list[Event]:
        events: list[Event] = []
        if not self._pace.allows(len(payloads)):
            return self._stop("the provider sent too many events at once")
        for payload in payloads:
            if self.ended:
                break
            if payload.strip() == DONE:
                events += self._done()
            else:
                self._payload(payload, events)
        return events

    def _payload(self, payload: bytes, events: list[Event]) -> None:
        body = parse_object(payload)
        if body is None:
            self._unreadable += bool(payload.strip())
            return
        reader = self._reader
        try:
            deltas = reader.read(body)
        except AnswerError as error:
            events += self._refused(error)
            return
        if not self._started and reader.standing.answered:
            events.append(self._start())
        for delta in deltas:
            self.pieces += 1
            self._deliver(delta, events)
            if self.ended:
                return
        if reader.standing.closed:
            events += self._done()

    def _deliver(self, delta: Delta, events: list[Event]) -> None:
        """Clean a delta and pass it on, unless the answer has outgrown its limit."""
        if isinstance(delta, Citation):
            self._cite(delta, events)
            return
        text = self._clean(delta)
        if not text:
            return
        self._size += len(text) if text.isascii() else len(text.encode())
        if self._size > ANSWER_LIMIT:
            events += self._stop("the answer grew beyond 512 KB")
        else:
            events.append(self._event(delta, text))

    def _cite(self, citation: Citation, events: list[Event]) -> None:
        self._citations += 1
        if self._citations <= MOST_CITATIONS:
            events.append(replace(citation, text=clean(citation.text)))

    def _clean(self, delta: Words) -> str:
        if type(delta) is TextDelta:
            return self._repetition.feed(self._text.feed(delta.text))
        return self._thinking.feed(delta.text)

    def _event(self, delta: Words, text: str) -> Words:
        if type(delta) is TextDelta:
            self._has_text = True
        return delta if text == delta.text else type(delta)(text)

    def _start(self) -> ResponseStarted:
        self._started = True
        standing = self._reader.standing
        return ResponseStarted(failures.request_id(self._headers) or standing.request_id, standing.model)

    def _done(self) -> list[Event]:
        """End at the marker after which nothing follows."""
        standing = self._reader.standing
        if not standing.answered:
            raise self._error(ErrorKind.BAD_RESPONSE, "The response ended without an answer.")
        return self._finish(standing.finish or Finished(FinishReason.COMPLETE))

    def _refused(self, error: AnswerError) -> list[Event]:
        """End at an error object: the answer's end where content came before it, else no answer."""
        failure = self._wire.failure(self._endpoint, failures.Reply(None, self._headers, error.body))
        if not self.pieces:
            raise failure
        return self._finish(Finished(FinishReason.ERROR, failure.message))

    def _stop(self, cause: str) -> list[Event]:
        """End where nothing more can be taken: whole if the finish marker has come, else interrupted."""
        return self._finish(self._reader.standing.finish or Finished(FinishReason.INTERRUPTED, cause))

    def _finish(self, finish: Finished) -> list[Event]:
        events: list[Event] = [] if self._started else [self._start()]
        events += self._flush()
        if self._reader.standing.usage:
            events.append(self._reader.standing.usage)
        detail = failures.redact(finish.detail, self._endpoint)
        if finish.reason is FinishReason.COMPLETE and not self._has_text:
            detail = EMPTY
        if finish.reason is FinishReason.INTERRUPTED:
            logger.warning("An answer of %s was interrupted: %s", self._endpoint.label, detail)
        if self._unreadable:
            logger.warning("%s sent %d unreadable events", self._endpoint.label, self._unreadable)
        self.ended = True
        return [*events, Finished(finish.reason, detail)]

    def _flush(self) -> list[Event]:
        """Return what reader, cleaners and filter held back: some characters, which no limit stops."""
        left: list[Words] = [
            type(delta)(self._clean(delta))
            for delta in self._reader.flush()
            if not isinstance(delta, Citation)
        ]
        left.append(ReasoningDelta(self._thinking.flush()))
        left.append(TextDelta(self._repetition.feed(self._text.flush()) + self._repetition.flush()))
        return [self._event(delta, delta.text) for delta in left if delta.text]

    def _error(self, kind: ErrorKind, message: str) -> ProviderError:
        retriable = kind in {ErrorKind.NETWORK, ErrorKind.TIMEOUT}
        number = failures.request_id(self._headers) or self._reader.standing.request_id
        return ProviderError(
            kind, self._endpoint.label, message, status=200, request_id=number, retriable=retriable
        )


class _Pace:
    """Allows a steady rate of events, and bursts for the time in which little came.

    A proxy that gathers a slow answer and hands it over at once stays within it; a flood does not.
    """

    __slots__ = ("_credit", "_now", "_then")

    def __init__(self, now: Callable[[], float], asked_at: float) -> None:
        self._now = now
        self._then = asked_at
        self._credit = float(EVENTS_PER_SECOND)

    def allows(self, number: int) -> bool:
        now = self._now()
        earned = (now - self._then) * EVENTS_PER_SECOND
        self._credit = min(self._credit + earned, _BURST_SECONDS * EVENTS_PER_SECOND) - number
        self._then = now
        return self._credit >= 0

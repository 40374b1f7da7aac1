"""An export on its way to somebody: what they still lack of it, each batch on record before it leaves.

A stream that breaks inside the server says so in its last line, which no reader of the format takes for data: it cannot
raise (see `streaming.py`).
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from conversations import access, reading
from conversations.database import in_database
from conversations.exports import rows
from conversations.exports.rows import Line
from conversations.exports.walking import Walk
from conversations.models import Export, Judgement, QueueEntry, Reading, Review
from conversations.posting import Refused
from conversations.reading import Sitting

logger = logging.getLogger(__name__)

BROKEN = "The export stopped here. Take this line off and resume it."
_UNCLEAR = gettext_noop(
    "Give the record or the time of the last line that you have, such as 4711 or 2026-11-20T18:45:00Z."
)
_MOVED = gettext_noop(
    "A conversation in this export has been taken for a second review since it was made, so its lines no longer stand "
    "where they stood. Nothing was sent, and what you have stays good. Download this export from the beginning, or "
    "make another one."
)
_UNCLEAR_LINES = gettext_noop("Give how many whole lines you have.")


@dataclass(frozen=True, slots=True)
class Resume:
    """What somebody has already: everything up to the answer `after`, or the first so many lines."""

    after: int = 0
    lines: int = 0


def resumed(export: Export, *, after: str = "", lines: str = "") -> Resume:
    """Where to go on behind the record or time `after`, or behind so many `lines`. Raises Refused."""
    after, lines = after.strip(), lines.strip()
    if lines:
        if not export.tuning or not _is_number(lines):
            raise Refused(gettext(_UNCLEAR_LINES if export.tuning else _UNCLEAR), status=400)
        if int(lines) and _has_moved(export):
            raise Refused(gettext(_MOVED), status=409)
        return Resume(lines=int(lines))
    if not after:
        return Resume()
    return Resume(after=int(after) if _is_number(after) else _position(export, _time(after)))


class Delivery:
    """One export on its way to the reader of `sitting`."""

    def __init__(self, sitting: Sitting, export: Export, resume: Resume) -> None:
        self._sitting = sitting
        self._export = export
        self._resume = resume
        self._passed = 0
        # To know which lines were there before, those that are left out now must be looked at too.
        self._walk = Walk(export, after=0 if export.tuning else resume.after)

    async def stream(self) -> AsyncIterator[bytes]:
        """The bytes, as they are made."""
        try:
            if self._resume == Resume() and self._walk.format.head:
                yield self._walk.format.head.encode()
            while (part := await in_database(self._next)) is not None:
                if part:
                    yield part
            await in_database(self._finish)
        except Exception:
            logger.exception("an export broke off")
            yield BROKEN.encode()

    def _next(self) -> bytes | None:
        """The next bytes to be shown, on record; None at the end."""
        lines = self._walk.batch()
        if lines is None:
            return None
        lacking = [line for line in lines if self._lacks(line)]
        # Of a search, what somebody says they have goes on record too: that it is there is found out by skipping it.
        seen = lines if self._export.searches else lacking
        if not seen:
            return b""
        # A right that was taken away meanwhile ends the stream.
        reader = User.objects.get(pk=self._sitting.reader.pk)
        access.export(reader, self._sitting.company, self._export.pk)
        reading.look(self._sitting, [line.conversation for line in seen], Reading.What.EXPORT)
        return "".join(line.text for line in lacking).encode()

    def _lacks(self, line: Line) -> bool:
        self._passed += 1
        return self._passed > self._resume.lines and line.record > self._resume.after

    def _finish(self) -> None:
        kept = Export.objects.filter(pk=self._export.pk)
        kept.filter(finished_at=None).update(finished_at=timezone.now())
        if self._walk.whole:
            tally = self._walk.tally
            kept.filter(answers=None).update(answers=tally.answers)
            kept.filter(sha256="").update(
                rows=tally.lines, bytes=tally.bytes, sha256=tally.digest.hexdigest()
            )


def _has_moved(export: Export) -> bool:
    """Whether something of `export` was withheld since its making, or is: then its lines do not count up."""
    second = QueueEntry.Status.SECOND
    given = Q(reviews__seat=Review.Seat.SECOND, reviews__submitted_at__isnull=False)
    said = Judgement.objects.filter(rows.counted(export), record__conversation=OuterRef("conversation"))
    later = QueueEntry.objects.filter(company=export.company, opened_at__gt=export.created_at)
    return later.filter(Q(status=second) | given, Exists(said)).exists()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _time(text: str) -> datetime:
    """A time as the lines name it, or the first moment of a day. Raises Refused."""
    try:
        found = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError as error:
        raise Refused(gettext(_UNCLEAR), status=400) from error
    if timezone.is_naive(found):
        found = timezone.make_aware(found)
    if not 1970 <= found.year <= 9998:
        raise Refused(gettext(_UNCLEAR), status=400)
    return found


def _position(export: Export, time: datetime) -> int:
    """The answer that ended at `time`; without one, the last before the first that ended later."""
    found = rows.chosen(export)
    exact = found.filter(ended_at=time).order_by("pk").values_list("pk", flat=True).first()
    if exact is not None:
        return exact
    later = found.filter(ended_at__gt=time).order_by("pk").values_list("pk", flat=True).first()
    return export.upto if later is None else later - 1

"""A file as it arrives. Callers have been through `access`."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from conversations import standing
from conversations.models import Import, ImportPiece, Persona
from conversations.posting import Refused, clean

Status = Import.Status

PIECE = 1024 * 1024  # bytes
MOST = 100_000_000  # bytes of a file
AT_ONCE = 10  # files of all people that arrive or wait: each may take so much of the database
SILENCE = timedelta(minutes=30)  # after which a file does not arrive any more

MEGABYTE = 1_000_000
TOO_LARGE = gettext_noop(
    "This file has %(size)s MB; at most %(most)s MB can be brought in at once. Nothing was kept. Of an export of "
    "ChatGPT choose the conversations.json inside the zip: the rest of it is pictures and other files."
)
EMPTY = gettext_noop("This file is empty. Nothing was kept.")
BUSY = gettext_noop(
    "Your last file is still being read. Wait for its end, or stop it, then choose another one."
)
CROWDED = gettext_noop("Others bring in files at the moment. Nothing was kept; try again in some minutes.")
OVER = gettext_noop(
    "This file does not arrive any more: it was stopped, or begun anew in another tab. Choose it again."
)
CANCELLED = gettext_noop("You stopped this import. What had come in until then stays.")
BROKEN_OFF = gettext_noop("This file broke off on its way. Nothing was kept.")


def begin(person: User, persona: Persona, *, name: str, size: int) -> Import:
    """Expect a file of `size` bytes, whose chats are to go on with `persona`. Raises Refused."""
    if size <= 0:
        raise Refused(_(EMPTY), status=400)
    if size > MOST:
        megabytes = {
            "size": number_format(round(size / MEGABYTE), force_grouping=True),
            "most": round(MOST / MEGABYTE),
        }
        raise Refused(_(TOO_LARGE) % megabytes, status=413)
    now = timezone.now()
    arriving = Import.objects.filter(status=Status.ARRIVING)
    try:
        with transaction.atomic():
            if not standing.may_write(person, persona):
                raise Refused(_(standing.CLOSED.sentence), status=standing.CLOSED.status)
            Import.objects.filter(person=person, pieces=None).exclude(status__in=Import.OPEN).delete()
            arriving.filter(person=person).update(status=Status.FAILED, sentence=OVER)
            open_ = Import.objects.filter(status__in=Import.OPEN)
            if open_.exclude(status=Status.ARRIVING, changed_at__lt=now - SILENCE).count() >= AT_ONCE:
                raise Refused(_(CROWDED), status=503)
            return Import.objects.create(
                person=person, persona=persona, name=clean(name)[:200], size=size, changed_at=now
            )
    except IntegrityError as waiting:
        raise Refused(_(BUSY), status=409) from waiting


def take(file: Import, number: int, data: bytes) -> None:
    """Take piece `number` of a file, counted from 0; one that is there already is taken as well. Raises Refused."""
    with transaction.atomic():
        kept = Import.objects.select_for_update().filter(pk=file.pk, status=Status.ARRIVING).first()
        if kept is None:
            raise Refused(_(OVER), status=409)
        if number * PIECE < kept.received:
            return
        if number * PIECE != kept.received or len(data) != min(PIECE, kept.size - kept.received):
            raise Refused(_("A part of this file got lost on its way. Choose it again."), status=400)
        ImportPiece.objects.create(file=kept, number=number, data=data)
        kept.received += len(data)
        kept.changed_at = timezone.now()
        if kept.received == kept.size:
            kept.status = Status.WAITING
        kept.save(update_fields=["received", "changed_at", "status"])


def drop(file: Import) -> None:
    """Stop an import. What came in until then stays, and its rest does not come."""
    Import.objects.filter(pk=file.pk, status__in=Import.OPEN).update(status=Status.FAILED, sentence=CANCELLED)


def tidy() -> bool:
    """Remove a few pieces of what is over, or give up what does not arrive any more. False where there is none."""
    stale = Import.objects.filter(status=Status.ARRIVING, changed_at__lt=timezone.now() - SILENCE)
    if stale.exists():  # nearly never: an update takes SQLite's lock, also of nothing
        stale.update(status=Status.FAILED, sentence=BROKEN_OFF)
    over = list(ImportPiece.objects.exclude(file__status__in=Import.OPEN).values_list("pk", flat=True)[:4])
    return bool(over and ImportPiece.objects.filter(pk__in=over).delete()[0])

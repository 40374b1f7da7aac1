"""Holds: what must not be removed, whatever its age and whoever asks for it. Placed with a reason, lifted on record.

Whatever is under review is held as well, without anybody's doing. Callers have been through `access`.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from conversations import standing
from conversations.models import Company, Conversation, Hold
from conversations.posting import Refused, clean

REASON_CHARS = 300
GONE = gettext_noop("This conversation was removed meanwhile. Nothing is left to hold.")


def place(
    company: Company,
    reason: str,
    by: User,
    *,
    conversation: Conversation | None = None,
    person: User | None = None,
) -> Hold:
    """Hold a conversation or a person's at `company`; what is held already stays so for its first reason.

    Raises Refused.
    """
    reason = _checked(reason, _("Say why it is held."))
    try:
        with transaction.atomic():
            if conversation is not None and not standing.is_there(conversation):
                raise Refused(_(GONE), status=410)
            return Hold.objects.create(
                company=company, conversation=conversation, person=person, reason=reason, placed_by=by
            )
    except IntegrityError:
        return Hold.objects.get(company=company, conversation=conversation, person=person, lifted_at=None)


def lift(hold: Hold, reason: str, by: User) -> None:
    """No longer hold what `hold` held. Raises Refused."""
    reason = _checked(reason, _("Say why it need not be held any more."))
    kept = Hold.objects.filter(pk=hold.pk, lifted_at=None)
    if not kept.update(lifted_at=timezone.now(), lifted_by=by, lifted_reason=reason):
        raise Refused(_("This hold was lifted already."), status=409)


def of(company: Company, *, conversation: Conversation) -> list[Hold]:
    """What holds a conversation of `company` at the moment."""
    found = Hold.objects.filter(company=company, lifted_at=None).select_related("placed_by")
    return list(found.filter(Q(conversation=conversation) | Q(person=conversation.owner_id)))


def _checked(reason: str, without: str) -> str:
    reason = clean(reason).strip()
    if not reason:
        raise Refused(without, status=400)
    if len(reason) > REASON_CHARS:
        said = _("A reason has at most %(most)s characters. Shorten it and send again.")
        raise Refused(said % {"most": REASON_CHARS}, status=413)
    return reason

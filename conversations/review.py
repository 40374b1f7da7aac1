"""The verbs by which people judge answers. Callers have been through `access.py`."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User

from conversations.models import Feedback, Message
from conversations.posting import Refused, clean

COMMENT_CHARS = 2_000


def rate(
    person: User, answer: Message, *, good: bool, reasons: Iterable[str] = (), comment: str = ""
) -> Feedback:
    """Say whether `answer` was good, in place of what was said before. Reasons are for bad ones. Raises Refused."""
    _check_ended(answer)
    comment = clean(comment).strip()
    if len(comment) > COMMENT_CHARS:
        raise Refused(
            f"A comment has at most {COMMENT_CHARS:,} characters. Shorten it and send again.", status=413
        )
    known = [] if good else [reason.value for reason in Feedback.Reason if reason.value in set(reasons)]
    feedback, _ = Feedback.objects.update_or_create(
        message=answer, defaults={"person": person, "good": good, "reasons": known, "comment": comment}
    )
    return feedback


def take_back(answer: Message) -> None:
    """No longer say anything of `answer`."""
    Feedback.objects.filter(message=answer).delete()


def _check_ended(answer: Message) -> None:
    if answer.role != Message.Role.ASSISTANT or answer.generation.live:
        raise Refused("Only answers that have ended can be judged.", status=409)

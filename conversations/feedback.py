"""The verbs by which people judge the answers that they were given. Callers have been through `access`.

Each marks the answer to be filed anew: `filing.py` copies what was said into the ledger and asks the rules again.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.formats import number_format
from django.utils.translation import gettext

from conversations.models import Feedback, Flag, Generation, Message
from conversations.posting import Refused, clean

COMMENT_CHARS = 2_000


def rate(
    person: User, answer: Message, *, good: bool, reasons: Iterable[str] = (), comment: str = ""
) -> Feedback:
    """Say whether `answer` was good, in place of what was said before. Reasons are for bad ones. Raises Refused.

    What a reviewer said to the person stays; `Feedback.changed_since` tells that it speaks of something older.
    """
    comment = clean(comment).strip()
    if len(comment) > COMMENT_CHARS:
        raise Refused(
            gettext("A comment has at most %(most)s characters. Shorten it and send again.")
            % {"most": number_format(COMMENT_CHARS, force_grouping=True)},
            status=413,
        )
    known = [] if good else [reason.value for reason in Feedback.Reason if reason.value in set(reasons)]
    with transaction.atomic():
        _file_anew(answer)
        kept = Feedback.objects.filter(message=answer).first()
        if kept is not None and (kept.good, kept.reasons, kept.comment) == (good, known, comment):
            return kept  # the same said twice is no change, and a reviewer's words on it still hold
        feedback, _ = Feedback.objects.update_or_create(
            message=answer, defaults={"person": person, "good": good, "reasons": known, "comment": comment}
        )
    return feedback


def take_back(answer: Message) -> None:
    """No longer say anything of `answer`. Raises Refused."""
    with transaction.atomic():
        _file_anew(answer)
        Feedback.objects.filter(message=answer).delete()


def flag(person: User, answer: Message) -> None:
    """Ask the company's reviewers to look at `answer`. Raises Refused."""
    with transaction.atomic():
        _file_anew(answer)
        Flag.objects.get_or_create(message=answer, defaults={"person": person})


def unflag(answer: Message) -> None:
    """No longer ask for it; what entered the queue stays there. Raises Refused."""
    with transaction.atomic():
        _file_anew(answer)
        Flag.objects.filter(message=answer).delete()


def _file_anew(answer: Message) -> None:
    """Have `answer` filed again. Takes its generation's row, so that filing sees all of this or nothing."""
    if answer.conversation.trial_id is not None:
        raise Refused(gettext("Answers in a trial are not judged."), status=409)
    ended = Generation.objects.filter(message=answer, finished_at__isnull=False)
    if not ended.update(filed=False):
        raise Refused(gettext("Only answers that have ended can be judged."), status=409)

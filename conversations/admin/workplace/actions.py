"""What a reviewer presses. Each answers a script with the parts of the page that changed, and a form with the page.

No words of other people stand in these answers, so a sitting that has ended loses nobody's work: it is saved first,
and the page that follows asks for the reason again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import wraps
from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from conversations import access, holds, reviewing
from conversations.admin.workplace import desk as desks
from conversations.admin.workplace import doors, settings, transcript, way
from conversations.admin.workplace.conversation import address
from conversations.models import AnswerRecord, Company, Conversation, QueueEntry, Review
from conversations.posting import Refused

Action = Callable[[HttpRequest, Company, Conversation], HttpResponse]


def _action(view: Action) -> Callable[..., HttpResponseBase]:
    """A form of a conversation's page. A refusal answers a script with its sentence, above all that was typed.

    Without a script it is said on the page, to which the way leads back.
    """

    @require_POST
    @doors.of_reviewers
    @wraps(view)
    def guarded(request: HttpRequest, company: Company, conversation_id: uuid.UUID) -> HttpResponse:
        found = access.reviewed_conversation(company, conversation_id)
        try:
            return view(request, company, found)
        except IntegrityError:  # what was said hangs on a conversation that was removed at this moment: a 404
            access.reviewed_conversation(company, conversation_id)
            raise
        except Refused as refusal:
            if not _by_script(request):
                messages.error(request, refusal.sentence)
                return _back(request, company, found)
            return HttpResponse(_sentence(refusal.sentence), status=refusal.status)

    return guarded


@_action
def open_(request: HttpRequest, company: Company, conversation: Conversation) -> HttpResponse:
    """Put a conversation before the reviewers by hand, and claim it."""
    entry = reviewing.open_by_hand(company, _record(request, conversation))
    reviewing.claim(entry, cast(User, request.user))
    return _back(request, company, conversation)


@_action
def claim(request: HttpRequest, company: Company, conversation: Conversation) -> HttpResponse:
    """Take the entry that waits for this conversation."""
    waiting = access.queue(company).exclude(status=QueueEntry.Status.DONE)
    entry = waiting.filter(conversation=conversation).first()
    if entry is None:
        raise Refused(_("Nothing waits here any more: it was reviewed meanwhile."), status=409)
    reviewing.claim(entry, cast(User, request.user))
    return _back(request, company, conversation)


@_action
def release(request: HttpRequest, company: Company, conversation: Conversation) -> HttpResponse:
    """Give the entry back to the queue."""
    reviewing.release(_review(request, conversation))
    messages.success(
        request, _("Given back to the queue. Your verdicts are kept, for when you claim it again.")
    )
    return redirect("admin:review_queue", company.pk)


@_action
def hold(request: HttpRequest, company: Company, conversation: Conversation) -> HttpResponse:
    """Have a conversation kept whatever its age, and whoever asks for its removal."""
    reason, by = request.POST.get("reason", ""), cast(User, request.user)
    with transaction.atomic():
        made = holds.place(company, reason, by, conversation=conversation)
        said = _("Placed the hold %(hold)s on a conversation.") % {"hold": made.pk}
        settings.log(request, company, said)
    messages.success(request, _("Held. It is not removed until a manager lifts the hold."))
    return _back(request, company, conversation)


@_action
def renew(request: HttpRequest, company: Company, conversation: Conversation) -> HttpResponse:
    """The reviewer is at work. It changes the time alone, and has nothing to say of a review that has ended."""
    review = _review(request, conversation)
    try:
        reviewing.renew(review)
    except Refused:
        if _review(request, conversation).submitted_at is None:
            raise
        return HttpResponse(status=204)
    return HttpResponse(_until(review))


@_action
def judge(request: HttpRequest, company: Company, conversation: Conversation) -> HttpResponse:
    """Give an answer a verdict, or take it back where `grade` is empty; or correct it."""
    review, record = _review(request, conversation), _record(request, conversation)
    if "correction" in request.POST:
        reviewing.correct(review, record, request.POST["correction"])
        return _done(request, company, conversation, _saved("correction", record) + _claimed(review))
    if "grade" not in request.POST:
        raise Refused(_("Choose a grade."), status=400)
    reviewing.judge(review, record, _number(request, "grade"))
    return _done(
        request, company, conversation, _part(request, "_verdicts.html", review, record) + _claimed(review)
    )


@_action
def label(request: HttpRequest, company: Company, conversation: Conversation) -> HttpResponse:
    """Give an answer the label `add`, or take `remove` from it."""
    review, record = _review(request, conversation), _record(request, conversation)
    if (taken := _number(request, "remove")) is not None:
        reviewing.unlabel(review, record, taken)
    else:
        reviewing.label(review, record, request.POST.get("add", "") or request.POST.get("name", ""))
    return _done(
        request, company, conversation, _part(request, "_labels.html", review, record) + _claimed(review)
    )


@_action
def reply(request: HttpRequest, company: Company, conversation: Conversation) -> HttpResponse:
    """Write to the person who rated or flagged an answer."""
    review, record = _review(request, conversation), _record(request, conversation)
    reviewing.reply(review, record, request.POST.get("reply", ""), _number(request, "fixed_in"))
    return _done(request, company, conversation, _saved("reply", record) + _claimed(review))


@_action
def note(request: HttpRequest, company: Company, conversation: Conversation) -> HttpResponse:
    """Say something to colleagues."""
    made = reviewing.note(conversation, cast(User, request.user), request.POST.get("text", ""))
    written = render_to_string("admin/review/_note.html", {"note": made, "fresh": True})
    return _done(request, company, conversation, written + _sentence(""))


@_action
def submit(request: HttpRequest, company: Company, conversation: Conversation) -> HttpResponse:
    """End the review, and go on with the `next` or back to the queue. A note that came with it is kept first."""
    review, reviewer = _review(request, conversation), cast(User, request.user)
    if (text := request.POST.get("text", "")).strip():
        reviewing.note(conversation, reviewer, text)
    waiting = review.entry.status
    entry = reviewing.submit(review, nothing="nothing" in request.POST, as_of=_as_of(request))
    messages.success(request, _ended(entry))
    following = None
    if "next" in request.POST:
        following = desks.following(company, reviewer, waiting, entry)
    if following is not None:
        with suppress(Refused):  # somebody was quicker: then it is read along
            reviewing.claim(following, reviewer)
    onward = (
        address(company, following.conversation_id)
        if following
        else reverse("admin:review_queue", args=[company.pk])
    )
    return HttpResponseClientRedirect(onward) if _by_script(request) else redirect(onward)


def _as_of(request: HttpRequest) -> datetime | None:
    """When the page was made, as it says itself; None where it does not. Raises Refused for what is no moment."""
    said = request.POST.get("as_of", "")
    try:
        return datetime.fromisoformat(said).astimezone(UTC) if said else None
    except (ValueError, OverflowError) as error:
        raise Refused(
            _(
                "This page does not say clearly when it was made, so the review is not finished. What you have given "
                "is kept. Reload the page and finish again."
            ),
            status=400,
        ) from error


def _ended(entry: QueueEntry) -> str:
    match entry.status:
        case QueueEntry.Status.SECOND:
            return _("Finished. A second reviewer will judge it without seeing your grades.")
        case QueueEntry.Status.RULING:
            return _("Finished. The two reviews differ, so it waits for a ruling.")
    return _("Finished. What you said counts.")


def _review(request: HttpRequest, conversation: Conversation) -> Review:
    """The reviewer's own review that the form is of. Raises NotVisible."""
    number = _number(request, "review")
    if number is None:
        raise access.NotVisible
    return access.review(request.user, conversation, number)


def _record(request: HttpRequest, conversation: Conversation) -> AnswerRecord:
    """The answer that the form is of. Raises NotVisible."""
    try:
        message_id = uuid.UUID(request.POST.get("answer", ""))
    except ValueError as error:
        raise access.NotVisible from error
    return access.reviewed_answer(conversation, message_id)


def _number(request: HttpRequest, name: str) -> int | None:
    value = request.POST.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None


def _done(request: HttpRequest, company: Company, conversation: Conversation, html: str) -> HttpResponse:
    return HttpResponse(html) if _by_script(request) else _back(request, company, conversation)


def _back(request: HttpRequest, company: Company, conversation: Conversation) -> HttpResponse:
    """The page again, at the same branch and answer."""
    head, answer = request.POST.get("head", ""), request.POST.get("answer", "")
    parts = [urlencode({"head": head}) if head else "", way.carried(request.POST.dict()).carried]
    query = "&".join(filter(None, parts))
    mark = f"#message-{answer}" if answer else ""
    return redirect(f"{address(company, conversation)}{'?' if query else ''}{query}{mark}")


def _part(request: HttpRequest, template: str, review: Review, record: AnswerRecord) -> str:
    context = {
        "company": review.entry.company,
        "conversation": review.entry.conversation,
        "review": review,
        "rubric": reviewing.rubric(review),
        "panel": transcript.panel(review, record),
        "head": request.POST.get("head", ""),
        "way": way.carried(request.POST.dict()),
    }
    return render_to_string(f"admin/review/{template}", context, request)


def _saved(what: str, record: AnswerRecord) -> str:
    return render_to_string(
        "admin/review/_saved.html", {"what": what, "answer": record.message_id, "oob": True}
    )


def _claimed(review: Review) -> str:
    """Until when the claim holds now, and no sentence of what went wrong before."""
    return _until(review) + _sentence("")


def _until(review: Review) -> str:
    entry = access.queue(review.entry.company).get(pk=review.entry_id)
    return render_to_string("admin/review/_until.html", {"until": reviewing.until(entry), "oob": True})


def _sentence(text: str) -> str:
    return render_to_string("admin/review/_sentence.html", {"sentence": text, "oob": True})


def _by_script(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))

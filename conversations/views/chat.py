"""The start page, a conversation, and what is done in it. Every form here may arrive twice without harm."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import trigger_client_event

from conversations import (
    access,
    announcements,
    budgets,
    deleting,
    endpoints,
    generation,
    pages,
    posting,
    thread,
)
from conversations.models import Company, Conversation, Message, Persona
from conversations.views import history, trial, turns
from conversations.views.guards import PersonRequest, signed_in, takes_files

UNKNOWN_PERSONA = gettext_noop(
    "This persona is not available to you any more. Choose another one. Your text is kept."
)


@dataclass(frozen=True, slots=True)
class Card:
    """A persona as the start page offers it."""

    id: uuid.UUID
    name: str
    tagline: str
    greeting: str
    starters: list[str]
    initials: str
    company: Company
    notice: str


@require_safe
@signed_in
def start(request: PersonRequest) -> HttpResponse:
    """Choose a persona, or take the one that the address names, and ask a first question."""
    offered = [(persona, persona.current) for persona in access.personas(request.user) if persona.current]
    notices = endpoints.notices([(version.endpoint, persona.company_id) for persona, version in offered])
    cards = [_card(persona, notice) for (persona, _), notice in zip(offered, notices, strict=True)]
    wished = request.GET.get("persona", "")
    selected = next((card for card in cards if str(card.id) == wished), cards[0] if cards else None)
    companies = [
        {"company": company, "personas": list(group)}
        for company, group in groupby(cards, lambda card: card.company)
    ]
    context = {
        "companies": companies,
        "selected": selected,
        "colours": sorted({card.company.colour_code for card in cards}),
        "budget_notes": budgets.told(request.user.pk, {card.company.pk for card in cards}),
        "form_action": reverse("start_chat"),
        "client_id": uuid.uuid4(),
    }
    return render(request, "chat/start.html", context | history.sidebar(request.user))


@takes_files
@require_POST
@signed_in
def start_chat(request: PersonRequest) -> HttpResponse:
    """Open a conversation by its first question, and go there."""
    try:
        persona = access.persona(request.user, uuid.UUID(request.POST.get("persona", "")))
    except (ValueError, access.NotVisible) as error:
        raise posting.Refused(gettext(UNKNOWN_PERSONA), status=404) from error
    with turns.asking(request) as client_id:
        temporary = "temporary" in request.POST
        turn = posting.start(
            request.user,
            persona,
            turns.text(request),
            client_id=client_id,
            temporary=temporary,
            files=turns.files(request),
        )
        return turns.opened(request, turn)


@require_safe
@signed_in
def conversation(request: PersonRequest, conversation_id: uuid.UUID) -> HttpResponse:
    """A conversation, with the composer below it; a trial of one's own has no list of chats beside it."""
    found = access.conversation(request.user, conversation_id, versions=True)
    sought = _uuid(request.GET.get("to", ""))
    shown = thread.thread(found, around=sought)
    closed_reason = posting.closed_reason(found)
    version = found.trial or found.persona.current
    context: dict[str, Any] = {
        "conversation": found,
        "parts": shown.parts,
        "running": shown.now.running,
        "state": shown.now.state,
        "socket_path": reverse("conversation", args=[found.pk]).replace("/c/", "/ws/c/", 1),
        "can_write": not closed_reason,
        "closed_reason": closed_reason,
        "notice": endpoints.notice(version.endpoint, found.persona.company_id) if version else "",
        "form_action": reverse("send", args=[found.pk]),
        "stop_url": reverse("stop", args=[found.pk]),
        "client_id": uuid.uuid4(),
        "colours": [found.persona.company.colour_code],
        "budget_notes": budgets.told(request.user.pk, {found.persona.company_id}),
        "stays": found.temporary_until is not None and deleting.stays(found),
        "shared": access.shared_links(request.user).filter(conversation=found).exists(),
        "elsewhere": _on_another_branch(found, shown, sought),
    }
    if found.trial is not None:
        return trial.framed(request, "chat/conversation.html", context | trial.heading(found.trial))
    return render(
        request, "chat/conversation.html", context | history.sidebar(request.user, current=found.pk)
    )


def _on_another_branch(
    conversation: Conversation, shown: thread.Thread, sought: uuid.UUID | None
) -> uuid.UUID | None:
    """The message that a link leads to, where it is there but not on the branch that is shown."""
    if sought is None or sought in {turn.id for turn in shown.turns}:
        return None
    try:
        return access.message(conversation, sought).pk
    except access.NotVisible:
        return None


@require_safe
@signed_in
def earlier(request: PersonRequest, conversation_id: uuid.UUID, message_id: uuid.UUID) -> HttpResponse:
    """What stands above a message; where there is a gap, down from the message `after` it at most."""
    found = access.conversation(request.user, conversation_id)
    message = access.message(found, message_id)
    if "after" in request.GET:
        part = thread.between(found, _named(request, found, "after"), message, upwards=True)
    else:
        part = thread.before(found, message)
    return render(request, "chat/_part.html", {"conversation": found, "part": part})


@require_safe
@signed_in
def later(request: PersonRequest, conversation_id: uuid.UUID, message_id: uuid.UUID) -> HttpResponse:
    """What stands in the gap below a message, down to the message `until` at most."""
    found = access.conversation(request.user, conversation_id)
    message = access.message(found, message_id)
    part = thread.between(found, message, _named(request, found, "until"), upwards=False)
    return render(request, "chat/_part.html", {"conversation": found, "part": part})


def _named(request: PersonRequest, conversation: Conversation, name: str) -> Message:
    """The message that an address names. Raises NotVisible."""
    pk = _uuid(request.GET.get(name, ""))
    if pk is None:
        raise access.NotVisible
    return access.message(conversation, pk)


def _uuid(value: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(value)
    except ValueError:
        return None


@takes_files
@require_POST
@signed_in
def send(request: PersonRequest, conversation_id: uuid.UUID) -> HttpResponse:
    """Ask the next question."""
    found = access.conversation(request.user, conversation_id, versions=True)
    added = ""
    with turns.asking(request) as client_id:
        turn = posting.post(
            request.user, found, turns.text(request), client_id=client_id, files=turns.files(request)
        )
        if turn.created:
            added = turns.begin_at_the_end(turn)
        else:
            turns.begin(turn)
    if not request.htmx:
        return redirect("conversation", conversation_id)
    if added and thread.is_up_to_date(request.POST.get("state"), turn):
        fragment = pages.following(added, turn)
    else:  # the page had fallen behind, or asks again what it asked before
        fragment = pages.whole_thread(turn.conversation, follow=True)
    return trigger_client_event(HttpResponse(fragment + pages.fresh_client_id()), "accepted")


@require_POST
@signed_in
def stop(request: PersonRequest, conversation_id: uuid.UUID) -> HttpResponse:
    """Stop the answer that is being written, from any tab."""
    found = access.conversation(request.user, conversation_id)
    live = thread.standing(found).live
    async_to_sync(generation.stop)(found.pk)
    if live is None:
        return HttpResponse(pages.composer_button(found, running=False))
    return HttpResponse(pages.ending(found, thread.turn(found, live.message_id)))


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit(request: PersonRequest, conversation_id: uuid.UUID, message_id: uuid.UUID) -> HttpResponse:
    """The form to ask a question in other words; and the asking."""
    found = access.conversation(request.user, conversation_id)
    question = access.message(found, message_id)
    if request.method != "POST":
        if question.role != Message.Role.USER:
            raise access.NotVisible
        context = {"turn": thread.turn(found, question.pk), "client_id": uuid.uuid4()}
        return render(request, "chat/_edit.html", context)
    with turns.asking(request) as client_id:
        return _other_branch(posting.edit(request.user, question, turns.text(request), client_id=client_id))


@require_POST
@signed_in
def regenerate(request: PersonRequest, conversation_id: uuid.UUID, message_id: uuid.UUID) -> HttpResponse:
    """Have a question answered anew, whether the answer was good, failed or stopped."""
    answer = access.message(access.conversation(request.user, conversation_id), message_id)
    with turns.asking(request) as client_id:
        return _other_branch(posting.regenerate(request.user, answer, client_id=client_id))


@require_POST
@signed_in
def continue_(request: PersonRequest, conversation_id: uuid.UUID, message_id: uuid.UUID) -> HttpResponse:
    """Have an answer that broke off carried on."""
    answer = access.message(access.conversation(request.user, conversation_id), message_id)
    with turns.asking(request) as client_id:
        return _other_branch(posting.continue_(request.user, answer, client_id=client_id))


@require_POST
@signed_in
def switch(request: PersonRequest, conversation_id: uuid.UUID, message_id: uuid.UUID) -> HttpResponse:
    """Show another version of a message, with what followed it."""
    found = access.conversation(request.user, conversation_id)
    posting.switch(found, access.message(found, message_id))
    async_to_sync(announcements.branch_changed)(found.pk, around=message_id)
    return HttpResponse(pages.whole_thread(found, follow=True, around=message_id))


def _other_branch(turn: posting.Turn) -> HttpResponse:
    turns.begin(turn)
    return HttpResponse(pages.whole_thread(turn.conversation, follow=True))


def _card(persona: Persona, notice: str) -> Card:
    return Card(
        id=persona.pk,
        name=persona.name,
        tagline=persona.tagline,
        greeting=persona.greeting,
        starters=persona.starters,
        initials=persona.initials,
        company=persona.company,
        notice=notice,
    )

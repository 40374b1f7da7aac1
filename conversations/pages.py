"""The fragments that pages are made of, for answers to forms and for the socket alike.

One partial template serves the whole page, the answer to a form and the frame to another tab, so the three
cannot drift apart. Each fragment here names the element that it replaces or extends (htmx swaps it by that).
"""

from __future__ import annotations

import uuid

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html

from conversations import budgets, posting, thread
from conversations.models import Conversation
from conversations.posting import closed_reason
from conversations.turn import Turn


def whole_thread(conversation: Conversation, *, follow: bool, around: uuid.UUID | None = None) -> str:
    """What stands below the header, as it is now: for a branch that changed and a page that fell behind.

    Of what a page has besides, it keeps what stands above the first message that is here too.
    """
    shown = thread.thread(conversation, around=around, follow=follow)
    messages = render_to_string("chat/_messages.html", {"conversation": conversation, "parts": shown.parts})
    whole = f'<div class="messages" id="messages" hx-swap-oob="outerHTML">{messages}</div>'
    return whole + _stands(conversation, shown.now)


def asked(turn: posting.Turn) -> str:
    """A new turn to add at the end. A page drops what it has: it comes by the form and by the socket."""
    added = thread.asked(turn)
    messages = render_to_string("chat/_messages.html", {"parts": added.parts})
    return f'<div hx-swap-oob="beforeend:#messages">{messages}</div>' + _stands(turn.conversation, added.now)


def following(fragment: str, turn: posting.Turn) -> str:
    """What `asked` gave, for the page that asked: its answer has the socket show it, whether that was told or not."""
    before, end, behind = fragment.rpartition("</article>")
    return (
        before + render_to_string("chat/_follow.html", {"generation_id": turn.generation.pk}) + end + behind
    )


def ending(conversation: Conversation, turn: Turn) -> str:
    """The foot of an answer that has ended, a free composer, and what it left of the person's budgets."""
    return foot(turn) + standing(conversation)


def foot(turn: Turn, *, asking: bool = False, said: str = "") -> str:
    """What stands below an answer: how it ended and what can be done. With `asking` the feedback form is open.

    `said` tells what was done a moment ago, and is read aloud.
    """
    context = {"turn": turn, "oob": True, "asking": asking, "said": said}
    return render_to_string("chat/_turn_foot.html", context)


def standing(conversation: Conversation) -> str:
    """How the conversation stands now: what the page remembers of it, Send or Stop, and what of budgets is to be
    told."""
    notes = budgets.told(conversation.owner_id, {conversation.persona.company_id})
    told = render_to_string("chat/_composer_budget.html", {"budget_notes": notes, "oob": True})
    return _stands(conversation, thread.standing(conversation)) + told


def _stands(conversation: Conversation, now: thread.Standing) -> str:
    return state(now.state) + composer_button(conversation, running=now.running)


def state(value: str) -> str:
    """What the page says of itself when it reconnects. `value` is made of identifiers only."""
    return f'<i id="state" data-state="{value}" hidden hx-swap-oob="outerHTML"></i>'


def titled(chat: uuid.UUID, title: str) -> str:
    """What a chat is called now, for whatever of a page says it."""
    sign = '<i id="titled" data-chat="{}" data-title="{}" hidden hx-swap-oob="outerHTML"></i>'
    return format_html(sign, chat, title)


def composer_button(conversation: Conversation, *, running: bool) -> str:
    """Stop while an answer runs, else Send; nothing where nothing can be asked."""
    context = {
        "running": running,
        "closed": bool(closed_reason(conversation)),
        "stop_url": reverse("stop", args=[conversation.pk]),
        "oob": True,
    }
    return render_to_string("chat/_composer_button.html", context)


def fresh_client_id() -> str:
    """A new identity for the next request of the composer, and no error from the last one."""
    return (
        f'<input type="hidden" name="client_id" id="client-id" value="{uuid.uuid4()}" autocomplete="off" '
        'hx-swap-oob="outerHTML">' + error("")
    )


def error(sentence: str) -> str:
    """A sentence above the composer, which is announced as an alert."""
    return render_to_string("chat/_error.html", {"sentence": sentence})

"""The list of a person's chats: newest first, by day, in pages that a cursor begins."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import resolve, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from conversations import access, posting, recall, words
from conversations.models import Conversation, Generation
from conversations.views.guards import PersonRequest, signed_in

PAGE_SIZE = 40


@dataclass(frozen=True, slots=True)
class ListedChat:
    """One line of the list."""

    id: uuid.UUID
    title: str
    url: str
    running: bool
    current: bool


@dataclass(slots=True)
class Group:
    """The chats of one stretch of time; without a label where the page before ended in the same one."""

    label: str
    chats: list[ListedChat] = field(default_factory=list)


@require_safe
@signed_in
def chats(request: PersonRequest) -> HttpResponse:
    """A further page of the list, or what a search finds."""
    query = posting.clean(request.GET.get("q", "")).strip()[: words.QUERY_CHARS]
    if query:
        hits = recall.found(request.user, query)
        context = {"hits": hits, "wordless": not recall.as_typed(query), "all": len(hits) < recall.MOST}
        return render(request, "chat/_chats_found.html", context)
    context = sidebar(
        request.user, cursor=request.GET.get("after", ""), current=_shown(request.htmx.current_url)
    )
    return render(request, "chat/_chat_list.html", context)


def sidebar(person: User, *, cursor: str = "", current: uuid.UUID | None = None) -> dict[str, Any]:
    """The context of the list: `groups` and the address of the next page."""
    rows = access.conversations(person).annotate(
        running=Exists(Generation.objects.live().filter(conversation=OuterRef("pk")))
    )
    after = _parse(cursor)
    if after:
        rows = rows.filter(Q(active_at__lt=after[0]) | Q(active_at=after[0], pk__lt=after[1]))
    found = list(rows.order_by("-active_at", "-pk")[: PAGE_SIZE + 1])
    page = found[:PAGE_SIZE]
    next_url = ""
    if len(found) > PAGE_SIZE:
        cursor = f"{page[-1].active_at.isoformat()}~{page[-1].pk}"
        next_url = f"{reverse('chats')}?{urlencode({'after': cursor})}"
    return {
        "groups": _groups(page, current, after[0] if after else None),
        "next_cursor_url": next_url,
        "administers": partial(access.administers, person),  # asked only where the menu is shown
    }


def _groups(page: list[Conversation], current: uuid.UUID | None, after: datetime | None) -> list[Group]:
    today = timezone.localdate()
    last = _label(after, today) if after else ""
    groups: list[Group] = []
    for chat in page:
        label = _label(chat.active_at, today)
        if not groups or label != last:
            groups.append(Group("" if label == last else label))
            last = label
        groups[-1].chats.append(
            ListedChat(
                id=chat.pk,
                title=chat.title,
                url=reverse("conversation", args=[chat.pk]),
                running=bool(getattr(chat, "running", False)),
                current=chat.pk == current,
            )
        )
    return groups


def _label(moment: datetime, today: date) -> str:
    day = timezone.localtime(moment).date()
    if day >= today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    if day > today - timedelta(days=7):
        return "Previous 7 days"
    return f"{day:%B %Y}"


def _shown(address: str | None) -> uuid.UUID | None:
    """The chat whose page asks, to be marked in the list."""
    try:
        match = resolve(urlsplit(address or "").path)
    except (Http404, ValueError):
        return None
    return match.kwargs.get("conversation_id")


def _parse(cursor: str) -> tuple[datetime, uuid.UUID] | None:
    """The last chat of the page before; None for the first page, and for a cursor that nobody made here."""
    moment, _, pk = cursor.partition("~")
    try:
        return datetime.fromisoformat(moment).astimezone(UTC), uuid.UUID(pk)
    except (ValueError, OverflowError):
        return None

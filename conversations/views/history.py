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
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from conversations import access, posting, recall
from conversations.models import Conversation, Folder, Generation
from conversations.models.conversation import ConversationQuerySet
from conversations.views.guards import PersonRequest, signed_in

PAGE_SIZE = 40
MANY_FOLDERS = 10  # more than that stand folded, so that the chats are in sight


@dataclass(frozen=True, slots=True)
class ListedChat:
    """One line of the list."""

    id: uuid.UUID
    title: str
    url: str
    running: bool
    current: bool
    temporary: bool


@dataclass(slots=True)
class Group:
    """The chats of one stretch of time; without a label where the page before ended in the same one."""

    label: str
    chats: list[ListedChat] = field(default_factory=list)


@require_safe
@signed_in
def chats(request: PersonRequest) -> HttpResponse:
    """A list of chats or a further page of it: the person's, those of a folder, those put away; or what is found."""
    query = posting.clean(request.GET.get("q", "")).strip()
    if query:
        hits = recall.found(request.user, query)
        context = {"hits": hits, "wordless": not recall.as_typed(query), "all": len(hits) < recall.MOST}
        return render(request, "chat/_chats_found.html", context)
    return render(request, "chat/_chat_list.html", listed(request))


def listed(request: PersonRequest) -> dict[str, Any]:
    """The context of the list that an address asks for. Raises NotVisible for a folder of somebody else's."""
    folder, archived = None, "archived" in request.GET
    if given := request.GET.get("folder", ""):
        folder = folder_named(request.user, given)
    return sidebar(
        request.user,
        cursor=request.GET.get("after", ""),
        current=shown(request),
        folder=folder,
        archived=archived,
    )


def folder_named(person: User, number: str) -> Folder:
    """The folder that an address or a form names. Raises NotVisible."""
    return access.folder(person, int(number) if number.isdecimal() and len(number) < 18 else 0)


def sidebar(
    person: User,
    *,
    cursor: str = "",
    current: uuid.UUID | None = None,
    folder: Folder | None = None,
    archived: bool = False,
) -> dict[str, Any]:
    """The context of a list: `groups`, the address of the next page; on the first also pins, folders, the archive."""
    after = _parse(cursor)
    rows, which = _rows(person, folder, archived)
    if after:
        moment, pk = after  # the moment first and alone: that is where an index begins to read
        rows = rows.filter(Q(active_at__lt=moment) | Q(pk__lt=pk), active_at__lte=moment)
    found = list(rows.order_by("-active_at", "-pk")[: PAGE_SIZE + 1])
    page = found[:PAGE_SIZE]
    next_url = ""
    if len(found) > PAGE_SIZE:
        cursor = f"{page[-1].active_at.isoformat()}~{page[-1].pk}"
        next_url = f"{reverse('chats')}?{urlencode(which | {'after': cursor})}"
    context = {
        "groups": _groups(page, current, after[0] if after else None),
        "next_cursor_url": next_url,
        "administers": partial(access.administers, person),  # asked only where the menu is shown
        "folder": folder,
        "archived": archived,
        "further": after is not None,
    }
    if not (after or which):
        pinned = _with_running(access.conversations(person).filter(pinned_at__isnull=False))
        context["pinned"] = [_line(chat, current) for chat in pinned.order_by("-pinned_at", "-pk")]
        folders = list(access.folders(person))
        context |= {"folders": folders, "many_folders": len(folders) > MANY_FOLDERS}
        # Above the chats, and only where it holds something: below them it would be at the end of thousands.
        context["has_archive"] = access.conversations(person).filter(archived_at__isnull=False).exists()
    return context


def _rows(person: User, folder: Folder | None, archived: bool) -> tuple[ConversationQuerySet, dict[str, str]]:
    """The chats of a list, and what an address says to ask for it."""
    rows = _with_running(access.conversations(person))
    if folder is not None:
        return rows.filter(folder=folder, archived_at=None), {"folder": str(folder.pk)}
    if archived:
        return rows.filter(archived_at__isnull=False), {"archived": ""}
    return rows.listed(), {}


def _with_running(rows: ConversationQuerySet) -> ConversationQuerySet:
    return rows.annotate(running=Exists(Generation.objects.live().filter(conversation=OuterRef("pk"))))


def _groups(page: list[Conversation], current: uuid.UUID | None, after: datetime | None) -> list[Group]:
    today = timezone.localdate()
    last = _label(after, today) if after else ""
    groups: list[Group] = []
    for chat in page:
        label = _label(chat.active_at, today)
        if not groups or label != last:
            groups.append(Group("" if label == last else label))
            last = label
        groups[-1].chats.append(_line(chat, current))
    return groups


def _line(chat: Conversation, current: uuid.UUID | None) -> ListedChat:
    return ListedChat(
        id=chat.pk,
        title=chat.title,
        url=reverse("conversation", args=[chat.pk]),
        running=bool(getattr(chat, "running", False)),
        current=chat.pk == current,
        temporary=chat.temporary_until is not None,
    )


def _label(moment: datetime, today: date) -> str:
    day = timezone.localtime(moment).date()
    if day >= today:
        return gettext("Today")
    if day == today - timedelta(days=1):
        return gettext("Yesterday")
    if day > today - timedelta(days=7):
        return gettext("Previous 7 days")
    return capfirst(date_format(day, "F Y"))


def shown(request: PersonRequest) -> uuid.UUID | None:
    """The chat whose page asks, to be marked in the list."""
    try:
        match = resolve(urlsplit(request.htmx.current_url or "").path)
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

"""Keeping one's chats in order: the menu of a chat, and what is pressed there for one or for several."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import conditional_escape
from django.views.decorators.http import require_POST, require_safe

from conversations import access, announcements, deleting, order
from conversations.models import Conversation, Folder
from conversations.posting import Refused
from conversations.views import history
from conversations.views.guards import PersonRequest, signed_in

AT_ONCE = 100  # chats

GONE = "These chats are gone, or no longer open to you. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done, in words, and by what it is taken back."""

    said: str
    undo: str = ""
    folder: str = ""


@require_safe
@signed_in
def menu(request: PersonRequest, conversation_id: uuid.UUID) -> HttpResponse:
    """What can be done with a chat."""
    chat = access.chat(request.user, conversation_id)
    return render(
        request, "chat/_chat_menu.html", {"chat": chat, "folders": list(access.folders(request.user))}
    )


@require_safe
@signed_in
def folder_menu(request: PersonRequest, folder_id: int) -> HttpResponse:
    """What can be done with a folder."""
    return render(request, "chat/_folder_menu.html", {"folder": access.folder(request.user, folder_id)})


@require_POST
@signed_in
def put(request: PersonRequest) -> HttpResponse:
    """Do something with one chat or several, and show the list as it is then."""
    do = request.POST.get("do", "")
    if do in ("restore", "wait"):
        chats = _chats(request, deleted=True)
    elif do in _ACTS:
        chats = _chats(request)
    else:
        raise Refused("The page is out of date. Reload it and try again. Nothing was changed.", status=400)
    if do == "wait":
        deleting.wait(chats)
        return HttpResponse(status=204)
    return _done(request, _ACTS[do](request, chats), chats)


@require_POST
@signed_in
def put_folder(request: PersonRequest, folder_id: int) -> HttpResponse:
    """Rename a folder, or remove it; its chats stay."""
    folder = access.folder(request.user, folder_id)
    if request.POST.get("do") == "remove":
        order.remove_folder(folder)
        return _done(request, Deed(f"“{folder.name}” was removed. Its chats stand among the others."), [])
    order.rename_folder(folder, request.POST.get("name", ""))
    return _done(request, Deed("Renamed."), [])


def _chats(request: PersonRequest, *, deleted: bool = False) -> list[Conversation]:
    """The chats that a form names, all of them one's own, there or just deleted. Raises Refused."""
    try:
        named = {uuid.UUID(each) for each in request.POST.getlist("chat")[: AT_ONCE + 1]}
    except ValueError:
        named = set()
    if len(named) > AT_ONCE:
        raise Refused(f"At most {AT_ONCE} chats can be taken at once. Nothing was changed.", status=400)
    found = list(access.conversations_among(request.user, named, deleted=deleted).values())
    if not found or len(found) != len(named):
        raise Refused(GONE, status=404)
    return found


def _rename(request: PersonRequest, chats: Sequence[Conversation]) -> Deed:
    if len(chats) != 1:
        raise Refused("One chat at a time can be renamed.", status=400)
    (chat,) = chats
    order.rename(chat, request.POST.get("title", ""))
    async_to_sync(announcements.titled)(request.user.pk, chat.pk, chat.title)
    return Deed("Renamed.")


def _pin(request: PersonRequest, chats: Sequence[Conversation]) -> Deed:
    order.pin(request.user, chats)
    return Deed(f"{_many(chats)} pinned.", undo="unpin")


def _unpin(request: PersonRequest, chats: Sequence[Conversation]) -> Deed:
    order.unpin(chats)
    return Deed(f"{_many(chats)} unpinned.", undo="pin")


def _archive(request: PersonRequest, chats: Sequence[Conversation]) -> Deed:
    order.archive(chats)
    return Deed(f"{_many(chats)} archived.", undo="unarchive")


def _unarchive(request: PersonRequest, chats: Sequence[Conversation]) -> Deed:
    order.unarchive(chats)
    return Deed(f"{_many(chats)} brought back.", undo="archive")


def _delete(request: PersonRequest, chats: Sequence[Conversation]) -> Deed:
    stay = deleting.delete(chats)
    return Deed(f"{_many(chats)} deleted.{_staying(stay, len(chats))}", undo="restore")


def _staying(number: int, of: int) -> str:
    """What is to be said of chats that cannot go yet."""
    if not number:
        return ""
    which = "It is" if of == 1 else "One of them is" if number == 1 else f"{number} of them are"
    them, go = ("it", "it goes") if number == 1 else ("them", "they go")
    return f" {which} under review or held: reviewers can read {them} until that is over, then {go} too."


def _restore(request: PersonRequest, chats: Sequence[Conversation]) -> Deed:
    if not (number := deleting.restore(chats)):
        raise Refused(GONE, status=404)
    return Deed(f"{_many(chats[:number])} brought back.")


def _move(request: PersonRequest, chats: Sequence[Conversation]) -> Deed:
    """Into the folder of that number, into a new one by a name, or out of any."""
    before = {chat.folder_id for chat in chats}
    folder: Folder | None = None
    if name := request.POST.get("new_folder", "").strip():
        folder = order.make_folder(request.user, name)
    elif given := request.POST.get("folder", ""):
        folder = history.folder_named(request.user, given)
    order.move(chats, folder)
    said = f"moved to “{folder.name}”." if folder else "moved out of the folder."
    # Of several that came from different places there is no one way back.
    back = {"undo": "move", "folder": str(next(iter(before)) or "")} if len(before) == 1 else {}
    return Deed(f"{_many(chats)} {said}", **back)


_ACTS: dict[str, Callable[[PersonRequest, Sequence[Conversation]], Deed]] = {
    "rename": _rename,
    "pin": _pin,
    "unpin": _unpin,
    "archive": _archive,
    "unarchive": _unarchive,
    "delete": _delete,
    "restore": _restore,
    "move": _move,
}


def _many(chats: Sequence[Conversation]) -> str:
    return "Chat" if len(chats) == 1 else f"{len(chats)} chats"


def _done(request: PersonRequest, deed: Deed, chats: Sequence[Conversation]) -> HttpResponse:
    """The list anew, and what was done, with the way back."""
    if not request.htmx:
        return redirect("start")
    context = history.listed(request) | {"deed": deed, "chats_done": chats, "oob": True}
    response = render(request, "chat/_ordered.html", context)
    shown = history.shown(request)
    for chat in chats:
        if chat.pk == shown:  # the title of the tab
            response.write(f"<title>{conditional_escape(chat.title)}</title>")
    return response

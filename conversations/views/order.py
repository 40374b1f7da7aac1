"""Keeping one's chats in order: the menu of a chat, and what is pressed there for one or for several."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import conditional_escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from django.views.decorators.http import require_POST, require_safe

from conversations import access, announcements, deleting, order
from conversations.models import Conversation, Folder
from conversations.posting import Refused
from conversations.views import history
from conversations.views.guards import PersonRequest, signed_in

AT_ONCE = 100  # chats

GONE = gettext_noop("These chats are gone, or no longer open to you. Nothing was changed.")


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
        raise Refused(_("The page is out of date. Reload it and try again. Nothing was changed."), status=400)
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
        said = _("“%(folder)s” was removed. Its chats stand among the others.") % {"folder": folder.name}
        return _done(request, Deed(said), [])
    order.rename_folder(folder, request.POST.get("name", ""))
    return _done(request, Deed(_("Renamed.")), [])


def _chats(request: PersonRequest, *, deleted: bool = False) -> list[Conversation]:
    """The chats that a form names, all of them one's own, there or just deleted. Raises Refused."""
    try:
        named = {uuid.UUID(each) for each in request.POST.getlist("chat")[: AT_ONCE + 1]}
    except ValueError:
        named = set()
    if len(named) > AT_ONCE:
        most = _("At most %(number)s chats can be taken at once. Nothing was changed.")
        raise Refused(most % {"number": AT_ONCE}, status=400)
    found = list(access.conversations_among(request.user, named, deleted=deleted).values())
    if not found or len(found) != len(named):
        raise Refused(_(GONE), status=404)
    return found


def _rename(request: PersonRequest, chats: Sequence[Conversation]) -> Deed:
    if len(chats) != 1:
        raise Refused(_("One chat at a time can be renamed."), status=400)
    (chat,) = chats
    order.rename(chat, request.POST.get("title", ""))
    async_to_sync(announcements.titled)(request.user.pk, chat.pk, chat.title)
    return Deed(_("Renamed."))


def _pin(request: PersonRequest, chats: Sequence[Conversation]) -> Deed:
    order.pin(request.user, chats)
    return Deed(_said(chats, ngettext("Chat pinned.", "%(number)s chats pinned.", len(chats))), undo="unpin")


def _unpin(request: PersonRequest, chats: Sequence[Conversation]) -> Deed:
    order.unpin(chats)
    return Deed(
        _said(chats, ngettext("Chat unpinned.", "%(number)s chats unpinned.", len(chats))), undo="pin"
    )


def _archive(request: PersonRequest, chats: Sequence[Conversation]) -> Deed:
    order.archive(chats)
    return Deed(
        _said(chats, ngettext("Chat archived.", "%(number)s chats archived.", len(chats))), undo="unarchive"
    )


def _unarchive(request: PersonRequest, chats: Sequence[Conversation]) -> Deed:
    order.unarchive(chats)
    return Deed(_said(chats, _brought_back(chats)), undo="archive")


def _delete(request: PersonRequest, chats: Sequence[Conversation]) -> Deed:
    stay = deleting.delete(chats)
    said = _said(chats, ngettext("Chat deleted.", "%(number)s chats deleted.", len(chats)))
    return Deed(f"{said} {_staying(stay, len(chats))}".rstrip(), undo="restore")


def _staying(number: int, of: int) -> str:
    """What is to be said of chats that cannot go yet."""
    if not number:
        return ""
    if of == 1:
        return _("It is under review or held: reviewers can read it until that is over, then it goes too.")
    sentence = ngettext(
        "One of them is under review or held: reviewers can read it until that is over, then it goes too.",
        "%(number)s of them are under review or held: reviewers can read them until that is over, then they go too.",
        number,
    )
    return sentence % {"number": number}


def _restore(request: PersonRequest, chats: Sequence[Conversation]) -> Deed:
    if not (number := deleting.restore(chats)):
        raise Refused(_(GONE), status=404)
    return Deed(_said(chats[:number], _brought_back(chats[:number])))


def _move(request: PersonRequest, chats: Sequence[Conversation]) -> Deed:
    """Into the folder of that number, into a new one by a name, or out of any."""
    before = {chat.folder_id for chat in chats}
    folder: Folder | None = None
    if name := request.POST.get("new_folder", "").strip():
        folder = order.make_folder(request.user, name)
    elif given := request.POST.get("folder", ""):
        folder = history.folder_named(request.user, given)
    order.move(chats, folder)
    if folder:
        into = ngettext("Chat moved to “%(folder)s”.", "%(number)s chats moved to “%(folder)s”.", len(chats))
        said = into % {"number": len(chats), "folder": folder.name}
    else:
        out = ngettext(
            "Chat moved out of the folder.", "%(number)s chats moved out of the folder.", len(chats)
        )
        said = _said(chats, out)
    # Of several that came from different places there is no one way back.
    back = {"undo": "move", "folder": str(next(iter(before)) or "")} if len(before) == 1 else {}
    return Deed(said, **back)


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


def _brought_back(chats: Sequence[Conversation]) -> str:
    return ngettext("Chat brought back.", "%(number)s chats brought back.", len(chats))


def _said(chats: Sequence[Conversation], sentence: str) -> str:
    return sentence % {"number": len(chats)}


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

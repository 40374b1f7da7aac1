"""The palette: chats, personas and commands by a few letters of their names."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from conversations import access, posting, recall, words
from conversations.models import Conversation
from conversations.views.guards import PersonRequest, signed_in

MOST_CHATS = 8
MOST_PERSONAS = 6


@dataclass(frozen=True, slots=True)
class Command:
    """Something to do: a page to go to, or, without an address, what the page's script knows by `does`."""

    name: str
    url: str = ""
    does: str = ""
    keys: str = ""
    download: bool = False


@require_safe
@signed_in
def palette(request: PersonRequest) -> HttpResponse:
    """What the letters find: the best chats, or without any the latest ones; personas and commands by their words."""
    typed = posting.clean(request.GET.get("q", "")).strip()[: words.QUERY_CHARS]
    chats: list[tuple[Conversation, str]]
    if typed:
        chats = [(hit.conversation, hit.title) for hit in recall.found(request.user, typed)[:MOST_CHATS]]
    else:
        latest = access.conversations(request.user).listed().order_by("-active_at", "-pk")
        chats = [(chat, chat.title) for chat in latest[:MOST_CHATS]]
    personas = [each for each in access.personas(request.user) if each.current and _fits(each.name, typed)]
    context = {
        "chats": chats,
        "personas": personas[:MOST_PERSONAS],
        "commands": [each for each in _commands(request) if _fits(each.name, typed)],
    }
    return render(request, "chat/_palette_list.html", context)


def _fits(name: str, typed: str) -> bool:
    """Whether each word that was typed begins one of the name's."""
    begun = name.casefold().split()
    return all(any(word.startswith(each) for word in begun) for each in typed.casefold().split())


def _commands(request: PersonRequest) -> list[Command]:
    commands = [
        Command(_("New chat"), url=reverse("start")),
        Command(_("Keyboard shortcuts"), does="shortcuts", keys="?"),
        Command(_("Your account"), url=reverse("account")),
        Command(_("Export and import"), url=reverse("chat_files")),
        Command(_("Download my data"), url=reverse("my_data"), download=True),
    ]
    if access.administers(request.user):
        commands.append(Command(_("Administration"), url=reverse("admin:index")))
    return commands

"""What is kept of somebody, and their chats, for themselves; and how such files are answered."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import User
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_safe

from conversations import access, importing
from conversations.exports import downloads
from conversations.exports.chats import FORMS, ChatsExport
from conversations.exports.downloads import Handing
from conversations.exports.person import PersonExport
from conversations.models import Conversation
from conversations.views.guards import PersonRequest, signed_in

LINES = "application/jsonl; charset=utf-8"


@require_GET
@signed_in
def my_data(request: PersonRequest) -> HttpResponseBase:
    """Everything of one's own. One's own need no record; an account that is closed meanwhile gets no more of it."""
    return as_file(downloads.begin(request.user, _own_data(request.user.pk).stream()), request.user)


@require_safe
@signed_in
def chat_files(request: PersonRequest) -> HttpResponse:
    """Where one takes all one's chats away, brings others in, and sees which are shared."""
    context = {
        "links": access.shared_links(request.user).order_by("-pk"),
        "personas": access.personas(request.user),
        "file": access.imports(request.user).first(),
        "piece": importing.PIECE,
        "most": importing.MOST // 1_000_000,
    }
    return render(request, "chat/files.html", context)


@require_GET
@signed_in
def all_chats(request: PersonRequest, form: str) -> HttpResponseBase:
    """All chats that one may open, to be read."""
    return _to_be_read(request.user, form, "chats")


@require_GET
@signed_in
def one_chat(request: PersonRequest, conversation_id: uuid.UUID, form: str) -> HttpResponseBase:
    """One chat, to be read, or as lines with all its branches."""
    chat = access.chat(request.user, conversation_id)
    name = slugify(chat.title, allow_unicode=True)[:60] or "chat"
    if form == "json":
        lines = _own_data(request.user.pk, chat).stream()
        return _file(downloads.begin(request.user, lines), LINES, name, "jsonl")
    return _to_be_read(request.user, form, name, chat)


def as_file(handing: Handing, person: User) -> StreamingHttpResponse:
    """The response that the data of `person` are."""
    return _file(handing, LINES, f"person-{person.pk}", "jsonl")


def _own_data(person_id: int, chat: Conversation | None = None) -> PersonExport:
    person = User.objects.get(pk=person_id)

    def before(_: list[Conversation]) -> None:
        access.active(person)

    return PersonExport(person, None, before, chat)


def _to_be_read(
    person: User, form: str, name: str, chat: Conversation | None = None
) -> StreamingHttpResponse:
    if form not in FORMS:
        raise access.NotVisible
    export = ChatsExport(User.objects.get(pk=person.pk), FORMS[form], chat)
    handing = downloads.begin(person, export.stream())
    return _file(handing, FORMS[form].content_type, name, FORMS[form].suffix)


def _file(handing: Handing, content_type: str, name: str, suffix: str) -> StreamingHttpResponse:
    headers = {
        "Content-Disposition": content_disposition_header(
            True, f"{name}-{timezone.localdate():%Y-%m-%d}.{suffix}"
        )
        or "",
        "X-Accel-Buffering": "no",  # a proxy that gathers the whole first would let the browser wait
        "Cache-Control": "no-store, private",
    }
    return StreamingHttpResponse(handing, content_type=content_type, headers=headers)

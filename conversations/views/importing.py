"""Bringing a file in: begun by its length, sent in pieces, then watched."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.http import require_http_methods, require_POST

from conversations import access, importing
from conversations.models import Import, Persona
from conversations.posting import Refused
from conversations.views.guards import PersonRequest, signed_in

CHOOSE = gettext_noop("Choose with whom the chats are to go on. Nothing was kept.")


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def import_(request: PersonRequest) -> HttpResponse:
    """How far the person's last file is; POST says that one is to come."""
    if request.method == "POST":
        size = request.POST.get("size", "")
        importing.begin(
            request.user,
            _persona(request),
            name=request.POST.get("name", ""),
            size=int(size) if size.isdecimal() and len(size) < 19 else 0,
        )
    return _state(request)


@require_POST
@signed_in
def import_piece(request: PersonRequest, number: int) -> HttpResponse:
    """The next part of the file that is arriving, as the body of the request."""
    importing.take(_last(request), number, request.body)
    return _state(request)


@require_POST
@signed_in
def import_cancel(request: PersonRequest) -> HttpResponse:
    """Go no further with the file."""
    importing.drop(_last(request))
    return _state(request)


def _last(request: PersonRequest) -> Import:
    found = access.imports(request.user).first()
    if found is None:
        raise access.NotVisible
    return found


def _persona(request: PersonRequest) -> Persona:
    try:
        return access.persona(request.user, uuid.UUID(request.POST.get("persona", "")))
    except (ValueError, access.NotVisible) as error:
        raise Refused(gettext(CHOOSE), status=400) from error


def _state(request: PersonRequest) -> HttpResponse:
    if not request.htmx:
        return redirect("chat_files")
    return render(request, "chat/_import_state.html", {"file": access.imports(request.user).first()})

"""Links to one's chats: made, listed and taken back; and what a colleague sees who follows one.

The address of a link is a secret: it goes into no log, no other address and no Referer of ours.
"""

from __future__ import annotations

import re
import uuid

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from conversations import access, readable, sharing
from conversations.views.guards import PersonRequest, signed_in

ASKED_FOR = "shared"  # the cookie that keeps a secret while somebody signs in
ASKED_SECONDS = 900
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def share(request: PersonRequest, conversation_id: uuid.UUID) -> HttpResponse:
    """The links to a chat; POST makes one, which is shown in the answer to that and never again."""
    chat = access.chat(request.user, conversation_id)
    address = ""
    if request.method == "POST":
        days = request.POST.get("days", "")
        token = sharing.share(chat, int(days) if days.isdecimal() and len(days) < 4 else 0)
        address = request.build_absolute_uri(reverse("shared", args=[token]))
    links = access.shared_links(request.user).filter(conversation=chat).order_by("-pk")
    context = {"chat": chat, "address": address, "links": links, "choices": sharing.DAYS}
    return render(request, "chat/share.html", context)


@require_POST
@signed_in
def revoke(request: PersonRequest, link_id: int) -> HttpResponse:
    """Take a link back, and show where it was pressed what is left."""
    link = access.shared_link(request.user, link_id)
    link.delete()
    messages.success(request, gettext("The link was revoked. It leads nowhere any more."))
    return redirect("share", link.conversation_id) if "chat" in request.POST else redirect("chat_files")


@require_safe
def shared(request: HttpRequest, token: str) -> HttpResponseBase:
    """A chat as it was when it was shared. Who is not signed in comes back here once they are."""
    if request.user.is_authenticated:
        response = _shown(request, token)
    else:
        response = redirect_to_login(reverse("shared_after_sign_in"))
        response.set_cookie(
            ASKED_FOR,
            token,
            max_age=ASKED_SECONDS,
            path=reverse("shared_after_sign_in"),
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
    response.headers["Referrer-Policy"] = "no-referrer"  # also not for our own style sheets: proxies log it
    return response


@require_safe
@signed_in
def shared_after_sign_in(request: PersonRequest) -> HttpResponse:
    """On to what was asked for before signing in."""
    token = request.COOKIES.get(ASKED_FOR, "")
    if not _TOKEN.fullmatch(token):
        return _gone(request)
    response = redirect("shared", token)
    response.delete_cookie(ASKED_FOR, path=reverse("shared_after_sign_in"))
    return response


@signed_in
def _shown(request: PersonRequest, token: str) -> HttpResponse:
    try:
        link = access.shared(request.user, sharing.hashed(token))
    except access.NotVisible:
        return _gone(request)
    chat = link.conversation
    context = {
        "link": link,
        "chat": chat,
        "said": readable.branch(chat, link.head_id),
        "asker": chat.owner.get_full_name() or chat.owner.get_username(),
        "colours": [chat.persona.company.colour_code],
    }
    return render(request, "chat/shared.html", context)


def _gone(request: HttpRequest) -> HttpResponse:
    """The same for a link that was guessed, has expired, was revoked, is for others, or whose chat was removed."""
    return render(request, "chat/shared_gone.html", status=404)

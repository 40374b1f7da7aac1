"""What somebody attached to their questions: how a file begins, where it is unfolded, and all of it as a file."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from conversations import access, attached
from conversations.rendering import markdown, plaintext
from conversations.views.guards import PersonRequest, signed_in


@require_safe
@signed_in
def attachment(request: PersonRequest, conversation_id: uuid.UUID, attachment_id: uuid.UUID) -> HttpResponse:
    """How a file begins: most are shown whole by that."""
    found = access.attachment(access.conversation(request.user, conversation_id), attachment_id)
    begun = plaintext.clean(found.text[: attached.SHOWN_CHARS])
    context = {"html": markdown.escaped(begun), "whole": len(found.text) <= attached.SHOWN_CHARS}
    return render(request, "chat/_attachment_text.html", context)


@require_safe
@signed_in
def attachment_file(
    request: PersonRequest, conversation_id: uuid.UUID, attachment_id: uuid.UUID
) -> HttpResponse:
    """All of a file, as plain text whatever it is called: no browser may take it for a page of ours."""
    found = access.attachment(access.conversation(request.user, conversation_id), attachment_id)
    response = HttpResponse(found.text, content_type="text/plain; charset=utf-8")
    response.headers["Content-Disposition"] = str(content_disposition_header(True, found.name))
    return response

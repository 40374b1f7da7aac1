"""All that is kept of somebody, for themselves; and how such a file is answered."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from conversations import access
from conversations.exports import downloads
from conversations.exports.downloads import Handing
from conversations.exports.person import PersonExport
from conversations.models import Conversation
from conversations.views.guards import PersonRequest, signed_in


@require_GET
@signed_in
def my_data(request: PersonRequest) -> HttpResponseBase:
    """Everything of one's own. One's own need no record; an account that is closed meanwhile gets no more of it."""
    person = User.objects.get(pk=request.user.pk)

    def before(_: list[Conversation]) -> None:
        access.active(person)

    return as_file(downloads.begin(person, PersonExport(person, None, before).stream()), person)


def as_file(handing: Handing, person: User) -> StreamingHttpResponse:
    """The response that the data of `person` are."""
    headers = {
        "Content-Disposition": f'attachment; filename="person-{person.pk}-{timezone.localdate():%Y-%m-%d}.jsonl"',
        "X-Accel-Buffering": "no",  # a proxy that gathers the whole first would let the browser wait
        "Cache-Control": "no-store, private",
    }
    content_type = "application/jsonl; charset=utf-8"
    return StreamingHttpResponse(handing, content_type=content_type, headers=headers)

"""Whether the process is alive, answered before anything else is looked at, and in the server without a thread.

A probe asks by an address of its own, so the host names that are allowed do not matter here.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

PATH = "/healthz"


def well() -> HttpResponse:
    """What a process that runs says."""
    return HttpResponse("ok\n", content_type="text/plain")


def alive(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that answers /healthz and touches nothing."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.path == PATH:
            return well()
        return get_response(request)

    return answer

"""What probes ask, answered before anything else is looked at: they ask each process by an address of its own.

Whether the process is alive is answered in the server even without a thread.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from conversations.views import site

PATH = "/healthz"


def well(request: HttpRequest | None = None) -> HttpResponse:
    """What a process that runs says."""
    return HttpResponse("ok\n", content_type="text/plain")


_PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    PATH: well,
    "/readyz": site.readyz,
    "/metrics": site.metrics_,
}


def probes(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: whatever host names are allowed, and whether or not the site is at its best."""

    def answer(request: HttpRequest) -> HttpResponse:
        return _PROBES.get(request.path, get_response)(request)

    return answer

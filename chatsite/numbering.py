"""Each request has a number, which its answer, its lines in the log and the answer it asked for bear."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from conversations import metrics, trace

HEADER = "X-Request-ID"
_PROXYS_OWN = re.compile(r"[A-Za-z0-9._-]{8,64}")


def numbered(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: take over the number that a proxy gave, or make one; count what is refused."""

    def answer(request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        number = given if _PROXYS_OWN.fullmatch(given) else uuid.uuid4().hex
        trace.request_id.set(number)
        with trace.span("request", http__request__method=request.method or "", chat__request=number) as facts:
            response = get_response(request)
            facts["http__route"] = request.resolver_match.route if request.resolver_match else ""
            facts["http__response__status_code"] = response.status_code
        response.headers[HEADER] = number
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            metrics.refusals.labels(str(response.status_code)).inc()
        return response

    return answer

"""What browsers report: that a page asked for something which its policy forbids.

Each report is a page of ours that is wrong, or an attempt that the policy stopped. Anybody can send one, so it is
counted under known names and told of in the log a few times a minute, without a word of what it says beyond them.
"""

from __future__ import annotations

import json
import logging
import time
from collections import deque

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from conversations import metrics

logger = logging.getLogger(__name__)

MOST_BYTES = 16 * 1024
TOLD, IN_SECONDS = 10, 60  # lines in the log, at most
# https://www.w3.org/TR/CSP3/#csp-directives; what is under another name is counted as other.
DIRECTIVES = {
    *(
        "child-src",
        "connect-src",
        "default-src",
        "font-src",
        "frame-src",
        "img-src",
        "manifest-src",
        "media-src",
    ),
    *("object-src", "script-src", "script-src-attr", "script-src-elem", "style-src", "style-src-attr"),
    *("style-src-elem", "worker-src", "base-uri", "form-action", "frame-ancestors"),
}
_told: deque[float] = deque(maxlen=TOLD)


# A browser sends a report by itself: without a token, and in a form of its own.
@csrf_exempt
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """Count a report, in the form of CSP's `report-uri`. 400 for anything else, 413 for more than 16 KB."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        return HttpResponse("A report has at most 16 KB.\n", status=413, content_type="text/plain")
    try:
        report = json.loads(request.body)["csp-report"]
        directive = str(report.get("effective-directive") or report.get("violated-directive")).split(" ")[0]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return HttpResponseBadRequest("This is no report of a browser's.\n", content_type="text/plain")
    known = directive if directive in DIRECTIVES else "other"
    metrics.csp_reports.labels(known).inc()
    if _may_tell():
        logger.warning("a page met its content security policy: %s", known)
    return HttpResponse(status=204)


def _may_tell() -> bool:
    now = time.monotonic()
    if len(_told) == TOLD and now - _told[0] < IN_SECONDS:
        return False
    _told.append(now)
    return True

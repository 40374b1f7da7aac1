"""What belongs to no person: readiness, metrics, malformed requests, and the style sheet of a colour."""

from __future__ import annotations

import hmac
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.db import ProgrammingError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.shortcuts import render
from django.template import loader
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.http import require_safe

from conversations import access, attaching, generation, metrics, pages, serving
from conversations.posting import TOO_LONG
from conversations.rendering import colour

PROBE_SECONDS = 2
NOT_MIGRATED = "database: not migrated (manage.py migrate)"
_MIGRATED = "SELECT 1 FROM django_migrations WHERE app = 'conversations' AND name = %s"
FORWARDED = (
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "Via",
)  # of a proxy, also one beside us
TOO_MUCH = gettext_noop(
    "This form is too long: it holds more than any of its fields takes. Nothing was saved; shorten it."
)


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether this process should be given work: database and Redis answer, and it stays; else 503 with the reasons."""
    problems = [serving.problem] if serving.problem else []
    if generation.leaving():
        problems.append("this process is about to end")
    try:
        with connection.cursor() as cursor:
            cursor.execute(_MIGRATED, [_latest_migration()])
            if cursor.fetchone() is None:
                problems.append(NOT_MIGRATED)
    except ProgrammingError:
        problems.append(NOT_MIGRATED)
    except DatabaseError as error:
        problems.append(f"database: {type(error).__name__}")
    if settings.REDIS_URL:
        import redis  # ten megabytes that a process alone can do without

        try:
            with redis.Redis.from_url(
                settings.REDIS_URL, socket_timeout=PROBE_SECONDS, socket_connect_timeout=PROBE_SECONDS
            ) as client:
                client.ping()
        except redis.RedisError as error:
            problems.append(f"redis: {type(error).__name__}")
    text = "\n".join(problems) or "ready"
    return HttpResponse(f"{text}\n", content_type="text/plain", status=503 if problems else 200)


@cache
def _latest_migration() -> str:
    return max(file.stem for file in (Path(__file__).parents[1] / "migrations").glob("0*.py"))


@require_safe
def metrics_(request: HttpRequest) -> HttpResponse:
    """What this process counts, for who holds METRICS_TOKEN, or asks from this machine and through no proxy."""
    if not (_has_token(request) or _is_next_door(request)):
        return HttpResponseNotFound()
    return HttpResponse(
        metrics.text(), content_type=metrics.CONTENT_TYPE, headers={"Cache-Control": "no-store"}
    )


def _has_token(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    token: str = settings.METRICS_TOKEN
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())


def _is_next_door(request: HttpRequest) -> bool:
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What Django refuses before a view sees it. A body past all measure is the one that people meet."""
    # Without the request: what is wrong with it may be what reading it raises again.
    if not isinstance(exception, RequestDataTooBig):
        return HttpResponse(loader.render_to_string("400.html"), status=400)
    metrics.refused.labels("body_bytes").inc()
    place = request.resolver_match
    # A trial stands in the administration and is a chat.
    administration = (
        place is not None and "admin" in place.namespaces and place.url_name != "conversations_persona_try"
    )
    sentence = gettext(
        TOO_MUCH if administration else attaching.TOO_MUCH if _has_files(request) else TOO_LONG
    )
    if "HX-Request" not in request.headers:
        page = {"sentence": sentence, "administration": administration}
        return HttpResponse(loader.render_to_string("refused.html", page), status=413)
    if administration:
        desk = {"sentence": sentence, "oob": True}
        return HttpResponse(loader.render_to_string("admin/review/_sentence.html", desk), status=413)
    return HttpResponse(pages.error(sentence), status=413)


def _has_files(request: HttpRequest) -> bool:
    """Whether a form that takes files was longer than these may be; one that is not has too many words."""
    more = getattr(request.resolver_match.func, "more_bytes", 0) if request.resolver_match else 0
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    return bool(more) and length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE + more


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page that is not the person's to see."""
    return render(request, "403.html", _way_on(request), status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What is not there, or is somebody else's."""
    return render(request, "404.html", _way_on(request), status=404)


def _way_on(request: HttpRequest) -> dict[str, bool]:
    """Whether the administration's start is offered: to who came from within it, and is let into it."""
    within = request.path.startswith(reverse("admin:index"))
    return {"administers": within and access.administers(request.user)}


@require_safe
def theme(request: HttpRequest, code: str) -> HttpResponse:
    """The accent of a company as a style sheet: inline styles are not allowed on our pages."""
    response = HttpResponse(colour.stylesheet(code), content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response

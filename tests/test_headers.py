"""What each answer tells the browser of itself, whoever made it; and what browsers report back."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import httpx
import pytest
from django.conf import settings as site
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from pytest_django import Settings

from chatsite.handler import PageHandler
from conversations import posting
from conversations.database import in_database
from conversations.views import reports
from tests.conftest import Cast
from tests.test_access import cookie_of
from tests.test_metrics import counted
from tests.test_posting import end, start

pytestmark = pytest.mark.django_db(transaction=True)

ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
FORM = {"content-type": "application/x-www-form-urlencoded"}


def broken(request: HttpRequest) -> HttpResponse:
    """A fault of ours."""
    raise ValueError("what somebody wrote")


urlpatterns = [path("broken/", broken), path("", include("chatsite.urls"))]
handler400, handler403, handler404 = (
    f"conversations.views.site.{name}" for name in ("bad_request", "forbidden", "not_found")
)


@pytest.fixture
def web(settings: Settings) -> httpx.AsyncClient:
    """The site as a server asks it, with one more page."""
    settings.ROOT_URLCONF = __name__
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True
    application: Any = PageHandler()
    transport = httpx.ASGITransport(application)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost", trust_env=False)


def policy(response: httpx.Response) -> dict[str, str]:
    """The directives of a policy."""
    parts = (part.strip().partition(" ") for part in response.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in parts}


async def session(cast: Cast, who: str) -> dict[str, str]:
    name, _, value = (await in_database(cookie_of, getattr(cast, who))).partition("=")
    return {name: value}


@pytest.mark.parametrize(
    ("method", "address", "who", "status"),
    [
        ("GET", "/", "member", 200),
        ("GET", "/", "", 302),
        ("GET", "/accounts/login/", "", 200),
        ("POST", "/accounts/login/", "", 403),
        ("GET", "/admin/", "member", 403),
        ("GET", "/admin/", "admin", 200),
        ("GET", "/admin/auth/user/add/", "admin", 200),
        ("GET", f"/c/{uuid.uuid4()}/", "member", 404),
        ("GET", "/nothing/", "", 404),
        ("POST", "/", "member", 403),
        ("GET", "/broken/", "", 500),
        ("GET", "/healthz", "", 200),
        ("GET", "/readyz", "", 200),
        ("GET", "/metrics", "", 200),
        ("GET", "/theme/e4002b.css", "", 200),
        ("GET", "/manifest.webmanifest", "", 200),
        ("GET", "/worker.js", "", 200),
        ("GET", "/offline/", "", 200),
        ("GET", "/static/js/socket.js", "", 200),
        ("GET", "/static/css/base.css", "", 200),
        ("GET", "/static/admin/js/theme.js", "", 200),
        ("POST", "/csp-report/", "", 400),
    ],
)
async def test_every_answer_has_its_headers(
    live_cast: Cast, web: httpx.AsyncClient, method: str, address: str, who: str, status: int
) -> None:
    web.cookies.update(await session(live_cast, who) if who else {})
    response = await web.request(method, address)
    assert response.status_code == status
    check(response)


async def test_refusals_have_them_too(live_cast: Cast, web: httpx.AsyncClient, settings: Settings) -> None:
    settings.MESSAGES_PER_MINUTE = 1
    turn = await in_database(start, live_cast)
    await in_database(end, turn)
    web.cookies.update({"csrftoken": "a" * 32} | await session(live_cast, "member"))
    send = f"/c/{turn.conversation.pk}/send/"
    fields = {"csrfmiddlewaretoken": "a" * 32, "client_id": str(uuid.uuid4())}
    for text, status in (("once more", 429), ("x" * (posting.MAX_MESSAGE_BYTES + 1), 413), ("", 400)):
        response = await web.post(send, data={**fields, "text": text})
        assert response.status_code == status
        check(response)
    too_much = b"text=" + b"x" * site.DATA_UPLOAD_MAX_MEMORY_SIZE
    response = await web.post(send, content=too_much, headers=FORM)
    assert response.status_code == 413
    check(response)


def check(response: httpx.Response) -> None:
    """Every header, none of them twice."""
    headers = response.headers
    assert {name: headers[name] for name in ALWAYS} == ALWAYS
    assert "microphone=()" in headers["permissions-policy"]
    assert policy(response)["default-src"] == "'none'"
    assert policy(response)["frame-ancestors"] == "'none'"
    assert re.search(r"no-store|immutable|max-age", headers["cache-control"])
    names = [name.lower() for name, _ in headers.raw]
    assert [name for name in names if names.count(name) > 1 and name != b"set-cookie"] == []


async def test_private_pages_are_kept_by_nobody(live_cast: Cast, web: httpx.AsyncClient) -> None:
    web.cookies.update(await session(live_cast, "member"))
    for address in ("/", "/chats/", f"/c/{uuid.uuid4()}/", "/admin/"):
        response = await web.get(address)
        assert "no-store" in response.headers["cache-control"], address
        assert "cookie" in response.headers["vary"].lower(), address


async def test_scripts_run_by_nonce_alone(live_cast: Cast, web: httpx.AsyncClient) -> None:
    web.cookies.update(await session(live_cast, "admin"))
    seen = set()
    for address in (
        "/",
        "/admin/",
        "/admin/auth/user/add/",
        "/admin/auth/user/",
        "/admin/conversations/persona/",
    ):
        response = await web.get(address)
        (allowed,) = re.findall(r"'nonce-([A-Za-z0-9+/=]{22,})'", policy(response)["script-src"])
        assert policy(response)["script-src"] == f"'nonce-{allowed}'"
        scripts = re.findall(r"<script\b[^>]*>", response.text)
        assert scripts
        assert [each for each in scripts if f'nonce="{allowed}"' not in each] == []
        assert not re.search(r"<[^>]+\s(on\w+|style)\s*=", response.text), address
        seen.add(allowed)
    assert len(seen) == 5


async def test_what_a_person_wrote_gets_no_nonce(live_cast: Cast, web: httpx.AsyncClient) -> None:
    live_cast.guide.tagline = "<script src=/static/js/keys.js></script>"
    await in_database(live_cast.guide.save)
    web.cookies.update(await session(live_cast, "member"))
    page = (await web.get("/")).text
    assert "&lt;script src=" in page
    assert "<script src=/static" not in page
    assert "&lt;script nonce" not in page


# -- Reports ----------------------------------------------------------------------------------------


def reported(directive: str) -> float:
    return counted().get(f"chat_csp_reports_total {directive}", 0)


def send(body: Any, **further: Any) -> Any:
    return Client(enforce_csrf_checks=True).generic(
        "POST", "/csp-report/", body, content_type="application/csp-report", **further
    )


def test_a_report_is_counted_under_a_known_name(caplog: pytest.LogCaptureFixture) -> None:
    reports._told.clear()
    before = reported("img-src"), reported("other")
    told = {"blocked-uri": "https://elsewhere.example/secret", "document-uri": "http://localhost/c/1/"}
    for directive in ("img-src", "img-src 'self'", "made-up\n"):
        report = {"csp-report": told | {"violated-directive": directive}}
        assert send(json.dumps(report)).status_code == 204
    assert (reported("img-src"), reported("other")) == (before[0] + 2, before[1] + 1)
    assert "img-src" in caplog.text
    assert "elsewhere" not in caplog.text
    assert "made-up" not in caplog.text


@pytest.mark.parametrize("body", ["", "{}", "[]", "null", '{"csp-report": []}', "[" * 9_000, "\xff"])
def test_what_is_no_report_is_refused(body: str) -> None:
    response = send(body.encode("latin-1"))
    assert response.status_code == 400
    assert b"no report" in response.content


def test_a_report_has_a_measure() -> None:
    assert send("x" * (reports.MOST_BYTES + 1)).status_code == 413


def test_a_flood_of_reports_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    reports._told.clear()
    body = json.dumps({"csp-report": {"effective-directive": "img-src"}})
    for _ in range(3 * reports.TOLD):
        send(body)
    assert caplog.text.count("img-src") == reports.TOLD

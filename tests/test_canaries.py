"""The watch for keys and system prompts bites: whatever leaks one is failed, and what may show one is not."""

from __future__ import annotations

import base64
import io
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from tests import canaries
from tests.answers import ended
from tests.conftest import Cast
from tests.servers import ROOT

LEAKS = """
import logging
import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, AsyncClient
from django.urls import path
from tests.canaries import KEY, PROMPTS

def leaves(make):
    return lambda request: make()

def broken():
    raise ValueError(KEY)

async def parts():
    for part in (KEY[:5], KEY[5:]):
        yield part

urlpatterns = [
    path("body", leaves(lambda: HttpResponse(f"<p>{KEY}</p>"))),
    path("header", leaves(lambda: HttpResponse(headers={"X-Key": KEY}))),
    path("prompt", leaves(lambda: HttpResponse(PROMPTS[0]))),
    path("streamed", leaves(lambda: StreamingHttpResponse([KEY[:5], KEY[5:]]))),
    path("cookie", leaves(lambda: (r := HttpResponse(), r.set_cookie("k", KEY))[0])),
    path("broken", leaves(broken)),
    path("clean", leaves(lambda: HttpResponse("nothing"))),
]

@pytest.fixture(autouse=True)
def _ours(settings):
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []
    settings.ALLOWED_HOSTS = ["*"]

@pytest.mark.parametrize("where", ["body", "header", "prompt", "streamed", "cookie", "clean"])
def test_page(where):
    response = Client().get("/" + where)
    if response.streaming:
        list(response)

async def test_page_of_the_asynchronous_client():
    await AsyncClient().get("/body")

def test_error_page():
    Client(raise_request_exception=False).get("/broken")

def test_quiet_log():
    logging.getLogger("httpx").debug("Authorization: %s", KEY)

def test_cause_in_a_log():
    try:
        try:
            raise KeyError(PROMPTS[1])
        except KeyError as error:
            raise ValueError("of another kind") from error
    except ValueError:
        logging.getLogger("any").exception("broke")

def test_print():
    print("the key is", KEY)

async def test_frame():
    async def send(message):
        pass
    from tests import canaries
    async def leaking(scope, receive, send):
        await send({"type": "websocket.send", "text": PROMPTS[0]})
    await canaries.watched(leaking)({"path": "/ws/"}, None, send)

def test_clean():
    logging.getLogger("any").warning("nothing")
    print("nothing")
"""


def test_whatever_leaks_is_failed(tmp_path: Path) -> None:
    (tmp_path / "test_leaks.py").write_text(LEAKS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-rA",
            "-p",
            "tests.canaries",
            "-p",
            "no:randomly",
            str(tmp_path),
        ],
        env={**os.environ, "DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "chatsite.settings"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    passed = {line.split("::")[1] for line in ran.stdout.splitlines() if line.startswith("PASSED")}
    assert passed == {"test_page[clean]", "test_clean"}, ran.stdout + ran.stderr
    assert "11 failed, 2 passed" in ran.stdout


def test_the_log_of_a_process_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "test_log.py").write_text(
        "from pathlib import Path\nfrom tests import canaries\n"
        "def test_process(tmp_path):\n"
        "    log = tmp_path / 'daphne.log'\n    log.write_text(canaries.KEY)\n    canaries.LOGS.add(log)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.canaries", str(tmp_path)],
        env={**os.environ, "DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "chatsite.settings"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED, ran.stdout
    assert "CANARY 'key-of-the-tests' came out in" in ran.stdout


@pytest.mark.parametrize("canary", [*canaries.KEYS, *canaries.PROMPTS], ids=range(5))
def test_a_canary_is_found_however_it_is_written(canary: str) -> None:
    for before in range(4):
        for behind in range(4):
            hidden = base64.b64encode(b"<" * before + canary.encode() + b">" * behind)
            assert canaries.look(hidden) == [canary]
    assert canaries.look("+".join(canary.split())) == [canary]
    assert canaries.look(f"<p>{canary}</p>") == [canary]
    assert canaries.look(canary[:-1]) == []


def test_prompts_are_shown_to_managers_and_operators_alone(cast: Cast) -> None:
    shown = {}
    for who in ("admin", "manager", "reviewer", "member", "outsider"):
        client = Client()
        client.force_login(getattr(cast, who))
        page = client.get(reverse("admin:conversations_persona_change", args=[cast.guide.pk]))
        shown[who] = canaries.look(page.content)
    prompt = [canaries.PROMPTS[0]]
    assert shown == {"admin": prompt, "manager": prompt, "reviewer": [], "member": [], "outsider": []}


def test_keys_are_in_no_dump_of_the_database(cast: Cast) -> None:
    ended(cast)
    dump = io.StringIO()
    call_command("dumpdata", stdout=dump)
    assert canaries.look(dump.getvalue()) == [canaries.PROMPTS[0], canaries.PROMPTS[1]]


def test_pages_are_not_written_into_logs_at_debug() -> None:
    """Django tells of a variable that is missing with the whole context, whatever level the root was given."""
    root, level = logging.getLogger(), logging.getLogger().level
    root.setLevel(logging.DEBUG)
    try:
        assert logging.getLogger(canaries.KEPT_FROM_DEBUG).getEffectiveLevel() > logging.DEBUG
    finally:
        root.setLevel(level)

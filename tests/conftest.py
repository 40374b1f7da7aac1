"""What tests share: the cast of people, an upstream on a real connection, and loud skips."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from threading import Barrier

import pytest
import pytest_asyncio
from asgiref.sync import SyncToAsync
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections
from django.utils import translation
from pytest_django.fixtures import Settings

from conversations import titles
from conversations.database import THREADS, WRITERS, background, executor, writers
from conversations.generation import keeper
from conversations.generation.runner import RUNS
from conversations.models import Company, Label, Persona, Rule
from conversations.providers import http, recorded
from conversations.providers.recorded import UNPACED, RecordedUpstream
from tests import canaries

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell has what it starts in the background ignore it, and so would every server that is started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)

NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing listens
PASSWORD = "correct horse battery"


def pytest_configure(config: pytest.Config) -> None:
    """Watch what comes out of everything, before a test module is imported."""
    canaries.pytest_configure(config)


def missing(what: str) -> None:
    """Skip by name where `what` is not to be had; fail where the tests must be complete."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI is set")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        missing("Chromium")
    return str(path)


@pytest.fixture(autouse=True)
def _english() -> None:
    """What no page is asked for in another language: the last one of a test before stays with the thread."""
    translation.activate("en")


@dataclass(frozen=True)
class Cast:
    """The demo data, by name."""

    admin: User
    member: User
    member2: User
    reviewer: User
    manager: User
    outsider: User
    coca_cola: Company
    globex: Company
    guide: Persona
    historian: Persona
    helpdesk: Persona


@pytest.fixture(autouse=True)
def _quick_settings(settings: Settings) -> None:
    """No manifest of static files, cheap passwords, no limit on a person, and nobody to call by accident."""
    settings.MISTRAL_API_KEY = settings.CO_API_KEY = settings.OPENAI_API_KEY = canaries.KEY
    settings.MISTRAL_BASE_URL = settings.COHERE_BASE_URL = NOWHERE
    settings.MESSAGES_PER_MINUTE = settings.ANSWERS_AT_ONCE = 0
    settings.COMPANY_ANSWERS_AT_ONCE = settings.PROCESS_ANSWERS_AT_ONCE = 0
    settings.PERSON_SOCKETS = settings.COMPANY_SOCKETS = settings.PROCESS_SOCKETS = 0
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def load_cast() -> Cast:
    """Load the demo companies and give them back, without the demo's rules and labels: those are each test's own."""
    call_command("demo", stdout=io.StringIO())
    Rule.objects.all().delete()
    Label.objects.all().delete()
    people = {user.username: user for user in User.objects.all()}
    personas = {
        persona.name: persona for persona in Persona.objects.select_related("company", "current__endpoint")
    }
    companies = {company.name: company for company in Company.objects.all()}
    return Cast(
        **people,
        coca_cola=companies["Coca Cola"],
        globex=companies["Globex"],
        guide=personas["Coca Cola guide"],
        historian=personas["Coca Cola historian"],
        helpdesk=personas["Globex helpdesk"],
    )


@pytest.fixture
def cast(db: None, settings: Settings) -> Cast:
    """The demo companies, rolled back after the test."""
    settings.DEMO_PASSWORD = PASSWORD
    return load_cast()


@pytest.fixture
def live_cast(transactional_db: None, settings: Settings) -> Iterator[Cast]:
    """The demo companies, visible to other threads too. What these still do ends before the tables are emptied."""
    settings.DEMO_PASSWORD = PASSWORD
    yield load_cast()
    for pool, threads in ((executor, THREADS), (writers, WRITERS), (background, 1)):
        together = Barrier(threads + 1)
        for _ in range(threads):
            pool.submit(together.wait)
        together.wait(10)


@pytest.fixture
def upstream(settings: Settings) -> Iterator[RecordedUpstream]:
    """Every provider, on a real connection and without pauses; it takes scripts and remembers what was asked."""
    server = recorded.serve(RecordedUpstream(pace=UNPACED))
    settings.MISTRAL_BASE_URL = server.base_url("mistral")
    settings.COHERE_BASE_URL = server.base_url("cohere")
    settings.OPENAI_BASE_URL = server.base_url("openai")
    yield server.upstream
    server.close()


@pytest_asyncio.fixture
async def running(upstream: RecordedUpstream) -> AsyncIterator[RecordedUpstream]:
    """The upstream, and afterwards an end to whatever the test left behind on its event loop."""
    yield upstream
    for run in list(RUNS.values()):
        run.stop()
        await asyncio.wait([run.task])
    await titles.close()
    await keeper.close()
    await http.close()


@pytest.fixture(scope="session", autouse=True)
def _database_threads(django_db_setup: None) -> Iterator[None]:
    """Let what the last test left in the threads end, and give its connections back, before the database goes."""
    yield
    executor.shutdown()
    writers.shutdown()
    background.shutdown()
    # The thread that views run in under the asynchronous client, whose requests end without closing anything.
    SyncToAsync.single_thread_executor.submit(connections.close_all).result(10)

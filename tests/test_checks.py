"""Mixtures that lose data are refused: by the system checks, and by the lock that a process takes."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from csp.constants import NONCE, SELF
from django.conf import settings as site
from django.core.checks import run_checks
from pytest_django import Settings

from conversations.checks import walls
from tests.bench.databases import POSTGRESQL, postgresql
from tests.conftest import missing
from tests.e2e.site import Site
from tests.servers import ROOT, Daphne

POSTGRES: dict[str, Any] = {"ENGINE": "django.db.backends.postgresql", "CONN_MAX_AGE": 0, "OPTIONS": {}}
SQLITE: dict[str, Any] = {
    "ENGINE": "django.db.backends.sqlite3",
    "OPTIONS": {"transaction_mode": "IMMEDIATE"},
}
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0")


@pytest.mark.parametrize(
    ("database", "redis", "expected"),
    [
        (SQLITE, "", set()),
        (SQLITE | {"OPTIONS": {}}, "", {"conversations.E002"}),
        (SQLITE, REDIS, {"conversations.E004"}),
        (POSTGRES, "", set()),
        (POSTGRES, REDIS, set()),
        (POSTGRES | {"CONN_MAX_AGE": None}, REDIS, {"conversations.E003"}),
        (POSTGRES | {"CONN_MAX_AGE": 60}, "", {"conversations.E003"}),
    ],
)
def test_settings_that_lose_data(
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    database: dict[str, Any],
    redis: str,
    expected: set[str],
) -> None:
    monkeypatch.setitem(site.DATABASES, "default", database)
    settings.REDIS_URL = redis
    from conversations.checks import database_settings

    assert {found.id for found in database_settings(None)} == expected


def test_the_checks_are_run(db: None, settings: Settings) -> None:
    settings.REDIS_URL = REDIS
    assert "conversations.E004" in {found.id for found in run_checks(databases=["default"])}


POLICY = site.CONTENT_SECURITY_POLICY["DIRECTIVES"]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, set()),
        ({"CONTENT_SECURITY_POLICY": None}, {"conversations.E005"}),
        (
            {"CONTENT_SECURITY_POLICY": {"DIRECTIVES": POLICY | {"script-src": [SELF, NONCE]}}},
            {"conversations.E005"},
        ),
        (
            {"CONTENT_SECURITY_POLICY": {"DIRECTIVES": POLICY | {"default-src": [SELF]}}},
            {"conversations.E005"},
        ),
        ({"CSRF_TRUSTED_ORIGINS": ["https://*.example.com"]}, {"conversations.E007"}),
        ({"CSRF_TRUSTED_ORIGINS": ["https://chat.example.com"]}, set()),
        ({"REDIS_URL": REDIS, "KEYS_GIVEN": False}, {"conversations.W004"}),
        ({"REDIS_URL": REDIS, "KEYS_GIVEN": True}, set()),
        ({"REDIS_URL": "", "KEYS_GIVEN": False}, set()),
    ],
)
def test_walls_that_were_taken_down(settings: Settings, changed: dict[str, Any], expected: set[str]) -> None:
    for name, value in changed.items():
        setattr(settings, name, value)
    assert {found.id for found in walls(None)} == expected


def test_a_log_that_would_hold_addresses() -> None:
    logger = logging.getLogger("httpx")
    before = logger.level
    logger.setLevel(logging.INFO)
    try:
        assert {found.id for found in walls(None)} == {"conversations.E006"}
    finally:
        logger.setLevel(before)


def second(site: Site, **environment: str) -> subprocess.CompletedProcess[str]:
    """What another process on the same data says, which is expected to end by itself."""
    return subprocess.run(
        [sys.executable, "-c", "import chatsite.asgi"],
        env={**site.environment, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_a_second_process_on_sqlite_is_refused(tmp_path: Path) -> None:
    site = Site(tmp_path).install().start()
    try:
        refused = second(site)
        assert refused.returncode == 1
        assert refused.stderr.startswith("Another process serves this SQLite database")
        site.kill()
        assert second(site).returncode == 0
    finally:
        site.close()


@pytest.mark.parametrize(
    ("first", "other", "sentence"),
    [
        ({}, {}, "Another process serves this database, and without REDIS_URL there may be only one"),
        ({}, {"REDIS_URL": REDIS}, "Another process serves this database without REDIS_URL"),
        (
            {"REDIS_URL": REDIS},
            {"REDIS_URL": ""},
            "Another process serves this database, and without REDIS_URL",
        ),
        ({"REDIS_URL": REDIS}, {}, ""),
    ],
)
def test_processes_on_postgresql(
    tmp_path: Path, first: dict[str, str], other: dict[str, str], sentence: str
) -> None:
    import psycopg

    try:
        psycopg.connect(POSTGRESQL, connect_timeout=5).close()
    except psycopg.OperationalError:
        missing(f"PostgreSQL at {POSTGRESQL}")
    with postgresql() as address:
        site = Site(tmp_path, DATABASE_URL=address, **first)
        site.manage("migrate")
        server = Daphne(site.environment, site.log)
        try:
            server.wait()
            said = second(site, **other)
        finally:
            server.kill()
    assert said.returncode == (1 if sentence else 0), said.stderr
    assert said.stderr.startswith(sentence)

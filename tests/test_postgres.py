"""The tests of what is kept, once more on PostgreSQL. They run in a process of their own: settings are read once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg

from tests.conftest import missing

ADDRESS = os.environ.get("TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
SUITES = [
    f"test_{what}.py"
    for what in (
        "posting",
        "thread",
        "tree",
        "generation",
        "endings",
        "socket",
        "access",
        "access_admin",
        "pages",
        "admin",
        "accounts",
        "sign_in",
        "factors",
        "invitations",
        "company_sign_in",
        "feedback",
        "reading",
        "filing",
        "exports",
        "export_reviews",
        "export_transcripts",
        "export_tuning",
        "reviewing",
        "reviewing_end",
        "workplace",
        "workplace_review",
        "search",
        "recall",
        "finding",
        "demo_history",
        "studio",
        "trial",
        "trial_pages",
        "review_settings",
        "rubrics",
        "usage",
        "retention",
        "erasing",
        "keeping",
        "person_export",
        "budgets",
        "spending",
        "budget_pages",
        "limits",
        "statements",
    )
]


def test_the_same_on_postgresql(tmp_path: Path) -> None:
    try:
        psycopg.connect(ADDRESS, connect_timeout=5).close()
    except psycopg.OperationalError:
        missing(f"PostgreSQL at {ADDRESS.rpartition('@')[2]}")
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--create-db", *(str(here / suite) for suite in SUITES)],
        env={**os.environ, "DATABASE_URL": ADDRESS, "DATA_DIR": str(tmp_path)},
        cwd=here.parent,
        capture_output=True,
        text=True,
        timeout=2_400,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-2_000:]

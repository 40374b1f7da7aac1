"""The product as an operator starts it: a process of Daphne's on data of its own, and a browser before it."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests import canaries
from tests.servers import ROOT, Daphne, free_port

PASSWORD = "correct horse battery"
NO_LIMITS = (  # of those that a site has for people: a test, or a benchmark, is many people as one
    "MESSAGES_PER_MINUTE",
    "ANSWERS_AT_ONCE",
    "COMPANY_ANSWERS_AT_ONCE",
    "PROCESS_ANSWERS_AT_ONCE",
    "PERSON_SOCKETS",
    "COMPANY_SOCKETS",
)
TABLES: list[Path] = []  # the database of a site that was just migrated
QUIET_CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class Site:
    """One installation in `folder`, with further settings in `environment`."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "daphne.log"
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environment = {
            **kept,
            "DATA_DIR": str(folder),
            "DEMO_PASSWORD": PASSWORD,
            **dict.fromkeys(NO_LIMITS, "0"),
            **environment,
        }
        self._server: Daphne | None = None

    def install(self) -> Site:
        """Migrate, collect the static files and load the demo companies, as `make run` does."""
        self._migrate()
        for command in ("collectstatic --noinput", "demo"):
            self.manage(*command.split())
        return self

    def _migrate(self) -> None:
        """Make the tables; on SQLite once in a run of the tests, which takes its time, and from then on by copying."""
        if "DATABASE_URL" in self.environment:
            self.manage("migrate")
        elif TABLES:
            _copy(TABLES[0], self.folder / "chat.sqlite3")
        else:
            self.manage("migrate")
            TABLES.append(Path(tempfile.mkdtemp(prefix="tables-")) / "chat.sqlite3")
            atexit.register(shutil.rmtree, TABLES[0].parent)
            _copy(self.folder / "chat.sqlite3", TABLES[0])

    def manage(self, *arguments: str) -> str:
        """Run a command of manage.py and give back what it prints."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        if arguments[:1] != ("dumpdata",):
            canaries.FOUND.search(" ".join(arguments), done.stdout + done.stderr)
        return done.stdout

    def start(self) -> Site:
        """Start the server and wait until it answers."""
        self._server = Daphne(self.environment, self.log, port=self.port)
        self._server.wait()
        return self

    def kill(self) -> None:
        """End the server as a crash would."""
        assert self._server is not None
        self._server.kill()
        self._server = None

    def close(self) -> None:
        """End the server, without waiting for answers that run."""
        if self._server is not None:
            self._server.end(signal.SIGINT)
            self._server = None

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the database has."""
        with closing(sqlite3.connect(self.folder / "chat.sqlite3", timeout=10)) as database:
            return database.execute(query, values).fetchall()

    def run(self, statement: str) -> None:
        """Change what the database has, which no process of the site's may be writing."""
        with closing(sqlite3.connect(self.folder / "chat.sqlite3", timeout=10)) as database, database:
            database.execute(statement)

    def has_stale_readers(self) -> bool:
        """Whether a connection goes on showing a moment that is over: then the log of writes cannot be emptied."""
        path = self.folder / "chat.sqlite3"
        with closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as database:
            (busy, *_) = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return bool(busy)

    def csp_reports(self) -> list[str]:
        """What browsers reported of pages that met their policy, as lines of `/metrics`."""
        metrics = httpx.get(f"{self.url}/metrics", trust_env=False).text
        return [line for line in metrics.splitlines() if line.startswith("chat_csp_reports_total{")]


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


async def launch(chromium: str) -> tuple[Any, Browser]:
    """A browser, and what has to be stopped after it."""
    playwright = await async_playwright().start()
    return playwright, await playwright.chromium.launch(executable_path=chromium, args=QUIET_CHROMIUM)


async def sign_in(context: BrowserContext, site: Site, name: str) -> Page:
    """A page of `context` at the start of `site`, signed in as `name`."""
    return await sign_in_at(context, site.url, name)


async def sign_in_at(context: BrowserContext, url: str, name: str) -> Page:
    """The same at an address."""
    page = await context.new_page()
    await page.goto(url)
    await page.get_by_label("Username").fill(name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("heading", name="New chat").wait_for()
    await page.wait_for_load_state()  # the scripts have run, and keys do what they are to do
    return page

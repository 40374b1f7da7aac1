"""The product under fault: one process on SQLite, or two on PostgreSQL and Redis of their own, behind one line.

With two, forms go to the first and sockets to the second, so that every word a page shows has crossed between them.
"""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple

import psycopg

from tests.e2e.site import PASSWORD, Site
from tests.faults.line import Line
from tests.faults.services import Postgres, Redis
from tests.servers import Daphne

_MAKE = """
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from conversations.models import Company, Membership
password = make_password({password!r})
company = Company.objects.get(name="Coca Cola")
people = User.objects.bulk_create([User(username=name, password=password) for name in {names!r}])
Membership.objects.bulk_create([Membership(user=each, company=company, role="member") for each in people])
"""


class Answer(NamedTuple):
    """An answer as it is kept."""

    status: str
    text: str
    sentence: str


class Installation:
    """Servers, database and line. `together`: two processes that share PostgreSQL and Redis."""

    def __init__(self, *, together: bool, **environment: str) -> None:
        self.together = together
        self.folder = Path(mkdtemp(prefix="chat-"))
        self.folder.chmod(0o755)  # PostgreSQL may run as somebody else
        self.redis: Redis | None = None
        self.postgres: Postgres | None = None
        if together:
            self.redis, self.postgres = Redis(self._made("redis")), Postgres(self._made("postgres"))
            self.redis.start()
            self.postgres.start()
            environment = {"DATABASE_URL": self.postgres.url, "REDIS_URL": self.redis.url, **environment}
        self.site = Site(self._made("site"), **environment)
        self.site.install()
        self.servers: list[Daphne] = []
        self.said: str | None = None
        self.line = Line(pages=0, sockets=0)
        self.url = self.line.url
        self.start()

    def start(self) -> None:
        """Start the processes, where they do not run."""
        self.servers = [self._started() for _ in range(2 if self.together else 1)]
        self.point()

    def point(self, *, pages: int = 0, sockets: int = -1) -> None:
        """Send pages to one process and sockets to another, by their places among `servers`."""
        self.line.pages, self.line.sockets = self.servers[pages].port, self.servers[sockets].port

    def restart(self, place: int = 0) -> Daphne:
        """Another process in the place of one that has ended, at the same port."""
        self.servers[place] = server = self._started(self.servers[place].port)
        return server

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the database has. Parameters are written `?`; ids are compared as text without hyphens."""
        if self.postgres is None:
            path = self.site.folder / "chat.sqlite3"
            with closing(sqlite3.connect(path, timeout=10)) as database:
                return database.execute(query, values).fetchall()
        with psycopg.connect(self.postgres.url) as server:
            return server.execute(query.replace("?", "%s"), values).fetchall()

    def members(self, number: int) -> list[str]:
        """The names of so many new members of Coca Cola, with the password of all."""
        names = [f"person{index}" for index in range(number)]
        self.site.manage("shell", "-c", _MAKE.format(names=names, password=PASSWORD))
        return names

    def execute(self, statement: str) -> None:
        """Change something behind the product's back."""
        assert self.postgres is not None
        with psycopg.connect(self.postgres.url) as server:
            server.execute(statement)

    def answers(self, conversation: str) -> list[Answer]:
        """The answers of a conversation as the database has them, oldest first."""
        number = uuid.UUID(conversation)
        found = self.rows(
            "SELECT g.status, m.text, g.sentence FROM conversations_generation g"
            " JOIN conversations_message m ON m.id = g.message_id WHERE g.conversation_id = ? ORDER BY g.created_at",
            number if self.together else number.hex,
        )
        return [Answer(*row) for row in found]

    def log(self) -> str:
        """What the processes said, also after their end."""
        return self.site.log.read_text() if self.said is None else self.said

    def close(self) -> None:
        """End it all."""
        self.line.end()
        for server in self.servers:
            if server.process.poll() is None:
                server.resume()
                server.kill()
        for service in (self.redis, self.postgres):
            if service is not None:
                service.close()
        self.said = self.log()
        shutil.rmtree(self.folder)

    def _started(self, port: int | None = None) -> Daphne:
        server = Daphne(self.site.environment, self.site.log, port=port)
        server.wait()
        return server

    def _made(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder

"""Servers of a test's own, which it may kill, pause and restart: Redis, PostgreSQL, nginx. From Debian's packages."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
import redis

from tests.servers import free_port

START_SECONDS = 20.0
LOOK_EVERY = 0.02  # seconds, for a server that is starting


def program(name: str) -> str | None:
    """Where a server's program is: Debian keeps those of PostgreSQL and nginx off the path."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    places = [os.environ.get("PATH", ""), "/usr/sbin", *map(str, versions)]
    return shutil.which(name, path=os.pathsep.join(places))


class Service:
    """A server's process. It may end and begin again at the same address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str]:
        """What starts it in the foreground."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether it can be used."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it, and wait until it can be used."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self.command(), stdout=log, stderr=log, cwd=self.folder)
        until(self.answers, START_SECONDS, lambda: (self.folder / "log").read_text())

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def pause(self) -> None:
        """Have it stand still, its connections open."""
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Have it go on."""
        self.send(signal.SIGCONT)

    def kill(self) -> None:
        """End it as a crash would."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """End it, if it runs."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(START_SECONDS)
            self._process = None


class Redis(Service):
    """A Redis that keeps nothing."""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> Sequence[str]:
        settings = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(self.folder))
        return (str(program("redis-server")), "--port", str(self.port), *settings)

    def answers(self) -> bool:
        try:
            with redis.Redis(port=self.port, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


class Postgres(Service):
    """A PostgreSQL cluster with one database. It refuses to run as root, so then it runs as `postgres`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._as = (
            ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups") if os.getuid() == 0 else ()
        )
        if self._as:
            folder.chmod(0o777)
        made = subprocess.run(
            [
                *(*self._as, str(program("initdb")), "--pgdata", str(self.data), "--username", "chat"),
                *("--auth", "trust", "--encoding", "UTF8", "--no-sync"),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
        )
        assert made.returncode == 0, made.stderr

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return f"postgres://chat@127.0.0.1:{self.port}/postgres"

    def command(self) -> Sequence[str]:
        where = ("-p", str(self.port), "-k", str(self.data), "-c", "listen_addresses=127.0.0.1")
        return (*self._as, str(program("postgres")), "-D", str(self.data), *where, "-c", "fsync=off")

    def answers(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def close(self) -> None:
        self._end(signal.SIGINT)  # fast: connections are ended, not waited for

    def restart(self) -> None:
        """What `systemctl restart` does: every connection ends."""
        self.close()
        self.start()


def until(
    done: Callable[[], bool], seconds: float, otherwise: Callable[[], str] = lambda: "it did not come about"
) -> None:
    """Look again and again until something is so; fail with what `otherwise` says where it takes longer."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(LOOK_EVERY)

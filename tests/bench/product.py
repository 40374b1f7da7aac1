"""The product as an operator starts it, on data of its own, in as many processes as are asked for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from redis import Redis

from tests.bench.databases import postgresql
from tests.bench.processes import ROOT
from tests.e2e.site import PASSWORD, Site
from tests.servers import Daphne

REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
PERSONA = "Coca Cola guide"
SIGN_IN = "/accounts/login/"


class Product(Site):
    """An installation, of which `running` starts servers as often as they are wanted."""

    @contextmanager
    def running(self, processes: int = 1) -> Iterator[list[Server]]:
        """Servers that answer; they end with the block."""
        servers = [Server(self) for _ in range(processes)]
        try:
            for server in servers:
                server.wait()
            yield servers
        finally:
            for server in servers:
                server.close()

    def inside(self, *arguments: str, told: str = "") -> str:
        """Run `tests.bench.inside` with this installation's settings, and give back what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.inside", *arguments],
            env=self.environment,
            cwd=ROOT,
            input=told,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and how the product is measured. `crossed` lines: sockets at another process than forms."""

    product: Product
    upstream: str
    upstream_pid: int
    processes: int = 1
    crossed: bool = False

    @contextmanager
    def running(self) -> Iterator[list[Server]]:
        """Servers that have served one page."""
        with self.product.running(self.processes) as servers:
            for server in servers:
                server.wait(SIGN_IN)
            yield servers


def addresses(setting: Setting, servers: Sequence[Server]) -> dict[str, list[str]]:
    """Where forms go and where sockets go, as the driver is told."""
    bases = [server.url for server in servers]
    return {"bases": bases, "lines": bases[1:] + bases[:1] if setting.crossed else bases}


class Server(Daphne):
    """One process, for as long as it is entered."""

    def __init__(self, product: Product) -> None:
        super().__init__(product.environment, product.log)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.end(signal.SIGINT)


@contextmanager
def installed(*, database: str, redis: bool, upstream: str) -> Iterator[Product]:
    """The product installed on a throw-away `database` ("sqlite" or "postgresql"), its provider at `upstream`."""
    with TemporaryDirectory() as folder, postgresql(wanted=database == "postgresql") as address:
        environment = {"MISTRAL_BASE_URL": upstream, "MISTRAL_API_KEY": "key-of-the-benchmark"}
        if address:
            environment["DATABASE_URL"] = address
        if redis:
            environment["REDIS_URL"] = REDIS
        product = Product(Path(folder), **environment)
        product.install()
        yield product


def redis_pids(product: Product) -> list[int]:
    """The process of the Redis that an installation uses; none where it uses none."""
    if "REDIS_URL" not in product.environment:
        return []
    with Redis.from_url(product.environment["REDIS_URL"]) as redis:
        return [int(redis.info("server")["process_id"])]


def people(product: Product, number: int) -> list[tuple[str, str]]:
    """Names and passwords of so many members, made where they are not there yet."""
    product.inside("people", str(number), PASSWORD)
    return [(f"bench-{index}", PASSWORD) for index in range(number)]

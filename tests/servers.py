"""Processes of the product, started as an operator starts them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from tests import canaries

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 30.0
END_SECONDS = 25.0  # a process that is told to end lets its answers run out first
LOOK_EVERY = 0.005  # seconds, for a server that is starting


def free_port() -> int:
    """A loopback port that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Daphne:
    """One process of Daphne's, from its start to its end."""

    def __init__(self, environment: Mapping[str, str], log: Path, *, port: int | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        canaries.LOGS.add(log)
        self.began = time.monotonic()
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "daphne", "--bind", "127.0.0.1", "--port", str(self.port)),
                    *("--no-server-name", "--verbosity", "0", "--websocket-max-message-size", "65536"),
                    "chatsite.asgi:application",
                ],
                env=environment,
                cwd=ROOT,
                stdout=output,
                stderr=output,
            )
        self.pid = self.process.pid

    def wait(self, path: str = "/healthz") -> float:
        """Ask for `path` until it is there. Gives back how many seconds after the start that was."""
        while True:
            try:
                with urllib.request.urlopen(self.url + path, timeout=START_SECONDS):
                    return time.monotonic() - self.began
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                assert self.process.poll() is None, self.log.read_text()
                assert time.monotonic() < self.began + START_SECONDS, self.log.read_text()
                time.sleep(LOOK_EVERY)

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Tell it to end, and see that it does."""
        self.process.send_signal(number)
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def pause(self) -> None:
        """Have it stand still."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Have it go on."""
        self.process.send_signal(signal.SIGCONT)

"""Processes of a benchmark: starting them, talking to them in lines of JSON, and reading what they use.

Memory is resident memory in bytes, processor time is user and system time in seconds, of a process and its threads.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import subprocess
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

ROOT = Path(__file__).resolve().parents[2]
SAMPLE_EVERY = 0.05  # seconds
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Child:
    """A module of ours in a process of its own, which ends when its standard input does."""

    def __init__(self, module: str, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def say(self, message: Any) -> None:
        """Write a message to it."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()

    def hear(self, seconds: float) -> Any:
        """The next message from it, which has to begin within `seconds`."""
        assert self._process.stdout
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        line = self._process.stdout.readline() if ready else b""
        if not line:
            raise RuntimeError(f"{self._process.args!r} said nothing for {seconds} seconds, or ended")
        return json.loads(line)


async def until_input_ends(stream: IO[str]) -> None:
    """Return when whoever started this process closes its input or is gone."""
    await asyncio.to_thread(stream.read)


def memory(pids: Sequence[int]) -> int:
    """What the processes have in memory now, in bytes."""
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE for pid in pids)


def cpu(pids: Sequence[int]) -> float:
    """The processor time that the processes have used so far, in seconds."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICK


def machine() -> float:
    """The processor time that everything on the machine has used so far, in seconds."""
    user, nice, system, _, _, irq, softirq, *_ = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return sum(map(int, (user, nice, system, irq, softirq))) / _TICK


class Sampler:
    """Reads what processes use, again and again, while it is entered."""

    def __init__(self, pids: Sequence[int], *, helping: Sequence[int] = ()) -> None:
        """Of those that are `helping` the processor time counts, and the memory does not."""
        self._pids, self._all = pids, [*pids, *helping]
        self._times: list[float] = []
        self._cpu: list[float] = []
        self._memory: list[int] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._sample()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._sample()

    def cpu_between(self, start: float, end: float) -> float:
        """Processor seconds used between two moments of the monotonic clock."""
        return self._cpu_at(end) - self._cpu_at(start)

    @property
    def peak(self) -> int:
        """The most memory that was seen, in bytes."""
        return max(self._memory, default=0)

    def _run(self) -> None:
        while not self._stop.wait(SAMPLE_EVERY):
            self._sample()

    def _sample(self) -> None:
        if not self._pids:
            return
        self._times.append(time.monotonic())
        self._cpu.append(cpu(self._all))
        self._memory.append(memory(self._pids))

    def _cpu_at(self, moment: float) -> float:
        if not self._times:
            return 0.0
        after = min(max(bisect_left(self._times, moment), 1), len(self._times) - 1)
        (t0, t1), (c0, c1) = self._times[after - 1 : after + 1], self._cpu[after - 1 : after + 1]
        share = min(max((moment - t0) / (t1 - t0), 0.0), 1.0)
        return c0 + share * (c1 - c0)

"""The small form of the benchmark: what it says is printed, and it fails only where words were lost or doubled."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.bench.processes import ROOT

SECONDS = 240  # far more than it takes, for a machine with a lot to do


def test_nothing_is_lost_in_the_small_form(capsys: pytest.CaptureFixture[str]) -> None:
    bench = subprocess.Popen(
        [sys.executable, "-m", "tests.bench", "--small"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said, complaints = bench.communicate(timeout=SECONDS)
    finally:
        bench.terminate()  # it ends what it has started
        bench.wait(30)
    with capsys.disabled():
        print(f"\n{said}")  # noqa: T201
    assert bench.returncode == 0, said + complaints

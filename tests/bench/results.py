"""Where measurements are kept: one file, in which each benchmark has a section of its own and leaves the others be."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from pathlib import Path

from tests.bench.processes import ROOT

FILE = Path(__file__).with_name("RESULTS.md")
_TITLE = "# Measured\n"


def facts(*further: str) -> str:
    """When, of what and on what something is measured, in one sentence or two."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    commit = described.stdout.strip() or "unknown"
    versions = ", ".join((f"Python {platform.python_version()}", *further))
    return (
        f"{time.strftime('%Y-%m-%d')}, commit {commit}. {platform.machine()}, {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f}; {versions}."
    )


def write(heading: str, text: str, *, file: Path = FILE) -> None:
    """Put `text` under the second-level `heading`, in place of what stands there. Its own headings are deeper."""
    section = f"## {heading}\n\n{text.strip()}\n"
    known = file.read_text("utf-8") if file.exists() else _TITLE
    own = re.compile(rf"^## {re.escape(heading)}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
    if own.search(known):
        known = own.sub(lambda found: section + ("\n" if found.end() < len(known) else ""), known, count=1)
    else:
        known = f"{known.rstrip()}\n\n{section}"
    file.write_text(known, "utf-8")

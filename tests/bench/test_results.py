"""A benchmark writes its own section of the results and no other."""

from __future__ import annotations

from pathlib import Path

from tests.bench import results


def test_each_writes_its_own_section(tmp_path: Path) -> None:
    file = tmp_path / "RESULTS.md"
    results.write("First", "one\n\n### Deeper\n\nmore", file=file)
    results.write("Second", "two", file=file)
    results.write("First", r"one \1 anew", file=file)
    results.write("Second", "two anew", file=file)
    assert file.read_text("utf-8") == "# Measured\n\n## First\n\none \\1 anew\n\n## Second\n\ntwo anew\n"


def test_what_is_measured_is_named() -> None:
    assert "commit" in results.facts("Something 1.0")
    assert "Something 1.0" in results.facts("Something 1.0")

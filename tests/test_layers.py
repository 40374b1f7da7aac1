"""Imports point down only; what may import what is the table here."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "conversations"

LAYERS = (
    {"views", "consumers", "routing", "urls", "admin", "management"},
    {"viewer", "visitor"},
    {"pages"},
    {"thread", "generation", "titles", "announcements"},
    {"turn"},
    {"exports"},
    {
        "readable",
        "filing",
        "feedback",
        "reading",
        "finding",
        "deleting",
        "importing",
        "order",
        "sharing",
        "recall",
        "usage",
        "reviewing",
        "erasing",
        "expiry",
        "accounts",
    },
    {"posting", "rules", "scanning", "rubrics", "search", "holds", "removal", "retention"},
    {"personas", "catalogue", "budgets"},
    {"spending"},
    {"bounds"},
    {
        "endpoints",
        "allowances",
        "keys",
        "sealed",
        "access",
        "attached",
        "attaching",
        "citing",
        "standing",
        "tree",
        "bars",
        "excerpts",
        "rechecks",
        "lines",
        "hearing",
        "histories",
    },
    {"proofs"},
    {"factors"},
    {
        "rendering",
        "providers",
        "database",
        "charts",
        "words",
        "matching",
        "metrics",
        "trace",
        "peers",
        "serving",
        "window",
        "sealing",
        "traces",
        "estimates",
        "refusals",
        "tasks",
        "language",
        "statements",
    },
    {"models"},
)
RANK = {name: len(LAYERS) - index for index, layer in enumerate(LAYERS) for name in layer}
ALONE = {
    "rendering",
    "providers",
    "models",
    "database",
    "charts",
    "words",
    "matching",
    "metrics",
    "trace",
    "peers",
    "serving",
    "window",
    "sealing",
    "traces",
    "estimates",
    "refusals",
    "language",
}  # these know nothing of ours but themselves
OUTSIDE = {"apps", "checks", "migrations", "templatetags", "__init__"}


def modules() -> dict[str, list[tuple[Path, set[str]]]]:
    """By part of the package: its files, and the parts that each imports."""
    found: dict[str, list[tuple[Path, set[str]]]] = {}
    for file in sorted(ROOT.rglob("*.py")):
        part = file.relative_to(ROOT).parts[0].removesuffix(".py")
        imported: set[str] = set()
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "conversations":
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("conversations."):
                imported.add(str(node.module).split(".")[1])
            elif isinstance(node, ast.Import):
                imported |= {a.name.split(".")[1] for a in node.names if a.name.startswith("conversations.")}
        found.setdefault(part, []).append((file, imported - {part}))
    return found


def test_every_part_has_its_layer() -> None:
    assert set(modules()) - OUTSIDE == set(RANK)


@pytest.mark.parametrize("part", sorted(RANK))
def test_imports_point_down(part: str) -> None:
    for file, imported in modules()[part]:
        up = {name for name in imported if RANK[name] > RANK[part]}
        assert not up, f"{file.name} imports {up} from above"
        assert "chatsite" not in file.read_text("utf-8"), f"{file.name} knows the site it runs on"
        if part in ALONE:
            assert not imported, f"{file.name} imports {imported}"

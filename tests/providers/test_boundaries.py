"""The package stands alone: of Django the words of sentences alone, nothing of the product above it, and no network
beyond loopback."""

import ast
import inspect
import sys
from pathlib import Path

import pytest

import conversations.providers
from conversations.providers import WIRES, WireName
from conversations.providers.wires import Wire
from tests.providers.support import ALL_WIRES

PACKAGE = Path(conversations.providers.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
ALLOWED = {"aiohttp", "httpx", "httpx_aiohttp", "uvicorn"}
WORDS = {"django.utils.formats", "django.utils.translation"}
SPEAKING = {
    "addresses.py",
    "parameters.py",
    "sentences.py",
}  # what they say is read by people, in their languages


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            if name in WORDS and module.name in SPEAKING:
                continue
            top = name.partition(".")[0]
            assert name.startswith("conversations.providers") or top in sys.stdlib_module_names | ALLOWED, (
                name
            )


@pytest.mark.parametrize("wire", ALL_WIRES)
def test_wires_offer_the_same(wire: WireName) -> None:
    module = WIRES[wire]
    for name, function in inspect.getmembers(Wire, inspect.isfunction):
        if not name.startswith("_"):
            wanted = [each for each in inspect.signature(function).parameters if each != "self"]
            assert list(inspect.signature(getattr(module, name)).parameters) == wanted

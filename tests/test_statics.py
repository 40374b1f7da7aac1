"""Scripts import one another under names that tell what is in them: a new release meets no copy of an old one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from django.test import override_settings

from chatsite.statics import Statics
from tests.servers import ROOT


@override_settings(DEBUG=False)
def test_imports_name_what_they_import(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "static" / "js", tmp_path / "js")
    storage = Statics(location=tmp_path, base_url="/static/")
    files = {f"js/{file.name}": (storage, f"js/{file.name}") for file in (tmp_path / "js").iterdir()}
    for _ in storage.post_process(files):
        pass
    made = {name: storage.stored_name(name) for name in files}
    imports = 0
    for name in files:
        script = (tmp_path / made[name]).read_text()
        for imported in re.findall(r"""\bfrom ["']([^"']+)""", script):
            imports += 1
            assert re.fullmatch(r"\./[a-z]+\.[0-9a-f]{12}\.js", imported), f"{imported} in {name}"
            assert (tmp_path / "js" / imported).exists()
    assert imports > 5

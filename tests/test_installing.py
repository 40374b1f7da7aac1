"""What a device keeps of the site: a manifest, a worker that steps in where no page comes, and its offline page."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import struct

import pytest
from django.conf import settings as site
from django.contrib.staticfiles import finders
from django.test import Client

from conversations.views import installing
from tests.conftest import Cast

pytestmark = pytest.mark.django_db

ADDRESSES = ("/manifest.webmanifest", "/worker.js", "/offline/")


def test_it_is_the_same_for_everybody(cast: Cast) -> None:
    client = Client()
    strangers = [client.get(address) for address in ADDRESSES]
    client.force_login(cast.member)
    for address, stranger in zip(ADDRESSES, strangers, strict=True):
        response = client.get(address)
        assert response.content == stranger.content
        assert not response.cookies
        assert "Vary" not in response.headers or "Cookie" not in response.headers["Vary"]


def test_the_manifest_names_the_site_and_icons_that_are_there() -> None:
    response = Client().get("/manifest.webmanifest", headers={"host": "localhost:8000"})
    assert response.headers["Content-Type"] == "application/manifest+json"
    manifest = json.loads(response.content)
    assert manifest["name"] == "Chat at localhost"
    assert manifest["start_url"] == manifest["scope"] == "/"
    assert {(each["sizes"], each["purpose"]) for each in manifest["icons"]} == {
        ("192x192", "any"),
        ("512x512", "any"),
        ("512x512", "maskable"),
    }
    for each in manifest["icons"]:
        path = finders.find(each["src"].removeprefix(site.STATIC_URL))
        assert isinstance(path, str)
        with open(path, "rb") as file:  # noqa: PTH123
            head = file.read(24)
        assert head[:8] == b"\x89PNG\r\n\x1a\n"
        assert "{}x{}".format(*struct.unpack(">II", head[16:24])) == each["sizes"]


def test_the_offline_page_needs_nothing_else_and_lets_in_what_it_holds() -> None:
    response = Client().get("/offline/")
    page, policy = response.content.decode(), response.headers["Content-Security-Policy"]
    assert not re.search(r'(src|href)="(?!data:,")', page)
    for kind in ("script", "style"):
        (held,) = re.findall(rf"<{kind}>(.*?)</{kind}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(held.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert "nonce" not in policy
    assert "default-src 'none'" in policy


def test_the_worker_comes_from_us_alone_and_is_asked_for_anew(client: Client) -> None:
    response = client.get("/worker.js")
    assert response.headers["Content-Type"].startswith("text/javascript")
    assert "no-cache" in response.headers["Cache-Control"]
    program = response.content.decode()
    assert program.startswith('const OFFLINE = "/offline/";\nconst VERSION = "')
    policy = client.get("/accounts/login/").headers["Content-Security-Policy"]
    assert "worker-src 'self'" in policy
    assert "manifest-src 'self'" in policy


def test_the_offline_page_is_in_the_language_that_its_address_names() -> None:
    own = Client().get("/offline/")
    assert '<html lang="en">' in own.content.decode()
    assert Client().get("/offline/?language=xx").content == own.content
    german = Client().get("/offline/?language=de")
    assert '<html lang="de">' in german.content.decode()
    assert german.headers["Content-Language"] == "de"
    assert installing._program("de").startswith('const OFFLINE = "/offline/?language=de";\n')

"""The palette's list, and the start page that it leads to."""

from __future__ import annotations

import re

from django.test import Client

from tests.answers import ended
from tests.conftest import Cast


def names(client: Client, typed: str = "") -> list[str]:
    html = client.get("/palette/", {"q": typed}).content.decode()
    return [re.sub(r"<[^>]+>|\s+", " ", each).strip() for each in re.findall(r"<li>(.*?)</li>", html, re.S)]


def test_letters_find_what_begins_with_them(cast: Cast, client: Client) -> None:
    ended(cast, question="a chat about bottles")
    client.force_login(cast.member)
    everything = names(client)
    assert {"New chat", "Your account", "Download my data", "a chat about bottles"} <= set(everything)
    assert "Administration" not in everything
    assert names(client, "acc yo") == ["Your account"]
    assert names(client, "no such thing") == []
    client.force_login(cast.manager)
    assert names(client, "adm") == ["Administration"]


def test_a_persona_is_chosen_by_its_address(cast: Cast, client: Client) -> None:
    client.force_login(cast.member)
    html = client.get("/palette/", {"q": "historian"}).content.decode()
    found = re.search(r'href="(/\?persona=([0-9a-f-]+))"', html)
    assert found
    page = client.get(found[1]).content.decode()
    (chosen,) = [
        each for each in re.findall(r"<input[^>]*name=\"persona\"[^>]*>", page, re.S) if "checked" in each
    ]
    assert f'value="{found[2]}"' in chosen
    for wrong in ("", "x", "00000000-0000-0000-0000-000000000000"):
        assert client.get("/", {"persona": wrong}).status_code == 200

"""Files to bring in, made the way others make them, and brought in the way a page does it."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from conversations import importing
from conversations.models import Import, Persona

Turn = tuple[str, str, str | None, str]  # id, role, id of what it follows, text


def node(name: str, role: str, above: str | None, text: str, at: float | None = 1.7e9, **about: Any) -> Any:
    """A node of ChatGPT's tree."""
    return {
        "id": name,
        "parent": above,
        "children": [],
        "message": {
            "id": name,
            "author": {"role": role, "name": None, "metadata": {}},
            "create_time": at,
            "content": about.pop("content", {"content_type": "text", "parts": [text]}),
            "status": "finished_successfully",
            "recipient": about.pop("recipient", "all"),
            "metadata": {"model_slug": "gpt-4o", **about} if role == "assistant" else about,
        },
    }


def conversation(
    *turns: Turn, title: Any = "From elsewhere", name: str = "c-1", current: str | None = None, **more: Any
) -> dict[str, Any]:
    """A conversation of ChatGPT's, below the two nodes that it has above every one."""
    first = {
        turn[0]: node(turn[0], turn[1], turn[2] or "sys", turn[3], 1.7e9 + at)
        for at, turn in enumerate(turns)
    }
    return {
        "title": title,
        "create_time": 1_700_000_000.25,
        "update_time": 1_700_000_100.5,
        "mapping": {
            "root": {"id": "root", "message": None, "parent": None, "children": ["sys"]},
            "sys": node("sys", "system", "root", "You are a secret prompt", None),
            **first,
        },
        "current_node": current or (turns[-1][0] if turns else "root"),
        "conversation_id": name,
        "is_archived": False,
        **more,
    }


def question_and_answer(number: int = 0, words: str = "") -> dict[str, Any]:
    """One of many."""
    return conversation(
        ("q", "user", None, f"zqasked{number} {words}"),
        ("a", "assistant", "q", f"zqanswered{number} {words}"),
        title=f"Number {number}",
        name=f"c-{number}",
    )


def chatgpt(*conversations: Any) -> bytes:
    return json.dumps(list(conversations)).encode()


def zipped(**files: bytes) -> bytes:
    """A zip of files, whose names have a dot for an underscore."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("_", "."), data)
    return packed.getvalue()


def send(person: User, persona: Persona, data: bytes, *, name: str = "conversations.json") -> Import:
    """Send a file as the page does."""
    client = Client(headers={"HX-Request": "true"})
    client.force_login(person)
    begun = client.post(reverse("import"), {"persona": persona.pk, "name": name, "size": len(data)})
    assert begun.status_code == 200, begun.content.decode()
    for at in range(0, len(data), importing.PIECE):
        piece = data[at : at + importing.PIECE]
        sent = client.post(
            reverse("import_piece", args=[at // importing.PIECE]),
            piece,
            content_type="application/octet-stream",
        )
        assert sent.status_code == 200, sent.content.decode()
    return Import.objects.filter(person=person).latest("pk")


def read(file: Import) -> Import:
    """Read a file to its end, and index what came out of it."""
    for _ in range(10_000):
        if not importing.work():
            break
    file.refresh_from_db()
    return file


def brought_in(person: User, persona: Persona, data: bytes, **more: Any) -> Import:
    return read(send(person, persona, data, **more))


def fresh() -> str:
    return uuid.uuid4().hex

"""How a message reads before it is sent: by the one renderer, within limits, and keeping nothing."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from conversations.models import Message
from conversations.posting import MAX_MESSAGE_BYTES
from conversations.rendering import markdown
from conversations.views import preview
from tests.conftest import Cast

HTMX = {"HX-Request": "true"}


@pytest.fixture
def member(cast: Cast) -> Client:
    preview._looked.clear()
    client = Client(headers=HTMX)
    client.force_login(cast.member)
    return client


def shown(client: Client, text: str) -> str:
    reply = client.post(reverse("preview"), {"text": text})
    assert reply.status_code == 200
    return reply.content.decode()


def test_it_is_rendered_as_an_answer_is(member: Client) -> None:
    page = shown(member, "**bold** and `code`\n\n- one\n- two")
    assert "<strong>bold</strong> and <code>code</code>" in page
    assert page.count("<li>") == 2
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "[x](javascript:alert(1))", "<img src=x onerror=y>"]
)
def test_it_is_sanitised(member: Client, text: str) -> None:
    page = shown(member, text)
    assert str(markdown.read_only(text)) in page
    assert "<script" not in page
    assert "javascript:" not in page
    assert "<img" not in page


@pytest.mark.parametrize(("text", "status"), [("", 400), (" \n", 400), ("x" * (MAX_MESSAGE_BYTES + 1), 413)])
def test_what_could_not_be_sent_is_refused_alike(member: Client, text: str, status: int) -> None:
    reply = member.post(reverse("preview"), {"text": text})
    assert reply.status_code == status
    assert "composer-error" in reply.content.decode()


def test_nobody_looks_without_end(member: Client, cast: Cast) -> None:
    for _ in range(preview.MOST):
        shown(member, "x")
    reply = member.post(reverse("preview"), {"text": "x"})
    assert reply.status_code == 429
    assert reply.headers["Retry-After"] == "10"
    other = Client(headers=HTMX)
    other.force_login(cast.member2)
    shown(other, "x")


def test_it_is_for_who_is_signed_in(cast: Cast) -> None:
    assert Client(headers=HTMX).post(reverse("preview"), {"text": "x"}).status_code == 401

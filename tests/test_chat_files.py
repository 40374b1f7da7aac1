"""A person's own chats as files: what stands in them, what does not, and that a page of them calls nobody."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import tracemalloc
import uuid
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from conversations import posting
from conversations.exports.chats import BROKEN, FORMS, ChatsExport
from conversations.exports.streaming import PIECE
from conversations.models import Conversation, Membership, Message
from tests.answers import ended, ended_in
from tests.conftest import Cast
from tests.exporting import received
from tests.rendering.corpus import HOSTILE

PROMPT = "You are an assistant for the company"
KINDS = ("markdown", "html")


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def one(chat: Conversation, form: str) -> str:
    return received(client_of(chat.owner).get(reverse("one_chat", args=[chat.pk, form]))).decode()


def everything(person: User, form: str) -> str:
    return received(client_of(person).get(reverse("all_chats", args=[form]))).decode()


def branched(cast: Cast) -> Conversation:
    """Two turns, the second of which was asked anew in other words."""
    first = ended(cast, "The **first** answer.", question="What is <b>it</b>?")
    second = ended_in(first.conversation, "The second answer.", question="And before?")
    assert second.answer.parent is not None
    again = posting.edit(cast.member, second.answer.parent, "And after?", client_id=uuid.uuid4())
    Message.objects.filter(pk=again.answer.pk).update(text="The third answer.")
    again.generation.status, again.generation.sentence = "stopped", "You stopped this answer."
    again.generation.finished_at = again.generation.created_at
    again.generation.save()
    return Conversation.objects.get(pk=first.conversation.pk)


def test_markdown_has_the_branch_that_is_shown(live_cast: Cast) -> None:
    text = one(branched(live_cast), "markdown")
    assert re.sub(r"\d+ \w+ \d{4}, \d\d:\d\d( UTC)?", "THEN", text) == (
        "# What is <b>it</b>?\n\nCoca Cola guide, Coca Cola. Begun THEN.\n"
        "\n## You\n\n*THEN*\n\nWhat is <b>it</b>?\n"
        "\n## Coca Cola guide, version 1\n\n*THEN*\n\nThe **first** answer.\n"
        "\n## You\n\n*THEN, alternative 2 of 2*\n\nAnd after?\n"
        "\n## Coca Cola guide, version 1\n\n*THEN*\n\nThe third answer.\n\n*You stopped this answer.*\n"
        "\n---\n\nTaken on THEN. Where a message has alternatives, they are in the JSON export.\n"
    )


def test_the_web_page_says_the_same(live_cast: Cast) -> None:
    page = one(branched(live_cast), "html")
    assert "The <strong>first</strong> answer." in page
    assert "What is &lt;b&gt;it&lt;/b&gt;?" in page
    assert "alternative 2 of 2" in page
    assert "You stopped this answer." in page
    assert "The second answer." not in page
    assert page.endswith("</main>\n</body>\n</html>\n")


def test_json_is_the_family_of_the_person_s_data_with_every_branch(live_cast: Cast) -> None:
    chat = branched(live_cast)
    ended(live_cast, "Of another chat")
    found = [json.loads(line) for line in one(chat, "json").splitlines()]
    assert [line["kind"] for line in found] == ["export", "conversation", *["message"] * 6, "end"]
    assert (found[0]["format"], found[0]["conversation"]) == ("person/1", str(chat.pk))
    assert found[1]["head"] == str(chat.head_id)
    assert {line["id"] for line in found[2:-1]} == {str(each.pk) for each in chat.messages.all()}


class Calls(HTMLParser):
    """Whatever on a page could make a browser ask for something, or run."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "link", "img", "iframe", "object", "embed", "form", "base", "svg", "button"}:
            self.found.append(tag)
        self.found += [name for name, _ in attrs if name.startswith(("on", "hx-", "src", "style", "data-"))]


def test_a_page_of_hostile_words_calls_nobody(live_cast: Cast) -> None:
    for text in HOSTILE:
        ended(live_cast, text.encode("utf-8", "replace").decode().replace("\0", ""), question="Say it")
    Conversation.objects.update(title="</title><script>alert(1)</script>")
    page = everything(live_cast.member, "html")
    assert Calls(page).found == []
    assert page.count("<style>") == 1
    style = page.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in page
    assert "url(" not in style
    assert "@import" not in style


@pytest.mark.parametrize("form", KINDS)
def test_all_of_one_s_own_and_nothing_else(live_cast: Cast, form: str) -> None:
    ended(live_cast, "zzmine")
    ended(live_cast, "zzmine too", persona=live_cast.historian)
    ended(live_cast, "zzothers", question="zzothers", by=live_cast.member2)
    text = everything(live_cast.member, form)
    assert text.index("zzmine") < text.index("zzmine too")
    assert "zzothers" not in text
    assert PROMPT not in text
    Membership.objects.filter(user=live_cast.member).delete()
    assert "zzmine" not in everything(live_cast.member, form)


@pytest.mark.parametrize("form", KINDS)
def test_an_account_that_is_closed_gets_no_more(live_cast: Cast, form: str) -> None:
    ended(live_cast, "zzmine")
    response = client_of(live_cast.member).get(reverse("all_chats", args=[form]))
    User.objects.filter(pk=live_cast.member.pk).update(is_active=False)
    text = received(response).decode()
    assert BROKEN in text
    assert "zzmine" not in text


def test_a_form_that_nobody_knows_is_nothing(live_cast: Cast) -> None:
    chat = ended(live_cast).conversation
    client = client_of(live_cast.member)
    assert client.get(reverse("one_chat", args=[chat.pk, "pdf"])).status_code == 404
    assert client.get(reverse("all_chats", args=["json"])).status_code == 404


def test_a_trial_is_no_chat(live_cast: Cast) -> None:
    trial = ended(live_cast, by=live_cast.manager).conversation
    Conversation.objects.filter(pk=trial.pk).update(trial=live_cast.guide.current_id)
    client = client_of(live_cast.manager)
    assert client.get(reverse("one_chat", args=[trial.pk, "markdown"])).status_code == 404


def test_the_name_of_the_file_is_the_chat_s(live_cast: Cast) -> None:
    chat = ended(live_cast, question='Crème "brûlée"\r\n; für zwei?').conversation
    response = client_of(live_cast.member).get(reverse("one_chat", args=[chat.pk, "markdown"]))
    said = response.headers["Content-Disposition"]
    assert said.startswith("attachment; filename*=utf-8''cr%C3%A8me-br%C3%BBl%C3%A9e")
    assert received(response)


@pytest.mark.parametrize("form", KINDS)
def test_memory_is_bounded(live_cast: Cast, form: str) -> None:
    chat = ended(live_cast, "x" * 50_000).conversation
    made, above = ended_in(chat).generation, chat.head
    assert above
    for _ in range(300):
        place = {"strand": above.strand, "depth": above.depth + 1}
        above = Message(conversation=chat, parent=above, role="user", text="y" * 50_000, **place)
        above.save()
    Conversation.objects.filter(pk=chat.pk).update(head=above)
    assert made
    export = ChatsExport(live_cast.member, FORMS[form])
    sent = largest = 0
    export._more()
    tracemalloc.start()
    while piece := export._more():
        sent += len(piece)
        largest = max(largest, len(piece))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sent > 14_000_000
    assert largest < PIECE + 120_000
    assert peak < 6_000_000

"""Hostile words in everything that people and providers can write, on every page: nothing acts, nothing spills over.

Each page is read as a browser reads it. What was written may stand in texts and in the values of fields, never as an
element, never in an attribute that does something, and what reorders letters never beyond its own line.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations import attaching, feedback, filing, keys, personas, sharing
from conversations.accounts import links
from conversations.exports.making import make
from conversations.finding import Filters
from conversations.models import (
    AnswerLabel,
    AnswerRecord,
    Attachment,
    Budget,
    Company,
    Conversation,
    Endpoint,
    Erasure,
    Export,
    Feedback,
    Generation,
    Grade,
    Hold,
    Import,
    Imported,
    Invitation,
    Judgement,
    Label,
    Message,
    Note,
    Persona,
    PersonaVersion,
    Price,
    QueueEntry,
    Reading,
    Review,
    Rubric,
    Rule,
)
from tests.answers import ended, ended_in
from tests.conftest import Cast
from tests.exporting import data_url, received, sitting_of
from tests.servers import ROOT
from tests.test_access import sign_in
from tests.test_access_admin import LISTS, ROWS, below, rows, sit
from tests.test_company_sign_in import kept

OVERRIDE = "\u202e"
# Every way to be an element, an attribute or an address, marked so that what acts can be told from what is shown.
LONG = (
    "'\"><zqtag zqattr=1 onclick=zqfire() hx-get=/zq hx-swap-oob=true id=zqid name=zqid class=zqid style=zq:1>"
    "<script>zqfire()</script><img src=/zq.png onerror=zqfire()></textarea></title></template><base href=//zq.example>"
    "[a](javascript:zqfire()) ${zq} {{zq}} {%zq%} \r\nX-Zq: 1\r\n\r\n"
    f"\x1b[31m z\u0301\u0301\u0301 \u200b {OVERRIDE}\u2067\u202b"
)
SHORT = f"<zqtag zqattr hx-get=/zq>{OVERRIDE}'\""  # where a column is short
FILE = "../../zq\r\nX-Zq: 1"

# Where what somebody wrote may stand besides in texts.
VALUES = {
    *("value", "title", "aria-label", "placeholder", "alt", "label", "content"),
    *("data-starter", "data-name", "data-label", "data-confirm", "data-source", "data-title"),
}
VOID = {"br", "hr", "img", "input", "meta", "link", "base", "path", "use", "area", "col", "source", "wbr"}
RUNNING = {
    "a",
    "abbr",
    "b",
    "code",
    "em",
    "i",
    "label",
    "small",
    "span",
    "strong",
    "sup",
    "mark",
    "time",
    "u",
    "del",
}
CHANCE = {"nonce", "hx-headers"}  # made of letters drawn by lot, and of nothing that anybody wrote
# What keeps the order of letters within: by itself, or by the style sheet of every browser.
ISOLATES = {"bdi", "textarea", "option", "title", "button", "select", "summary", "svg", "template"}
STAFF_ISOLATES = {"a", "strong", "span"}  # by `static/css/admin.css`
# One text of Django's or of a row's own name, which turns round itself alone: it stands for itself in its line.
OF_ITSELF = re.compile(r"""['"]+ at $|['"]+@example\.com|'?"' would require deleting|&#x27;&quot;$""")
REORDERS = re.compile("[\u202a-\u202e\u2066-\u2069]")


@dataclass(eq=False)
class Node:
    """An element, or (without a tag) the page; `staff` is whether it is one of the administration."""

    tag: str
    attributes: dict[str, str]
    parent: Node | None = None
    inside: list[Node | str] = field(default_factory=list)

    def keeps_order(self, staff: bool) -> bool:
        """Whether what stands inside cannot reorder what stands behind it."""
        if self.tag in ISOLATES or "dir" in self.attributes or self.tag not in RUNNING:
            return True
        return staff and self.tag in STAFF_ISOLATES

    def walk(self) -> Iterator[Node]:
        yield self
        for each in self.inside:
            if isinstance(each, Node):
                yield from each.walk()

    def line(self, staff: bool) -> str:
        """The text that stands in one line with the direct text of this element."""
        return "".join(
            each if isinstance(each, str) else "" if each.keeps_order(staff) else each.line(staff)
            for each in self.inside
        )


class Reader(HTMLParser):
    """A page as a tree, forgiving as browsers are."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self.here = Node("", {})
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs}, self.here)
        self.here.inside.append(node)
        if tag not in VOID:
            self.here = node

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.here.inside.append(Node(tag, {name: value or "" for name, value in attrs}, self.here))

    def handle_endtag(self, tag: str) -> None:
        here: Node | None = self.here
        while here is not None and here.tag != tag:
            here = here.parent
        if here is not None and here.parent is not None:
            self.here = here.parent

    def handle_data(self, data: str) -> None:
        self.here.inside.append(data)


def problems(page: str, staff: bool) -> Iterator[str]:
    """What acts on a page that was written by others, and what spills over."""
    for node in Reader(page).root.walk():
        if node.tag.startswith("zq"):
            yield f"<{node.tag}> is an element"
        for name, value in node.attributes.items():
            if "zq" in name:
                yield f"{name} is an attribute of <{node.tag}>"
            if "zq" in value and name not in VALUES | CHANCE and not is_search(node, name, value):
                yield f"{name}={value[:60]!r} on <{node.tag}>"
        if node.tag in {"script", "style"} and "zq" in node.line(staff):
            yield f"text in <{node.tag}>"
        if node.tag not in {"template", "textarea", "title", "option", "script"}:
            yield from spilling(node, staff)


def is_search(node: Node, name: str, value: str) -> bool:
    """Whether an attribute is an address that carries what was searched for, encoded."""
    return name in {"href", "action", "hx-get"} and value.startswith(("/", "?")) and "<" not in value


def spilling(node: Node, staff: bool) -> Iterator[str]:
    """Lines that hold what reorders letters before other words."""
    for each in node.inside:
        if isinstance(each, str) and REORDERS.search(each):
            holder = node
            while not holder.keeps_order(staff) and holder.parent is not None:
                holder = holder.parent
            line = holder.line(staff)
            behind = REORDERS.split(line[line.index(each) :], 1)[1].replace(SHORT, "").replace(LONG, "")
            if any(letter.isalnum() for letter in behind) and not OF_ITSELF.match(behind):
                yield f"letters spill over {behind.strip()[:50]!r} in <{holder.tag}>, from <{node.tag}>"


def poison(cast: Cast) -> Conversation:
    """Write hostile words wherever words can be written; the person's conversation of Coca Cola."""
    turn = ended(
        cast,
        LONG,
        question=LONG,
        sentence=LONG,
        request_id=SHORT,
        model=SHORT,
        finish_reason=SHORT[:20],
        error_kind=SHORT[:20],
        reasoning=LONG,
        status=Generation.Status.FAILED,
    )
    note = {"name": SHORT[:100], "first": 1, "last": 2, "text": LONG, "places": [[0, 900]]}
    last = ended_in(turn.conversation, LONG, question=LONG, citations=[note])
    assert last.answer.parent is not None
    file = attaching.made(SHORT[: attaching.NAME_CHARS], LONG)
    Attachment.objects.bulk_create(attaching.rows(last.answer.parent, [file]))
    feedback.rate(cast.member, turn.answer, good=False, reasons=["wrong"], comment=LONG)
    feedback.flag(cast.member, turn.answer)
    Rule.objects.create(company=cast.coca_cola, kind=Rule.Kind.WORDS, value="zqfire")
    filing.file_ended()
    record = AnswerRecord.objects.get(message=turn.answer)
    rubric = Rubric.objects.create(company=cast.coca_cola, name=SHORT, in_use=True)
    grade = Grade.objects.create(rubric=rubric, position=1, name=SHORT, meaning=SHORT)
    label = Label.objects.create(company=cast.coca_cola, name=SHORT)
    AnswerLabel.objects.create(label=label, record=record)
    Note.objects.create(conversation=turn.conversation, author=cast.reviewer, text=LONG)
    entry = QueueEntry.objects.get(company=cast.coca_cola)
    review = Review.objects.create(entry=entry, seat="first", reviewer=cast.reviewer)
    Judgement.objects.create(review=review, record=record, grade=grade, correction=LONG, reply=LONG)
    Feedback.objects.update(reply=LONG, seen_at=record.ended_at)
    make(sitting_of(cast), Export.Kind.CSV, Filters())
    Export.objects.update(reason=LONG[:300], by_name=SHORT)
    Reading.objects.create(
        company=cast.coca_cola,
        reader_id=cast.reviewer.pk,
        reader_name=SHORT,
        owner_id=cast.member.pk,
        owner_name=SHORT,
        conversation_id=turn.conversation.pk,
        what=Reading.What.PAGE,
        reason=LONG[:300],
        sitting=uuid.UUID(int=9),
    )
    brought = Message.objects.filter(conversation=turn.conversation).latest("depth").reply(LONG)
    brought.role = Message.Role.ASSISTANT
    brought.save(force_insert=True)
    Imported.objects.create(message=brought, origin=SHORT, sentence=LONG)
    Conversation.objects.filter(pk=turn.conversation.pk).update(head=brought)
    Import.objects.create(
        person=cast.member, persona=cast.guide, name=SHORT, size=1, status="done", sentence=LONG, bad=1,
        problems=[{"title": LONG[:120], "why": LONG}], changed_at=timezone.now(),
    )  # fmt: skip
    sharing.share(turn.conversation, days=7)
    Company.objects.filter(pk=cast.coca_cola.pk).update(name=SHORT)
    words = {"tagline": SHORT, "greeting": LONG, "starters": [LONG, SHORT], "avatar": "<\u202e"}
    Persona.objects.filter(pk=cast.guide.pk).update(name=SHORT, **words)
    told = PersonaVersion(
        system_prompt=LONG, endpoint=Endpoint.objects.get(wire="mistral"), model=SHORT, stop=[SHORT]
    )
    cast.guide.refresh_from_db()
    personas.publish(cast.guide, told, by=cast.manager)
    Endpoint.objects.filter(wire="mistral").update(name=SHORT)
    Price.objects.create(endpoint=told.endpoint, model=SHORT, prompt=Decimal(1), completion=Decimal(2))
    for company, person in ((cast.coca_cola, cast.member), (cast.globex, cast.outsider)):
        _poison_company(company, person, cast)
    for person in (cast.member, cast.reviewer, cast.manager):
        User.objects.filter(pk=person.pk).update(
            username=f"{person.pk}{SHORT}", first_name=SHORT, last_name=SHORT, email=f"{SHORT}@example.com"
        )
    Conversation.objects.update(title=LONG[:120])
    LogEntry.objects.create(
        user=cast.manager,
        content_type=ContentType.objects.get_for_model(Persona),
        object_id=str(cast.guide.pk),
        object_repr=SHORT,
        action_flag=CHANGE,
        change_message=LONG,
    )
    return turn.conversation


def _poison_company(company: Company, person: User, cast: Cast) -> None:
    """What hangs on a company, whether it has a conversation or not."""
    endpoint = Endpoint.objects.create(
        company=company, name=SHORT, wire="openai", base_url="https://x.example.com"
    )
    keys.put(endpoint, company, "key-that-is-none-0123456789", by=cast.admin)
    links.invite(Invitation(company=company, note=SHORT), cast.admin, days=7)
    kept(
        SHORT,
        company=company,
        issuer="https://x.example.com",
        client_id=SHORT,
        role_claim=SHORT,
        member_values=LONG,
    )
    Hold.objects.create(company=company, person=person, reason=SHORT, placed_by=cast.admin)
    Erasure.objects.create(
        company=company, person=person, asked_by=cast.admin, gone={SHORT: 1}, stage="done",
        fingerprint="x", finished_at=timezone.now(),
    )  # fmt: skip
    Budget.objects.create(
        company=company, person=person, unit="tokens", period="day", began="2026-01-01", hard=9
    )
    if company == cast.globex:
        Rule.objects.create(company=company, kind=Rule.Kind.WORDS, value="zq")
        Label.objects.create(company=company, name=SHORT)


def pages(cast: Cast, conversation: Conversation) -> Iterator[tuple[str, str]]:
    """Every page with somebody who may see it."""
    question = conversation.messages.filter(role="user").first()
    assert question is not None
    for address in (
        "/",
        "/chats/",
        "/chats/?q=zqtag",
        reverse("conversation", args=[conversation.pk]),
        reverse("edit", args=[conversation.pk, question.pk]),
        reverse("attachment", args=[conversation.pk, Attachment.objects.get().pk]),
        reverse("password_change"),
        reverse("chat_files"),
        reverse("share", args=[conversation.pk]),
        reverse("shared", args=[sharing.share(conversation, days=7)]),
    ):
        yield "member", address
    for who in ("admin", "manager", "reviewer"):
        for name in LISTS:
            if name not in {"logout", "login"}:
                yield who, reverse(f"admin:{name}")
        for name in ROWS:
            own = rows(cast, name)[0]
            yield who, reverse(f"admin:{name}", args=[own, *below(cast, name, own)])
        yield who, reverse("admin:review_answers", args=[cast.coca_cola.pk]) + "?text=zqtag"


@pytest.mark.parametrize("who", ["member", "admin", "manager", "reviewer"])
def test_nothing_that_was_written_acts_on_a_page(live_cast: Cast, who: str) -> None:
    conversation = poison(live_cast)
    client = Client()
    sign_in(client, live_cast, who)
    if who != "member":
        sit(client, live_cast)
    wrong, seen = [], 0
    for person, address in pages(live_cast, conversation):
        if person != who:
            continue
        response = client.get(address)
        assert "X-Zq" not in response.headers
        if response.streaming or "html" not in response.headers.get("Content-Type", ""):
            continue
        page = response.content.decode()
        seen += "zq" in page
        wrong += [
            f"{problem} at {address}"
            for problem in dict.fromkeys(problems(page, address.startswith("/admin/")))
        ]
    assert seen > 3
    assert not wrong, "\n".join(wrong)


def test_the_style_sheet_keeps_names_to_themselves() -> None:
    """What `STAFF_ISOLATES` takes for granted; a browser is asked in `tests/e2e/test_hostile.py`."""
    rule = re.search(
        r":where\(([^)]*)\) \{\s*unicode-bidi: isolate;", (ROOT / "static/css/admin.css").read_text()
    )
    assert rule is not None
    assert {each.strip() for each in rule[1].split(",")} == STAFF_ISOLATES


@pytest.mark.parametrize("kind", Export.Kind)
def test_exports_are_inert_files(live_cast: Cast, kind: Export.Kind) -> None:
    poison(live_cast)
    Company.objects.filter(pk=live_cast.coca_cola.pk).update(name=FILE)
    live_cast.coca_cola.refresh_from_db()
    export = make(sitting_of(live_cast), kind, Filters())
    client = Client()
    client.force_login(live_cast.manager)
    sit(client, live_cast)
    for what in ("review_export", "review_export_manifest"):
        response = client.get(data_url(export, what))
        assert re.fullmatch(r'attachment; filename="[\w.-]+"', response.headers["Content-Disposition"])
        assert response.headers["Content-Type"].split(";")[0] in {
            "text/csv",
            "application/json",
            "application/jsonl",
        }
        assert "X-Zq" not in response.headers
        data = (received(response) if response.streaming else response.content).decode()
        if "csv" in response.headers["Content-Type"]:
            cells = [cell for row in csv.reader(io.StringIO(data)) for cell in row]
            assert any("zqfire" in cell for cell in cells)
            assert not [cell for cell in cells if cell[:1] in tuple("=+-@\t\r") and not _number(cell)]
            assert "\x00" not in data
        else:
            for line in data.splitlines() if "jsonl" in response.headers["Content-Type"] else [data]:
                json.loads(line)


def _number(cell: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", cell) is not None


def test_a_log_line_is_one_line_without_escapes(live_cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    """What a provider calls its requests, and what somebody asks for, stand in logs: on one line, and as letters."""
    caplog.set_level(logging.DEBUG)
    client = Client()
    client.force_login(live_cast.member)
    client.get("/c/%1b[31m%0d%0aINFO%20forged/")
    client.get("/admin/", headers={"X-Forwarded-For": "\x1b[31m", "Host": "evil\x1b[31m.example"})
    client.post("/start/", {"text": LONG, "persona": LONG, "client_id": LONG})
    for record in caplog.records:
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f\x9b]|forged\n", record.getMessage()), record

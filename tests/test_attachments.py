"""Files that go with a question: kept with it, sent with it, shown, found, taken away and removed with it."""

from __future__ import annotations

import json
import uuid
from itertools import pairwise
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.db.models import Q
from django.test import AsyncClient, Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from conversations import attached, attaching, bounds, estimates, filing, posting, recall, removal, thread
from conversations.attaching import File
from conversations.database import in_database
from conversations.generation import store
from conversations.models import (
    Attachment,
    Conversation,
    Generation,
    Message,
    Persona,
    QueueEntry,
    Rule,
)
from conversations.posting import Refused
from conversations.providers import ChatMessage, Document, quoted
from conversations.providers.recorded import RecordedUpstream
from tests.answers import ended, ended_in
from tests.conftest import Cast
from tests.exporting import Kind, export_of, lines_of, received
from tests.importing import brought_in
from tests.test_access import sign_in
from tests.test_generation import ended as end_of
from tests.test_posting import end, reload
from tests.test_reading import sit

HTMX = {"HX-Request": "true"}
NOTES = attaching.made("notes.md", "# Plan\n\nThe zqsecret ingredient is `vanilla`.\n")
TABLE = attaching.made("data.csv", "name,number\none,1\n")


def asked(cast: Cast, *files: File, text: str = "Read this", persona: Persona | None = None) -> posting.Turn:
    """A first question with files, whose answer has ended."""
    turn = posting.start(cast.member, persona or cast.guide, text, client_id=uuid.uuid4(), files=files)
    end(turn)
    return turn


def of(message: Message | None) -> list[tuple[str, str]]:
    assert message is not None
    return [(row.name, row.text) for row in message.attachments.all()]


def client_of(cast: Cast, who: str = "member") -> Client:
    client = Client(headers=HTMX)
    sign_in(client, cast, who)
    return client


BOTH = [(NOTES.name, NOTES.text), (TABLE.name, TABLE.text)]


# -- Kept -------------------------------------------------------------------------------------------


def test_files_are_kept_with_their_question(cast: Cast) -> None:
    turn = asked(cast, NOTES, TABLE)
    question = reload(turn.answer).parent
    assert of(question) == BOTH
    assert question is not None
    assert question.text == "Read this"
    assert [row.media_type for row in question.attachments.all()] == ["text/markdown", "text/csv"]
    assert of(reload(turn.answer)) == []


def test_the_same_request_twice_keeps_them_once(cast: Cast) -> None:
    client_id = uuid.uuid4()
    for _ in range(3):
        posting.start(cast.member, cast.guide, "x", client_id=client_id, files=[NOTES])
    assert Attachment.objects.count() == 1
    with pytest.raises(Refused, match="Something else"):
        posting.start(cast.member, cast.guide, "x", client_id=client_id, files=[TABLE])


def test_words_are_needed_beside_them(cast: Cast) -> None:
    with pytest.raises(Refused, match="what is to be done with what you attached"):
        posting.start(cast.member, cast.guide, " ", client_id=uuid.uuid4(), files=[NOTES])


def test_editing_takes_them_along_and_regenerating_has_the_same(cast: Cast) -> None:
    turn = asked(cast, NOTES, TABLE)
    question = reload(turn.answer).parent
    assert question is not None
    again = posting.regenerate(cast.member, reload(turn.answer), client_id=uuid.uuid4())
    end(again)
    assert again.answer.parent_id == question.pk
    question.conversation = turn.conversation
    edited = posting.edit(cast.member, question, "Other words", client_id=uuid.uuid4())
    assert of(reload(edited.answer).parent) == of(question) == BOTH
    assert Attachment.objects.count() == 4


# -- Sent -------------------------------------------------------------------------------------------


async def test_the_provider_gets_them_behind_the_words(live_cast: Cast, running: RecordedUpstream) -> None:
    client = AsyncClient()
    await client.aforce_login(live_cast.member)
    form = {
        "text": "Read this",
        "persona": str(live_cast.guide.pk),
        "client_id": str(uuid.uuid4()),
        "files": [
            SimpleUploadedFile("notes.md", NOTES.text.encode()),
            SimpleUploadedFile("data.csv", TABLE.text.encode("utf-16")),
        ],
    }
    reply = await client.post("/start/", form, headers=HTMX)
    assert reply.status_code == 200, reply.content
    made = await in_database(Generation.objects.select_related("message", "conversation").get)
    await end_of(posting.Turn(made.conversation, made.message, made))
    (seen,) = running.log.requests
    assert seen.body["messages"][-1]["content"] == (
        "Read this\n\n"
        "Attached file: notes.md\n```\n# Plan\n\nThe zqsecret ingredient is `vanilla`.\n```\n\n"
        "Attached file: data.csv\n```\nname,number\none,1\n```"
    )
    question = await in_database(Message.objects.prefetch_related("attachments").get, role="user")
    assert attached.sent(question) == seen.body["messages"][-1]["content"]


def test_a_fence_is_longer_than_any_in_the_file() -> None:
    file = Document("1", "a.md", "```\ncode\n````\nmore")
    assert quoted(ChatMessage("user", "x", (file,))) == (
        "x\n\nAttached file: a.md\n`````\n```\ncode\n````\nmore\n`````"
    )


def test_they_are_sent_with_later_questions_and_left_out_with_theirs(cast: Cast) -> None:
    large = attaching.made("large.txt", "words " * 10_000)  # some 20,000 tokens of 32,768
    turn = asked(cast, large, text="First")
    for number, (sent, left_out) in enumerate([(3, 0), (3, 2)]):
        files = [large] if number else []
        next_one = posting.post(cast.member, turn.conversation, "More", client_id=uuid.uuid4(), files=files)
        next_one.generation.version.context_length = 32_768
        job = store.claim(next_one.generation, uuid.uuid4())
        assert job is not None
        assert len(job.request.messages) == sent
        assert Generation.objects.get(pk=next_one.generation.pk).left_out == left_out
        assert sum(len(each.documents) for each in job.request.messages) == 1
        Generation.objects.filter(pk=next_one.generation.pk).update(status="pending")
        end(next_one)


def test_what_is_reserved_covers_them(cast: Cast) -> None:
    turn = posting.start(cast.member, cast.guide, "x", client_id=uuid.uuid4())
    end(turn)
    plain = posting.post(cast.member, turn.conversation, "x", client_id=uuid.uuid4())
    end(plain)
    more = attaching.made("more.txt", "ü" * 5_000)
    heavy = posting.post(cast.member, turn.conversation, "x", client_id=uuid.uuid4(), files=[more])
    question = heavy.answer.parent
    assert question is not None
    before, with_files = (bounds.standing(each.generation) for each in (plain, heavy))
    assert before.attached == 0
    assert with_files.attached >= 10_000
    bound = bounds.bound(heavy.generation, question, with_files)
    job = store.claim(heavy.generation, uuid.uuid4())
    assert job is not None
    sent = sum(len(quoted(each).encode()) for each in job.request.messages)
    assert bound.prompt >= sent
    assert job.prompt_estimate >= estimates.estimated_tokens(more.text)


# -- Shown ------------------------------------------------------------------------------------------


def test_the_page_has_names_and_fetches_what_is_unfolded(live_cast: Cast) -> None:
    turn = asked(live_cast, NOTES, attaching.made("<b>.txt", "<script>alert(1)</script>" + "x" * 30_000))
    client = client_of(live_cast)
    page = client.get(reverse("conversation", args=[turn.conversation.pk])).content.decode()
    assert "notes.md" in page
    assert "&lt;b&gt;.txt" in page
    assert "zqsecret" not in page
    assert "alert(1)" not in page
    notes, script = reload(turn.answer).parent.attachments.all()  # type: ignore[union-attr]
    opened = client.get(reverse("attachment", args=[turn.conversation.pk, notes.pk])).content.decode()
    assert "The zqsecret ingredient is `vanilla`." in opened
    assert "only how the file begins" not in opened
    opened = client.get(reverse("attachment", args=[turn.conversation.pk, script.pk])).content.decode()
    assert "&lt;script&gt;alert(1)" in opened
    assert "only how the file begins" in opened
    assert len(opened) < 25_000
    whole = client.get(reverse("attachment_file", args=[turn.conversation.pk, script.pk]))
    assert whole.content.decode() == script.text
    assert whole.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert whole.headers["Content-Disposition"] == 'attachment; filename="<b>.txt"'


def test_a_file_is_reached_through_its_own_chat_only(live_cast: Cast) -> None:
    mine, other = asked(live_cast, NOTES), asked(live_cast, TABLE)
    (file,) = reload(mine.answer).parent.attachments.all()  # type: ignore[union-attr]
    client = client_of(live_cast)
    for name in ("attachment", "attachment_file"):
        assert client.get(reverse(name, args=[mine.conversation.pk, file.pk])).status_code == 200
        assert client.get(reverse(name, args=[other.conversation.pk, file.pk])).status_code == 404


def test_other_tabs_are_given_them_with_the_turn(cast: Cast) -> None:
    turn = posting.start(cast.member, cast.guide, "x", client_id=uuid.uuid4(), files=[NOTES])
    shown = thread.asked(turn).turns
    assert [[file.name for file in each.files] for each in shown] == [["notes.md"], []]
    end(turn)
    assert [file.name for file in thread.turn(turn.conversation, shown[0].id).files] == ["notes.md"]


def test_a_part_reads_no_texts_of_files(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    turn = asked(cast, attaching.made("a.txt", "zqtext"))
    for number in range(3):
        ended_in(turn.conversation)
        with django_assert_num_queries(4) as asked_for:
            thread.thread(turn.conversation)
        assert not any(
            '"conversations_attachment"."text"' in each["sql"] for each in asked_for.captured_queries
        ), number


def test_the_form_to_edit_says_that_they_stay(live_cast: Cast) -> None:
    turn = asked(live_cast, NOTES)
    question = turn.answer.parent
    assert question is not None
    form = client_of(live_cast).get(reverse("edit", args=[turn.conversation.pk, question.pk]))
    assert "What is attached goes with it again." in form.content.decode()


@pytest.mark.parametrize(
    ("name", "data", "status", "said"),
    [
        ("photo.txt", b"\x89PNG\0", 400, "“photo.txt” is not a file of text"),
        ("empty.txt", b"", 400, "“empty.txt” is empty."),
        ("../a\u202etxt.exe", b"\0", 400, "“atxt.exe” is not a file of text"),
        ("<script>.txt", b"\0", 400, "“&lt;script&gt;.txt” is not a file of text"),
        ("big.txt", b"x" * (attaching.MOST_BYTES + 1), 413, "“big.txt” is larger than 1 MB."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(
    live_cast: Cast, name: str, data: bytes, status: int, said: str
) -> None:
    turn = asked(live_cast)
    file = SimpleUploadedFile("x", data)
    file._name = name  # type: ignore[attr-defined]
    form = {"text": "words", "client_id": str(uuid.uuid4()), "files": file}
    reply = client_of(live_cast).post(reverse("send", args=[turn.conversation.pk]), form)
    assert reply.status_code == status
    assert said in reply.content.decode()
    assert "are kept" in reply.content.decode()
    assert Message.objects.count() == 2


def test_more_than_may_go_is_refused_by_its_length(live_cast: Cast, settings: Settings) -> None:
    client = client_of(live_cast)
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + attaching.TOTAL_BYTES
    reply = client.post("/start/", {"files": SimpleUploadedFile("x.txt", b"x" * most)})
    assert reply.status_code == 413
    assert "too large together" in reply.content.decode()
    reply = client.post("/chats/order/", {"files": SimpleUploadedFile("x.txt", b"x" * attaching.TOTAL_BYTES)})
    assert reply.status_code == 413  # no other form takes so much


# -- Found, reviewed, taken away ----------------------------------------------------------------------


def test_a_chat_is_found_by_what_is_attached(cast: Cast) -> None:
    turn = asked(cast, NOTES)
    filing.file_ended()
    (hit,) = recall.found(cast.member, "zqsecret")
    assert hit.message == turn.answer.parent_id
    assert "<mark>zqsecret</mark>" in hit.excerpt
    (hit,) = recall.found(cast.member, '"notes md"')
    assert hit.conversation == turn.conversation


def test_rules_look_through_it(cast: Cast) -> None:
    Rule.objects.create(company=cast.coca_cola, kind=Rule.Kind.WORDS, value="zqsecret")
    asked(cast, NOTES)
    filing.file_ended()
    assert QueueEntry.objects.count() == 1


def test_reviewers_read_it(live_cast: Cast) -> None:
    turn = asked(live_cast, NOTES)
    filing.file_ended()
    client = Client()
    client.force_login(live_cast.reviewer)
    sit(client, live_cast)
    address = reverse("admin:review_conversation", args=[live_cast.coca_cola.pk, turn.conversation.pk])
    page = client.get(address).content.decode()
    assert "The zqsecret ingredient" in page
    assert "notes.md" in page


def test_colleagues_read_it_by_a_link(live_cast: Cast) -> None:
    turn = asked(live_cast, NOTES)
    client = client_of(live_cast)
    made = client.post(reverse("share", args=[turn.conversation.pk]), {"days": 7}).content.decode()
    path = made.split('value="http://testserver')[1].split('"')[0]
    assert "The zqsecret ingredient" in client_of(live_cast, "member2").get(path).content.decode()


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_it_is_in_files_to_be_read(live_cast: Cast, form: str) -> None:
    long = attaching.made("long.txt", "y" * 50_000 + "zqend")
    turn = asked(live_cast, NOTES, long)
    response = client_of(live_cast).get(reverse("one_chat", args=[turn.conversation.pk, form]))
    page = received(response).decode()
    assert "notes.md" in page
    assert "The zqsecret ingredient" in page
    assert "zqend" in page


def person_lines(cast: Cast, chat: Conversation) -> list[dict[str, Any]]:
    response = client_of(cast).get(reverse("one_chat", args=[chat.pk, "json"]))
    return [json.loads(line) for line in received(response).splitlines()]


def test_what_is_taken_away_comes_back(live_cast: Cast) -> None:
    turn = asked(live_cast, NOTES, TABLE)
    lines = person_lines(live_cast, turn.conversation)
    question = next(line for line in lines if line.get("role") == "user")
    assert question["attachments"] == [
        {"name": file.name, "media_type": file.media_type, "text": file.text} for file in (NOTES, TABLE)
    ]
    data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    for times in range(2):  # again, it changes nothing
        file = brought_in(live_cast.member2, live_cast.guide, data)
        assert (file.chats, file.known) == ((0, 1) if times else (1, 0)), file.sentence
    copy = Conversation.objects.get(owner=live_cast.member2)
    assert of(copy.messages.get(role="user")) == BOTH
    (hit,) = recall.found(live_cast.member2, "zqsecret")
    assert hit.conversation == copy


@pytest.mark.parametrize(
    "bad",
    [
        5,
        [5],
        [{"name": "x"}],
        [{"name": "x", "text": 5}],
        [{"name": "a.txt", "text": "x"}] * 9,
        [{"name": "a.txt", "text": "x" * (attaching.MOST_BYTES + 1)}],
    ],
)
def test_bad_files_in_an_import_are_told(live_cast: Cast, bad: Any) -> None:
    lines = person_lines(live_cast, asked(live_cast, NOTES).conversation)
    next(line for line in lines if line.get("role") == "user")["attachments"] = bad
    data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    file = brought_in(live_cast.member2, live_cast.guide, data)
    assert (file.chats, file.bad) == (0, 1)


def test_exports_of_a_company_have_it(live_cast: Cast) -> None:
    asked(live_cast, NOTES)
    filing.file_ended()
    line = json.loads(lines_of(export_of(live_cast, Kind.CONVERSATIONS)))
    assert line["messages"][0]["attachments"][0]["text"] == NOTES.text
    assert lines_of(export_of(live_cast)).endswith(b',"notes.md"\r\n')


# -- Removed ----------------------------------------------------------------------------------------


def test_much_of_it_goes_in_pieces(live_cast: Cast) -> None:
    heavy = [attaching.made(f"{number}.txt", "x" * attaching.MOST_BYTES) for number in range(2)]
    turn = asked(live_cast, *heavy)
    for _ in range(2):
        more = posting.post(live_cast.member, turn.conversation, "x", client_id=uuid.uuid4(), files=heavy)
        end(more)
    filing.file_ended()
    with transaction.atomic():
        removed = removal.remove(removal.batch([turn.conversation.pk]), Q())
    assert removed.rows["attachments"] == 6
    left = [Attachment.objects.count()]
    while removal.work():
        left.append(Attachment.objects.count())
    assert left[-1] == 0
    assert max(before - after for before, after in pairwise(left)) == 2
    assert not Conversation.objects.filter(pk=turn.conversation.pk).exists()


def test_light_ones_go_at_once(cast: Cast) -> None:
    turn = asked(cast, NOTES)
    filing.file_ended()
    with transaction.atomic():
        removal.remove(removal.batch([turn.conversation.pk]), Q())
    assert not Attachment.objects.exists()
    assert not Conversation.objects.exists()
    assert ended(cast).conversation.pk

"""Exports on their way: who may take them, on record before they leave, broken off and resumed to the same bytes."""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse

from conversations import filing, reading
from conversations.exports import delivery, formats
from conversations.finding import Filters
from conversations.models import AnswerRecord, Export, Membership, Message, Reading
from conversations.posting import Refused
from tests.answers import ended, ended_in
from tests.conftest import Cast
from tests.exporting import (
    WHY,
    Kind,
    again,
    data_url,
    export_of,
    judge,
    received,
    signed_in,
)
from tests.tuning_shape import check_examples

ALL = list(Kind)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, layout in formats.FORMATS.items():
        fields = {name: getattr(layout, name) for name in layout.__slots__}
        monkeypatch.setitem(formats.FORMATS, kind, formats.Format(**fields | {"batch": 2}))


@pytest.fixture
def written(live_cast: Cast) -> Cast:
    """Seven conversations, of which some lines are the same: all reviewed, each with a better and a worse answer."""
    for number in range(7):
        turn = ended(live_cast, f"Bad {number % 5}.\nTwo lines.", question=f"{number % 5}?")
        judge(turn, False)
        judge(again(turn, f"Good {number % 5}."))
        ended_in(turn.conversation, "More.")
    filing.file_ended()
    return live_cast


@pytest.fixture
def manager(written: Cast) -> Client:
    return signed_in(written.manager, written.coca_cola)


def whole(client: Client, export: Export, **query: Any) -> bytes:
    return received(client.get(data_url(export), query))


def test_broken_off_and_resumed_it_is_the_same_to_the_byte(written: Cast, manager: Client) -> None:
    for kind in ALL:
        export = export_of(written, kind)
        uninterrupted = whole(manager, export)
        for parts in range(1, 5):
            had = received(manager.get(data_url(export)), parts=parts)
            ends = b"\r\n" if kind == Kind.CSV else b"\n"
            had = had[: len(had) - 3]  # in the midst of a line
            had = had[: had.rindex(ends) + len(ends)] if ends in had else b""
            positions: list[dict[str, Any]]
            if kind in Export.TUNING:
                positions = [{"lines": had.count(b"\n")}] if had else []
            elif kind == Kind.CSV:
                last = had.decode().removesuffix("\r\n").rpartition("\r\n")[2].split(",")
                positions = [{"after": last[0]}, {"after": last[3].strip('"')}] if last[0].isdigit() else []
            else:
                line = json.loads(had.decode().splitlines()[-1]) if had else {}
                positions = [{"after": line["record"]}, {"after": line["ended_at"]}] if had else []
            for position in positions:
                assert had + whole(manager, export, **position) == uninterrupted, position


@pytest.mark.parametrize("kind", [Kind.EXAMPLES, Kind.PAIRS])
def test_what_was_there_once_does_not_come_again_after_a_resume(
    written: Cast, manager: Client, kind: Kind
) -> None:
    export = export_of(written, kind)
    lines = whole(manager, export).splitlines(keepends=True)
    assert len(lines) == 5
    for had in range(1, 6):
        assert whole(manager, export, lines=had) == b"".join(lines[had:])
    records = AnswerRecord.objects.filter(verdict=None, message__text__startswith="Good").order_by("pk")
    for number, record in enumerate(records[:5], start=1):
        assert whole(manager, export, after=record.pk) == b"".join(lines[number:])


def test_a_day_stands_for_its_first_moment_and_a_time_between_answers_for_the_next(
    written: Cast, manager: Client
) -> None:
    export = export_of(written)
    first, *_ = records = list(AnswerRecord.objects.order_by("pk"))
    AnswerRecord.objects.filter(pk=first.pk).update(ended_at=first.ended_at - timedelta(days=2))
    rest = whole(manager, export, after=first.pk)
    day = (first.ended_at - timedelta(days=1)).date().isoformat()
    assert whole(manager, export, after=day) == rest
    between = records[3].ended_at + (records[4].ended_at - records[3].ended_at) / 2
    assert whole(manager, export, after=between.isoformat()) == whole(manager, export, after=records[3].pk)
    assert whole(manager, export, after="2999-01-01") == b""


def test_a_place_that_cannot_be_one_is_refused(written: Cast, manager: Client) -> None:
    address = data_url(export_of(written))
    for query in ["after=soon", "after=0001-01-01", "after=-1", "lines=3", "after=²"]:
        refused = manager.get(f"{address}?{query}")
        assert refused.status_code == 400, query
        assert "Give the record or the time" in refused.content.decode()
    assert not Reading.objects.exists()


@pytest.mark.parametrize("kind", ALL)
def test_each_batch_is_on_record_before_it_leaves(written: Cast, manager: Client, kind: Kind) -> None:
    export = export_of(written, kind)
    response = manager.get(data_url(export))
    assert not Reading.objects.exists()
    received(response, parts=2 if kind == Kind.CSV else 1)
    seen = set(Reading.objects.values_list("conversation_id", flat=True))
    assert 1 <= len(seen) <= 2
    assert {(row.what, row.reason, row.reader_name) for row in Reading.objects.all()} == {
        ("export", WHY, "manager")
    }
    assert Export.objects.get().finished_at is None
    whole(manager, export)
    assert Export.objects.get().finished_at is not None


@pytest.mark.parametrize("kind", ALL)
def test_without_a_record_nothing_leaves(
    written: Cast, manager: Client, kind: Kind, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    export = export_of(written, kind)
    look, looks = reading.look, []

    def fails_at_the_second(*args: Any) -> None:
        looks.append(args)
        if len(looks) > 1:
            raise DatabaseError("disk full")
        look(*args)

    uninterrupted = whole(manager, export)
    monkeypatch.setattr(reading, "look", fails_at_the_second)
    with caplog.at_level(logging.CRITICAL, "conversations"):
        data = whole(manager, export)
    shown = data.removesuffix(delivery.BROKEN.encode())
    assert shown != data
    assert uninterrupted.startswith(shown)
    texts = [text for text in Message.objects.values_list("text", flat=True) if text in shown.decode()]
    read = Message.objects.filter(conversation__in=Reading.objects.values("conversation_id"))
    assert set(texts) <= set(read.values_list("text", flat=True))
    assert len(looks) == 2


def test_what_is_left_out_of_a_resumed_export_is_not_on_record(written: Cast, manager: Client) -> None:
    export = export_of(written, Kind.EXAMPLES)
    whole(manager, export, lines=4)
    assert Reading.objects.count() == 1


def test_a_right_that_is_taken_away_ends_the_stream(written: Cast, manager: Client, caplog: Any) -> None:
    export = export_of(written)
    response = manager.get(data_url(export))
    Membership.objects.filter(user=written.manager).delete()
    with caplog.at_level(logging.CRITICAL, "conversations"):
        data = received(response)
    assert data.decode() == formats.FORMATS[Kind.CSV].head + delivery.BROKEN
    assert not Reading.objects.exists()


def test_names_are_masked_also_for_who_asked_for_them(written: Cast) -> None:
    client = signed_in(written.manager, written.coca_cola)
    export = export_of(written)
    before = whole(client, export)
    conversation = AnswerRecord.objects.values_list("conversation", flat=True)[0]
    client.post(reverse("admin:review_unmask", args=[written.coca_cola.pk, conversation]))
    assert whole(client, export) == before
    assert b'"member"' not in before
    assert b'"Person ' in before


def test_prompts_are_for_managers(written: Cast, manager: Client) -> None:
    reviewer = signed_in(written.reviewer, written.coca_cola)
    prompt = b"You are an assistant for the company"
    listed = reverse("admin:review_exports", args=[written.coca_cola.pk])
    for kind in ALL:
        export = export_of(written, kind)
        data = whole(manager, export)
        assert (prompt in data) is (kind in Export.TUNING)
        asked = reviewer.post(listed, {"kind": kind})
        if kind in Export.TUNING:
            assert asked.status_code == 403
            for what in ("review_export", "review_export_manifest"):
                assert reviewer.get(data_url(export, what)).status_code == 404
        else:
            assert asked.status_code == 302
            assert whole(reviewer, export) == data
            assert prompt not in received(reviewer.get(data_url(export, "review_export_manifest")))
    page = reviewer.get(listed).content
    assert prompt not in page
    assert b"Tuning" not in page
    assert page.count(b"Download</a>") == 4
    assert manager.get(listed).content.count(b"Download</a>") == 6


def test_foreign_and_absent_exports_are_the_same(written: Cast, manager: Client) -> None:
    filing.file_ended()
    theirs = Export.objects.create(
        company=written.globex, kind=Kind.CSV, reason="x", upto=9, answers=0, by_name="x"
    )
    for company in (written.coca_cola, written.globex):
        for pk in (theirs.pk, uuid.uuid4()):
            for name in ("review_export", "review_export_manifest"):
                address = reverse(f"admin:{name}", args=[company.pk, pk])
                assert manager.get(address).status_code == 404


def test_without_a_sitting_nothing_is_read(written: Cast) -> None:
    client = Client()
    client.force_login(written.manager)
    export = export_of(written)
    for name in ("review_export", "review_export_manifest"):
        assert "/sitting/" in client.get(data_url(export, name)).headers["Location"]
    assert not Reading.objects.exists()


def test_making_one_shows_nothing_and_says_what_it_will_be(written: Cast, manager: Client) -> None:
    listed = reverse("admin:review_exports", args=[written.coca_cola.pk])
    assert "Nothing was exported yet" in manager.get(listed).content.decode()
    assert manager.post(listed, {"kind": "everything"}).status_code == 400
    sent = {"kind": "csv", "persona": str(written.guide.pk), "finish": "stop", "since": "2020-01-01"}
    page = manager.post(listed, sent, follow=True).content.decode()
    export = Export.objects.get()
    assert export.filters == {key: value for key, value in sent.items() if key != "kind"}
    assert (export.by, export.by_name, export.reason) == (written.manager, "manager", WHY)
    assert (export.answers, export.upto) == (21, AnswerRecord.objects.latest("pk").pk)
    for words in ("persona: Coca Cola guide", "finish: stop", "Not downloaded whole yet", f"“{WHY}”"):
        assert words in page
    assert not Reading.objects.exists()
    taken = manager.get(listed, {"finish": "stop", "rating": "bad"}).content.decode()
    assert '<input type="hidden" name="finish" value="stop">' in taken
    assert '<option value="bad" selected>' in taken
    assert "Resume" in page


UNREADABLE = {
    "persona": "zz",
    "since": "2026-13-40",
    "rating": "terrible",
    "verdict": "-1",
    "label": "x",
    "version": "two",
    "rule": "²",
}


@pytest.mark.parametrize("kind", ALL)
def test_a_filter_that_cannot_be_read_makes_no_export(written: Cast, manager: Client, kind: Kind) -> None:
    listed = reverse("admin:review_exports", args=[written.coca_cola.pk])
    for name, value in UNREADABLE.items():
        refused = manager.post(listed, {"kind": kind, name: value, "finish": "stop"})
        assert refused.status_code == 400, name
        with pytest.raises(Refused, match="No export was made"):
            export_of(written, kind, Filters.of({name: value}))
    refused = manager.post(listed, {"kind": kind, **UNREADABLE})
    said = "given for Persona, Version, Rating, Verdict, Label, In the queue for, From cannot be read"
    assert said in refused.content.decode()
    assert not Export.objects.exists()


def test_the_form_forgets_no_filter_of_its_address(written: Cast, manager: Client) -> None:
    listed = reverse("admin:review_exports", args=[written.coca_cola.pk])
    page = manager.get(listed, UNREADABLE | {"until": "2026-01-02", "model": "m"}).content.decode()
    assert "given for Persona, Version, Rating, Verdict, Label, In the queue for, From cannot be read" in page
    for name in ("persona", "rating", "verdict", "label"):
        assert f'<option value="{UNREADABLE[name]}" selected>Unknown</option>' in page
    for name, value in {"version": "two", "rule": "²", "model": "m"}.items():
        assert f'<input type="hidden" name="{name}" value="{value}">' in page
    assert '<input type="text" name="since" value="2026-13-40">' in page
    assert '<input type="date" name="until" value="2026-01-02">' in page
    page = manager.get(listed, {"verdict": "987654321"}).content.decode()  # it can be read, and is nobody's
    assert '<option value="987654321" selected>Unknown</option>' in page
    assert "cannot be read" not in page


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("text", ["good", "nowhere to be found"])
def test_what_searches_for_words_is_counted_by_its_delivery(
    written: Cast, manager: Client, kind: Kind, text: str
) -> None:
    listed = reverse("admin:review_exports", args=[written.coca_cola.pk])
    assert (
        "is not told before the export was delivered" in manager.get(listed, {"text": text}).content.decode()
    )
    made = manager.post(listed, {"kind": kind, "text": text}, follow=True).content.decode()
    assert "how many answers fit comes with the delivery" in made
    assert "Told with the delivery" in made
    assert "no answer fits" not in made
    export = Export.objects.get()
    manifest = data_url(export, "review_export_manifest")

    def untold() -> None:
        export.refresh_from_db()
        assert (export.answers, export.rows, export.bytes, export.sha256) == (None, None, None, "")
        found = json.loads(received(manager.get(manifest)))
        assert found["now"] is found["unchanged"] is None
        told = found["first_delivery"] | {"finished_at": None}
        assert told == dict.fromkeys(("finished_at", "lines", "bytes", "sha256"))
        assert "come with its first whole delivery" in found["uncounted"]
        assert "Told with the delivery" in manager.get(listed).content.decode()

    untold()
    assert not Reading.objects.exists()
    if kind not in Export.TUNING:  # nothing is skipped, and nothing delivered
        assert whole(manager, export, after=10**9) == b""
        assert not Reading.objects.exists()
        untold()
    data = whole(manager, export)
    found = json.loads(received(manager.get(manifest)))
    assert "uncounted" not in found
    assert found["now"]["sha256"] == found["first_delivery"]["sha256"] == hashlib.sha256(data).hexdigest()
    export.refresh_from_db()
    assert export.answers == found["now"]["answers"]
    assert bool(export.answers) is Reading.objects.exists() is (text == "good")
    assert "Told with the delivery" not in manager.get(listed).content.decode()


def test_to_skip_what_a_search_found_is_a_look_at_it(written: Cast, manager: Client) -> None:
    export = export_of(written, Kind.EXAMPLES, Filters(text="good"))
    assert whole(manager, export, lines=10**9) == b""
    lines = AnswerRecord.objects.filter(message__text__startswith="Good").order_by("pk")[:5]
    read = set(Reading.objects.filter(what="export").values_list("conversation_id", flat=True))
    assert read == {record.conversation_id for record in lines}


def test_it_comes_as_a_file(written: Cast, manager: Client) -> None:
    written.coca_cola.name = 'Coca "Cola"\r\n/../ Ünited'
    written.coca_cola.save()
    export = export_of(written, Kind.CONVERSATIONS)
    response = manager.get(data_url(export))
    day = export.created_at.date().isoformat()
    name = f"coca-cola-united-conversations-{day}-{str(export.pk)[:8]}"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{name}.jsonl"'
    assert response.headers["Content-Type"] == "application/jsonl; charset=utf-8"
    assert "no-store" in response.headers["Cache-Control"]
    response.close()
    rest = manager.get(data_url(export), {"after": 1})
    assert rest.headers["Content-Disposition"] == f'attachment; filename="{name}-rest.jsonl"'
    assert manager.head(data_url(export)).status_code == 405


def test_the_manifest_is_that_of_the_whole_however_it_was_fetched(written: Cast, manager: Client) -> None:
    for kind in ALL:
        export = export_of(written, kind)
        position = {"lines": 1} if kind in Export.TUNING else {"after": AnswerRecord.objects.all()[2].pk}
        whole(manager, export, **position)
        data = whole(manager, export)
        found = json.loads(received(manager.get(data_url(export, "review_export_manifest"))))
        checksum = hashlib.sha256(data).hexdigest()
        lines = {Kind.CSV: 21, Kind.CONVERSATIONS: 7, Kind.EXAMPLES: 5, Kind.PAIRS: 5}[kind]
        duplicates = 2 if kind in Export.TUNING else 0
        answers = 7 if kind in Export.TUNING else 21
        assert found["unchanged"] is True
        assert found["data_format"] == f"{kind}/1"
        assert (found["made_by"], found["reason"], found["filters"]) == ("manager", WHY, {})
        assert found["first_delivery"] | {"finished_at": None} == {
            "finished_at": None,
            "lines": lines,
            "bytes": len(data),
            "sha256": checksum,
        }
        assert found["now"] | {"checked_at": None} == {
            "checked_at": None,
            "answers": answers,
            "lines": lines,
            "duplicates_left_out": duplicates,
            "bytes": len(data),
            "sha256": checksum,
            "versions": [
                {
                    "persona": "Coca Cola guide",
                    "version": 1,
                    "model": "mistral-large-latest",
                    "answers": answers,
                }
            ],
        }


def test_the_manifest_says_that_something_was_deleted_and_is_no_look(written: Cast, manager: Client) -> None:
    export = export_of(written, Kind.EXAMPLES)
    check_examples(whole(manager, export))
    looks = Reading.objects.count()
    message = AnswerRecord.objects.filter(message__text="Good 3.").values_list("message", flat=True)
    Message.objects.get(pk=message[0]).conversation.delete()
    found = json.loads(received(manager.get(data_url(export, "review_export_manifest"))))
    assert found["unchanged"] is False
    assert (found["first_delivery"]["lines"], found["now"]["lines"]) == (5, 4)
    assert found["now"]["sha256"] == hashlib.sha256(whole(manager, export)).hexdigest()
    assert Export.objects.get().rows == 5
    assert Reading.objects.count() > looks  # by the second download alone
    assert Reading.objects.filter(what="export").count() == Reading.objects.count()


def test_a_manifest_that_fails_says_so(
    written: Cast, manager: Client, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    export = export_of(written)

    def broken(*args: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr("conversations.exports.walking.Walk.batch", broken)
    with caplog.at_level(logging.CRITICAL, "conversations"):
        found = json.loads(received(manager.get(data_url(export, "review_export_manifest"))))
    assert "could not be made" in found["error"]

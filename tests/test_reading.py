"""Accountable reading: no look without a record, no record that changes, names only for who asked for them."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations import reading
from conversations.access import NotVisible
from conversations.admin.workplace import doors
from conversations.models import Conversation, Reading
from conversations.reading import Sitting
from tests.answers import ended
from tests.conftest import Cast

WHY = "A complaint about an answer"


def sitting_of(cast: Cast, **more: Any) -> Sitting:
    return Sitting(uuid.uuid4(), cast.reviewer, cast.coca_cola, WHY, **more)


def sit(client: Client, cast: Cast, reason: str = WHY, **more: str) -> Any:
    return client.post(reverse("admin:review_sitting", args=[cast.coca_cola.pk]), {"reason": reason, **more})


@pytest.fixture
def reviewer(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.reviewer)
    return client


def test_a_look_is_on_record_before_it_is_one(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = ended(cast).conversation
    sitting = sitting_of(cast)
    assert reading.conversation(sitting, conversation.pk) == conversation
    row = Reading.objects.get()
    assert (row.reader_id, row.reader_name) == (cast.reviewer.pk, "reviewer")
    assert (row.owner_id, row.owner_name) == (cast.member.pk, "member")
    assert (row.company, row.conversation_id) == (cast.coca_cola, conversation.pk)
    assert (row.what, row.reason, row.sitting) == ("page", WHY, sitting.id)

    def broken(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(type(Reading.objects.all()), "bulk_create", broken)
    with pytest.raises(DatabaseError):
        reading.conversation(sitting, conversation.pk)


def test_ones_own_conversation_needs_no_record(cast: Cast) -> None:
    conversation = ended(cast).conversation
    reading.look(Sitting(uuid.uuid4(), cast.member, cast.coca_cola, WHY), [conversation], Reading.What.LIST)
    assert not Reading.objects.exists()


def test_nobody_changes_the_record(cast: Cast) -> None:
    reading.conversation(sitting_of(cast), ended(cast).conversation.pk)
    row = Reading.objects.get()
    row.reason = "Another"
    for change in (
        row.save,
        row.delete,
        Reading.objects.all().delete,
        lambda: Reading.objects.update(reason="Another"),
        lambda: Reading.objects.bulk_update([row], ["reason"]),
        lambda: Reading._base_manager.all().delete(),
    ):
        with pytest.raises(TypeError):
            change()
    assert Reading.objects.get().reason == WHY


def test_the_record_outlives_whose_it_is(cast: Cast) -> None:
    conversation = ended(cast).conversation
    reading.conversation(sitting_of(cast), conversation.pk)
    Conversation.objects.all().delete()
    cast.member.delete()
    assert Reading.objects.get().owner_name == "member"


def test_another_companys_conversation_is_absent(cast: Cast) -> None:
    conversation = ended(cast).conversation
    elsewhere = Sitting(uuid.uuid4(), cast.reviewer, cast.globex, WHY)
    for read in (reading.conversation, reading.unmask):
        with pytest.raises(NotVisible):
            read(elsewhere, conversation.pk)
    assert not Reading.objects.exists()


def test_names_are_masked_until_asked_for(cast: Cast) -> None:
    sitting = sitting_of(cast)
    masked = sitting.name_of(cast.member)
    assert masked == sitting_of(cast).name_of(cast.member)
    assert masked != sitting.name_of(cast.member2)
    assert masked != reading.masked_name(cast.globex, cast.member.pk)
    assert "member" not in masked
    assert sitting_of(cast, unmasked=frozenset({cast.member.pk})).name_of(cast.member) == "member"
    assert sitting.name_of(cast.reviewer) == "reviewer"


def test_the_reason_is_asked_once_a_sitting(cast: Cast, reviewer: Client) -> None:
    unmask = reverse("admin:review_unmask", args=[cast.coca_cola.pk, ended(cast).conversation.pk])
    asked = reverse("admin:review_sitting", args=[cast.coca_cola.pk])
    assert reviewer.post(unmask).headers["Location"] == asked
    assert not Reading.objects.exists()
    for reason in ("", "  ", "x", "y" * 301, "\u200b" * 3, "\u3164" * 3, "...", "\u2060a\u2060b"):
        assert sit(reviewer, cast, reason).status_code == 400
    assert sit(reviewer, cast, " A  complaint\0\nabout an answer ").status_code == 302
    for _ in range(2):
        assert reviewer.post(unmask).headers["Location"] == reverse("admin:review")
    assert {(row.what, row.reason) for row in Reading.objects.all()} == {("unmask", WHY)}
    assert len(set(Reading.objects.values_list("sitting", flat=True))) == 1


def test_a_sitting_ends_after_an_hour_of_silence(
    cast: Cast, reviewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    unmask = reverse("admin:review_unmask", args=[cast.coca_cola.pk, ended(cast).conversation.pk])
    sit(reviewer, cast)
    start = timezone.now()
    for minutes, allowed in ((50, True), (100, True), (161, False)):  # each look keeps it alive
        now = int((start + timedelta(minutes=minutes)).timestamp())
        monkeypatch.setattr(doors, "_now", lambda now=now: now)
        location = reviewer.post(unmask).headers["Location"]
        assert ("sitting" not in location) is allowed, minutes


def test_a_sitting_leads_back_to_where_it_was_asked_for_and_nowhere_else(
    cast: Cast, reviewer: Client
) -> None:
    inside = reverse("admin:review_readings", args=[cast.coca_cola.pk])
    assert sit(reviewer, cast, next=inside).headers["Location"] == inside
    for elsewhere in (
        "https://evil.example/admin/review/",
        "//evil.example",
        "/admin/",
        "/admin/review/\\\\x@y",
    ):
        answer = sit(reviewer, cast, next=elsewhere)
        assert answer.headers["Location"].startswith("/admin/review/")


def test_a_sitting_is_for_one_company(cast: Cast, reviewer: Client) -> None:
    sit(reviewer, cast)
    cast.globex.memberships.create(user=cast.reviewer, role="reviewer")
    elsewhere = reverse("admin:review_unmask", args=[cast.globex.pk, uuid.uuid4()])
    assert "sitting" in reviewer.post(elsewhere).headers["Location"]


def test_managers_read_the_record_page_by_page(cast: Cast) -> None:
    conversation = ended(cast).conversation
    sitting = sitting_of(cast)
    for _ in range(101):
        reading.conversation(sitting, conversation.pk)
    reading.unmask(sitting, conversation.pk)
    Reading.objects.create(
        company=cast.globex,
        reader_id=1,
        reader_name="foreign reader",
        owner_id=2,
        owner_name="x",
        conversation_id=uuid.uuid4(),
        what="page",
        reason="x",
        sitting=uuid.uuid4(),
    )
    client = Client()
    client.force_login(cast.manager)
    address = reverse("admin:review_readings", args=[cast.coca_cola.pk])
    page = client.get(address)
    assert [look.reading.what for look in looks(page)] == ["unmask"] + ["page"] * 99
    assert "Newest" not in page.content.decode()
    older = client.get(address, {"before": page.context["next"]})
    assert len(looks(older)) == 2
    assert "Newest" in older.content.decode()
    for body in (page.content.decode(), older.content.decode()):
        assert "foreign reader" not in body
        assert f"/conversations/{conversation.pk}/" in body  # to look there is on record again
    for odd in ("x", "²", "9" * 40, "-1"):
        assert client.get(address, {"before": odd}).status_code == 200
    assert client.post(address).status_code == 405


def looks(page: Any) -> list[Any]:
    """The single looks of a page of the record."""
    return [look for act in page.context["acts"] for look in act]


def test_the_record_is_no_way_around_the_mask(cast: Cast) -> None:
    conversation, other = ended(cast).conversation, ended(cast, by=cast.member2).conversation
    for each in (conversation, other):
        reading.conversation(sitting_of(cast), each.pk)
    client = Client()
    client.force_login(cast.manager)
    address = reverse("admin:review_readings", args=[cast.coca_cola.pk])

    def whose() -> list[str]:
        return [look.owner for look in looks(client.get(address))]

    masked = [reading.masked_name(cast.coca_cola, pk) for pk in (cast.member2.pk, cast.member.pk)]
    assert whose() == masked
    sit(client, cast)
    assert whose() == masked
    assert "<td>member" not in client.get(address).content.decode()
    client.post(reverse("admin:review_unmask", args=[cast.coca_cola.pk, conversation.pk]))
    assert whose() == ["member", masked[0], "member"]  # with the record that the name was asked for


def test_one_finds_oneself_in_the_record_by_name(cast: Cast) -> None:
    reading.conversation(sitting_of(cast), ended(cast, by=cast.manager).conversation.pk)
    client = Client()
    client.force_login(cast.manager)
    page = client.get(reverse("admin:review_readings", args=[cast.coca_cola.pk]))
    assert [look.owner for look in looks(page)] == ["manager"]


def test_what_was_seen_on_one_page_stands_as_one_line(cast: Cast) -> None:
    first, second = ended(cast).conversation, ended(cast, by=cast.member2).conversation
    reading.look(sitting_of(cast), [first, second], Reading.What.LIST)
    reading.conversation(sitting_of(cast), first.pk)
    client = Client()
    client.force_login(cast.manager)
    page = client.get(reverse("admin:review_readings", args=[cast.coca_cola.pk]))
    assert [len(act) for act in page.context["acts"]] == [1, 2]
    body = page.content.decode()
    assert "<summary>2 conversations</summary>" in body
    assert body.count(f"/conversations/{first.pk}/") == 2

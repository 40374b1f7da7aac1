"""Accounts: a password that is set for somebody is on record first, and what is on record keeps its account."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse

from conversations import reading
from conversations.models import Company, Conversation, Membership, Note, PersonaVersion, Reading
from tests.answers import ended
from tests.conftest import Cast
from tests.test_reading import sitting_of

NEW = "another battery staple"


@pytest.fixture
def operator(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.admin)
    return client


def set_password(client: Client, person: User, **more: str) -> Any:
    sent = {"password1": NEW, "password2": NEW, "usable_password": "true", **more}
    return client.post(reverse("admin:auth_user_password_change", args=[person.pk]), sent)


def changed(person: User) -> bool:
    return User.objects.get(pk=person.pk).check_password(NEW)


def test_a_password_that_is_set_for_somebody_is_on_record_at_each_of_their_companies(
    cast: Cast, operator: Client
) -> None:
    Membership.objects.create(user=cast.member, company=cast.globex)
    assert set_password(operator, cast.member).status_code == 302
    assert changed(cast.member)
    rows = Reading.objects.order_by("company__name")
    assert [
        (row.company, row.reader_name, row.owner_name, row.what, row.conversation_id) for row in rows
    ] == [(company, "admin", "member", "passwd", None) for company in (cast.coca_cola, cast.globex)]
    manager = Client()
    manager.force_login(cast.manager)
    page = manager.get(reverse("admin:review_readings", args=[cast.coca_cola.pk])).content.decode()
    assert page.count("<td>Password set</td>") == 1
    assert "and every password that an operator set for somebody" in page


def test_who_was_taken_out_meanwhile_is_still_on_record_where_they_spoke(
    cast: Cast, operator: Client
) -> None:
    ended(cast)
    cast.member.memberships.all().delete()
    set_password(operator, cast.member)
    assert [row.company for row in Reading.objects.all()] == [cast.coca_cola]


def test_without_the_record_the_password_stays(
    cast: Cast, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        assert not changed(cast.member)
        raise DatabaseError

    monkeypatch.setattr(type(Reading.objects.all()), "bulk_create", broken)
    with pytest.raises(DatabaseError):
        set_password(operator, cast.member)
    assert not changed(cast.member)


def test_what_sets_no_password_for_anybody_else_is_no_line(cast: Cast, operator: Client) -> None:
    set_password(operator, cast.member, password2="something else")
    set_password(operator, cast.admin)
    operator.force_login(User.objects.get(pk=cast.admin.pk))
    unset = {"usable_password": "false", "unset-password": "Disable"}
    assert set_password(operator, cast.member2, **unset).status_code == 302
    assert not User.objects.get(pk=cast.member2.pk).has_usable_password()
    manager = Client()
    manager.force_login(cast.manager)
    assert set_password(manager, cast.member).status_code == 403
    assert set_password(manager, cast.outsider).status_code == 404
    assert not Reading.objects.exists()
    assert not changed(cast.member)


def leave_something(cast: Cast, person: User, what: str) -> None:
    match what:
        case "log entries":
            kind = ContentType.objects.get_for_model(Company)
            LogEntry.objects.create(user=person, content_type=kind, object_id="1", action_flag=CHANGE)
        case "conversations":
            ended(cast, by=person)
        case "notes":
            Note.objects.create(conversation=ended(cast).conversation, author=person, text="Hm.")
        case "persona versions":
            told = cast.guide.current
            assert told is not None
            PersonaVersion.objects.create(
                persona=cast.guide,
                company=cast.coca_cola,
                endpoint=told.endpoint,
                endpoint_whose=told.endpoint_whose,
                model="m",
                created_by=person,
            )
        case "readings":
            sitting = sitting_of(cast)
            reading.look(sitting, [ended(cast).conversation], Reading.What.PAGE)


@pytest.mark.parametrize("what", ["log entries", "conversations", "notes", "persona versions", "readings"])
@pytest.mark.parametrize("by_action", [False, True])
def test_an_account_with_anything_on_record_is_closed_and_not_deleted(
    cast: Cast, operator: Client, what: str, by_action: bool
) -> None:
    leave_something(cast, cast.reviewer, what)
    if by_action:
        address = reverse("admin:auth_user_changelist")
        sent = {"action": "delete_selected", "_selected_action": [cast.reviewer.pk], "post": "yes"}
    else:
        address = reverse("admin:auth_user_delete", args=[cast.reviewer.pk])
        sent = {"post": "yes"}
    page = operator.post(address, sent).content.decode()
    assert what in page
    assert f'<a href="{reverse("admin:auth_user_change", args=[cast.reviewer.pk])}">open it</a>' in page
    assert "take “Active” away" in page
    assert User.objects.filter(pk=cast.reviewer.pk).exists()
    assert LogEntry.objects.count() == (what == "log entries")


def test_an_account_that_did_nothing_is_deleted(cast: Cast, operator: Client) -> None:
    address = reverse("admin:auth_user_delete", args=[cast.member2.pk])
    assert operator.post(address, {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=cast.member2.pk).exists()
    assert not Conversation.objects.exists()

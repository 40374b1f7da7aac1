"""What a person is given of their own, and what staff take away of them: all of it, nobody else's, on record first."""

from __future__ import annotations

import json
import tracemalloc
import uuid
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations import order, posting
from conversations.exports.person import BROKEN, PersonExport
from conversations.models import (
    Company,
    Conversation,
    Invitation,
    Membership,
    Message,
    Note,
    PasswordLink,
    PersonaVersion,
    Reading,
    SignIn,
)
from tests.answers import ended
from tests.conftest import Cast
from tests.everywhere import NAME, WORD, person_of, says, works
from tests.exporting import received

PROMPT = "You are an assistant for the company"


@pytest.fixture
def person(live_cast: Cast) -> User:
    """Somebody with everything at both companies, and others beside them."""
    found = person_of(live_cast, live_cast.coca_cola, live_cast.globex)
    other = ended(live_cast, "zzothers answer", question="zzothers question", by=live_cast.member)
    elsewhere = ended(
        live_cast, "zzothers", question="zzothers", by=live_cast.outsider, persona=live_cast.helpdesk
    )
    for company, theirs in ((live_cast.coca_cola, other), (live_cast.globex, elsewhere)):
        says(found, company, live_cast)
        works(found, company, theirs, live_cast)
    return found


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def lines(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.decode().splitlines()]


def of(found: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [line for line in found if line["kind"] == kind]


def my_data(person: User) -> bytes:
    return received(client_of(person).get(reverse("my_data")))


def taken(cast: Cast, person: User, company: Company | None, reason: str = "Asked by letter") -> bytes:
    """What a manager of the company is given, or an operator."""
    if company is None:
        address, who = reverse("admin:review_account_data", args=[person.pk]), cast.admin
    else:
        address, who = reverse("admin:review_person_data", args=[company.pk, person.pk]), cast.manager
    return received(client_of(who).post(address, {"reason": reason}))


def test_a_person_gets_all_of_their_own(person: User, live_cast: Cast) -> None:
    found = lines(my_data(person))
    assert found[0]["format"] == "person/1"
    assert of(found, "profile")[0] | {"kind": ""} == {
        "kind": "",
        "username": NAME,
        "first_name": f"{WORD}First",
        "last_name": f"{WORD}Last",
        "email": f"{WORD}@example.com",
        "joined_at": of(found, "profile")[0]["joined_at"],
        "signed_in_at": of(found, "profile")[0]["signed_in_at"],
        "active": True,
        "operator": False,
    }
    assert {(m["company"], m["role"]) for m in of(found, "membership")} == {
        ("Coca Cola", "reviewer"),
        ("Globex", "reviewer"),
    }
    assert len(of(found, "conversation")) == 2
    assert [line["browser"] for line in of(found, "sign_in")] == [f"{WORD}work"] * 2
    assert [(line["type"], line["name"]) for line in of(found, "factor")] == [("webauthn", f"{WORD}work")]
    assert [line["subject"].split()[0] for line in of(found, "company_account")] == [f"{WORD}work"] * 2
    assert len(of(found, "password_link")) == 2
    assert {line["note"] for line in of(found, "invitation") if not line["by_the_person"]} == {f"{WORD}work"}
    assert {line["note"] for line in of(found, "invitation") if line["by_the_person"]} == {None}
    answers = [m for m in of(found, "message") if m["role"] == "assistant"]
    assert {(m["text"], m["comment"], m["rating"], m["reply"]) for m in answers} == {
        (f"{WORD}chat", f"{WORD}chat", "bad", f"{WORD}chat")
    }
    assert [n["text"] for n in of(found, "note")] == [f"{WORD}work"] * 2
    assert [r["correction"] for r in of(found, "review")] == [f"{WORD}work"] * 2
    assert {r["reader"] for r in of(found, "reading")} == {"operator, or somebody who has left"}
    assert [e["filters"] for e in of(found, "export_made")] == [{"text": f"{WORD}work"}] * 2
    assert [line["by_the_person"] for line in of(found, "history")] == [False, True, False, True]
    assert found[-1] == {"kind": "end", "lines": len(found)}


def test_how_chats_are_sorted_is_in_it(live_cast: Cast) -> None:
    chat = ended(live_cast).conversation
    folder = order.make_folder(live_cast.member, "Taxes")
    Conversation.objects.filter(pk=chat.pk).update(folder=folder, pinned_at=timezone.now())
    found = lines(my_data(live_cast.member))
    assert [(line["id"], line["name"]) for line in of(found, "folder")] == [(folder.pk, "Taxes")]
    (kept,) = of(found, "conversation")
    assert (kept["folder"], kept["archived_at"]) == (folder.pk, None)
    assert kept["pinned_at"]
    here = taken(live_cast, live_cast.member, live_cast.coca_cola)
    assert b"Taxes" not in here
    assert of(lines(here), "conversation")[0]["folder"] is None


def test_no_secret_is_in_it(live_cast: Cast) -> None:
    """Nor is anything of the account in what a company takes away."""
    kept = {"totp": {"secret": "zqsecret"}, "recovery_codes": {"seed": "zqsecret"}}
    for kind, data in kept.items():
        Authenticator.objects.create(user=live_cast.member, type=kind, data=data)
    SignIn.objects.create(
        user=live_cast.member, session_key="zqsecret", agent="Firefox/140", at=timezone.now()
    )
    link = {"token_hash": "zqsecret", "made_by": live_cast.admin, "expires_at": timezone.now()}
    PasswordLink.objects.create(user=live_cast.member, **link)
    Invitation.objects.create(company=live_cast.coca_cola, used_by=live_cast.member, **link)
    mine = my_data(live_cast.member)
    assert b"zqsecret" not in mine
    assert [line["type"] for line in of(lines(mine), "factor")] == ["totp", "recovery_codes"]
    here = taken(live_cast, live_cast.member, live_cast.coca_cola)
    assert b"zqsecret" not in here
    kinds = {line["kind"] for line in lines(here)}
    assert "invitation" in kinds
    assert not kinds & {"sign_in", "factor", "company_account", "password_link", "folder"}


def test_every_branch_is_in_it(live_cast: Cast) -> None:
    turn = ended(live_cast)
    posting.edit(live_cast.member, turn.answer.parent, "In other words", client_id=uuid.uuid4())  # type: ignore[arg-type]
    found = of(lines(my_data(live_cast.member)), "message")
    assert {m["id"] for m in found} == {str(pk) for pk in Message.objects.values_list("pk", flat=True)}
    assert [m["created_at"] for m in found] == sorted(m["created_at"] for m in found)


def test_nobody_else_and_no_prompt_is_in_it(person: User, live_cast: Cast) -> None:
    for content in (
        my_data(person),
        taken(live_cast, person, None),
        taken(live_cast, person, live_cast.coca_cola),
    ):
        text = content.decode().replace('"role":"member"', "")  # as one of them is called
        assert "zzothers" not in text
        assert PROMPT not in text
        assert PersonaVersion.objects.exclude(system_prompt="").exists()
        for other in User.objects.exclude(pk__in=[person.pk, live_cast.reviewer.pk, live_cast.manager.pk]):
            assert f'"{other.username}"' not in text


def test_a_manager_gets_what_is_of_their_company(person: User, live_cast: Cast) -> None:
    found = lines(taken(live_cast, person, live_cast.coca_cola))
    assert found[0]["company"] == "Coca Cola"
    assert {line["company"] for line in found if line.get("company")} == {"Coca Cola"}
    assert "Globex" not in json.dumps(found)
    assert len(of(found, "conversation")) == 1


def test_staff_are_on_record_before_anything_leaves(person: User, live_cast: Cast) -> None:
    before = set(Reading.objects.values_list("pk", flat=True))
    taken(live_cast, person, live_cast.coca_cola)
    made = Reading.objects.exclude(pk__in=before).order_by("pk")
    chat = Conversation.objects.get(owner=person, persona=live_cast.guide)
    assert [(r.what, r.conversation_id, r.reader_name, r.reason) for r in made] == [
        ("person", None, "manager", "Asked by letter"),
        ("export", chat.pk, "manager", "Asked by letter"),
    ]
    taken(live_cast, person, None)
    assert Reading.objects.filter(what="person", reader_name="admin").count() == 2  # at each company


def test_what_cannot_be_recorded_does_not_leave(
    person: User, live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr("conversations.reading.look", broken)
    text = taken(live_cast, person, live_cast.coca_cola).decode()
    assert f"{WORD}chat" not in text
    assert BROKEN in text
    assert '"kind":"end"' not in text


def test_one_s_own_is_no_reading(person: User, live_cast: Cast) -> None:
    before = Reading.objects.count()
    my_data(person)
    assert Reading.objects.count() == before


@pytest.mark.parametrize(("reason", "status"), [("", 400), (" ", 400), ("x" * 301, 413)])
def test_a_reason_is_needed(person: User, live_cast: Cast, reason: str, status: int) -> None:
    client = client_of(live_cast.manager)
    address = reverse("admin:review_person_data", args=[live_cast.coca_cola.pk, person.pk])
    response = client.post(address, {"reason": reason})
    assert response.status_code == status
    assert "Nothing was handed out" in response.content.decode()


def test_a_right_that_is_taken_away_ends_it(person: User, live_cast: Cast) -> None:
    for number in range(150):
        Note.objects.create(
            conversation=Conversation.objects.filter(owner=live_cast.member)[0],
            author=person,
            text=f"n{number}",
        )
    client = client_of(live_cast.manager)
    address = reverse("admin:review_person_data", args=[live_cast.coca_cola.pk, person.pk])
    response = client.post(address, {"reason": "Asked"})
    Membership.objects.filter(user=live_cast.manager).update(role="member")
    assert lines(received(response)) == [{"kind": "broken", "sentence": BROKEN}]
    closed = client_of(person).get(reverse("my_data"))
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert lines(received(closed)) == [{"kind": "broken", "sentence": BROKEN}]


@pytest.mark.parametrize("who", ["member", "reviewer", "outsider"])
def test_only_managers_and_operators_take_it_away(person: User, live_cast: Cast, who: str) -> None:
    client = client_of(getattr(live_cast, who))
    expected = 404 if who == "reviewer" else 403
    for name, args in (
        ("review_person_data", [live_cast.coca_cola.pk, person.pk]),
        ("review_account_data", [person.pk]),
    ):
        response = client.post(reverse(f"admin:{name}", args=args), {"reason": "Because"})
        assert response.status_code == expected


def test_a_stranger_to_the_company_is_nobody(live_cast: Cast) -> None:
    client = client_of(live_cast.manager)
    bodies = set()
    for pk in (live_cast.outsider.pk, 987654321):
        address = reverse("admin:review_person_data", args=[live_cast.coca_cola.pk, pk])
        response = client.post(address, {"reason": "Because"})
        assert response.status_code == 404
        bodies.add(response.content)
    assert len(bodies) == 1


def test_memory_is_bounded(live_cast: Cast) -> None:
    chat = ended(live_cast).conversation
    parent = chat.messages.get(role="user")
    Message.objects.bulk_create(parent.version("x" * 10_000) for _ in range(2_000))
    export = PersonExport(live_cast.member, None, lambda _: None)
    tracemalloc.start()
    size = 0
    while part := export._next():
        size += len(part)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 20_000_000
    assert peak < 10_000_000

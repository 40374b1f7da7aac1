"""The managers' pages: periods with their preview, holds, people, erasures; and the command that erases."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations import erasing, holds, metrics
from conversations.admin.workplace import keeping
from conversations.management.commands import erase as command
from conversations.models import Conversation, Erasure, Hold, Period, RetentionRun
from tests.conftest import Cast
from tests.everywhere import NAME, WORD, carry_out, person_of, says, with_word
from tests.test_retention import keep, old, run


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def address(name: str, cast: Cast, *more: Any) -> str:
    return reverse(f"admin:review_{name}", args=[cast.coca_cola.pk, *more])


def hidden(response: HttpResponse) -> dict[str, str]:
    """What the form of a preview sends back."""
    form = response.content.decode().partition('class="settings-form"')[2]
    return dict(
        re.findall(r'<input type="hidden" name="(persona|seen|days|confirmed)" value="([^"]*)">', form)
    )


def send(cast: Cast, days: str, **more: str) -> HttpResponse:
    """A period for all chats, as the page sends it."""
    client = client_of(cast.manager)
    seen = {"persona": "", "seen": "0:0:"} | more
    return client.post(address("period", cast), {"days": days, **seen})  # type: ignore[return-value]


# -- Periods ----------------------------------------------------------------------------------------


def test_a_shorter_period_is_shown_first_and_settled_by_a_second_press(live_cast: Cast) -> None:
    for _ in range(3):
        old(live_cast)
    shown = send(live_cast, "30")
    assert shown.status_code == 200
    text = shown.content.decode()
    assert "3 conversations" in text
    assert "Coca Cola guide" in text
    assert not Period.objects.exists()
    done = send(live_cast, **hidden(shown))
    assert done.status_code == 302
    assert Period.objects.get().days == 30
    entry = LogEntry.objects.get(user=live_cast.manager)
    assert entry.get_change_message().startswith("Chats are kept 30 days (before: for ever), from ")
    page = client_of(live_cast.manager).get(address("keeping", live_cast)).content.decode()
    assert "Take back" in page
    run()
    assert Conversation.objects.count() == 3


def test_what_grew_is_shown_again(live_cast: Cast) -> None:
    shown = send(live_cast, "30")
    assert "no conversation would go now" in shown.content.decode()
    for _ in range(11):
        old(live_cast)
    again = send(live_cast, **hidden(shown))
    assert again.status_code == 409
    assert "it has grown since" in again.content.decode()
    assert not Period.objects.exists()
    assert send(live_cast, **hidden(again)).status_code == 302


@pytest.mark.parametrize(
    "what", ["made up", "of another period", "of a persona", "of somebody else", "too old"]
)
def test_nothing_is_confirmed_that_was_not_shown(
    live_cast: Cast, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the form sends back proves that just this was shown, to who presses, lately."""
    for _ in range(12):
        old(live_cast)
    sent = hidden(send(live_cast, "60" if what == "of another period" else "30")) | {"days": "30"}
    if what == "made up":
        sent["confirmed"] = "9999999"
    elif what == "of a persona":
        sent["confirmed"] = hidden(send(live_cast, "30", persona=str(live_cast.guide.pk)))["confirmed"]
    elif what == "of somebody else":
        shown = client_of(live_cast.admin).post(address("period", live_cast), {"days": "30", "seen": "0:0:"})
        sent["confirmed"] = hidden(shown)["confirmed"]  # type: ignore[arg-type]
    elif what == "too old":
        monkeypatch.setattr(keeping, "SHOWN_FOR", -1)
    again = send(live_cast, **sent)
    assert again.status_code == 409
    assert "is not what you were shown" in again.content.decode()
    assert not Period.objects.exists()
    monkeypatch.undo()
    assert send(live_cast, **hidden(again)).status_code == 302


def test_what_is_all_held_is_not_said_to_go(live_cast: Cast) -> None:
    held = old(live_cast)
    holds.place(live_cast.coca_cola, "A court asked", live_cast.manager, conversation=held)
    shown = send(live_cast, "30").content.decode()
    assert "All of them are held or under review, so none goes" in shown
    assert "they go after" not in " ".join(shown.split())
    old(live_cast)
    assert "held or under review they go after" in " ".join(send(live_cast, "30").content.decode().split())


def test_of_two_who_change_it_one_is_told(live_cast: Cast) -> None:
    keep(live_cast.coca_cola, 30)
    assert send(live_cast, "60", seen="30:0:").status_code == 302
    late = send(live_cast, "90", seen="30:0:")
    assert late.status_code == 409
    assert "changed this period meanwhile" in late.content.decode()
    assert Period.objects.get().days == 60


def test_it_can_be_taken_back_for_a_day(live_cast: Cast) -> None:
    keep(live_cast.coca_cola, 90)
    shown = send(live_cast, "30", seen="90:0:")
    send(live_cast, **hidden(shown))
    page = client_of(live_cast.manager).get(address("keeping", live_cast)).content.decode()
    seen = re.findall(r'name="seen" value="(30:90:[^"]*)"', page)[0].replace("&#x27;", "'")
    client = client_of(live_cast.manager)
    back = client.post(address("period_back", live_cast), {"persona": "", "seen": seen})
    assert back.status_code == 302
    assert Period.objects.get().in_force(timezone.now()) == 90
    said = [entry.get_change_message() for entry in LogEntry.objects.order_by("-pk")]
    assert said[0] == "Taken back. Chats are kept 90 days, and not only 30 days."


def test_another_period_takes_back_the_one_that_waits_too(live_cast: Cast) -> None:
    send(live_cast, **hidden(send(live_cast, "30")))
    page = client_of(live_cast.manager).get(address("keeping", live_cast)).content.decode()
    seen = re.findall(r'name="seen" value="(30:0:[^"]*)"', page)[0]
    assert send(live_cast, "", seen=seen).status_code == 302
    said = LogEntry.objects.latest("pk").get_change_message()
    assert said == "Chats are kept for ever, and not only 30 days."
    send(live_cast, "")
    assert LogEntry.objects.count() == 2


@pytest.mark.parametrize("days", ["-1", "0", "1.5", "x", "99999999", "٣"])
def test_what_is_no_period_is_refused(live_cast: Cast, days: str) -> None:
    refused = send(live_cast, days)
    assert refused.status_code == 400
    assert "Nothing was changed" in refused.content.decode()
    assert not Period.objects.exists()


def test_a_persona_of_another_company_is_none(live_cast: Cast) -> None:
    assert send(live_cast, "30", persona=str(live_cast.helpdesk.pk)).status_code == 404
    assert send(live_cast, "30", persona="nonsense").status_code == 404
    assert not Period.objects.exists()


@pytest.mark.parametrize("who", ["member", "reviewer", "outsider"])
def test_only_managers_settle_it(live_cast: Cast, who: str) -> None:
    client = client_of(getattr(live_cast, who))
    hold = Hold.objects.create(company=live_cast.coca_cola, person=live_cast.member, reason="x")
    for name, args in (
        ("period", []),
        ("period_back", []),
        ("hold_lift", [hold.pk]),
        ("person_hold", [live_cast.member.pk]),
        ("person_erase", [live_cast.member.pk]),
    ):
        sent = {"days": "1", "seen": "0:0:", "reason": "x", "username": "member", "confirmed": "9"}
        response = client.post(address(name, live_cast, *args), sent)
        assert response.status_code == (404 if who == "reviewer" else 403), name
    assert not Period.objects.exists()
    assert not Erasure.objects.exists()


def test_receipts_are_shown_to_managers(live_cast: Cast) -> None:
    keep(live_cast.coca_cola, 30)
    old(live_cast)
    run()
    assert RetentionRun.objects.exists()
    page = client_of(live_cast.manager).get(address("keeping", live_cast)).content.decode()
    assert "30 days" in page
    assert "Nothing was removed yet" not in page


# -- Holds ------------------------------------------------------------------------------------------


def test_a_reviewer_holds_and_a_manager_lifts(live_cast: Cast) -> None:
    keep(live_cast.coca_cola, 30)
    chat = old(live_cast)
    reviewer = client_of(live_cast.reviewer)
    reviewer.post(address("sitting", live_cast), {"reason": "to find out"})
    assert reviewer.post(address("hold", live_cast, chat.pk), {"reason": "A dispute"}).status_code == 302
    shown = reviewer.get(address("conversation", live_cast, chat.pk)).content.decode()
    assert "A dispute" in shown
    run()
    assert Conversation.objects.filter(pk=chat.pk).exists()
    manager, hold = client_of(live_cast.manager), Hold.objects.get()
    assert manager.post(address("hold_lift", live_cast, hold.pk), {"reason": " "}).status_code == 400
    assert manager.post(address("hold_lift", live_cast, hold.pk), {"reason": "Settled"}).status_code == 302
    hold.refresh_from_db()
    assert (hold.placed_by, hold.lifted_by, hold.lifted_reason) == (
        live_cast.reviewer,
        live_cast.manager,
        "Settled",
    )
    said = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert said == [f"Placed the hold {hold.pk} on a conversation.", f"Lifted the hold {hold.pk}."]


def test_a_foreign_conversation_is_not_held(live_cast: Cast) -> None:
    foreign = old(live_cast, by=live_cast.outsider, persona=live_cast.helpdesk)
    response = client_of(live_cast.reviewer).post(address("hold", live_cast, foreign.pk), {"reason": "x"})
    assert response.status_code == 404
    assert not Hold.objects.exists()


def test_holding_twice_is_held_once(live_cast: Cast) -> None:
    client = client_of(live_cast.manager)
    for reason in ("First", "Second"):
        client.post(address("person_hold", live_cast, live_cast.member.pk), {"reason": reason})
    assert [hold.reason for hold in Hold.objects.all()] == ["First"]


# -- People -----------------------------------------------------------------------------------------


def test_the_page_is_not_called_as_that_of_roles(live_cast: Cast) -> None:
    page = client_of(live_cast.manager).get(address("people", live_cast)).content.decode()
    assert 'aria-current="page">Personal data</a>' in page
    roles = reverse("admin:conversations_membership_changelist")
    assert f'Roles and invitations are under <a href="{roles}">People</a>' in page


def test_people_are_those_of_the_company(live_cast: Cast) -> None:
    left = person_of(live_cast, live_cast.coca_cola)
    says(left, live_cast.coca_cola, live_cast)
    left.memberships.all().delete()
    page = client_of(live_cast.manager).get(address("people", live_cast)).content.decode()
    for name in ("member", "member2", "reviewer", "manager", NAME):
        assert f">{name}</a>" in page
    assert "Has left" in page
    assert "outsider" not in page
    says(live_cast.admin, live_cast.coca_cola, live_cast)
    assert ">admin</a>" not in client_of(live_cast.manager).get(address("people", live_cast)).content.decode()


def test_a_manager_erases_by_typing_the_name(live_cast: Cast) -> None:
    person = person_of(live_cast, live_cast.coca_cola)
    says(person, live_cast.coca_cola, live_cast)
    client = client_of(live_cast.manager)
    page = client.get(address("person", live_cast, person.pk)).content.decode()
    assert "<li>Conversations: 1</li>" in page
    wrong = client.post(address("person_erase", live_cast, person.pk), {"username": "other"})
    assert wrong.status_code == 400
    assert "Nothing was changed" in wrong.content.decode()
    done = client.post(address("person_erase", live_cast, person.pk), {"username": NAME})
    assert done.status_code == 302
    erasure = carry_out(Erasure.objects.get())
    assert erasure.asked_by == live_cast.manager
    receipt = client.get(address("erasure", live_cast, erasure.pk))
    said = json.loads(receipt.content)
    assert said["gone"]["conversations"] == 1
    assert WORD not in receipt.content.decode()
    listed = client.get(address("keeping", live_cast)).content.decode()
    assert f"Erased person {erasure.pk}" in listed
    assert User.objects.get(pk=person.pk).is_active


def test_what_goes_is_said_of_the_company_alone(live_cast: Cast) -> None:
    here = (
        client_of(live_cast.manager).get(address("person", live_cast, live_cast.member.pk)).content.decode()
    )
    assert "Every session" not in here
    assert "The account stays, signed in where it is" in here
    everywhere = reverse("admin:review_account", args=[live_cast.member.pk])
    assert "Every session" in client_of(live_cast.admin).get(everywhere).content.decode()


def test_an_operator_erases_everywhere(live_cast: Cast) -> None:
    person = person_of(live_cast, live_cast.coca_cola)
    says(person, live_cast.coca_cola, live_cast)
    client = client_of(live_cast.admin)
    assert reverse("admin:review_account", args=[person.pk]) in client.get(
        reverse("admin:auth_user_change", args=[person.pk])
    ).content.decode()  # fmt: skip
    page = client.get(reverse("admin:review_account", args=[person.pk]))
    assert page.status_code == 200
    sent = client.post(reverse("admin:review_account_erase", args=[person.pk]), {"username": NAME})
    assert sent.status_code == 302
    carry_out(Erasure.objects.get())
    assert with_word() == []
    after = client.get(reverse("admin:review_account", args=[person.pk])).content.decode()
    assert "erased person" in after


def test_a_held_person_is_refused_with_a_sentence_and_counted(live_cast: Cast) -> None:
    before = _refused("409")
    Hold.objects.create(company=live_cast.coca_cola, person=live_cast.member, reason="A court")
    client = client_of(live_cast.admin)
    refused = client.post(
        reverse("admin:review_account_erase", args=[live_cast.member.pk]), {"username": "member"}
    )
    assert refused.status_code == 409
    assert "Lift the holds first" in refused.content.decode()
    assert _refused("409") == before + 1
    assert (
        "A court" in client.get(reverse("admin:review_account", args=[live_cast.member.pk])).content.decode()
    )


def test_nobody_erases_themselves_here(live_cast: Cast) -> None:
    client = client_of(live_cast.manager)
    response = client.post(address("person_erase", live_cast, live_cast.manager.pk), {"username": "manager"})
    assert response.status_code == 403


# -- The command ------------------------------------------------------------------------------------


def command_erase(*args: str) -> str:
    out = io.StringIO()
    call_command("erase", *args, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_the_command_erases_and_prints_the_receipt(live_cast: Cast) -> None:
    person = person_of(live_cast, live_cast.coca_cola)
    says(person, live_cast.coca_cola, live_cast)
    said = json.loads(command_erase(NAME, "--typed", NAME))
    assert said["state"] == "done"
    assert said["gone"]["conversations"] == 1
    assert with_word() == []
    assert [json.loads(line) for line in command_erase("--receipts").splitlines()] == [said]


def test_the_command_erases_again(live_cast: Cast, tmp_path: Path) -> None:
    person = person_of(live_cast, live_cast.coca_cola)
    before = User.objects.filter(pk=person.pk).values().get()
    file = tmp_path / "receipts.jsonl"
    file.write_text(command_erase(NAME, "--typed", NAME))
    Erasure.objects.all().delete()
    User.objects.filter(pk=person.pk).update(**before)
    said = json.loads(command_erase("--again", str(file)))
    assert (said["state"], said["account"]) == ("done", person.pk)
    assert command_erase("--again", str(file)) == ""


def test_the_command_says_how_it_is_called() -> None:
    said = " ".join(command.Command().create_parser("manage.py", "erase").format_help().split())
    for words in (
        "erase USERNAME [--company NAME]",
        "erase --receipts",
        "erase --again FILE",
        "Erase nobody:",
    ):
        assert words in said


def test_the_command_refuses_in_sentences(live_cast: Cast, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no account"):
        command_erase("nobody", "--typed", "nobody")
    with pytest.raises(CommandError, match="not the username"):
        command_erase("member", "--typed", "other")
    with pytest.raises(CommandError, match="no company"):
        command_erase("member", "--company", "Acme", "--typed", "member")
    with pytest.raises(CommandError, match="cannot be read"):
        command_erase("--again", str(tmp_path / "absent"))
    (tmp_path / "other").write_text('{"format": "other"}\n')
    with pytest.raises(CommandError, match="no receipt"):
        command_erase("--again", str(tmp_path / "other"))
    assert User.objects.get(username="member").is_active


def test_the_command_says_what_it_waits_for(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    person = person_of(live_cast, live_cast.coca_cola)
    turn = says(person, live_cast.coca_cola, live_cast)
    turn.conversation.queue.update(status="open", closed_at=None)
    monkeypatch.setattr(command, "PATIENCE", 0.2)
    said = json.loads(command_erase(NAME, "--typed", NAME, "--company", "Coca Cola"))
    assert (said["state"], said["postponed"]) == ("chats", 1)
    turn.conversation.queue.update(status="done", closed_at=timezone.now())
    while erasing.work():
        pass
    assert Erasure.objects.get().stage == "done"


def _refused(status: str) -> float:
    return float(metrics.refusals.labels(status)._value.get())

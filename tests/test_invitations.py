"""Links that let somebody in: into a company, or back into their account."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations.accounts import limits, links
from conversations.generation import keeper
from conversations.models import Company, Invitation, Membership, PasswordLink, Reading
from tests.conftest import PASSWORD, Cast
from tests.races import at_once

NEW = "another battery staple"
JOIN = {"username": "ada", "password1": NEW, "password2": NEW}
GUESSED = "A" * 43


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def invite(by: User, company: Company, **sent: str) -> str:
    """The path of the link, as the administration shows it."""
    form = {"company": str(company.pk), "role": "member", "note": "Ada", "days": "7", **sent}
    page = signed_in(by).post(reverse("admin:conversations_invitation_add"), form)
    assert page.status_code == 200, page
    assert "no-store" in page["Cache-Control"]
    found = re.search(r'value="http://testserver(/accounts/invitation/[\w-]+/)"', page.content.decode())
    assert found, page.content.decode()
    return found[1]


def is_dead(response: Any) -> bool:
    return response.status_code == 404 and "This link does not lead anywhere" in response.content.decode()


def test_a_new_person_makes_an_account_and_is_in(cast: Cast, client: Client) -> None:
    path = invite(cast.manager, cast.coca_cola, role="reviewer")
    page = client.get(path)
    assert "You were invited as a reviewer" in page.content.decode()
    assert (page["Cache-Control"], page["Referrer-Policy"]) == ("no-store, private", "strict-origin")
    assert client.post(path, JOIN)["Location"] == "/"
    ada = User.objects.get(username="ada")
    assert client.session["_auth_user_id"] == str(ada.pk)
    assert [(each.company, each.role) for each in ada.memberships.all()] == [(cast.coca_cola, "reviewer")]
    assert not ada.is_superuser
    used = Invitation.objects.get()
    assert (used.state, used.used_by, used.made_by) == ("Used", ada, cast.manager)
    assert is_dead(Client().get(path))
    assert is_dead(Client().post(path, {**JOIN, "username": "eve"}))
    assert not User.objects.filter(username="eve").exists()


def test_somebody_with_an_account_joins_with_that(cast: Cast) -> None:
    path = invite(cast.manager, cast.coca_cola, role="manager")
    client = signed_in(cast.outsider)
    assert "Join as outsider" in client.get(path).content.decode()
    assert client.post(path).status_code == 302
    assert {(m.company.name, m.role) for m in cast.outsider.memberships.all()} == {
        ("Globex", "member"),
        ("Coca Cola", "manager"),
    }


def test_who_belongs_there_already_changes_nothing(cast: Cast) -> None:
    path = invite(cast.manager, cast.coca_cola, role="manager")
    for method in ("get", "post"):
        response = getattr(signed_in(cast.member), method)(path)
        assert response.status_code == 409
        assert "You belong to this company already" in response.content.decode()
    assert cast.member.memberships.get().role == "member"
    assert Invitation.objects.get().state == "Open"


@pytest.mark.parametrize("name", ["member", "MEMBER", "", "a b", "x" * 151])
def test_a_name_that_cannot_be_had_costs_nothing(cast: Cast, client: Client, name: str) -> None:
    path = invite(cast.manager, cast.coca_cola)
    page = client.post(path, {**JOIN, "username": name})
    assert page.status_code == 200
    assert 'aria-invalid="true"' in page.content.decode()
    assert Invitation.objects.get().state == "Open"
    assert client.post(path, {**JOIN, "password1": "12345678", "password2": "12345678"}).status_code == 200
    assert client.post(path, JOIN).status_code == 302


def test_used_expired_taken_back_and_guessed_are_the_same(cast: Cast) -> None:
    made = {
        what: invite(cast.manager, cast.coca_cola, note=what)
        for what in ("used", "late", "back", "left", "out")
    }
    assert Client().post(made["used"], JOIN).status_code == 302
    Invitation.objects.filter(note="late").update(expires_at=timezone.now() - timedelta(seconds=1))
    back = Invitation.objects.get(note="back")
    address = reverse("admin:conversations_invitation_take_back", args=[back.pk])
    assert signed_in(cast.manager).post(address).status_code == 302
    # Who may not invite any more has not invited.
    other = User.objects.create_user("chief")
    Membership.objects.create(user=other, company=cast.coca_cola, role="manager")
    Invitation.objects.filter(note="left").update(made_by=other)
    Invitation.objects.filter(note="out").update(made_by=other)
    assert Client().get(made["left"]).status_code == 200
    other.memberships.update(role="reviewer")
    paths = [*made.values(), reverse("invitation", args=[GUESSED]), reverse("invitation", args=["x"])]
    said = set()
    for path in paths:
        for response in (
            Client().get(path),
            Client().post(path, {**JOIN, "username": "eve"}),
            signed_in(cast.outsider).get(path),
            signed_in(cast.outsider).post(path),
        ):
            assert is_dead(response), path
            said.add(response.content.decode())
    assert len(said) == 1


def test_of_two_who_open_a_link_at_once_one_gets_in(live_cast: Cast) -> None:
    path = invite(live_cast.manager, live_cast.coca_cola)
    clients = {name: Client() for name in ("ada", "eve", "bob", "joe")}
    people = User.objects.count()

    def join(name: str) -> int:
        return clients[name].post(path, {**JOIN, "username": name}).status_code

    statuses = at_once(*[lambda name=name: join(name) for name in clients])
    assert sorted(statuses) == [302, 404, 404, 404]
    assert User.objects.count() == people + 1
    assert Membership.objects.filter(user__username__in=clients).count() == 1


def test_of_a_link_that_nobody_used_it_is_forgotten_whom_it_was_for(cast: Cast) -> None:
    """By the keeper, once its time is over; of one that was used it belongs to who used it."""
    over, open_, used, taken_back = [invite(cast.manager, cast.coca_cola, note=f"n{n}") for n in range(4)]
    signed_in(cast.outsider).post(used)
    links.take_back(links.invitation(taken_back.split("/")[-2]))
    past = timezone.now() - timedelta(seconds=1)
    Invitation.objects.exclude(note="n1").update(expires_at=past)
    while keeper.REMOVING["forget whom invitations were for"]():
        pass
    assert sorted(Invitation.objects.values_list("note", flat=True)) == ["", "", "n1", "n2"]
    assert links.invitation(open_.split("/")[-2]).note == "n1"
    assert is_dead(Client().get(over))


def test_only_the_hash_is_kept(cast: Cast) -> None:
    token = invite(cast.manager, cast.coca_cola).split("/")[-2]
    row = Invitation.objects.values().get()
    assert token not in str(row)
    client = signed_in(cast.manager)
    for name, args in (("changelist", []), ("change", [row["id"]]), ("history", [row["id"]])):
        page = client.get(reverse(f"admin:conversations_invitation_{name}", args=args)).content.decode()
        assert token not in page


def test_managers_invite_into_their_own_companies_alone(cast: Cast) -> None:
    for by, company in ((cast.manager, cast.globex), (cast.reviewer, cast.coca_cola)):
        form = {"company": str(company.pk), "role": "member", "days": "7"}
        page = signed_in(by).post(reverse("admin:conversations_invitation_add"), form)
        assert page.status_code in (200, 403)
    form = {"company": str(cast.coca_cola.pk), "role": "operator", "days": "7"}
    signed_in(cast.manager).post(reverse("admin:conversations_invitation_add"), form)
    signed_in(cast.manager).post(
        reverse("admin:conversations_invitation_add"), {**form, "role": "member", "days": "31"}
    )
    assert not Invitation.objects.exists()
    assert invite(cast.admin, cast.globex)


def test_another_companys_invitation_is_not_taken_back(cast: Cast) -> None:
    invite(cast.admin, cast.globex)
    found = Invitation.objects.get()
    address = reverse("admin:conversations_invitation_take_back", args=[found.pk])
    assert signed_in(cast.manager).post(address).status_code == 404
    assert signed_in(cast.member).post(address).status_code == 403
    assert Invitation.objects.get().state == "Open"


@pytest.mark.parametrize(
    "query",
    [
        *("expires_at__year=99999999999", "used_at__year=0", "created_at__gte=x", "token_hash__startswith=a"),
        *("role__range=1", "id=x", "made_by__password__startswith=a", "company__id__exact=a%00"),
    ],
)
def test_the_list_is_asked_by_its_own_filters_alone(cast: Cast, query: str) -> None:
    invite(cast.manager, cast.coca_cola)
    address = reverse("admin:conversations_invitation_changelist")
    assert signed_in(cast.manager).get(f"{address}?{query}").status_code == 400
    allowed = f"{address}?company__id__exact={cast.coca_cola.pk}&q=&o=1&p=1"
    assert signed_in(cast.manager).get(allowed).status_code == 200


def test_which_names_exist_is_told_so_often_and_no_more(cast: Cast) -> None:
    path = invite(cast.manager, cast.coca_cola)
    weak = {"password1": "12345678", "password2": "12345678"}
    statuses = []
    for number in range(limits.AT_AN_INVITATION + 2):
        client = Client(REMOTE_ADDR=f"192.0.2.{number}")
        name = "member" if number % 2 else f"nobody{number}"  # a free one is told by what else is wrong
        statuses.append(client.post(path, {"username": name, **weak}).status_code)
    assert statuses == [200] * limits.AT_AN_INVITATION + [429] * 2
    other = invite(cast.manager, cast.coca_cola)
    for number in range(limits.FROM_AN_ADDRESS):
        Client(REMOTE_ADDR="192.0.2.77").post("/accounts/login/", {"username": f"n{number}", "password": "x"})
    assert Client(REMOTE_ADDR="192.0.2.77").post(other, JOIN).status_code == 429
    assert Client().post(other, JOIN).status_code == 302


# -- A link for a new password ----------------------------------------------------------------------


def password_link(cast: Cast, person: User) -> str:
    page = signed_in(cast.admin).post(reverse("admin:auth_user_password_link", args=[person.pk]))
    assert page.status_code == 200
    found = re.search(r'value="http://testserver(/accounts/new-password/[\w-]+/)"', page.content.decode())
    assert found
    return found[1]


def test_a_link_for_a_new_password_is_on_record_and_good_once(cast: Cast, client: Client) -> None:
    elsewhere = signed_in(cast.member)
    path = password_link(cast, cast.member)
    (row,) = Reading.objects.all()
    assert (row.company, row.reader_name, row.owner_name, row.what) == (
        cast.coca_cola,
        "admin",
        "member",
        "pwlink",
    )
    assert path.split("/")[-2] not in str(PasswordLink.objects.values().get())
    assert "member" in client.get(path).content.decode()
    chosen = {"new_password1": NEW, "new_password2": NEW}
    assert client.post(path, {**chosen, "new_password2": "x"}).status_code == 200
    assert User.objects.get(pk=cast.member.pk).check_password(PASSWORD)
    assert "Password kept" in client.post(path, chosen).content.decode()
    assert User.objects.get(pk=cast.member.pk).check_password(NEW)
    assert elsewhere.get("/").status_code == 302
    assert "_auth_user_id" not in client.session
    assert is_dead(client.get(path))
    assert is_dead(client.post(path, chosen))


def test_an_earlier_link_and_one_for_a_closed_account_are_dead(cast: Cast, client: Client) -> None:
    first, second = password_link(cast, cast.member), password_link(cast, cast.member)
    assert is_dead(client.get(first))
    assert client.get(second).status_code == 200
    User.objects.filter(pk=cast.member.pk).update(is_active=False)
    assert is_dead(client.get(second))
    late = password_link(cast, cast.member2)
    PasswordLink.objects.update(expires_at=timezone.now())
    assert is_dead(client.get(late))


def test_without_the_record_there_is_no_link(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(type(Reading.objects.all()), "bulk_create", broken)
    with pytest.raises(DatabaseError):
        password_link(cast, cast.member)
    assert not PasswordLink.objects.exists()


def test_only_operators_make_links(cast: Cast) -> None:
    for name in ("auth_user_password_link", "auth_user_remove_factors"):
        for person in (cast.manager, cast.reviewer, cast.member):
            address = reverse(f"admin:{name}", args=[cast.member.pk])
            assert signed_in(person).post(address).status_code == 403
    assert not PasswordLink.objects.exists()
    assert not Reading.objects.exists()


def test_two_with_one_link_choose_one_password(live_cast: Cast) -> None:
    path = password_link(live_cast, live_cast.member)
    token = path.split("/")[-2]
    found = [links.password_link(token), links.password_link(token)]

    def choose(number: int) -> bool:
        try:
            links.set_password(found[number], f"{NEW} {number}")
        except Exception:
            return False
        return True

    assert sorted(at_once(lambda: choose(0), lambda: choose(1))) == [False, True]

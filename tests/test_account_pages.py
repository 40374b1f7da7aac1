"""What pages of accounts say where something was not right: at which field, in which words, and what to do then."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from conversations.models import CompanySignIn
from tests.conftest import PASSWORD, Cast
from tests.openid import Provider
from tests.test_company_sign_in import provider, row, running, sign_in
from tests.test_factors import again
from tests.test_invitations import invite

__all__ = ["provider", "row", "running"]  # fixtures

NEW = "another battery staple"


def focused(page: str) -> list[str]:
    """The names of the fields that ask for the focus."""
    fields = re.findall(r"<input[^>]*>", page)
    return [str(re.findall(r'name="(\w+)"', each)[0]) for each in fields if "autofocus" in each]


def wrong(page: str) -> list[str]:
    """The names of the fields that are told to be wrong, each with a sentence that is an alert."""
    names = []
    for each in re.findall(r"<input[^>]*>", page):
        if 'aria-invalid="true"' in each:
            told = re.findall(r'aria-describedby="([\w-]+)', each)[0]
            assert re.search(rf'<p class="[\w-]+" role="alert" id="{told}">', page), each
            names.append(str(re.findall(r'name="(\w+)"', each)[0]))
        for pointed in " ".join(re.findall(r'aria-describedby="([^"]*)"', each)).split():
            assert f'id="{pointed}"' in page, each
    return names


@pytest.mark.parametrize(
    ("sent", "focus", "marked"),
    [
        ({}, "old_password", ["old_password", "new_password1", "new_password2"]),
        (
            {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW},
            "old_password",
            ["old_password"],
        ),
        (
            {"old_password": PASSWORD, "new_password1": NEW, "new_password2": "x"},
            "new_password2",
            ["new_password2"],
        ),
    ],
)
def test_the_first_field_that_is_wrong_has_the_focus(
    cast: Cast, sent: dict[str, str], focus: str, marked: list[str]
) -> None:
    client = Client()
    client.force_login(cast.member)
    page = client.get(reverse("password_change")).content.decode()
    assert (focused(page), wrong(page)) == (["old_password"], [])
    page = client.post(reverse("password_change"), sent).content.decode()
    assert (focused(page), wrong(page)) == ([focus], marked)


def test_a_name_that_is_taken_has_the_focus(cast: Cast) -> None:
    path = invite(cast.manager, cast.coca_cola)
    assert focused(Client().get(path).content.decode()) == ["username"]
    page = Client().post(path, {"username": "member", "password1": NEW, "password2": NEW}).content.decode()
    assert (focused(page), wrong(page)) == (["username"], ["username"])
    page = Client().post(path, {"username": "ada", "password1": NEW, "password2": "x"}).content.decode()
    assert (focused(page), wrong(page)) == (["password2"], ["password2"])


@pytest.mark.parametrize(
    ("sent", "focus"),
    [
        ({"username": "", "password": "x"}, "username"),
        ({"username": "member", "password": ""}, "password"),
        ({"username": "member", "password": "wrong"}, "password"),
    ],
)
def test_signing_in_goes_on_where_something_is_missing(cast: Cast, sent: dict[str, str], focus: str) -> None:
    page = Client().get(reverse("account_login")).content.decode()
    assert focused(page) == ["username"]
    page = Client().post(reverse("account_login"), sent).content.decode()
    assert (focused(page), wrong(page)) == ([focus], ["username", "password"])


def test_who_failed_too_often_is_told_what_else_there_is(cast: Cast) -> None:
    for _ in range(6):
        response = Client().post(reverse("account_login"), {"username": "member", "password": "wrong"})
    page = response.content.decode()
    assert "15 minutes" in page
    for way in ("A browser in which you signed in before", "A passkey", "Whoever runs the site"):
        assert way in page
    assert f'href="{reverse("account_login")}"' in page
    client = Client()
    client.force_login(cast.member)
    for _ in range(6):
        response = client.post(reverse("account_reauthenticate"), {"password": "wrong"})
    page = response.content.decode()
    assert "You stay signed in" in page
    assert f'href="{reverse("account")}"' in page


def test_a_company_that_refuses_leads_back_to_its_sign_in(row: CompanySignIn, provider: Provider) -> None:
    back = f'href="{reverse("company_sign_in", args=[row.pk])}"'
    provider.person = {"sub": "1001", "groups": []}
    assert back in sign_in(row, provider).content.decode()
    provider.forged = True
    assert back in sign_in(row, provider).content.decode()
    callback = reverse("company_sign_in_callback", args=[row.pk])
    assert back in Client().get(callback, {"error": "access_denied"}).content.decode()


def test_links_that_are_shown_once_have_a_button_to_take_them_by(cast: Cast) -> None:
    manager, operator = Client(), Client()
    manager.force_login(cast.manager)
    operator.force_login(cast.admin)
    form = {"company": str(cast.coca_cola.pk), "role": "member", "note": "", "days": "7"}
    for response in (
        manager.post(reverse("admin:conversations_invitation_add"), form),
        operator.post(reverse("admin:auth_user_password_link", args=[cast.member.pk])),
    ):
        page = response.content.decode()
        assert re.search(r'<input[^>]* id="made-link"', page)
        assert 'data-copy-from="made-link"' in page
        assert "js/copy.js" in page


def test_managers_see_who_has_no_second_factor(cast: Cast) -> None:
    Authenticator.objects.create(user=cast.member, type="totp", data={})
    Authenticator.objects.create(user=cast.member2, type="recovery_codes", data={})
    client = Client()
    client.force_login(cast.manager)
    people = reverse("admin:conversations_membership_changelist")
    shown = {
        choice: set(
            re.findall(r"/change/[^>]*>(?:<bdi>)?(\w+)", client.get(f"{people}{query}").content.decode())
        )
        for choice, query in {"all": "", "none": "?factor=none", "some": "?factor=some"}.items()
    }
    assert shown == {
        "all": {"member", "member2", "reviewer", "manager"},
        "none": {"member2", "reviewer", "manager"},
        "some": {"member"},
    }
    page = client.get(people).content.decode()
    assert page.count('<td class="field-second_factor">Set up</td>') == 1
    assert page.count('<td class="field-second_factor">None</td>') == 3


def test_a_proof_is_asked_for_in_an_alert(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.member)
    page = client.post(reverse("account_reauthenticate"), {"password": "wrong"}).content.decode()
    assert (focused(page), wrong(page)) == (["password"], ["password"])
    again(client)
    page = client.post(reverse("mfa_activate_totp"), {"code": "000000"}).content.decode()
    assert (focused(page), wrong(page)) == (["code"], ["code"])

"""Guessers lock an account for guessers: who is known there, who is signed in and who gives a code counts apart."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from conversations.accounts import devices, limits
from conversations.models import SignInCount
from tests.conftest import PASSWORD, Cast
from tests.test_factors import again, clock, code, is_in, set_up
from tests.test_sign_in import LOGIN

__all__ = ["clock"]  # a fixture

HOME = "192.0.2.7"


def attempt(client: Client, password: str, username: str = "member") -> int:
    return client.post(LOGIN, {"username": username, "password": password}).status_code


def known(username: str = "member") -> Client:
    """A browser in which somebody signed in, and out again."""
    client = Client(REMOTE_ADDR=HOME)
    assert attempt(client, PASSWORD, username) == 302
    client.post(reverse("account_logout"))
    assert not is_in(client)
    return client


def guess(username: str = "member", address: str = "198.51.100.1") -> None:
    """Guess elsewhere until nothing is looked at any more."""
    while attempt(Client(REMOTE_ADDR=address), "wrong", username) != 429:
        pass


def test_guessers_elsewhere_do_not_lock_a_known_browser(cast: Cast) -> None:
    client = known()
    guess()
    assert attempt(Client(REMOTE_ADDR=HOME), PASSWORD) == 429  # a browser that nobody knows
    assert attempt(client, PASSWORD) == 302


def test_guessers_beside_it_do_not_lock_it_either(cast: Cast) -> None:
    client = known()
    for number in range(limits.FROM_AN_ADDRESS):
        attempt(Client(REMOTE_ADDR=HOME), "wrong", f"nobody{number}")
    assert attempt(Client(REMOTE_ADDR=HOME), PASSWORD, "member2") == 429
    assert attempt(client, PASSWORD) == 302


def test_a_known_browser_is_one_until_the_password_changes(cast: Cast) -> None:
    client = known()
    guess()
    cast.member.set_password("another password")
    cast.member.save()
    assert attempt(client, "another password") == 429


def test_a_known_browser_may_fail_no_oftener(cast: Cast) -> None:
    client = known()
    assert [attempt(client, "wrong") for _ in range(7)] == [200] * 5 + [429] * 2
    assert attempt(client, PASSWORD) == 429
    assert attempt(known(), PASSWORD) == 302  # nobody else is locked by it


def test_a_browser_is_known_at_one_account(cast: Cast) -> None:
    client = known("member2")
    guess()
    assert attempt(client, PASSWORD) == 429
    assert attempt(client, PASSWORD, "member2") == 302


def test_a_browser_is_known_at_a_few_accounts(cast: Cast) -> None:
    client = Client(REMOTE_ADDR=HOME)
    names = [f"person{number}" for number in range(devices.ACCOUNTS + 1)]
    for name in names:
        User.objects.create_user(name, password=PASSWORD)
        assert attempt(client, PASSWORD, name) == 302
        client.post(reverse("account_logout"))
    assert len(client.cookies[devices.COOKIE].value) < 1_000
    for name in names:
        guess(name, address=f"198.51.100.{name[-1]}")
    for name in names[:0:-1]:
        assert attempt(client, PASSWORD, name) == 302
        client.post(reverse("account_logout"))
    assert attempt(client, PASSWORD, names[0]) == 429  # forgotten


@pytest.mark.parametrize("forged", ["", "x", "e30:x:y", None])
def test_a_cookie_that_we_did_not_make_is_none(cast: Cast, forged: str | None) -> None:
    client = known()
    value = client.cookies[devices.COOKIE].value
    client.cookies[devices.COOKIE] = value[:-1] + "-" if forged is None else forged
    guess()
    assert attempt(client, PASSWORD) == 429


def test_the_cookie_is_for_the_server_alone_and_names_nobody(cast: Cast) -> None:
    cookie = known().cookies[devices.COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/accounts/")
    assert "member" not in cookie.value


def test_who_is_signed_in_proves_it_again_whatever_is_guessed_elsewhere(cast: Cast) -> None:
    client = Client(REMOTE_ADDR=HOME)
    client.force_login(cast.member)
    guess(address=HOME)
    again(client)
    sent = {"old_password": "wrong", "new_password1": "another battery", "new_password2": "another battery"}
    statuses = [client.post(reverse("password_change"), sent).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    assert client.post(reverse("account_reauthenticate"), {"password": PASSWORD}).status_code == 429


def test_codes_are_asked_for_whatever_is_guessed_elsewhere(cast: Cast, clock: list[float]) -> None:
    client = Client()
    attempt(client, PASSWORD)
    secret = set_up(client)
    clock[0] += 60
    client = Client(REMOTE_ADDR=HOME)
    assert attempt(client, PASSWORD) == 302
    guess()
    assert client.post(reverse("mfa_authenticate"), {"code": code(secret)}).status_code == 302
    assert is_in(client)


def test_a_thousand_guesses_from_everywhere_leave_a_known_browser_in(cast: Cast) -> None:
    client = known()
    looked = [attempt(Client(REMOTE_ADDR=f"203.0.{n // 250}.{n % 250}"), "wrong") for n in range(1_000)]
    assert looked.count(200) == limits.AT_AN_ACCOUNT
    assert attempt(client, PASSWORD) == 302
    assert SignInCount.objects.count() < 1_010

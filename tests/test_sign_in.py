"""Signing in with a password: whom it lets in, how often one may fail, and that nothing tells which accounts exist."""

from __future__ import annotations

import re
import statistics
import time

import pytest
from django.conf import settings as site
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import Settings

from conversations import metrics
from conversations.accounts import callers, limits
from conversations.models import SignInCount, SpentCode
from tests.conftest import PASSWORD, Cast
from tests.races import at_once

LOGIN = "/accounts/login/"
REAL_HASHERS = site.PASSWORD_HASHERS


def post(username: str, password: str, *, address: str = "192.0.2.7", **headers: str) -> tuple[int, str]:
    response = Client(REMOTE_ADDR=address).post(
        LOGIN, {"username": username, "password": password}, headers=headers
    )
    said = response.content.decode()
    return response.status_code, said.replace(f'value="{username}"', "")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that have passed, to be added to."""
    passed = [0.0]
    real = time.time
    monkeypatch.setattr("conversations.accounts.limits.time.time", lambda: real() + passed[0])
    return passed


def test_a_right_password_lets_in_and_leads_on(cast: Cast) -> None:
    client = Client()
    sent = {"username": " member ", "password": PASSWORD, "next": "/chats/"}
    response = client.post(LOGIN, sent)
    assert (response.status_code, response["Location"]) == (302, "/chats/")
    assert client.session["_auth_user_id"] == str(cast.member.pk)


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/", "//evil.example", "http://localhost/", "javascript:alert(1)", "\\\\evil"],
)
def test_nobody_is_led_away(cast: Cast, address: str) -> None:
    for client in (Client(), Client()):
        response = client.post(LOGIN, {"username": "member", "password": PASSWORD, "next": address})
        assert (response.status_code, response["Location"]) == (302, "/")
    assert client.get(LOGIN, {"next": address})["Location"] == "/"


def test_a_session_gets_a_new_key(cast: Cast) -> None:
    client = Client()
    client.get(LOGIN)
    session = client.session
    session["before"] = "1"
    session.save()
    client.cookies["sessionid"] = before = str(session.session_key)
    client.post(LOGIN, {"username": "member", "password": PASSWORD})
    assert client.session.session_key != before
    assert not client.session.exists(before)


@pytest.mark.parametrize(
    "path",
    [
        *("signup/", "email/", "confirm-email/", "password/reset/", "password/set/", "password/change/"),
        *("inactive/", "login/code/confirm/", "signup/passkey/", "social/connections/", "2fa/", "3rdparty/"),
        *("social/login/cancelled/", "oidc/x/login/", "reauthenticate/"),
    ],
)
def test_pages_that_nobody_should_reach_are_not_there(cast: Cast, path: str) -> None:
    client = Client()
    assert client.get(f"/accounts/{path}").status_code == 404
    client.force_login(cast.member)
    assert client.get(f"/accounts/{path}").status_code == 404


def test_signing_out_is_a_form(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.member)
    assert client.get(reverse("account_logout")).status_code == 405
    assert client.post(reverse("account_logout"))["Location"] == LOGIN
    assert "_auth_user_id" not in client.session


def test_five_failures_lock_an_account_for_a_quarter_of_an_hour(cast: Cast, clock: list[float]) -> None:
    refused = metrics.sign_in_refusals.labels("limit")._value.get()
    for _ in range(5):
        assert post("member", "wrong")[0] == 200
        clock[0] += 10
    assert post("MEMBER", PASSWORD, address="192.0.2.8")[0] == 429  # right, from elsewhere, spelled otherwise
    status, said = post("member", PASSWORD)
    assert status == 429
    assert "Try again in 15 minutes" in said
    assert metrics.sign_in_refusals.labels("limit")._value.get() == refused + 2
    assert post("member2", PASSWORD)[0] == 302
    clock[0] += limits.WINDOW - 45  # the first of them is over
    assert post("member", "wrong")[0] == 200
    assert post("member", PASSWORD)[0] == 429
    clock[0] += limits.WINDOW
    assert post("member", PASSWORD)[0] == 302


def test_who_signs_in_rightly_is_never_counted(cast: Cast) -> None:
    for _ in range(25):
        assert post("member", PASSWORD)[0] == 302
    assert {len(row.times) for row in SignInCount.objects.all()} == {0}


def test_the_wait_is_said_to_programs_too(cast: Cast) -> None:
    for _ in range(5):
        post("member", "wrong")
    response = Client(REMOTE_ADDR="192.0.2.7").post(LOGIN, {"username": "member", "password": "x"})
    assert limits.WINDOW - 60 < int(response["Retry-After"]) <= limits.WINDOW
    assert "no-store" in response["Cache-Control"]


def test_twenty_failures_lock_an_address(cast: Cast, clock: list[float]) -> None:
    for number in range(20):
        assert post(f"nobody{number}", "wrong")[0] == 200
    assert post("member", PASSWORD)[0] == 429
    assert post("member", PASSWORD, address="192.0.2.8")[0] == 302


def test_an_address_of_ipv6_is_its_network(cast: Cast) -> None:
    for number in range(20):
        assert post(f"nobody{number}", "wrong", address=f"2001:db8:1:2:{number:x}::1")[0] == 200
    assert post("member", PASSWORD, address="2001:db8:1:2:ffff::9")[0] == 429
    assert post("member", PASSWORD, address="2001:db8:1:3::9")[0] == 302


def test_a_thousand_wrong_passwords_are_five_looks(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    monkeypatch.setattr(
        "conversations.accounts.adapters.authenticate", lambda *given, **named: looked.append(named)
    )
    statuses = [post("member", f"wrong{n}", address=f"198.51.{n // 250}.{n % 250}")[0] for n in range(1_000)]
    assert statuses == [200] * 5 + [429] * 995
    assert len(looked) == 5


def test_fifty_at_once_are_five_looks(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    monkeypatch.setattr(
        "conversations.accounts.adapters.authenticate",
        lambda *given, **named: looked.append(named["password"]),
    )

    def fail(number: int) -> int:
        return post("member", f"wrong{number}", address=f"198.51.100.{number}")[0]

    statuses = at_once(*[lambda number=number: fail(number) for number in range(50)])
    assert sorted(statuses) == [200] * 5 + [429] * 45
    assert len(looked) == 5


def test_known_and_unknown_names_are_answered_alike(cast: Cast) -> None:
    User.objects.filter(pk=cast.member2.pk).update(is_active=False)
    cast.reviewer.set_unusable_password()
    cast.reviewer.save()
    names = ("member", "member2", "reviewer", "nobody-of-this-name")
    for _ in range(7):
        answers = [
            post(name, PASSWORD if name == "member2" else "wrong", address=f"192.0.2.{n}")
            for n, name in enumerate(names)
        ]
        assert len({(status, tokenless(said)) for status, said in answers}) == 1
    assert answers[0][0] == 429


def tokenless(said: str) -> str:
    """A page without what is another each time it is made."""
    said = re.sub(r'nonce="[^"]+"', "", said)
    before, _, rest = said.partition('name="csrfmiddlewaretoken" value="')
    return before + tokenless(rest.partition('"')[2]) if rest else before


def test_the_time_tells_no_more(cast: Cast, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """With passwords hashed as they are on a real site. Taken in turn, so that what else the machine does hits all."""
    settings.PASSWORD_HASHERS = REAL_HASHERS
    cast.member.set_password(PASSWORD)
    cast.member.save()
    cast.member2.set_unusable_password()
    cast.member2.save()
    monkeypatch.setattr(limits, "AT_AN_ACCOUNT", 10_000)
    monkeypatch.setattr(limits, "FROM_AN_ADDRESS", 10_000)
    times: dict[str, list[float]] = {"member": [], "member2": [], "nobody-of-this-name": []}
    post("member", "wrong")
    for _ in range(15):
        for name, taken in times.items():
            began = time.process_time()
            assert post(name, "wrong")[0] == 200
            taken.append(time.process_time() - began)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    assert max(medians.values()) < 1.1 * min(medians.values()), medians
    assert min(medians.values()) > 0.05  # it was hashed


def test_what_is_over_is_removed(cast: Cast, clock: list[float]) -> None:
    post("member", "wrong")
    assert limits.spend("1 123456", seconds=120)
    clock[0] += 2 * limits.WINDOW
    post("member2", "wrong", address="192.0.2.99")
    assert SignInCount.objects.count() == 2
    assert not SpentCode.objects.exists()


def test_no_name_is_kept(cast: Cast) -> None:
    post("my-password-by-mistake", "wrong")
    assert "my-password" not in str(list(SignInCount.objects.values()))
    assert "192.0.2" not in str(list(SignInCount.objects.values()))


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "address"),
    [
        ("192.0.2.1", "", [], "192.0.2.1"),
        ("192.0.2.1", "198.51.100.9", [], "192.0.2.1"),
        ("192.0.2.1", "198.51.100.9", ["10.0.0.0/8"], "192.0.2.1"),
        ("127.0.0.1", "198.51.100.9", ["127.0.0.1"], "198.51.100.9"),
        ("127.0.0.1", "6.6.6.6, 198.51.100.9", ["127.0.0.1"], "198.51.100.9"),
        ("127.0.0.1", "6.6.6.6, 198.51.100.9, 10.1.2.3", ["127.0.0.1", "10.0.0.0/8"], "198.51.100.9"),
        ("127.0.0.1", "nonsense", ["127.0.0.1"], "127.0.0.1"),
        ("127.0.0.1", "", ["127.0.0.1"], "127.0.0.1"),
        ("::ffff:10.1.2.3", "2001:db8::1", ["10.0.0.0/8"], "2001:db8::1"),
        ("fd00::1", "198.51.100.9", ["fd00::/8"], "198.51.100.9"),
        ("", "198.51.100.9", ["127.0.0.1"], "None"),
    ],
)
def test_a_header_is_believed_where_its_proxy_was_named(
    settings: Settings, peer: str, forwarded: str, trusted: list[str], address: str
) -> None:
    settings.TRUSTED_PROXIES = trusted
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = RequestFactory(REMOTE_ADDR=peer).get("/", headers=headers)
    assert str(callers.address_of(request)) == address


def test_clients_behind_a_proxy_are_told_apart_once_it_is_named(
    cast: Cast, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    for number in range(20):
        post(f"nobody{number}", "wrong", address="127.0.0.1", **{"X-Forwarded-For": "198.51.100.1"})
    assert post("member", PASSWORD, address="127.0.0.1", **{"X-Forwarded-For": "198.51.100.1"})[0] == 429
    assert post("member", PASSWORD, address="127.0.0.1", **{"X-Forwarded-For": "198.51.100.2"})[0] == 302
    assert "TRUSTED_PROXIES" not in caplog.text
    settings.TRUSTED_PROXIES = []
    for number in range(21):
        post(f"nobody{number}", "wrong", address="127.0.0.1", **{"X-Forwarded-For": f"198.51.100.{number}"})
    assert "name it in TRUSTED_PROXIES" in caplog.text


def test_the_password_of_now_is_limited_too(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.member)
    sent = {"old_password": "wrong", "new_password1": "another battery", "new_password2": "another battery"}
    statuses = [client.post(reverse("password_change"), sent).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    assert client.post(reverse("account_reauthenticate"), {"password": PASSWORD}).status_code == 429


def test_the_administration_has_no_other_way_in(cast: Cast) -> None:
    response = Client().post("/admin/login/", {"username": "admin", "password": PASSWORD})
    assert response.status_code == 302
    assert response["Location"].startswith(LOGIN)

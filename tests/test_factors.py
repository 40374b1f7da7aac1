"""Second factors: set up, asked for, required by a company, lost; and where somebody is signed in."""

from __future__ import annotations

import base64
import html
import json
import re
import time
from collections.abc import Callable
from datetime import timedelta
from http.cookies import SimpleCookie
from importlib import import_module
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chatsite.application import application
from conversations import factors, rechecks
from conversations.accounts import challenges, factor_forms, limits, sessions
from conversations.database import in_database
from conversations.models import Company, Reading, SignIn, SignInCount
from tests.conftest import PASSWORD, Cast
from tests.passkeys import FLAG, Device
from tests.test_access import Tab, cookie_of
from tests.test_posting import end, start

NEW = "another battery staple"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that codes are ahead, to be added to: each half a minute has one, and each is good once."""
    passed = [0.0]
    real = time.time
    monkeypatch.setattr(totp.time, "time", lambda: real() + passed[0])
    return passed


def code(secret: str, ahead: int = 0) -> str:
    """The code of now, or of so many half minutes later."""
    counter = int(totp.time.time()) // 30 + ahead
    return str(totp.format_hotp_value(totp.hotp_value(secret, counter)))


def sign_in(username: str, password: str = PASSWORD, client: Client | None = None) -> tuple[Client, Any]:
    client = client or Client(headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"})
    return client, client.post("/accounts/login/", {"username": username, "password": password})


def again(client: Client) -> None:
    """Prove who one is once more."""
    assert client.post(reverse("account_reauthenticate"), {"password": PASSWORD}).status_code == 302


def set_up(client: Client) -> str:
    """Set an app up, and give back its secret."""
    again(client)
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    found = re.search(r'id="totp-key">(\w+)<', page)
    assert found
    response = client.post(reverse("mfa_activate_totp"), {"code": code(found[1])})
    assert response["Location"] == reverse("mfa_view_recovery_codes")
    return found[1]


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_an_app_is_asked_for_after_the_password(cast: Cast, clock: list[float]) -> None:
    client, _ = sign_in("member")
    secret = set_up(client)
    assert secret not in str(list(Authenticator.objects.values()))  # sealed
    clock[0] += 60
    client, response = sign_in("member")
    assert response["Location"] == reverse("mfa_authenticate")
    assert not is_in(client)
    assert client.get("/").status_code == 302
    assert (
        "That is not right" in client.post(reverse("mfa_authenticate"), {"code": "000000"}).content.decode()
    )
    response = client.post(reverse("mfa_authenticate"), {"code": code(secret)})
    assert (response.status_code, response["Location"], is_in(client)) == (302, "/", True)


def test_a_code_is_good_once_however_it_is_spelled(cast: Cast, clock: list[float], settings: Any) -> None:
    client, _ = sign_in("member")
    secret = set_up(client)
    clock[0] += 60
    used = code(secret)
    for number, given in enumerate((used, used, f"{used[:3]} {used[3:]}", f"{used[:3]}-{used[3:]}")):
        totp.cache.clear()  # of another process
        client, _ = sign_in("member")
        client.post(reverse("mfa_authenticate"), {"code": given})
        assert is_in(client) is (number == 0), given


def test_a_recovery_code_stands_in_once(cast: Cast) -> None:
    client, _ = sign_in("member")
    set_up(client)
    page = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    codes = re.findall(r"<code>(\d{8})</code>", page)
    assert len(codes) == 10
    assert not re.search(r"\d{8}", client.get(reverse("mfa_view_recovery_codes")).content.decode())
    for expected in (True, False):
        client, _ = sign_in("member")
        client.post(reverse("mfa_authenticate"), {"code": codes[0]})
        assert is_in(client) is expected
    client.get(reverse("account"))


def test_guessing_codes_is_limited_with_passwords(cast: Cast, clock: list[float]) -> None:
    client, _ = sign_in("member")
    secret = set_up(client)
    clock[0] += 60
    client, _ = sign_in("member")
    statuses = [client.post(reverse("mfa_authenticate"), {"code": "000000"}).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    assert client.post(reverse("mfa_authenticate"), {"code": code(secret)}).status_code == 429
    client, _ = sign_in("member")  # a right password does not make room for more guesses
    assert client.post(reverse("mfa_authenticate"), {"code": code(secret)}).status_code == 429


@pytest.mark.parametrize(
    "name",
    ["mfa_activate_totp", "mfa_add_webauthn", "mfa_generate_recovery_codes", "mfa_view_recovery_codes"],
)
def test_factors_are_changed_by_who_has_just_proved_who_they_are(cast: Cast, name: str) -> None:
    client, _ = sign_in("member")
    set_up(client)
    session = client.session
    session.pop("account_authentication_methods")
    session.save()
    for address in (reverse(name), reverse("mfa_deactivate_totp")):
        if name == "mfa_activate_totp" and address == reverse(name):
            continue  # it is on
        for response in (client.get(address), client.post(address)):
            if response.status_code == 405 and name == "mfa_view_recovery_codes":
                continue  # a page to read
            assert response.status_code == 302, address
            assert "/accounts/again/" in response["Location"], address
    assert factors.of(cast.member).count() == 1


def test_the_first_factor_ends_sessions_that_began_without(cast: Cast) -> None:
    elsewhere, _ = sign_in("member")
    client, _ = sign_in("member")
    set_up(client)
    assert client.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "{",
        "[]",
        "{}",
        "null",
        '"x"',
        '{"id": 1}',
        '{"response": {}}',
        '{"response": {"userHandle": "MQ"}}',
    ],
)
@pytest.mark.parametrize("name", ["mfa_login_webauthn", "mfa_add_webauthn", "mfa_reauthenticate_webauthn"])
def test_what_is_no_passkey_is_refused(cast: Cast, name: str, credential: str) -> None:
    client = Client()
    if name != "mfa_login_webauthn":
        client, _ = sign_in("member")
        again(client)
    else:
        asked = client.get(reverse(name), headers={"Accept": "application/json"}).json()
        assert asked["request_options"]["publicKey"]["challenge"]
    response = client.post(reverse(name), {"credential": credential, "name": "x"})
    assert response.status_code in (200, 302)
    assert is_in(client) is (name != "mfa_login_webauthn")
    assert not Authenticator.objects.exists()


def test_a_forged_passkey_lets_nobody_in(cast: Cast) -> None:
    client = Client()
    client.get(reverse("mfa_login_webauthn"), headers={"Accept": "application/json"})
    forged = {
        "type": "public-key",
        "id": "eA",
        "rawId": "eA",
        "clientExtensionResults": {},
        "response": {
            "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoieCIsIm9yaWdpbiI6Imh0dHBzOi8veCJ9",
            "authenticatorData": "A" * 50,
            "signature": "eA",
            "userHandle": "MQ",
        },
    }
    response = client.post(reverse("mfa_login_webauthn"), {"credential": json.dumps(forged)})
    assert response["Location"] == reverse("account_login")
    assert "This passkey was not taken" in client.get(reverse("account_login")).content.decode()
    assert not is_in(client)


# -- What a company requires ------------------------------------------------------------------------


def require(company: Company) -> None:
    Company.objects.filter(pk=company.pk).update(requires_second_factor=True)


def test_a_manager_requires_it_of_the_people_of_their_company(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.manager)
    people = reverse("admin:conversations_membership_changelist")
    page = client.get(people).content.decode()
    assert "<bdi>Coca Cola</bdi> requires no second factor; 4 have none." in page
    assert "Globex" not in page
    address = reverse("admin:conversations_membership_second_factor", args=[cast.coca_cola.pk])
    # Who has none would be locked out by their own press.
    assert b"of your own first" in client.post(address, {"required": "yes"}, follow=True).content
    assert not Company.objects.get(pk=cast.coca_cola.pk).requires_second_factor
    own = Authenticator.objects.create(user=cast.manager, type="totp", data={})
    assert client.post(address, {"required": "yes"}).status_code == 302
    cast.coca_cola.refresh_from_db()
    assert cast.coca_cola.requires_second_factor
    own.delete()
    assert client.get(people)["Location"] == reverse("account_second_factor")  # they too
    foreign = reverse("admin:conversations_membership_second_factor", args=[cast.globex.pk])
    client.force_login(cast.reviewer)
    Authenticator.objects.create(user=cast.reviewer, type="totp", data={})
    assert client.post(address, {"required": "no"}).status_code == 404
    client.force_login(cast.manager)
    Authenticator.objects.create(user=cast.manager, type="totp", data={})
    assert client.post(foreign, {"required": "yes"}).status_code == 404
    assert client.post(address, {"required": "no"}).status_code == 302


@pytest.mark.parametrize(
    "path", ["/", "/chats/", "/accounts/", "/accounts/password/", "/admin/", "/nowhere/"]
)
def test_who_has_none_is_led_to_set_one_up(cast: Cast, path: str) -> None:
    require(cast.coca_cola)
    client, _ = sign_in("manager")
    response = client.get(path)
    if path == "/nowhere/":
        assert response.status_code == 404
        return
    assert (response.status_code, response["Location"]) == (302, reverse("account_second_factor"))
    assert "Coca Cola" in client.get(reverse("account_second_factor")).content.decode()
    assert client.post(path).status_code == 302
    partial = client.post(path, headers={"HX-Request": "true"})
    assert partial.status_code == 403
    assert "Your text is kept" in partial.content.decode()
    set_up(client)
    assert client.get(path).status_code == 200
    assert client.get(reverse("account_second_factor"))["Location"] == reverse("account")


def test_recovery_codes_alone_are_no_factor(cast: Cast) -> None:
    require(cast.coca_cola)
    Authenticator.objects.create(user=cast.member, type="recovery_codes", data={})
    assert factors.lacks(cast.member)
    assert not factors.lacks(cast.outsider)
    Authenticator.objects.create(user=cast.member, type="webauthn", data={})
    assert not factors.lacks(cast.member)


def test_who_has_none_can_sign_out(cast: Cast) -> None:
    require(cast.coca_cola)
    client, _ = sign_in("member")
    assert client.post(reverse("account_logout")).status_code == 302
    assert not is_in(client)


def socket(path: str, cookie: str) -> Tab:
    headers = [(b"host", b"testserver"), (b"origin", b"http://testserver"), (b"cookie", cookie.encode())]
    return Tab(application, path, headers=headers)


async def test_sockets_are_closed_to_who_has_none(live_cast: Cast) -> None:
    turn = await in_database(start, live_cast)
    await in_database(end, turn)
    cookie = await in_database(cookie_of, live_cast.member)
    path = f"/ws/c/{turn.conversation.pk}/"
    open_one = socket(path, cookie)
    assert (await open_one.connect())[0]
    await in_database(require, live_cast.coca_cola)
    await rechecks.look()
    while (message := await open_one.receive_output())["type"] != "websocket.close":
        pass
    assert message["code"] == 4401
    assert not (await socket(path, cookie).connect())[0]
    await in_database(lambda: Authenticator.objects.create(user=live_cast.member, type="totp", data={}))
    last = socket(path, cookie)
    assert (await last.connect())[0]
    await last.disconnect()


# -- Lost ones --------------------------------------------------------------------------------------


def test_an_operator_removes_what_is_lost_on_record(cast: Cast) -> None:
    client, _ = sign_in("member")
    set_up(client)
    operator = Client()
    operator.force_login(cast.admin)
    page = operator.get(reverse("admin:auth_user_change", args=[cast.member.pk])).content.decode()
    assert "Remove the second factors" in page
    assert operator.post(reverse("admin:auth_user_remove_factors", args=[cast.member.pk])).status_code == 302
    assert not Authenticator.objects.exists()
    assert [(row.reader_name, row.owner_name, row.what) for row in Reading.objects.all()] == [
        ("admin", "member", "factor")
    ]
    assert sign_in("member")[1]["Location"] == "/"


def test_at_the_machine_it_is_a_command(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    client, _ = sign_in("member")
    set_up(client)
    call_command("remove_factors", "member")
    assert "member: 2 removed" in capsys.readouterr().out
    assert not Authenticator.objects.exists()
    assert [(row.reader_name, row.what) for row in Reading.objects.all()] == [("manage.py", "factor")]
    with pytest.raises(CommandError, match="no account"):
        call_command("remove_factors", "nobody")


def test_an_account_that_only_signed_in_can_be_deleted(cast: Cast) -> None:
    client, _ = sign_in("member2")
    set_up(client)
    operator = Client()
    operator.force_login(cast.admin)
    address = reverse("admin:auth_user_delete", args=[cast.member2.pk])
    assert operator.post(address, {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=cast.member2.pk).exists()


# -- Elsewhere --------------------------------------------------------------------------------------


def test_the_other_sign_ins_are_listed_and_ended(cast: Cast) -> None:
    telephone = Client(headers={"User-Agent": "Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Safari/537.36"})
    sign_in("member", client=telephone)
    other, _ = sign_in("member2")
    client, _ = sign_in("member")
    page = client.get(reverse("account")).content.decode()
    assert "Chrome on Android" in page
    assert "Firefox on Linux" not in page  # here
    assert client.get(reverse("account_sign_out_elsewhere")).status_code == 405
    client.post(reverse("account_sign_out_elsewhere"))
    page = client.get(reverse("account")).content.decode()
    assert "Signed out in 1 other browser." in page
    assert "Only in this browser." in page
    assert telephone.get("/").status_code == 302
    assert other.get("/").status_code == client.get("/").status_code == 200


def test_a_new_password_ends_the_others(cast: Cast) -> None:
    elsewhere, _ = sign_in("member")
    client, _ = sign_in("member")
    before = client.session.session_key
    sent = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert client.post(reverse("password_change"), sent)["Location"] == reverse("password_change_done")
    assert elsewhere.get("/").status_code == 302
    assert client.get("/").status_code == 200
    assert client.session.session_key != before
    assert list(SignIn.objects.values_list("session_key", flat=True)) == [client.session.session_key]
    assert not Session.objects.filter(session_key=before).exists()


def test_who_has_no_password_is_told_where_it_is(cast: Cast) -> None:
    cast.member.set_unusable_password()
    cast.member.save()
    client = Client()
    client.force_login(cast.member)
    assert "You have no password here" in client.get(reverse("password_change")).content.decode()
    assert "Change password" not in client.get(reverse("account")).content.decode()


def test_sessions_that_are_over_are_forgotten(cast: Cast) -> None:
    for _ in range(3):
        client, _ = sign_in("member")
        client.post(reverse("account_logout"))
    sign_in("member")
    assert SignIn.objects.count() == 1


@pytest.mark.parametrize(
    "name", ["account", "mfa_activate_totp", "account_reauthenticate", "password_change"]
)
def test_pages_of_an_account_are_kept_by_no_cache(cast: Cast, name: str) -> None:
    client, _ = sign_in("member")
    again(client)
    assert "no-store" in client.get(reverse(name))["Cache-Control"]


@pytest.mark.parametrize(("flags", "verified"), [(0x01, False), (0x05, True), (0x04, True), (0x00, False)])
def test_a_passkey_alone_has_to_have_asked_who_holds_it(flags: int, verified: bool) -> None:
    data = base64.urlsafe_b64encode(bytes(32) + bytes([flags]) + bytes(4)).decode().rstrip("=")
    assert factor_forms._is_verified({"response": {"authenticatorData": data}}) is verified


@pytest.mark.parametrize("credential", ["[" * 15_000, "1" * 5_000, '{"id": "' + "x" * 30_000 + '"}', "{"])
def test_what_cannot_be_read_is_refused_and_no_fault(cast: Cast, credential: str) -> None:
    client = Client()
    client.get(reverse("mfa_login_webauthn"), headers={"Accept": "application/json"})
    response = client.post(reverse("mfa_login_webauthn"), {"credential": credential})
    assert response.status_code in {200, 302, 400}
    assert not is_in(client)


def test_sessions_that_are_older_than_the_list_are_in_it(cast: Cast) -> None:
    elsewhere, _ = sign_in("member")
    stranger = Client()
    stranger.force_login(cast.member2)
    SignIn.objects.all().delete()
    client, _ = sign_in("member")
    migration = import_module("conversations.migrations.0023_waiting_sign_ins")
    for _ in range(2):
        migration.note(apps, None)
    assert SignIn.objects.count() == 3
    assert "Only in this browser" not in client.get(reverse("account")).content.decode()
    client.post(reverse("account_sign_out_elsewhere"))
    assert elsewhere.get("/").status_code == 302
    assert stranger.get("/").status_code == 200


# -- A sign-in that waits for its second factor ------------------------------------------------------


def by_its_owner(cast: Cast, owner: Client) -> None:
    sent = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert owner.post(reverse("password_change"), sent).status_code == 302


def at_the_machine(cast: Cast, owner: Client) -> None:
    person = User.objects.get(pk=cast.member.pk)
    person.set_password(NEW)
    person.save()


def signing_out_elsewhere(cast: Cast, owner: Client) -> None:
    assert owner.post(reverse("account_sign_out_elsewhere")).status_code == 302


def closing_the_account(cast: Cast, owner: Client) -> None:
    User.objects.filter(pk=cast.member.pk).update(is_active=False)


@pytest.mark.parametrize(
    "ended",
    [by_its_owner, at_the_machine, signing_out_elsewhere, closing_the_account],
    ids=lambda f: f.__name__,
)
def test_a_sign_in_that_waits_ends_with_what_it_began_by(
    cast: Cast, clock: list[float], ended: Callable[[Cast, Client], None]
) -> None:
    owner, _ = sign_in("member")
    secret = set_up(owner)
    clock[0] += 60
    waiting, response = sign_in("member")
    assert response["Location"] == reverse("mfa_authenticate")
    assert waiting.get(reverse("mfa_authenticate")).status_code == 200
    ended(cast, owner)
    for response in (
        waiting.get(reverse("mfa_authenticate")),
        waiting.post(reverse("mfa_authenticate"), {"code": code(secret)}),
    ):
        assert (response.status_code, response["Location"]) == (302, reverse("account_login"))
    assert not is_in(waiting)
    assert waiting.get(reverse("account_login")).status_code == 200


def test_a_sign_in_that_waits_is_shown_to_its_owner(cast: Cast, clock: list[float]) -> None:
    owner, _ = sign_in("member")
    secret = set_up(owner)
    clock[0] += 60
    telephone = Client(headers={"User-Agent": "Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Safari/537.36"})
    sign_in("member", client=telephone)
    page = owner.get(reverse("account")).content.decode()
    assert "Chrome on Android" in page
    assert "stopped before the second factor" in page
    telephone.post(reverse("mfa_authenticate"), {"code": code(secret)})
    assert is_in(telephone)
    page = owner.get(reverse("account")).content.decode()
    assert page.count("Chrome on Android") == 1
    assert "stopped before the second factor" not in page


def test_the_code_that_switches_an_app_on_is_spent(cast: Cast, clock: list[float]) -> None:
    client, _ = sign_in("member")
    used = code(set_up(client))
    client, _ = sign_in("member")
    client.post(reverse("mfa_authenticate"), {"code": used})
    assert not is_in(client)


def add(client: Client, device: Device) -> Any:
    """Add a passkey, as the page for it does."""
    address = reverse("mfa_add_webauthn")
    options = html.unescape(client.get(address).content.decode().partition('data-options="')[2])
    asked = json.JSONDecoder().raw_decode(options)[0]
    return client.post(address, {"name": "Key", "credential": device.create(asked)})


def asked_to_sign(client: Client) -> dict[str, Any]:
    """What a passkey has to sign to sign in."""
    response = client.get(reverse("mfa_login_webauthn"), headers={"Accept": "application/json"})
    options: dict[str, Any] = response.json()["request_options"]
    return options


def signed(client: Client, credential: str) -> bool:
    client.post(reverse("mfa_login_webauthn"), {"credential": credential})
    return is_in(client)


@pytest.fixture
def device(cast: Cast) -> Device:
    """A passkey of the member's."""
    device, (client, _) = Device(), sign_in("member")
    again(client)
    add(client, device)
    assert factors.of(cast.member).count() == 1
    return device


def test_a_passkey_signs_in_by_itself(cast: Cast, device: Device) -> None:
    client = Client()
    assert signed(client, device.get(asked_to_sign(client)))
    assert challenges.COOKIE not in {name for name, cookie in client.cookies.items() if cookie.value}


def test_what_a_passkey_signed_is_good_once_and_where_it_was_asked(cast: Cast, device: Device) -> None:
    client, twin = Client(), Client()
    credential = device.get(asked_to_sign(client))
    assert not signed(Client(), credential)
    twin.cookies = SimpleCookie(client.cookies.output(header="", sep=";"))
    assert signed(client, credential)
    assert not signed(twin, credential)


def test_what_a_passkey_was_asked_is_soon_too_old(
    cast: Cast, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    credential = device.get(asked_to_sign(client))
    monkeypatch.setattr(challenges, "SECONDS", -1)
    assert not signed(client, credential)


def test_a_passkey_that_asked_nobody_signs_nobody_in(cast: Cast, device: Device) -> None:
    client = Client()
    assert not signed(client, device.get(asked_to_sign(client), flags=FLAG.UP))


def test_the_challenge_of_a_passkey_is_kept_where_nobody_pays_for_it(cast: Cast) -> None:
    for _ in range(3):
        assert asked_to_sign(Client())["publicKey"]["challenge"]
    assert not Session.objects.exists()
    assert not SignInCount.objects.exists()


def test_passkeys_are_asked_for_whoever_guesses_beside_them(cast: Cast, device: Device) -> None:
    for number in range(limits.FROM_AN_ADDRESS + 1):
        sign_in(f"nobody{number}")
    assert sign_in("member2")[1].status_code == 429
    client = Client()
    assert signed(client, device.get(asked_to_sign(client)))


def test_an_account_has_so_many_passkeys_and_no_more(cast: Cast) -> None:
    client, _ = sign_in("member")
    again(client)
    for _ in range(factor_forms.MOST_PASSKEYS):
        assert add(client, Device()).status_code == 302
    page = add(client, Device()).content.decode()
    assert "You have 10 passkeys, which is as many as an account can have." in page
    assert factors.of(cast.member).count() == factor_forms.MOST_PASSKEYS
    assert max(len(json.dumps(each.data)) for each in Authenticator.objects.all()) < 1_000


@pytest.mark.parametrize("padding", ["x" * 8_000, "\\u0000", "\\ud800"], ids=["long", "NUL", "half"])
def test_a_passkey_that_cannot_be_kept_is_refused(cast: Cast, padding: str) -> None:
    client, _ = sign_in("member")
    again(client)

    class Padded(Device):
        def create(self, options: dict[str, Any]) -> str:
            return super().create(options)[:-1] + f', "more": "{padding}"' + "}"

    assert "This passkey was not taken" in add(client, Padded()).content.decode()
    assert not Authenticator.objects.exists()


def test_sessions_that_are_over_go(cast: Cast) -> None:
    for _ in range(3):
        Client().force_login(cast.member)
    keys = list(Session.objects.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys[:2]).update(expire_date=timezone.now() - timedelta(seconds=1))
    assert sessions.clear() == 2
    assert list(Session.objects.values_list("session_key", flat=True)) == keys[2:]
    assert sessions.clear() == 0

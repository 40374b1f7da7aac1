"""Signing in at a company's provider: a real one on loopback, honest and otherwise."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from conversations import sealing
from conversations.models import CompanySignIn, Membership
from tests.conftest import Cast
from tests.openid import CLIENT, SECRET, Provider, Running


@pytest.fixture
def running(settings: Settings) -> Iterator[Running]:
    running = Running()
    settings.LOCAL_UPSTREAMS = [running.place]
    yield running
    running.close()


@pytest.fixture
def provider(running: Running) -> Provider:
    return running.provider


def kept(secret: str, **facts: Any) -> CompanySignIn:
    """A company's provider as it is in the database."""
    made = CompanySignIn(**facts)
    made.sealed_secret = sealing.seal(secret, made.sealing_context)
    made.save()
    return made


@pytest.fixture
def row(cast: Cast, provider: Provider) -> CompanySignIn:
    return kept(
        SECRET,
        company=cast.coca_cola,
        issuer=provider.issuer,
        client_id=CLIENT,
        role_claim="groups",
        manager_values="chat-managers",
        reviewer_values="chat-reviewers\nquality",
        member_values="staff",
    )


def begin(client: Client, row: CompanySignIn, **sent: str) -> str:
    """Where the browser is sent to."""
    page = client.post(reverse("company_sign_in", args=[row.pk]), sent)
    assert page.status_code == 200, page.content
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page.content.decode())
    assert found
    return html.unescape(found[1])


def back(client: Client, row: CompanySignIn, address: str, code: str) -> Any:
    """Come back from the provider with `code`."""
    state = parse_qs(urlsplit(address).query)["state"][0]
    return client.get(reverse("company_sign_in_callback", args=[row.pk]), {"code": code, "state": state})


def sign_in(row: CompanySignIn, provider: Provider, client: Client | None = None, **sent: str) -> Any:
    client = client or Client()
    address = begin(client, row, **sent)
    response = back(client, row, address, provider.authorize(address))
    response.browser = client
    return response


def who(client: Client) -> str | None:
    key = client.session.get("_auth_user_id")
    return User.objects.get(pk=key).username if key else None


def roles(person: User) -> dict[str, str]:
    return {each.company.name: each.role for each in person.memberships.select_related("company")}


def test_somebody_new_gets_an_account_and_the_role_that_is_claimed(
    row: CompanySignIn, provider: Provider
) -> None:
    provider.person = {
        "sub": "1001",
        "preferred_username": "ada@coca.example",
        "given_name": "Ada",
        "email": "ada@coca.example",
        "email_verified": True,
        "groups": ["staff", "quality"],
    }
    response = sign_in(row, provider, next="/chats/")
    assert (response.status_code, response["Location"]) == (302, "/chats/")
    ada = User.objects.get(username="ada")
    assert who(response.browser) == "ada"
    assert (ada.first_name, ada.email, ada.has_usable_password()) == ("Ada", "ada@coca.example", False)
    assert roles(ada) == {"Coca Cola": "reviewer"}
    account = SocialAccount.objects.get()
    assert (account.provider, account.uid, account.extra_data) == (provider.issuer, "1001", {})
    assert not EmailAddress.objects.exists()
    assert not SocialToken.objects.exists()
    assert not SocialApp.objects.exists()
    # The second time it is the same account, whatever is said of its names.
    provider.person |= {
        "preferred_username": "somebody.else",
        "email": "else@coca.example",
        "groups": "staff",
    }
    assert who(sign_in(row, provider).browser) == "ada"
    assert roles(ada) == {"Coca Cola": "member"}


def test_nobody_is_taken_over_by_a_name_or_an_address(
    cast: Cast, row: CompanySignIn, provider: Provider
) -> None:
    User.objects.filter(pk=cast.admin.pk).update(email="admin@coca.example")
    EmailAddress.objects.create(user=cast.admin, email="admin@coca.example", verified=True, primary=True)
    provider.person = {
        "sub": str(cast.admin.pk),
        "preferred_username": "Admin",
        "email": "admin@coca.example",
        "email_verified": True,
        "groups": ["chat-managers"],
    }
    response = sign_in(row, provider)
    assert who(response.browser) == "Admin2"
    made = User.objects.get(username="Admin2")
    assert not made.is_superuser
    assert roles(made) == {"Coca Cola": "manager"}
    assert not SocialAccount.objects.filter(user=cast.admin).exists()
    # Nor is the account of who is signed in meanwhile.
    client = Client()
    client.force_login(cast.outsider)
    provider.person["sub"] = "1002"
    sign_in(row, provider, client, process="connect")
    assert who(client) == "Admin3"
    assert not SocialAccount.objects.filter(user=cast.outsider).exists()
    assert roles(cast.outsider) == {"Globex": "member"}


def test_the_same_subject_at_another_issuer_is_somebody_else(
    settings: Settings, cast: Cast, row: CompanySignIn, provider: Provider
) -> None:
    provider.person = {"sub": "1001", "preferred_username": "ada", "groups": ["chat-managers"]}
    sign_in(row, provider)
    other = Running()
    settings.LOCAL_UPSTREAMS = [*settings.LOCAL_UPSTREAMS, other.place]
    try:
        other.provider.person = {"sub": "1001", "preferred_username": "ada", "groups": ["chat-managers"]}
        theirs = kept(
            SECRET,
            company=cast.globex,
            issuer=other.provider.issuer,
            client_id=CLIENT,
            role_claim="groups",
            manager_values="chat-managers",
        )
        assert who(sign_in(theirs, other.provider).browser) == "ada2"
        assert roles(User.objects.get(username="ada")) == {"Coca Cola": "manager"}
        assert roles(User.objects.get(username="ada2")) == {"Globex": "manager"}
        # A provider that is moved brings nobody's account along.
        CompanySignIn.objects.filter(pk=row.pk).update(issuer=other.provider.issuer)
        assert who(sign_in(row, other.provider).browser) == "ada2"
    finally:
        other.close()


def test_a_role_that_is_claimed_no_more_ends_the_membership_of_this_company_alone(
    cast: Cast, row: CompanySignIn, provider: Provider
) -> None:
    provider.person = {"sub": "1001", "preferred_username": "ada", "groups": ["staff"]}
    sign_in(row, provider)
    ada = User.objects.get(username="ada")
    Membership.objects.create(user=ada, company=cast.globex, role="manager")
    provider.person["groups"] = ["chat-reviewers", "chat-managers"]
    sign_in(row, provider)
    assert roles(ada) == {"Coca Cola": "manager", "Globex": "manager"}
    provider.person["groups"] = []
    response = sign_in(row, provider)
    assert response.status_code == 403
    assert "gives you no place here" in response.content.decode()
    assert who(response.browser) is None
    assert roles(ada) == {"Globex": "manager"}


@pytest.mark.parametrize(
    ("claims", "let_in"),
    [
        ({"groups": "staff", "email": "a@coca.example", "email_verified": True}, True),
        ({"groups": "staff", "email": "a@COCA.example", "email_verified": True}, True),
        ({"groups": "staff", "email": "a@coca.example", "email_verified": False}, False),
        ({"groups": "staff", "email": "a@coca.example"}, False),
        ({"groups": "staff", "email": "a@evil.example", "email_verified": True}, False),
        ({"groups": "staff", "email": "coca.example@evil.example", "email_verified": True}, False),
        ({"groups": "staff"}, False),
        ({"email": "a@coca.example", "email_verified": True}, False),
    ],
)
def test_only_who_has_a_confirmed_address_of_the_company_gets_in(
    row: CompanySignIn, provider: Provider, claims: dict[str, Any], let_in: bool
) -> None:
    CompanySignIn.objects.filter(pk=row.pk).update(email_domains="coca.example\nother.example")
    people = User.objects.count()
    provider.person = {"sub": "1001", **claims}
    assert sign_in(row, provider).status_code == (302 if let_in else 403)
    assert User.objects.count() == people + let_in


def test_who_is_told_no_role_can_be_let_in_as_a_member(row: CompanySignIn, provider: Provider) -> None:
    CompanySignIn.objects.filter(pk=row.pk).update(otherwise="member", role_claim="")
    provider.person = {"sub": "1001", "groups": ["chat-managers"]}
    response = sign_in(row, provider)
    assert response.status_code == 302
    assert roles(User.objects.get(username=str(who(response.browser)))) == {"Coca Cola": "member"}


@pytest.mark.parametrize("odd", ["\0", "\ud800"], ids=["NUL", "half a character"])
def test_what_no_database_keeps_is_left_out_of_names(
    row: CompanySignIn, provider: Provider, odd: str
) -> None:
    names = ("preferred_username", "given_name", "family_name", "name", "email")
    provider.person = {
        "sub": "1001",
        "groups": ["staff", f"st{odd}aff"],
        "email_verified": True,
        **dict.fromkeys(names, f"a{odd}da"),
    }
    assert who(sign_in(row, provider).browser) == "ada"
    ada = User.objects.get(username="ada")
    assert (ada.first_name, ada.last_name, ada.email) == ("ada", "ada", "ada")
    provider.person["sub"] = f"10{odd}01"
    response = sign_in(row, provider)
    assert (response.status_code, who(response.browser)) == (403, None)
    assert User.objects.filter(username__startswith="ada").count() == 1


def late() -> dict[str, Any]:
    return {"iat": int(time.time()) - 900, "exp": int(time.time()) - 120}


@pytest.mark.parametrize(
    "lie",
    [
        {"claims": {"nonce": "another"}},
        {"claims": {"nonce": None}},
        {"claims": {"iss": "http://127.0.0.1:1"}},
        {"claims": {"aud": "another-client"}},
        {"claims": {"aud": [CLIENT, "another"], "azp": "another"}},
        {"claims": {"aud": [CLIENT, "another"]}},
        {"key_set": {"keys": ["a", "b"]}},
        {"key_set": {"keys": {"a": 1}}},
        {"key_set": ["keys"]},
        {"claims": {"exp": None}},
        {"claims": late()},
        {"claims": {"sub": ""}},
        {"claims": {"sub": "x" * 192}},
        {"forged": True},
        {"algorithm": "none"},
        {"algorithm": "HS256"},
        {"userinfo": {"sub": "1", "groups": ["chat-managers"]}},
        {"discovery": {"issuer": "http://127.0.0.1:1"}},
        {"discovery": {"token_endpoint": "http://192.0.2.1/token"}},
        {"discovery": {"jwks_uri": None}},
        {"redirects": True},
    ],
    ids=repr,
)
def test_a_provider_that_lies_lets_nobody_in(
    row: CompanySignIn, provider: Provider, lie: dict[str, Any], client: Client
) -> None:
    people = User.objects.count()
    provider.person = {"sub": "1001", "groups": ["chat-managers"]}
    address = begin(client, row)
    for name, value in lie.items():
        setattr(provider, name, value)
    response = back(client, row, address, provider.authorize(address))
    assert response.status_code == 403
    assert "did not work out" in response.content.decode()
    assert who(client) is None
    assert User.objects.count() == people
    assert "/elsewhere" not in provider.asked


def test_a_state_is_good_once_and_where_it_was_made(
    cast: Cast, row: CompanySignIn, provider: Provider, client: Client
) -> None:
    provider.person = {"sub": "1001", "groups": ["staff"]}
    address = begin(client, row)
    code = provider.authorize(address)
    assert back(Client(), row, address, code).status_code == 403  # in another browser
    twin = kept(SECRET, company=cast.globex, issuer=row.issuer, client_id=CLIENT)
    assert back(client, twin, address, code).status_code == 403  # at another company
    assert back(client, row, address, code).status_code == 302
    assert back(client, row, address, provider.authorize(address)).status_code == 403  # again
    assert User.objects.filter(username="person").count() == 1


@pytest.mark.parametrize("answer", [{"error": "access_denied"}, {"error": "server_error"}, {}])
def test_who_gives_up_at_the_provider_is_told(
    row: CompanySignIn, client: Client, answer: dict[str, str]
) -> None:
    state = parse_qs(urlsplit(begin(client, row)).query)["state"][0]
    response = client.get(reverse("company_sign_in_callback", args=[row.pk]), {"state": state, **answer})
    assert response.status_code == 403


def test_a_provider_that_is_away_is_said(row: CompanySignIn, running: Running, client: Client) -> None:
    CompanySignIn.objects.filter(pk=row.pk).update(issuer="http://127.0.0.1:9")
    assert client.post(reverse("company_sign_in", args=[row.pk])).status_code == 403


def test_a_provider_within_is_asked_only_where_the_site_says_so(
    row: CompanySignIn, provider: Provider, client: Client, settings: Settings, cast: Cast
) -> None:
    settings.LOCAL_UPSTREAMS = []
    assert client.post(reverse("company_sign_in", args=[row.pk])).status_code == 403
    assert provider.asked == []
    client.force_login(cast.admin)
    for issuer in (provider.issuer, "https://127.0.0.1:8443"):
        page = client.post(reverse("admin:conversations_companysignin_add"), form(cast, issuer=issuer))
        assert "LOCAL_UPSTREAMS" in page.content.decode(), issuer


@pytest.mark.parametrize("endpoint", ["jwks_uri", "token_endpoint", "userinfo_endpoint"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_provider_names_no_other_server_of_the_sites_own(
    row: CompanySignIn, provider: Provider, settings: Settings, client: Client, endpoint: str, scheme: str
) -> None:
    models = Running()
    settings.LOCAL_UPSTREAMS = [*settings.LOCAL_UPSTREAMS, models.place]
    try:
        provider.discovery = {endpoint: f"{scheme}://{models.place}/keys"}
        assert client.post(reverse("company_sign_in", args=[row.pk])).status_code == 403
        address = {endpoint: f"{provider.issuer}/{endpoint}"}
        provider.discovery = address
        assert client.post(reverse("company_sign_in", args=[row.pk])).status_code == 200
        assert models.provider.asked == []
    finally:
        models.close()


def test_no_provider_speaks_for_an_operator(row: CompanySignIn, provider: Provider) -> None:
    provider.person = {"sub": "1001", "preferred_username": "ada", "groups": ["staff"]}
    sign_in(row, provider)
    User.objects.filter(username="ada").update(is_superuser=True)
    response = sign_in(row, provider)
    assert (response.status_code, who(response.browser)) == (403, None)


def test_a_closed_account_stays_closed(row: CompanySignIn, provider: Provider) -> None:
    provider.person = {"sub": "1001", "preferred_username": "ada", "groups": ["staff"]}
    sign_in(row, provider)
    User.objects.filter(username="ada").update(is_active=False)
    response = sign_in(row, provider)
    assert (response.status_code, who(response.browser)) == (403, None)
    assert "This account is closed" in response.content.decode()


def test_what_is_switched_off_is_not_there(row: CompanySignIn, client: Client) -> None:
    CompanySignIn.objects.filter(pk=row.pk).update(enabled=False)
    for name in ("company_sign_in", "company_sign_in_callback"):
        assert client.get(reverse(name, args=[row.pk])).status_code == 404


def test_the_sign_in_page_names_a_company_only_to_a_browser_that_knows_it(
    row: CompanySignIn, provider: Provider, client: Client
) -> None:
    page = client.get(reverse("account_login"))
    assert "Coca Cola" not in page.content.decode()
    provider.person = {"sub": "1001", "groups": ["staff"]}
    sign_in(row, provider, client)
    client.post(reverse("account_logout"))
    assert "Continue with Coca Cola" in client.get(reverse("account_login")).content.decode()
    client.cookies["company_sign_in"] = "x"
    assert "Coca Cola" not in client.get(reverse("account_login")).content.decode()


def form(cast: Cast, **changed: str) -> dict[str, str]:
    return {
        "company": str(cast.coca_cola.pk),
        "enabled": "on",
        "issuer": "https://login.example.com/realms/staff",
        "client_id": CLIENT,
        "client_secret": SECRET,
        "otherwise": "refuse",
        **changed,
    }


def test_the_secret_goes_in_and_never_comes_out(cast: Cast, client: Client, capsys: Any) -> None:
    client.force_login(cast.admin)
    assert client.post(reverse("admin:conversations_companysignin_add"), form(cast)).status_code == 302
    row = CompanySignIn.objects.get()
    assert sealing.unseal(row.sealed_secret, row.sealing_context) == SECRET
    address = reverse("admin:conversations_companysignin_change", args=[row.pk])
    page = client.get(address).content.decode()
    assert "ends in cret" in page
    assert reverse("company_sign_in", args=[row.pk]) in page
    assert client.post(address, form(cast, client_secret="", client_id="other")).status_code == 302
    row.refresh_from_db()
    assert (row.client_id, sealing.unseal(row.sealed_secret, row.sealing_context)) == ("other", SECRET)
    history = client.get(reverse("admin:conversations_companysignin_history", args=[row.pk])).content.decode()
    call_command("dumpdata", "conversations", "admin")
    entries = str(list(LogEntry.objects.values()))
    for said in (page, history, entries, repr(row), str(vars(row)), capsys.readouterr().out):
        assert SECRET not in said


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.example.com",
        "ftp://login.example.com",
        "https://",
        "https://2130706433",
        "https://0x7f.1",
        "https://name:word@login.example.com",
        "https://login.example.com/?x=1",
        "https://login.example.com/#x",
        "login.example.com",
        "http://127.0.0.1.example.com",
    ],
)
def test_what_can_be_no_issuer_is_refused(cast: Cast, client: Client, issuer: str) -> None:
    client.force_login(cast.admin)
    page = client.post(reverse("admin:conversations_companysignin_add"), form(cast, issuer=issuer))
    assert page.status_code == 200
    assert not CompanySignIn.objects.exists()

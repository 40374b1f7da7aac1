"""What a company's provider opens: its own company. For anything more, people prove who they are themselves."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from conversations import rechecks
from conversations.accounts import links
from conversations.database import in_database
from conversations.models import CompanySignIn, Invitation, Membership
from tests.conftest import PASSWORD, Cast
from tests.openid import CLIENT, SECRET, Provider
from tests.test_company_sign_in import kept, provider, row, running, sign_in, who
from tests.test_factors import code, socket
from tests.test_posting import end, start

__all__ = ["provider", "row", "running"]  # fixtures

ADA = {"sub": "1001", "preferred_username": "ada", "groups": ["staff"]}
AGAIN = reverse("account_reauthenticate")


@pytest.fixture
def ada(row: CompanySignIn, provider: Provider) -> User:
    """Somebody of Coca Cola's, whose provider made the account."""
    provider.person = dict(ADA)
    sign_in(row, provider)
    return User.objects.get(username="ada")


def given(person: User, password: str = PASSWORD) -> None:
    person.set_password(password)
    person.save()


def placed(person: User, cast: Cast) -> None:
    Membership.objects.create(user=person, company=cast.globex, role="manager")


def is_asked(response: Any) -> bool:
    return response.status_code == 302 and str(response["Location"]).startswith(AGAIN)


def test_a_provider_opens_its_own_company_and_no_other(
    cast: Cast, ada: User, row: CompanySignIn, provider: Provider
) -> None:
    browser = sign_in(row, provider).browser
    assert browser.get("/").status_code == 200
    given(ada)
    placed(ada, cast)
    browser = sign_in(row, provider).browser
    for path in ("/", "/chats/", "/admin/", "/admin/conversations/membership/", "/accounts/"):
        assert is_asked(browser.get(path)), path
    for name in ("mfa_activate_totp", "mfa_add_webauthn", "password_change", "account_sign_out_elsewhere"):
        assert is_asked(browser.get(reverse(name))), name
        assert is_asked(browser.post(reverse(name))), name
    partial = browser.post("/", headers={"HX-Request": "true"})
    assert (partial.status_code, "Prove that it is you" in partial.content.decode()) == (403, True)
    page = browser.get("/chats/", follow=True).content.decode()
    assert "opens your company alone" in page
    assert "Globex" not in page
    assert browser.post(AGAIN, {"password": "wrong"}).status_code == 200
    assert is_asked(browser.get("/"))
    response = browser.post(AGAIN, {"password": PASSWORD, "next": "/chats/"})
    assert response["Location"] == "/chats/"
    assert browser.get("/").status_code == browser.get("/admin/").status_code == 200


def test_a_session_that_is_older_than_the_place_elsewhere_is_asked_too(
    cast: Cast, ada: User, row: CompanySignIn, provider: Provider
) -> None:
    browser = sign_in(row, provider).browser
    given(ada)
    browser = sign_in(row, provider).browser
    assert browser.get("/").status_code == 200
    placed(ada, cast)
    assert is_asked(browser.get("/"))
    ada.memberships.filter(company=cast.globex).delete()
    assert browser.get("/").status_code == 200
    User.objects.filter(pk=ada.pk).update(is_superuser=True)
    assert is_asked(browser.get("/"))


def test_a_second_factor_is_a_proof(cast: Cast, ada: User, row: CompanySignIn, provider: Provider) -> None:
    browser = sign_in(row, provider).browser
    secret = set_up_without_a_password(browser)
    placed(ada, cast)
    assert browser.get("/", follow=True).redirect_chain[-1][0].startswith(reverse("mfa_reauthenticate"))
    response = browser.post(reverse("mfa_reauthenticate"), {"code": code(secret, 1)})
    assert response.status_code == 302
    assert browser.get("/").status_code == 200
    response = sign_in(row, provider)
    assert response["Location"] == reverse("mfa_authenticate")
    response.browser.post(reverse("mfa_authenticate"), {"code": code(secret, -1)})
    assert response.browser.get("/").status_code == 200


def set_up_without_a_password(browser: Client) -> str:
    page = browser.get(reverse("mfa_activate_totp")).content.decode()
    secret = page.partition('id="totp-key">')[2].partition("<")[0]
    assert browser.post(reverse("mfa_activate_totp"), {"code": code(secret)}).status_code == 302
    return secret


def test_who_has_nothing_of_their_own_is_told_what_to_do(
    cast: Cast, ada: User, row: CompanySignIn, provider: Provider
) -> None:
    placed(ada, cast)
    browser = sign_in(row, provider).browser
    for path in ("/", reverse("mfa_activate_totp")):
        response = browser.get(path)
        assert response.status_code == 403
        assert "for a link to choose a password" in response.content.decode()
    assert not Authenticator.objects.exists()
    assert browser.post(reverse("account_logout")).status_code == 302
    assert who(browser) is None


def test_who_has_nothing_of_their_own_sets_it_up_before_they_join(
    cast: Cast, ada: User, row: CompanySignIn, provider: Provider
) -> None:
    path = reverse("invitation", args=[links.invite(Invitation(company=cast.globex), cast.admin, days=1)])
    browser = sign_in(row, provider).browser
    for response in (browser.get(path), browser.post(path)):
        assert response.status_code == 409
        assert "of your own" in response.content.decode()
    set_up_without_a_password(browser)
    assert browser.post(path).status_code == 302
    assert ada.memberships.count() == 2
    assert is_asked(browser.get("/"))


def test_companies_with_one_provider_are_one_word(
    cast: Cast, ada: User, row: CompanySignIn, provider: Provider
) -> None:
    twin = kept(SECRET, company=cast.globex, issuer=row.issuer, client_id=CLIENT, otherwise="member")
    given(ada)
    sign_in(twin, provider)
    browser = sign_in(row, provider).browser
    assert ada.memberships.count() == 2
    assert browser.get("/").status_code == 200
    CompanySignIn.objects.filter(pk=twin.pk).update(enabled=False)
    assert is_asked(browser.get("/"))


def test_who_signs_in_otherwise_is_not_asked(cast: Cast, ada: User) -> None:
    given(ada)
    placed(ada, cast)
    client = Client()
    client.post("/accounts/login/", {"username": "ada", "password": PASSWORD})
    assert client.get("/").status_code == 200


def told_by_a_provider(person: User, cast: Cast) -> str:
    """The cookie of a session of theirs that a provider of Coca Cola's vouched for."""
    issuer = "https://login.example.com"
    kept(SECRET, company=cast.coca_cola, issuer=issuer, client_id=CLIENT)
    SocialAccount.objects.create(user=person, provider=issuer, uid="1")
    client = Client()
    client.force_login(person)
    session = client.session
    session["account_authentication_methods"] = [{"method": "socialaccount", "provider": issuer}]
    session["account_authentication_methods_user"] = str(person.pk)
    session.save()
    return f"sessionid={session.session_key}"


async def test_sockets_close_to_who_is_to_prove_it(live_cast: Cast) -> None:
    turn = await in_database(start, live_cast)
    await in_database(end, turn)
    cookie = await in_database(told_by_a_provider, live_cast.member, live_cast)
    path = f"/ws/c/{turn.conversation.pk}/"
    tab = socket(path, cookie)
    assert (await tab.connect())[0]
    await in_database(placed, live_cast.member, live_cast)
    await rechecks.look()
    while (message := await tab.receive_output())["type"] != "websocket.close":
        pass
    assert message["code"] == 4401
    assert not (await socket(path, cookie).connect())[0]

"""What allauth asks of this site: who may sign in and how often, how secrets are kept, which providers there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, gettext_lazy, gettext_noop

from conversations import metrics, sealing
from conversations.accounts import callers, companies, devices, limits, sessions
from conversations.models import CompanySignIn

if TYPE_CHECKING:
    from allauth.socialaccount.models import SocialApp, SocialLogin

WRONG = gettext_lazy("The username or the password is not right.")
QUIET = {"account/messages/logged_in.txt", "account/messages/logged_out.txt"}
CLOSED = gettext_noop("This account is closed. Whoever runs the site can open it again.")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Local accounts. Nobody signs up by themselves."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": WRONG,
        "incorrect_password": gettext_lazy("That is not your password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_stages(self) -> list[str]:
        return ["conversations.accounts.stages.SecondFactorStage"]

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Whose credentials these are, or None. Raises `limits.TooManyFailures`, the same for names that nobody has."""
        at = limits.At.AGAIN if request.user.is_authenticated else limits.At.ACCOUNT
        attempt = limits.begin(request, at, credentials["username"])
        person = authenticate(request, **credentials)
        if person is None:
            metrics.sign_in_refusals.labels("wrong").inc()
        else:
            attempt.succeeded()
        return person

    def reauthenticate(self, user: Any, password: str) -> bool:
        found = self.authenticate(self.request, username=user.get_username(), password=password)
        return found is not None and found.pk == user.pk

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        """Note the session, by which its owner finds it among those elsewhere, and have its browser known."""
        sessions.note(request, user)
        response: HttpResponse = super().post_login(request, user, **kwargs)
        devices.remember(request, response, limits.normal(user.get_username()))
        return response

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        return render(request, "account/refused.html", {"sentence": gettext(CLOSED)}, status=403)

    def is_safe_url(self, url: str) -> bool:
        """Whether a page of this site is meant, by the name and the scheme that it was asked by."""
        request = self.request
        return url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """What would be shown on whichever page shows messages next is left unsaid."""
        if message_template not in QUIET:
            super().add_message(request, level, message_template, *args, **kwargs)

    def get_client_ip(self, request: HttpRequest) -> str:
        return str(callers.address_of(request) or "")


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors. Their secrets are sealed in the database."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy(
            "That is not right. Codes change every half minute and are good once."
        ),
    }

    def encrypt(self, text: str) -> str:
        return sealing.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return sealing.unseal(encrypted_text)

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002
        return gettext("Passkey")


class CompanyAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Sign-in at a company's provider. Who its person is, is told by issuer and subject, and by nothing else."""

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[SocialApp]:
        """The one that is asked for. Nobody is shown a list of all companies."""
        return [companies.application(row) for row in companies.named(str(provider))]

    def get_provider(self, request: HttpRequest, provider: Any, client_id: Any = None) -> Any:
        from conversations.accounts import (
            oidc,
        )  # megabytes that a site without companies' providers can do without

        return oidc.CompanyProvider(request, app=self.get_app(request, provider=provider))

    def get_requests_session(self) -> Any:
        from conversations.accounts import fetching

        return fetching.Session()

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Give the role that the claims tell, at each sign-in, or end the membership and refuse."""
        row, claims = sociallogin.provider.row, sociallogin.claims
        person = sociallogin.user if sociallogin.is_existing else None
        if person is not None and person.is_superuser:
            raise companies.NoAccess  # whoever runs a company's provider does not run the site
        role = companies.role_of(row, claims)
        if role is None:
            if person is not None:
                companies.take_out(row, person)
            raise companies.NoAccess
        if person is not None:
            companies.place(row, person, role)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return True  # whom the claims refuse did not come so far

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        """Make the account of somebody who is new, with a name that nobody has, and a place in this one company."""
        row, claims = sociallogin.provider.row, sociallogin.claims
        return companies.welcome(row, claims, sociallogin.account, sociallogin.user)

    def on_authentication_error(self, request: HttpRequest, provider: Any, **kwargs: Any) -> None:
        raise ImmediateHttpResponse(companies_refusal(request, provider.row))


def companies_refusal(request: HttpRequest, row: CompanySignIn) -> HttpResponse:
    """The provider did not say who it is, or what it said does not hold."""
    metrics.sign_in_refusals.labels("provider").inc()
    page = {"sentence": gettext(companies.FAILED), "row": row}
    return render(request, "account/refused.html", page, status=403)

"""The ways in other than a password: a company's provider, an invitation, a link for a new password."""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING, Any

from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.adapter import get_adapter
from django import forms
from django.contrib.auth.forms import BaseUserCreationForm, SetPasswordForm
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from conversations import access, metrics, proofs, sealing
from conversations.accounts import companies, limits, links
from conversations.models import CompanySignIn, Invitation

if TYPE_CHECKING:
    NewUser = BaseUserCreationForm[User]
else:
    NewUser = BaseUserCreationForm

logger = logging.getLogger(__name__)

REMEMBERED = "company_sign_in"
REMEMBERED_SECONDS = 180 * 24 * 3600
TAKEN = gettext_noop("Somebody has this name already. Choose another.")
JOINED = gettext_noop("You belong to this company already. The link stays good for somebody else.")
NOTHING_OWN = gettext_noop(
    "You sign in at your company, which opens that company alone. Set up an authenticator app or a passkey of your own "
    "under “Your account” first, then open this link again. It stays good."
)


class JoinForm(NewUser):
    """A name and a password of one's own. Names that differ by case alone are one."""

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError(gettext(TAKEN))
        return username


def company_sign_in(request: HttpRequest, sign_in_id: uuid.UUID) -> HttpResponse:
    """The address that a company gives its people: GET offers its provider, POST leads there."""
    row = _company(sign_in_id)
    next_url = get_next_redirect_url(request)
    if request.method != "POST":
        return _private(render(request, "account/company.html", {"row": row, "next": next_url or ""}))
    from conversations.accounts import oidc

    try:
        provider = get_adapter().get_provider(request, provider=str(row.pk))
        address = provider.begin(request, next_url)
    except (*oidc.ProviderFailed, sealing.Unreadable) as error:
        return _failed(request, row, error)
    # Not a redirect: `form-action` would keep the browser from following one that a form led to.
    return _private(render(request, "account/company_leave.html", {"row": row, "address": address}))


@require_safe
def company_callback(request: HttpRequest, sign_in_id: uuid.UUID) -> HttpResponse:
    """Where a company's provider sends people back to."""
    row = _company(sign_in_id)
    from conversations.accounts import oidc

    try:
        response = oidc.callback(request, str(row.pk))
    except companies.NoAccess:
        return _refused(request, row, companies.REFUSED)
    except (*oidc.ProviderFailed, sealing.Unreadable, IntegrityError) as error:
        return _failed(request, row, error)
    if response.status_code == 302:
        response.set_cookie(
            REMEMBERED,
            str(row.pk),
            max_age=REMEMBERED_SECONDS,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
    return _private(response)


def remembered(request: HttpRequest) -> CompanySignIn | None:
    """The company's provider at which this browser signed in before: nobody else is told of it."""
    found = companies.named(request.COOKIES.get(REMEMBERED, ""))
    return found[0] if found else None


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Join a company: with the account that is signed in, or with a new one."""
    try:
        invited = links.invitation(token)
        if isinstance(request.user, User):
            return _join(request, invited, request.user)
        return _join_anew(request, invited)
    except access.NotVisible:
        return _dead(request)


def _join(request: HttpRequest, invited: Invitation, person: User) -> HttpResponse:
    sentence = ""
    if person.memberships.filter(company=invited.company).exists():
        sentence = JOINED
    elif not proofs.has_own(person):
        sentence = NOTHING_OWN
    elif request.method == "POST":
        try:
            links.join(invited, person)
        except links.AlreadyThere:
            sentence = JOINED
        else:
            return _private(redirect("start"))
    context = {"invitation": invited, "sentence": sentence and gettext(sentence)}
    return _private(render(request, "account/invitation.html", context, status=409 if sentence else 200))


def _join_anew(request: HttpRequest, invited: Invitation) -> HttpResponse:
    if request.method != "POST":
        form = JoinForm()
    else:
        # Whatever is said of a name tells whether somebody has it, and so does what is said of the password alone.
        attempt = limits.begin(request, limits.At.INVITATION, str(invited.pk))
        form = JoinForm(request.POST)
        if form.is_valid():
            try:
                person = links.join_anew(
                    invited, form.cleaned_data["username"], form.cleaned_data["password1"]
                )
            except IntegrityError:
                form.add_error("username", gettext(TAKEN))
            else:
                attempt.succeeded()
                return _private(perform_login(request, Login(user=person, signup=True)))
    return _private(render(request, "account/invitation.html", {"invitation": invited, "form": form}))


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def new_password(request: HttpRequest, token: str) -> HttpResponse:
    """Choose a password by a link. Whoever did signs in with it, second factor and all."""
    try:
        link = links.password_link(token)
        form: Any = SetPasswordForm(link.user, request.POST if request.method == "POST" else None)
        if form.is_valid():
            links.set_password(link, form.cleaned_data["new_password1"])
            return _private(render(request, "account/new_password_done.html"))
    except access.NotVisible:
        return _dead(request)
    return _private(render(request, "account/new_password.html", {"form": form, "person": link.user}))


def _company(sign_in_id: uuid.UUID) -> CompanySignIn:
    found = companies.named(str(sign_in_id))
    if not found:
        raise access.NotVisible
    return found[0]


def _failed(request: HttpRequest, row: CompanySignIn, error: Exception) -> HttpResponse:
    """Told to the operator by its kind, and in our words where we have any: what others say may hold claims."""
    from conversations.accounts import oidc

    why = str(error) if isinstance(error, oidc.Untrue) else type(error).__name__
    logger.warning("a sign-in at provider %s did not work out: %s", row.pk, why)
    return _refused(request, row, companies.FAILED)


def _refused(request: HttpRequest, row: CompanySignIn, sentence: str) -> HttpResponse:
    metrics.sign_in_refusals.labels("provider").inc()
    page = {"sentence": gettext(sentence), "row": row}
    return _private(render(request, "account/refused.html", page, status=403))


def _dead(request: HttpRequest) -> HttpResponse:
    """The same for a link that was used, has expired, was taken back or never was."""
    return _private(render(request, "account/dead_link.html", status=404))


def _private(response: HttpResponse) -> HttpResponse:
    """Kept by no cache. Its address, which may let somebody in, is not told with what the page fetches either: proxies
    log that. The origin is told, because a browser that may tell nothing sends forms without one."""
    response.headers["Referrer-Policy"] = "strict-origin"
    response.headers["Cache-Control"] = "no-store, private"
    return response

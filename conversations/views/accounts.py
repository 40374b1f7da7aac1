"""One's own account: what one signs in with, and where one is signed in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.module_loading import import_string
from django.utils.translation import gettext, ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from conversations import factors
from conversations.accounts import challenges, sessions, stages
from conversations.accounts.forms import NewPasswordForm
from conversations.models import Company
from conversations.views.guards import PersonRequest, signed_in

View = Callable[..., HttpResponseBase]


def theirs(dotted: str) -> View:
    """A page of allauth's, loaded when it is first asked for, and kept by no cache."""

    def page(request: HttpRequest, **kwargs: object) -> HttpResponseBase:
        response: HttpResponseBase = import_string(dotted)(request, **kwargs)
        response.headers["Cache-Control"] = "no-store, private"
        return response

    return page


def challenged(page: View) -> View:
    """The page of a sign-in by passkey: what it asks to be signed stays with who asked, and is stored nowhere."""

    @wraps(page)
    def asked(request: HttpRequest, **kwargs: object) -> HttpResponseBase:
        challenges.bring(request)
        response = page(request, **kwargs)
        challenges.take(request, response)
        return response

    return asked


def waiting(page: View) -> View:
    """A page of a sign-in that waits for a second factor, and may have waited for too much."""

    @wraps(page)
    def asked(request: HttpRequest, **kwargs: object) -> HttpResponseBase:
        stages.end_outdated(request)
        return page(request, **kwargs)

    return asked


def enrolling(page: View) -> View:
    """A page where a factor is added, one after the other. The first one ends the sessions that began without any."""

    @wraps(page)
    def enrolled(request: HttpRequest, **kwargs: object) -> HttpResponseBase:
        if request.method != "POST" or not isinstance(request.user, User):
            return page(request, **kwargs)
        with transaction.atomic():
            person = User.objects.select_for_update(no_key=True).get(pk=request.user.pk)
            first = not factors.of(person).exists()
            response = page(request, **kwargs)
            if first and factors.of(person).exists():
                sessions.end_elsewhere(request, person)
        return response

    return enrolled


@require_safe
@signed_in
def overview(request: PersonRequest) -> HttpResponse:
    """What one signs in with, and where one is signed in."""
    person = request.user
    found = list(Authenticator.objects.filter(user=person).order_by("created_at"))
    codes = [each for each in found if each.type == Authenticator.Type.RECOVERY_CODES]
    elsewhere = [(each, sessions.browser(each.agent)) for each in sessions.elsewhere(request, person)[:50]]
    context = {
        "totp": next((each for each in found if each.type == Authenticator.Type.TOTP), None),
        "passkeys": [each for each in found if each.type == Authenticator.Type.WEBAUTHN],
        "codes_left": len(codes[0].wrap().get_unused_codes()) if codes else None,
        "elsewhere": elsewhere,
        "providers": SocialAccount.objects.filter(user=person).values_list("provider", flat=True),
        "requiring": _requiring(person),
    }
    return render(request, "account/overview.html", context)


@require_safe
@signed_in
def second_factor(request: PersonRequest) -> HttpResponse:
    """Where somebody is led whose company requires a second factor that they do not have."""
    if not factors.lacks(request.user):
        return redirect("account")
    return render(request, "account/second_factor.html", {"requiring": _requiring(request.user)})


@sensitive_post_parameters()
@signed_in
def password(request: PersonRequest) -> HttpResponse:
    """Change one's password, which ends all other sessions."""
    person = request.user
    if not person.has_usable_password():
        return render(request, "account/no_password.html", status=404)
    form = NewPasswordForm(person, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "account/password.html", {"form": form})
    before = request.session.session_key
    form.save()
    update_session_auth_hash(request, person)
    sessions.renamed(before, request.session.session_key)
    sessions.end_elsewhere(request, person)
    return redirect("password_change_done")


@require_safe
@signed_in
def password_done(request: PersonRequest) -> HttpResponse:
    """That it was changed."""
    return render(request, "account/password_done.html")


@require_POST
@signed_in
def sign_out_elsewhere(request: PersonRequest) -> HttpResponse:
    """End all other sessions of one's own."""
    ended = sessions.end_elsewhere(request, request.user)
    done = ngettext(
        "Signed out in %(count)s other browser.", "Signed out in %(count)s other browsers.", ended
    )
    said = done % {"count": ended} if ended else gettext("You were signed in nowhere else.")
    messages.success(request, said)
    return redirect("account")


def _requiring(person: User) -> list[Company]:
    """The companies of `person` that require a second factor."""
    return list(Company.objects.filter(memberships__user=person, requires_second_factor=True))

"""allauth's forms of second factors, with this site's limits before whatever could be guessed. `settings.py` names
them; they are loaded when they are needed, for what reads passkeys is some megabytes."""

from __future__ import annotations

import base64
import re
from typing import Any

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.contrib.auth.models import User
from django.utils.translation import gettext, gettext_noop

from conversations import metrics
from conversations.accounts import challenges, limits
from conversations.accounts.limits import At

NAME_CHARS = 60
CREDENTIAL_CHARS = 20_000
NEW_CREDENTIAL_CHARS = (
    8_000  # of one that is kept; browsers leave out the certificates that make others longer
)
MOST_PASSKEYS = 10
CODE_SECONDS = 120  # for which a code could be good again: its own, and the steps around it
FLAGS_AT, USER_VERIFIED = 32, 0x04
NOT_TAKEN = gettext_noop("This passkey was not taken. Try again.")
ENOUGH = gettext_noop(
    "You have %(most)s passkeys, which is as many as an account can have. Remove one first."
)
# What fido2 raises for what no browser sends.
# A NUL, which no column of PostgreSQL takes, and half a character, which none of SQLite's does either.
_UNKEPT = re.compile(r"\\u(0000|d[89a-f])", re.IGNORECASE)
MALFORMED = (AttributeError, IndexError, KeyError, TypeError, ValueError)


class Credential(forms.JSONField):
    """What a browser says of a passkey: some thousand characters, and nothing that cannot be read or kept."""

    def __init__(self, chars: int = CREDENTIAL_CHARS) -> None:
        super().__init__(widget=forms.HiddenInput)
        self._chars = chars

    def to_python(self, value: Any) -> Any:
        try:
            if isinstance(value, str) and (len(value) > self._chars or _UNKEPT.search(value)):
                raise ValueError
            return super().to_python(value)
        except (RecursionError, ValueError):
            raise forms.ValidationError(gettext(NOT_TAKEN)) from None


def _is_verified(credential: dict[str, Any]) -> bool:
    """Whether the authenticator says that its user was verified (Web Authentication, section 6.1, flag UV)."""
    signed = credential["response"]["authenticatorData"]
    data = base64.urlsafe_b64decode(signed + "=" * (-len(signed) % 4))
    return bool(data[FLAGS_AT] & USER_VERIFIED)


def _spend(person: User, code: str) -> bool:
    """Whether a code of somebody's app is used for the first time, however it is spelled."""
    digits = re.sub(r"\D", "", code)
    return limits.spend(f"code {person.pk} {digits}", seconds=CODE_SECONDS)


class ActivationForm(ActivateTOTPForm):  # type: ignore[misc]
    """The code by which an app is switched on. It signs nobody in afterwards."""

    def clean_code(self) -> str:
        code: str = super().clean_code()
        _spend(self.user, code)
        return code


class _Code:
    """A code of an app, which is good once, or one of those for when it is lost."""

    user: User
    authenticator: Authenticator
    at = At.CODE

    def clean_code(self) -> str:
        attempt = limits.begin(context.request, self.at, self.user.get_username())
        try:
            code: str = super().clean_code()  # type: ignore[misc]
            # allauth keeps what was used in the memory of one process, for less time than it is good.
            totp = self.authenticator.type == Authenticator.Type.TOTP
            if totp and not _spend(self.user, code):
                raise get_adapter().validation_error("incorrect_code")
        except forms.ValidationError:
            metrics.sign_in_refusals.labels("wrong").inc()
            raise
        attempt.succeeded()
        return code


class CodeForm(_Code, AuthenticateForm):  # type: ignore[misc]
    """A code to sign in with."""


class CodeAgainForm(_Code, ReauthenticateForm):  # type: ignore[misc]
    """A code to change something with."""

    at = At.AGAIN


class _Passkey:
    """What a passkey signed."""

    user: User | None
    at = At.CODE

    def clean_credential(self) -> Any:
        attempt = limits.begin(context.request, self.at, self.user.get_username() if self.user else "")
        try:
            authenticator = super().clean_credential()  # type: ignore[misc]
        except (forms.ValidationError, *MALFORMED):
            metrics.sign_in_refusals.labels("wrong").inc()
            raise forms.ValidationError(gettext(NOT_TAKEN)) from None
        attempt.succeeded()
        return authenticator


class PasskeySignInForm(_Passkey, LoginWebAuthnForm):  # type: ignore[misc]
    """A passkey instead of a password: whoever has it has to have proved to it who they are."""

    # Whose it says it is may be anybody's, so nobody is locked out by what a stranger sends.
    at = At.PASSKEY
    credential = Credential()

    def clean_credential(self) -> Any:
        challenge = context.request.session.get(challenges.IN_SESSION, {}).get("challenge")
        authenticator = super().clean_credential()
        first = limits.spend(f"challenge {challenge}", seconds=challenges.SECONDS)
        # allauth asks for that, but takes what was signed for a step that does not.
        if not (first and _is_verified(self.cleaned_data["credential"])):
            metrics.sign_in_refusals.labels("wrong").inc()
            raise forms.ValidationError(gettext(NOT_TAKEN))
        return authenticator


class PasskeyForm(_Passkey, AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey after the password."""

    credential = Credential()


class PasskeyAgainForm(_Passkey, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey to change something with."""

    at = At.AGAIN
    credential = Credential()


class NewPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A passkey that is added."""

    name = forms.CharField(required=False, max_length=NAME_CHARS)
    credential = Credential(NEW_CREDENTIAL_CHARS)

    def clean(self) -> Any:
        if (
            Authenticator.objects.filter(user=self.user, type=Authenticator.Type.WEBAUTHN).count()
            >= MOST_PASSKEYS
        ):
            raise forms.ValidationError(gettext(ENOUGH) % {"most": MOST_PASSKEYS})
        try:
            return super().clean()
        except MALFORMED:
            raise forms.ValidationError(gettext(NOT_TAKEN)) from None


class PasskeyNameForm(EditWebAuthnForm):  # type: ignore[misc]
    """What its owner calls a passkey."""

    name = forms.CharField(max_length=NAME_CHARS)

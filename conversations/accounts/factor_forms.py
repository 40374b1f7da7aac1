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
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.contrib.auth.models import User

from conversations import metrics
from conversations.accounts import limits

NAME_CHARS = 60
CREDENTIAL_CHARS = 20_000
FLAGS_AT, USER_VERIFIED = 32, 0x04
NOT_TAKEN = "This passkey was not taken. Try again."
# What fido2 raises for what no browser sends.
MALFORMED = (AttributeError, IndexError, KeyError, TypeError, ValueError)


class Credential(forms.JSONField):
    """What a browser says of a passkey: some thousand characters, and nothing that cannot be read."""

    def to_python(self, value: Any) -> Any:
        try:
            if isinstance(value, str) and len(value) > CREDENTIAL_CHARS:
                raise ValueError
            return super().to_python(value)
        except (RecursionError, ValueError):
            raise forms.ValidationError(NOT_TAKEN) from None


def _is_verified(credential: dict[str, Any]) -> bool:
    """Whether the authenticator says that its user was verified (Web Authentication, section 6.1, flag UV)."""
    signed = credential["response"]["authenticatorData"]
    data = base64.urlsafe_b64decode(signed + "=" * (-len(signed) % 4))
    return bool(data[FLAGS_AT] & USER_VERIFIED)


class _Code:
    """A code of an app, which is good once, or one of those for when it is lost."""

    user: User
    authenticator: Authenticator

    def clean_code(self) -> str:
        attempt = limits.begin(context.request, self.user.get_username())
        try:
            code: str = super().clean_code()  # type: ignore[misc]
            # allauth keeps what was used in the memory of one process, for less time than it is good.
            totp = self.authenticator.type == Authenticator.Type.TOTP
            if totp and not limits.spend(self.user.pk, re.sub(r"\D", "", code)):
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


class _Passkey:
    """What a passkey signed."""

    user: User | None

    def clean_credential(self) -> Any:
        # Whose passkey it says it is may be anybody's: nobody is locked out by what a stranger sends.
        attempt = limits.begin(context.request, self.user.get_username() if self.user else None)
        try:
            authenticator = super().clean_credential()  # type: ignore[misc]
        except (forms.ValidationError, *MALFORMED):
            metrics.sign_in_refusals.labels("wrong").inc()
            raise forms.ValidationError(NOT_TAKEN) from None
        attempt.succeeded()
        return authenticator


class PasskeySignInForm(_Passkey, LoginWebAuthnForm):  # type: ignore[misc]
    """A passkey instead of a password: whoever has it has to have proved to it who they are."""

    credential = Credential(widget=forms.HiddenInput)

    def clean_credential(self) -> Any:
        authenticator = super().clean_credential()
        # allauth asks for that, but takes what was signed for a step that does not.
        if not _is_verified(self.cleaned_data["credential"]):
            metrics.sign_in_refusals.labels("wrong").inc()
            raise forms.ValidationError(NOT_TAKEN)
        return authenticator


class PasskeyForm(_Passkey, AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey after the password."""

    credential = Credential(widget=forms.HiddenInput)


class PasskeyAgainForm(_Passkey, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey to change something with."""

    credential = Credential(widget=forms.HiddenInput)


class NewPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A passkey that is added."""

    name = forms.CharField(required=False, max_length=NAME_CHARS)
    credential = Credential(widget=forms.HiddenInput)

    def clean(self) -> Any:
        try:
            return super().clean()
        except MALFORMED:
            raise forms.ValidationError(NOT_TAKEN) from None


class PasskeyNameForm(EditWebAuthnForm):  # type: ignore[misc]
    """What its owner calls a passkey."""

    name = forms.CharField(max_length=NAME_CHARS)

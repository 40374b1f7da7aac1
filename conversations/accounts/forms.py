"""allauth's sign-in form and Django's for a new password, with this site's limits. `settings.py` names them."""

from __future__ import annotations

import unicodedata

from allauth.account.forms import LoginForm
from allauth.core import context
from django.contrib.auth.forms import PasswordChangeForm

from conversations.accounts import limits


class SignInForm(LoginForm):  # type: ignore[misc]
    """Username and password, under the names that they always had here."""

    def add_prefix(self, field_name: str) -> str:
        return "username" if field_name == "login" else field_name

    def clean_login(self) -> str:
        """As names are stored."""
        return unicodedata.normalize("NFKC", self.cleaned_data["login"]).strip()


class NewPasswordForm(PasswordChangeForm):
    """Django's, with the limit before the password of now."""

    def clean_old_password(self) -> str:
        attempt = limits.begin(context.request, limits.At.AGAIN, self.user.get_username())
        old: str = super().clean_old_password()
        attempt.succeeded()
        return old

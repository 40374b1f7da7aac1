"""What comes between a right password and being signed in. allauth's own stage would load what reads passkeys, which is
megabytes, for people who have none."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.stagekit import clear_login, unstash_login
from allauth.account.stages import LoginStage
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare

from conversations import factors
from conversations.accounts import sessions


class SecondFactorStage(LoginStage):  # type: ignore[misc]
    """Ask who has a second factor for it, unless a passkey stood for the password as well."""

    key = "mfa_authenticate"  # by which allauth's page knows it
    urlname = "mfa_authenticate"

    def handle(self) -> tuple[Any, bool]:
        person = self.login.user
        if self._by_passkey() or not factors.of(person).exists():
            return None, True
        # What a provider said is not kept while it waits: nothing asks for it, and allauth could not read it again.
        self.login.signal_kwargs = None
        self.state["password"] = person.get_session_auth_hash()
        sessions.note(self.request, person, waiting=True)
        return redirect(self.urlname), True

    def _by_passkey(self) -> bool:
        records = get_authentication_records(self.request, self.login.user)
        return any(each.get("method") == "mfa" and each.get("passwordless") is True for each in records)


def end_outdated(request: HttpRequest) -> None:
    """End a sign-in that waits for a factor where its account was closed meanwhile, or has another password: Django
    asks that of sessions, and this is none yet."""
    login = unstash_login(request, peek=True)
    if login is None:
        return
    begun = login.state.get("stages", {}).get(SecondFactorStage.key, {}).get("data", {}).get("password", "")
    person = login.user
    if person is None or not (
        person.is_active and constant_time_compare(begun, person.get_session_auth_hash())
    ):
        clear_login(request)

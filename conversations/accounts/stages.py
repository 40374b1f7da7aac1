"""What comes between a right password and being signed in. allauth's own stage would load what reads passkeys, which is
megabytes, for people who have none."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.stages import LoginStage
from django.shortcuts import redirect

from conversations import factors


class SecondFactorStage(LoginStage):  # type: ignore[misc]
    """Ask who has a second factor for it, unless a passkey stood for the password as well."""

    key = "mfa_authenticate"  # by which allauth's page knows it
    urlname = "mfa_authenticate"

    def handle(self) -> tuple[Any, bool]:
        person = self.login.user
        if self._by_passkey() or not factors.of(person).exists():
            return None, True
        return redirect(self.urlname), True

    def _by_passkey(self) -> bool:
        records = get_authentication_records(self.request, self.login.user)
        return any(each.get("method") == "mfa" and each.get("passwordless") is True for each in records)

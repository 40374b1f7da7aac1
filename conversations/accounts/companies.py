"""Sign-in at a company's provider, once it is told who somebody is: their account, and their place in that company.

An account is found by issuer and subject alone. What a provider says of names and addresses finds nobody and opens
nothing, and no company but its own is touched.
"""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Mapping
from typing import Any

from allauth.socialaccount.models import SocialAccount, SocialApp
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from conversations import sealing
from conversations.models import CompanySignIn, Membership

FAILED = gettext_noop(
    "The sign-in at your company did not work out. Nothing was changed. Try again from the start."
)
REFUSED = gettext_noop("Your company's sign-in gives you no place here. Ask whoever looks after it there.")
ROLES = (Membership.Role.MANAGER, Membership.Role.REVIEWER, Membership.Role.MEMBER)  # the first that fits
NAME_CHARS = 30
EMAIL_CHARS = 254
TRIES = 50
_UNKEPT = re.compile("[\0\ud800-\udfff]")


class NoAccess(Exception):
    """The provider knows the person, and the company gives them no role here."""


def named(text: str) -> list[CompanySignIn]:
    """The sign-in with this id, if there is one and it is in use."""
    try:
        wanted = uuid.UUID(text)
    except ValueError:
        return []
    return list(CompanySignIn.objects.select_related("company").filter(pk=wanted, enabled=True))


def application(row: CompanySignIn) -> SocialApp:
    """What allauth takes for a client of a provider. It is never saved."""
    app = SocialApp(
        provider="openid_connect",
        provider_id=str(row.pk),
        name=row.company.name,
        client_id=row.client_id,
        secret=sealing.unseal(row.sealed_secret, row.sealing_context),
        settings={"server_url": row.issuer, "oauth_pkce_enabled": True},
    )
    app.row = row
    return app


def words(claims: Mapping[str, Any], name: str, chars: int) -> str:
    """What is claimed under `name`, as so many characters that any database keeps: no NUL, no half of a character."""
    return _UNKEPT.sub("", str(claims.get(name) or ""))[:chars]


def role_of(row: CompanySignIn, claims: Mapping[str, Any]) -> str | None:
    """The role that `claims` tell, the highest of several; None where they tell that somebody is to be refused."""
    if not _has_address(row, claims):
        return None
    said = claims.get(row.role_claim) if row.role_claim else None
    values = {str(each) for each in (said if isinstance(said, list) else [said]) if each is not None}
    for role in ROLES:
        if values & _lines(getattr(row, f"{role.value}_values")):
            return role.value
    return Membership.Role.MEMBER.value if row.otherwise == row.Otherwise.MEMBER else None


def place(row: CompanySignIn, person: User, role: str) -> None:
    """Give `person` this role in the company of `row`."""
    Membership.objects.update_or_create(user=person, company=row.company, defaults={"role": role})


def take_out(row: CompanySignIn, person: User) -> None:
    """End the membership of `person` in the company of `row`."""
    Membership.objects.filter(user=person, company=row.company).delete()


def welcome(row: CompanySignIn, claims: Mapping[str, Any], account: SocialAccount, draft: Any) -> User:
    """Make an account for somebody who comes for the first time. Raises NoAccess and, where they come twice at once,
    IntegrityError."""
    role = role_of(row, claims)
    if role is None:
        raise NoAccess
    with transaction.atomic():
        draft.email = words(claims, "email", EMAIL_CHARS) if claims.get("email_verified") is True else ""
        _save_under_a_new_name(draft, words(claims, "preferred_username", EMAIL_CHARS))
        account.user = draft
        account.save(force_insert=True)
        place(row, draft, role)
    person: User = draft
    return person


def _save_under_a_new_name(draft: User, wish: str) -> None:
    """Save `draft` under a name like `wish` that no account has in any spelling."""
    wish = unicodedata.normalize("NFKC", wish).partition("@")[0]
    base = re.sub(r"[^\w.-]", "", wish)[:NAME_CHARS] or "person"
    for number in range(1, TRIES):
        name = base if number == 1 else f"{base}{number}"
        if User.objects.filter(username__iexact=name).exists():
            continue
        draft.username = name
        try:
            with transaction.atomic():
                draft.save(force_insert=True)
        except IntegrityError:  # somebody was quicker with it
            continue
        return
    draft.username = f"{base}-{uuid.uuid4().hex[:8]}"
    draft.save(force_insert=True)


def _has_address(row: CompanySignIn, claims: Mapping[str, Any]) -> bool:
    """Whether there is a confirmed address in one of the domains of `row`, where it names any."""
    domains = {each.lower().removeprefix("@") for each in _lines(row.email_domains)}
    if not domains:
        return True
    _, _, domain = str(claims.get("email") or "").rpartition("@")
    return claims.get("email_verified") is True and domain.lower() in domains


def _lines(text: str) -> set[str]:
    return {line.strip() for line in text.splitlines() if line.strip()}

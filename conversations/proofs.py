"""Whose word a session stands on. A company's provider speaks for that company's people there, and nowhere else.

Whoever runs a provider can sign in as any of its people. So a session that nobody but a provider vouched for is asked
for a proof of the person's own, a password or a second factor, once they have a place at a company that this provider
does not speak for, or run the site. To confine the session to the one company instead, each query of `access` would
have to know by which session it is asked, and one that forgot would be a hole; this is one question before all pages.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from types import SimpleNamespace
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, OuterRef
from django.db.models.expressions import NegatedExpression

from conversations import factors
from conversations.models import CompanySignIn


def elsewhere() -> NegatedExpression[Any]:
    """Of a membership: whether no provider that the person has an account at speaks for its company."""
    issuers = SocialAccount.objects.filter(user=OuterRef(OuterRef("user"))).values("provider")
    return ~Exists(
        CompanySignIn.objects.filter(company=OuterRef("company"), enabled=True, issuer__in=issuers)
    )


def lacks(person: User | AnonymousUser, session: MutableMapping[str, Any]) -> bool:
    """Whether a session of `person` stands on the word of a provider alone, and opens more than that may."""
    if not isinstance(person, User):
        return False
    records = get_authentication_records(SimpleNamespace(session=session), person)
    if {each.get("method") for each in records} != {"socialaccount"}:
        return False
    return person.is_superuser or person.memberships.filter(elsewhere()).exists()


def has_own(person: User) -> bool:
    """Whether there is anything by which `person` could prove who they are without a company's provider."""
    return person.has_usable_password() or factors.of(person).exists()

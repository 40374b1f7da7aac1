"""Second factors: who has one, who must, and taking all of somebody's away. What they are is allauth's."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL

from conversations.models import Company, Membership

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)  # recovery codes only stand in for one

_LACKING = """EXISTS (
    SELECT 1 FROM conversations_membership place JOIN conversations_company company ON company.id = place.company_id
    WHERE place.user_id = auth_user.id AND company.requires_second_factor AND NOT EXISTS (
        SELECT 1 FROM mfa_authenticator factor
        WHERE factor.user_id = place.user_id AND factor.type IN (%s, %s)
    )
)"""


def of(person: User) -> QuerySet[Any]:
    """The second factors of `person`."""
    found: QuerySet[Any] = Authenticator.objects.filter(user=person, type__in=FACTORS)
    return found


def missing() -> ExpressionWrapper[Any]:
    """Of a membership: whether the company requires one and the person has none."""
    required = Q(company__requires_second_factor=True) & Q(~has_one())
    return ExpressionWrapper(required, output_field=BooleanField())


def lacking() -> RawSQL:
    """Of an account: whether it must set one up before anything else. Each request and each socket asks this, so it
    is written out (see `statements`): it says what `missing` says of one of its memberships."""
    return RawSQL(_LACKING, [each.value for each in FACTORS], output_field=BooleanField())  # noqa: S611


def lacks(person: User | AnonymousUser) -> bool:
    """Whether `person` must set one up before anything else. Who was loaded for a session was loaded with that."""
    if not isinstance(person, User):
        return False
    told: bool | None = getattr(person, "lacks_second_factor", None)
    return person.memberships.filter(missing()).exists() if told is None else told


def without(company: Company) -> QuerySet[Membership]:
    """The people of a company who have none."""
    return Membership.objects.filter(~has_one(), company=company)


def remove_all(person: User) -> int:
    """Take all second factors and recovery codes of `person` away. Gives back how many there were."""
    removed: int = Authenticator.objects.filter(user=person).delete()[0]
    return removed


def has_one() -> Exists:
    """Of a membership: whether the person has one."""
    return Exists(Authenticator.objects.filter(user=OuterRef("user"), type__in=FACTORS))

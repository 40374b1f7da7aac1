"""What is kept and held of people, and who may have it erased."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from conversations.access.administration import is_operator
from conversations.access.nobody import AnyPerson, one
from conversations.models import Company, Conversation, Erasure, Export, Hold, Membership, Review


def held(company: Company) -> QuerySet[Hold]:
    """What is or was held at a company that was let through by `reviewed_company`."""
    return Hold.objects.filter(company=company)


def hold(company: Company, hold_id: int) -> Hold:
    """One of `held`. Raises NotVisible."""
    return one(held(company).filter(pk=hold_id))


def people_of(company: Company) -> QuerySet[User]:
    """Who belongs to a company that was let through by `managed_company`, or did and has left anything there.

    Operators who only had to do with it are none of its people; accounts that stand for erased ones are nobody's.
    """
    left = Q()
    for rows, field in (
        (Conversation.objects.filter(persona__company=company), "owner"),
        (Review.objects.filter(entry__company=company), "reviewer"),
        (Export.objects.filter(company=company), "by"),
    ):
        left |= Q(pk__in=rows.filter(**{f"{field}__isnull": False}).values(field))
    members = Q(pk__in=Membership.objects.filter(company=company).values("user"))
    return User.objects.filter(members | left & Q(is_superuser=False)).exclude(
        pk__in=Erasure.objects.filter(stand_in__isnull=False, finished_at__isnull=False).values("stand_in")
    )


def person_of(company: Company, person_id: int) -> User:
    """One of `people_of`. Raises NotVisible."""
    return one(people_of(company).filter(pk=person_id))


def erasure(company: Company, erasure_id: int) -> Erasure:
    """An erasure at a company that was let through by `managed_company`. Raises NotVisible."""
    return one(Erasure.objects.filter(company=company, pk=erasure_id))


def account(operator: AnyPerson, person_id: int) -> User:
    """Any account, for operators. Raises NotVisible."""
    return one(User.objects.filter(pk=person_id) if is_operator(operator) else User.objects.none())


def any_erasure(operator: AnyPerson, erasure_id: int) -> Erasure:
    """Any erasure, for operators. Raises NotVisible."""
    return one(Erasure.objects.filter(pk=erasure_id) if is_operator(operator) else Erasure.objects.none())

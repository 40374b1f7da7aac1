"""The administration: for each of its models the rows that a person may see there, and change."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from conversations.access.nobody import AnyPerson, one
from conversations.models import (
    Budget,
    Company,
    CompanySignIn,
    Endpoint,
    Invitation,
    Label,
    Membership,
    Persona,
    PersonaVersion,
    Rule,
)

if TYPE_CHECKING:
    from conversations.models.persona import EndpointQuerySet, PersonaQuerySet


def is_operator(person: AnyPerson) -> bool:
    """Whether `person` runs the site: sees every company, and alone makes accounts, companies and providers."""
    return person.is_active and person.is_superuser


def administers(person: AnyPerson) -> bool:
    """Whether the administration is open to `person`: operators, and who manages or reviews for a company."""
    if not isinstance(person, User) or not person.is_active:
        return False
    roles = (Membership.Role.MANAGER, Membership.Role.REVIEWER)
    return is_operator(person) or person.memberships.filter(role__in=roles).exists()


def managed_companies(person: AnyPerson) -> QuerySet[Company]:
    """The companies whose personas and people `person` looks after."""
    if is_operator(person):
        return Company.objects.all()
    if not person.is_active:
        return Company.objects.none()
    return Company.objects.filter(memberships__user_id=person.pk, memberships__role=Membership.Role.MANAGER)


def managed_personas(person: AnyPerson) -> PersonaQuerySet:
    """The personas of `managed_companies`."""
    return Persona.objects.filter(company__in=managed_companies(person))


def managed_persona(person: AnyPerson, persona_id: uuid.UUID) -> Persona:
    """One of `managed_personas`, with its versions in force and in the making. Raises NotVisible."""
    versions = ("current__endpoint", "draft__endpoint", "draft__created_by")
    return one(managed_personas(person).select_related("company", *versions).filter(pk=persona_id))


def version(persona: Persona, slug: str) -> PersonaVersion:
    """A version of a persona that was let through by `managed_persona`: its draft, or by number. Raises NotVisible."""
    if slug == "draft" and persona.draft is not None:
        return persona.draft
    number = int(slug) if slug.isascii() and slug.isdigit() and len(slug) < 10 else 0
    return one(persona.versions.select_related("endpoint", "created_by").filter(number=number))


def version_to_try(persona: Persona, key: str) -> PersonaVersion:
    """A version of a persona that was let through by `managed_persona`, by its key: also a draft that there is no
    more, since what is tried is what the page said. Raises NotVisible."""
    number = int(key) if key.isascii() and key.isdigit() and len(key) < 19 else 0
    return one(persona.versions.filter(pk=number))


def discarded_draft(persona: Persona, version_id: int) -> PersonaVersion:
    """A draft of a persona that `managed_persona` let through, also one that was discarded. Raises NotVisible."""
    return one(persona.versions.select_related("endpoint").filter(pk=version_id, number__isnull=True))


def managed_endpoints(person: AnyPerson) -> QuerySet[Endpoint]:
    """The providers that `managed_companies` can choose: their own, and those of every company; operators see all."""
    if is_operator(person):
        return Endpoint.objects.select_related("company")
    companies = managed_companies(person)
    if not companies.exists():
        return Endpoint.objects.none()
    return Endpoint.objects.filter(Q(company=None) | Q(company__in=companies)).select_related("company")


def offered_endpoints(company: Company) -> EndpointQuerySet:
    """The providers that a company can choose, which was let through by `managed_company`."""
    return Endpoint.objects.open_to(company.pk).select_related("company")


def offered_endpoint(company: Company, endpoint_id: int) -> Endpoint:
    """One of `offered_endpoints`. Raises NotVisible."""
    return one(offered_endpoints(company).filter(pk=endpoint_id))


def managed_memberships(person: AnyPerson) -> QuerySet[Membership]:
    """Who belongs to `managed_companies`."""
    return Membership.objects.filter(company__in=managed_companies(person))


def managed_invitations(person: AnyPerson) -> QuerySet[Invitation]:
    """The invitations into `managed_companies`."""
    return Invitation.objects.filter(company__in=managed_companies(person))


def company_sign_ins(person: AnyPerson) -> QuerySet[CompanySignIn]:
    """The providers at which companies sign in, for operators alone: the site fetches from their addresses."""
    return CompanySignIn.objects.all() if is_operator(person) else CompanySignIn.objects.none()


def managed_people(person: AnyPerson) -> QuerySet[User]:
    """The accounts that belong to one of `managed_companies`; for operators all of them."""
    if is_operator(person):
        return User.objects.all()
    return User.objects.filter(pk__in=managed_memberships(person).values("user_id"))


def managed_company(person: AnyPerson, company_id: uuid.UUID) -> Company:
    """One of `managed_companies`. Raises NotVisible."""
    return one(managed_companies(person).filter(pk=company_id))


def managed_rule(company: Company, rule_id: int) -> Rule:
    """A rule of a company that was let through by `managed_company`. Raises NotVisible."""
    return one(company.rules.select_related("persona").filter(pk=rule_id))


def managed_label(company: Company, label_id: int) -> Label:
    """A label of a company that was let through by `managed_company`. Raises NotVisible."""
    return one(company.labels.filter(pk=label_id))


def budgets(company: Company) -> QuerySet[Budget]:
    """The budgets of a company that was let through by `managed_company`: its own, its personas', its people's."""
    return Budget.objects.filter(company=company)


def budget(company: Company, budget_id: int) -> Budget:
    """One of `budgets`. Raises NotVisible."""
    return one(budgets(company).select_related("persona", "person").filter(pk=budget_id))


def may_set(person: AnyPerson, budget: Budget) -> bool:
    """Whether `person` may change a budget that `budget` gave: the company's own is the operators' to set."""
    return is_operator(person) or budget.persona_id is not None or budget.person_id is not None

"""The only door from a person to a tenant's row.

Every page, fragment, form and socket command asks here first. What is foreign and what does not exist raise the
same `NotVisible`, which is a 404: nobody learns which of the two it was.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.db import SessionStore
from django.db.models import Q, QuerySet
from django.http import Http404

from conversations import factors
from conversations.models import (
    AnswerRecord,
    Budget,
    Company,
    CompanySignIn,
    Conversation,
    Endpoint,
    Erasure,
    Export,
    Generation,
    Hold,
    Invitation,
    Label,
    Membership,
    Message,
    Persona,
    PersonaVersion,
    QueueEntry,
    Review,
    Rule,
)

if TYPE_CHECKING:
    from conversations.models.conversation import ConversationQuerySet
    from conversations.models.persona import EndpointQuerySet, PersonaQuerySet


AnyPerson = User | AnonymousUser


class NotVisible(Http404):
    """There is no such row for this person."""


def person_of_cookies(cookies: Mapping[str, str]) -> User | None:
    """Who is signed in by the session cookie among `cookies`: an active person, or None.

    For sockets, which have no middleware; `auth.get_user` also checks that the password is still the session's. Who
    has to set up a second factor first is nobody yet.
    """
    key = cookies.get(settings.SESSION_COOKIE_NAME)
    if not key:
        return None
    person = auth.get_user(SimpleNamespace(session=SessionStore(key)))  # type: ignore[arg-type]
    if not isinstance(person, User) or not person.is_active or factors.lacks(person):
        return None
    return person


def active(person: User) -> None:
    """See that the account is still open, which it was when its request came. Raises NotVisible."""
    if not User.objects.filter(pk=person.pk, is_active=True).exists():
        raise NotVisible


def personas(person: User) -> PersonaQuerySet:
    """The personas that `person` may start a chat with, by company and name."""
    return (
        Persona.objects.published_for(person)
        .select_related("company", "current__endpoint")
        .order_by("company__name", "name")
    )


def persona(person: User, persona_id: uuid.UUID) -> Persona:
    """One of `personas`. Raises NotVisible."""
    found = personas(person).filter(pk=persona_id).first()
    if found is None:
        raise NotVisible
    return found


def conversations(person: User) -> ConversationQuerySet:
    """The person's own conversations, in the companies that they still belong to. Trials are none of them."""
    return Conversation.objects.owned_by(person)


def trials(person: User) -> ConversationQuerySet:
    """The person's own trials, of the personas that they still look after."""
    return Conversation.objects.trials_of(person).filter(persona__in=managed_personas(person))


def conversation(person: User, conversation_id: uuid.UUID, *, versions: bool = False) -> Conversation:
    """One of `conversations`, or else of `trials`, with its persona. Raises NotVisible.

    With `versions` the versions that may answer are loaded with it: for whoever is about to ask.
    """
    related = ("persona__company", *(("persona__current__endpoint", "trial__endpoint") if versions else ()))
    for kind in (conversations, trials):
        for found in kind(person).select_related(*related).filter(pk=conversation_id)[:1]:
            return found
    raise NotVisible


def message(conversation: Conversation, message_id: uuid.UUID) -> Message:
    """A message of a conversation that was let through by `conversation`. Raises NotVisible."""
    found = (
        Message.objects.select_related("parent", "generation__version")
        .filter(conversation=conversation, pk=message_id)
        .first()
    )
    if found is None:
        raise NotVisible
    found.conversation = conversation
    return found


def generation(conversation: Conversation, generation_id: uuid.UUID) -> Generation:
    """A generation of a conversation that was let through by `conversation`. Raises NotVisible."""
    found = Generation.objects.filter(conversation=conversation, pk=generation_id).first()
    if found is None:
        raise NotVisible
    return found


# -- The administration: for each of its models the rows that a person may see there, and change ---------------


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
    found = managed_personas(person).select_related("company", *versions).filter(pk=persona_id).first()
    if found is None:
        raise NotVisible
    return found


def version(persona: Persona, slug: str) -> PersonaVersion:
    """A version of a persona that was let through by `managed_persona`: its draft, or by number. Raises NotVisible."""
    if slug == "draft" and persona.draft is not None:
        return persona.draft
    number = int(slug) if slug.isascii() and slug.isdigit() and len(slug) < 10 else 0
    found = persona.versions.select_related("endpoint", "created_by").filter(number=number).first()
    if found is None:
        raise NotVisible
    return found


def version_to_try(persona: Persona, key: str) -> PersonaVersion:
    """A version of a persona that was let through by `managed_persona`, by its key: also a draft that there is no
    more, since what is tried is what the page said. Raises NotVisible."""
    number = int(key) if key.isascii() and key.isdigit() and len(key) < 19 else 0
    found = persona.versions.filter(pk=number).first()
    if found is None:
        raise NotVisible
    return found


def discarded_draft(persona: Persona, version_id: int) -> PersonaVersion:
    """A draft of a persona that `managed_persona` let through, also one that was discarded. Raises NotVisible."""
    found = persona.versions.select_related("endpoint").filter(pk=version_id, number__isnull=True).first()
    if found is None:
        raise NotVisible
    return found


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
    found = offered_endpoints(company).filter(pk=endpoint_id).first()
    if found is None:
        raise NotVisible
    return found


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


# -- Review: what the reviewers of a company may read. Each look is first a record: see `reading.py` ------------


def reviewed_companies(person: AnyPerson) -> QuerySet[Company]:
    """The companies whose conversations `person` may read and review: reviewers, managers, and operators all."""
    if is_operator(person):
        return Company.objects.all()
    if not person.is_active:
        return Company.objects.none()
    roles = (Membership.Role.REVIEWER, Membership.Role.MANAGER)
    return Company.objects.filter(memberships__user_id=person.pk, memberships__role__in=roles)


def reviewed_company(person: AnyPerson, company_id: uuid.UUID) -> Company:
    """One of `reviewed_companies`. Raises NotVisible."""
    found = reviewed_companies(person).filter(pk=company_id).first()
    if found is None:
        raise NotVisible
    return found


def managed_company(person: AnyPerson, company_id: uuid.UUID) -> Company:
    """One of `managed_companies`. Raises NotVisible."""
    found = managed_companies(person).filter(pk=company_id).first()
    if found is None:
        raise NotVisible
    return found


def managed_rule(company: Company, rule_id: int) -> Rule:
    """A rule of a company that was let through by `managed_company`. Raises NotVisible."""
    found = company.rules.select_related("persona").filter(pk=rule_id).first()
    if found is None:
        raise NotVisible
    return found


def managed_label(company: Company, label_id: int) -> Label:
    """A label of a company that was let through by `managed_company`. Raises NotVisible."""
    found = company.labels.filter(pk=label_id).first()
    if found is None:
        raise NotVisible
    return found


def budgets(company: Company) -> QuerySet[Budget]:
    """The budgets of a company that was let through by `managed_company`: its own, its personas', its people's."""
    return Budget.objects.filter(company=company)


def budget(company: Company, budget_id: int) -> Budget:
    """One of `budgets`. Raises NotVisible."""
    found = budgets(company).select_related("persona", "person").filter(pk=budget_id).first()
    if found is None:
        raise NotVisible
    return found


def may_set(person: AnyPerson, budget: Budget) -> bool:
    """Whether `person` may change a budget that `budget` gave: the company's own is the operators' to set."""
    return is_operator(person) or budget.persona_id is not None or budget.person_id is not None


def reviewed_conversations(company: Company) -> ConversationQuerySet:
    """The conversations of a company that was let through by `reviewed_company`. Trials are nobody's to review."""
    return Conversation.objects.filter(persona__company=company, trial__isnull=True)


def reviewed_conversation(company: Company, conversation_id: uuid.UUID) -> Conversation:
    """One of `reviewed_conversations`, with its persona and owner. Raises NotVisible.

    This says that it is there. Only `reading.py` hands it out to be read.
    """
    found = (
        reviewed_conversations(company)
        .select_related("persona__company", "persona__current__endpoint", "owner")
        .filter(pk=conversation_id)
        .first()
    )
    if found is None:
        raise NotVisible
    return found


def exports(person: AnyPerson, company: Company) -> QuerySet[Export]:
    """The exports of a company that `person` may take away: those that hold system prompts are its managers'."""
    found = Export.objects.filter(company__in=reviewed_companies(person).filter(pk=company.pk))
    if managed_companies(person).filter(pk=company.pk).exists():
        return found
    return found.exclude(kind__in=Export.TUNING)


def export(person: AnyPerson, company: Company, export_id: uuid.UUID) -> Export:
    """One of `exports`. Raises NotVisible."""
    found = exports(person, company).select_related("company").filter(pk=export_id).first()
    if found is None:
        raise NotVisible
    return found


def queue(company: Company) -> QuerySet[QueueEntry]:
    """What waits, is under review or was reviewed at a company that was let through by `reviewed_company`."""
    return QueueEntry.objects.filter(company=company)


def review(reviewer: AnyPerson, conversation: Conversation, review_id: int) -> Review:
    """A review of one's own of a conversation that was let through by `reviewed_conversation`. Raises NotVisible."""
    found = (
        Review.objects.select_related("entry__company", "reviewer")
        .filter(entry__conversation=conversation, reviewer_id=reviewer.pk, pk=review_id)
        .first()
    )
    if found is None:
        raise NotVisible
    return found


def reviewed_answer(conversation: Conversation, message_id: uuid.UUID) -> AnswerRecord:
    """An ended answer of a conversation that was let through by `reviewed_conversation`. Raises NotVisible."""
    found = (
        AnswerRecord.objects.select_related("version", "message")
        .filter(conversation=conversation, message_id=message_id)
        .first()
    )
    if found is None:
        raise NotVisible
    return found


# -- Keeping, holding, erasing ----------------------------------------------------------------------------------


def held(company: Company) -> QuerySet[Hold]:
    """What is or was held at a company that was let through by `reviewed_company`."""
    return Hold.objects.filter(company=company)


def hold(company: Company, hold_id: int) -> Hold:
    """One of `held`. Raises NotVisible."""
    found = held(company).filter(pk=hold_id).first()
    if found is None:
        raise NotVisible
    return found


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
    found = people_of(company).filter(pk=person_id).first()
    if found is None:
        raise NotVisible
    return found


def erasure(company: Company, erasure_id: int) -> Erasure:
    """An erasure at a company that was let through by `managed_company`. Raises NotVisible."""
    found = Erasure.objects.filter(company=company, pk=erasure_id).first()
    if found is None:
        raise NotVisible
    return found


def account(operator: AnyPerson, person_id: int) -> User:
    """Any account, for operators. Raises NotVisible."""
    found = User.objects.filter(pk=person_id).first() if is_operator(operator) else None
    if found is None:
        raise NotVisible
    return found


def any_erasure(operator: AnyPerson, erasure_id: int) -> Erasure:
    """Any erasure, for operators. Raises NotVisible."""
    found = Erasure.objects.filter(pk=erasure_id).first() if is_operator(operator) else None
    if found is None:
        raise NotVisible
    return found

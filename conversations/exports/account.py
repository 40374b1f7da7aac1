"""What is kept of an account beside its chats, as lines for `person.py`: how it is got into, and how chats are sorted.

Of what lets somebody in there are names and times, and never what it is: no password, no secret, no code.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.db.models import Q

from conversations.exports.batches import in_batches
from conversations.exports.rows import moment
from conversations.models import Company, Folder, Invitation, PasswordLink, SignIn

Line = dict[str, Any]


def lines(person: User) -> Iterator[Line]:
    """All that belongs to the account itself, and to no company."""
    for session in in_batches(SignIn.objects.filter(user=person)):
        yield {
            "kind": "sign_in",
            "at": moment(session.at),
            "browser": session.agent,
            "address": session.address,
        }
    for factor in in_batches(Authenticator.objects.filter(user=person)):
        yield {
            "kind": "factor",
            "type": Authenticator.Type(factor.type).value,
            "name": factor.data["name"] if factor.type == Authenticator.Type.WEBAUTHN else None,
            "created_at": moment(factor.created_at),
            "used_at": _moment(factor.last_used_at),
        }
    for known in in_batches(SocialAccount.objects.filter(user=person)):
        yield {
            "kind": "company_account",
            "issuer": known.provider,
            "subject": known.uid,
            "since": moment(known.date_joined),
            "signed_in_at": moment(known.last_login),
        }
    for link in in_batches(PasswordLink.objects.filter(user=person)):
        yield {
            "kind": "password_link",
            "created_at": moment(link.created_at),
            "expires_at": moment(link.expires_at),
            "used_at": _moment(link.used_at),
        }
    for folder in in_batches(Folder.objects.filter(owner=person)):
        yield {"kind": "folder", "id": folder.pk, "name": folder.name}


def invitations(person: User, company: Company | None) -> Iterator[Line]:
    """Those by which the person came, and those that they made, without whom these were for."""
    found = Invitation.objects.filter(Q(used_by=person) | Q(made_by=person)).select_related("company")
    for each in in_batches(found.filter(company=company) if company else found):
        came = each.used_by_id == person.pk
        yield {
            "kind": "invitation",
            "company": each.company.name,
            "role": each.role,
            "by_the_person": each.made_by_id == person.pk,
            "note": each.note if came else None,
            "created_at": moment(each.created_at),
            "expires_at": moment(each.expires_at),
            "used_at": _moment(each.used_at),
        }


def _moment(time: datetime | None) -> str | None:
    return moment(time) if time else None

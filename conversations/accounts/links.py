"""Links that let somebody in: into a company, or back into their account. Shown once, good once, and known by a hash.

What is used, expired, taken back, made by somebody who may not any more, or guessed is the same `NotVisible`.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from conversations import access, metrics
from conversations.models import Invitation, Membership, PasswordLink

INVITATION_DAYS = 7
MOST_DAYS = 30
PASSWORD_HOURS = 24
FORGOTTEN = 200  # invitations at a time


class AlreadyThere(Exception):
    """Who would join belongs to the company already. The link stays good."""


def invite(invitation: Invitation, by: User, *, days: int) -> str:
    """Keep an invitation into a company that was let through by `access.managed_companies`. Gives back the secret of
    its link, which nobody can find out later."""
    token, invitation.token_hash = _new()
    invitation.made_by = by
    invitation.expires_at = timezone.now() + timedelta(days=days)
    invitation.save(force_insert=True)
    return token


def invitation(token: str) -> Invitation:
    """What a link with this secret lets somebody into. Raises NotVisible."""
    found = (
        Invitation.objects.select_related("company", "made_by")
        .filter(token_hash=_hash(token), used_at=None, revoked_at=None, expires_at__gt=timezone.now())
        .first()
    )
    if found is None or not access.managed_companies(found.made_by).filter(pk=found.company_id).exists():
        raise _dead()
    return found


def join(invitation: Invitation, person: User) -> None:
    """Give `person` the place. One who opens a link at the same time as another gets it. Raises NotVisible and
    AlreadyThere."""
    with transaction.atomic():
        _use(invitation, person)
        _, new = Membership.objects.get_or_create(
            user=person, company=invitation.company, defaults={"role": invitation.role}
        )
        if not new:
            raise AlreadyThere


def join_anew(invitation: Invitation, username: str, password: str) -> User:
    """Make an account and give it the place. Raises NotVisible, and IntegrityError where the name was taken since."""
    with transaction.atomic():
        person = User.objects.create_user(username, password=password)
        _use(invitation, person)
        Membership.objects.create(user=person, company=invitation.company, role=invitation.role)
    return person


def take_back(invitation: Invitation) -> bool:
    """Make an invitation good for nothing. Whether it was good for something."""
    open_ = Invitation.objects.filter(pk=invitation.pk, used_at=None, revoked_at=None)
    return open_.update(revoked_at=timezone.now()) == 1


def forget_whom() -> int:
    """Forget of some invitations that nobody used in their time whom they were for. Gives back of how many."""
    over = Invitation.objects.filter(used_at=None, expires_at__lt=timezone.now()).exclude(note="")
    some = list(over.values_list("pk", flat=True)[:FORGOTTEN])
    return Invitation.objects.filter(pk__in=some).update(note="") if some else 0


def offer_password(by: User, person: User) -> str:
    """The secret of a link by which `person` chooses a password; earlier ones are good for nothing any more."""
    token, hashed = _new()
    now = timezone.now()
    with transaction.atomic():
        PasswordLink.objects.filter(user=person, used_at=None, revoked_at=None).update(revoked_at=now)
        PasswordLink.objects.create(
            user=person, made_by=by, token_hash=hashed, expires_at=now + timedelta(hours=PASSWORD_HOURS)
        )
    return token


def password_link(token: str) -> PasswordLink:
    """What a link with this secret is for. Raises NotVisible."""
    found = (
        PasswordLink.objects.select_related("user", "made_by")
        .filter(token_hash=_hash(token), used_at=None, revoked_at=None, expires_at__gt=timezone.now())
        .first()
    )
    if found is None or not found.user.is_active or not access.is_operator(found.made_by):
        raise _dead()
    return found


def set_password(link: PasswordLink, password: str) -> None:
    """Set the password of whom the link is for, which ends their sessions. Raises NotVisible."""
    with transaction.atomic():
        good = PasswordLink.objects.filter(
            pk=link.pk, used_at=None, revoked_at=None, expires_at__gt=timezone.now()
        )
        if good.update(used_at=timezone.now()) != 1:
            raise _dead()
        link.user.set_password(password)
        link.user.save(update_fields=["password"])


def _use(invitation: Invitation, person: User) -> None:
    """Mark an invitation as used, if nobody was quicker."""
    good = Invitation.objects.filter(
        pk=invitation.pk, used_at=None, revoked_at=None, expires_at__gt=timezone.now()
    )
    if good.update(used_at=timezone.now(), used_by=person) != 1:
        raise _dead()


def _dead() -> access.NotVisible:
    metrics.sign_in_refusals.labels("link").inc()
    return access.NotVisible()


def _new() -> tuple[str, str]:
    token = secrets.token_urlsafe(32)
    return token, _hash(token)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

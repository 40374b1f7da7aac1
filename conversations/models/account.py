"""How people get in: invitations, links for a new password, sign-in at a company's provider, and what was tried."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from conversations.models.company import Company, Membership, in_order

NEARBY = {"localhost", "127.0.0.1", "::1"}


class Link(models.Model):
    """What a link that was shown once lets somebody do. Only the hash of its secret is kept."""

    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(editable=False)
    used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    @property
    def state(self) -> str:
        """What became of it, in a word."""
        if self.used_at:
            return "Used"
        if self.revoked_at:
            return "Taken back"
        return "Expired" if self.expires_at <= timezone.now() else "Open"


class Invitation(Link):
    """A place in a company for whoever opens the link first."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=10, choices=Membership.Role, default=Membership.Role.MEMBER)
    note = models.CharField(
        max_length=200,
        blank=True,
        help_text=_(
            "Whom it is for, such as a name or an e-mail address. Nothing is sent; only the managers see it, and "
            "it is forgotten where nobody uses the link in its time."
        ),
    )
    used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        facts = {"role": self.get_role_display(), "company": in_order(self.company)}
        return pgettext("invitation", "%(role)s at %(company)s") % facts


class PasswordLink(Link):
    """A link by which one person chooses a new password; an operator made it, which is on record."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="password_links"
    )

    def __str__(self) -> str:
        return f"new password of {in_order(self.user)}"


def check_issuer(value: str) -> None:
    """Raise ValidationError unless `value` can be an issuer (OpenID Connect Discovery 1.0, section 3)."""
    parts = urlsplit(value)
    plain = parts.scheme == "http" and parts.hostname in NEARBY
    if not (parts.scheme == "https" or plain) or not parts.hostname:
        raise ValidationError(gettext("Give an https:// address."))
    if parts.query or parts.fragment or "@" in parts.netloc or value != value.strip():
        raise ValidationError(gettext("Give the address alone, without a name, a question mark or a #."))


class CompanySignIn(models.Model):
    """An OpenID Connect provider at which a company's people sign in. Made by operators: we fetch from its address."""

    class Otherwise(models.TextChoices):
        MEMBER = "member", _("Let them in as a member")
        REFUSE = "refuse", _("Refuse them")

    SEALED = ("sealed_secret",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="sign_ins")
    enabled = models.BooleanField(default=True)
    issuer = models.CharField(
        max_length=200,
        validators=[check_issuer],
        help_text=_("As its discovery document names it, such as https://login.example.com/realms/staff."),
    )
    client_id = models.CharField(max_length=191)
    sealed_secret = models.TextField(editable=False)
    secret_ending = models.CharField(max_length=4, editable=False)
    role_claim = models.CharField(
        max_length=100, blank=True, help_text=_("The claim that tells the role, such as groups or roles.")
    )
    manager_values = models.TextField(blank=True, help_text=_("Values of that claim, one a line."))
    reviewer_values = models.TextField(blank=True, help_text=_("Values of that claim, one a line."))
    member_values = models.TextField(blank=True, help_text=_("Values of that claim, one a line."))
    otherwise = models.CharField(
        max_length=6,
        choices=Otherwise,
        default=Otherwise.REFUSE,
        help_text=_("What happens to people whom none of these values tells a role."),
    )
    email_domains = models.TextField(
        blank=True,
        help_text=_(
            "One a line. Where any is given, only people with a confirmed address in one of them get in."
        ),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["company__name", "issuer"]
        verbose_name = _("sign-in of a company")
        verbose_name_plural = _("sign-ins of companies")

    def __str__(self) -> str:
        facts = {"company": in_order(self.company), "provider": urlsplit(self.issuer).hostname}
        return pgettext("sign-in of a company", "%(company)s at %(provider)s") % facts

    @property
    def sealing_context(self) -> str:
        """What its sealed secret is bound to."""
        return f"conversations.companysignin/{self.pk}"


class SignIn(models.Model):
    """A session, as its owner knows it again. Whether it still lives is told by Django's table of sessions."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sign_ins")
    session_key = models.CharField(max_length=40, unique=True)
    agent = models.CharField(max_length=200)
    address = models.GenericIPAddressField(null=True)
    at = models.DateTimeField()
    waiting = models.BooleanField(default=False, help_text="Whether the second factor is still to come.")

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"sign-in {self.pk}"


class SignInCount(models.Model):
    """The failed sign-ins of the last minutes at one account or from one address, by the hash of which it was.

    `times` are seconds since 1970, in the order of their coming; after `until` none of them counts any more.
    """

    key = models.CharField(max_length=64, primary_key=True)
    times = models.JSONField(default=list)
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return "failed sign-ins"


class SpentCode(models.Model):
    """A code of an authenticator app, or a passkey's challenge, that was used: by its hash, while it would be good."""

    key = models.CharField(max_length=64, primary_key=True)
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return "spent code"

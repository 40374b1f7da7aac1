"""Companies and who belongs to them. A company is the tenant: no row of one is ever seen from another."""

from __future__ import annotations

import re
import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

_REORDERS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def in_order(name: object) -> str:
    """A name without characters that turn round what stands behind it, for a line that goes on after it."""
    return _REORDERS.sub("", str(name))


class Company(models.Model):
    """A tenant. `colour` is its accent, as six hexadecimal digits after `#`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    colour = models.CharField(
        max_length=7,
        default="#3b5bdb",
        validators=[
            RegexValidator(r"\A#[0-9a-fA-F]{6}\Z", _("Give a colour as # and six digits, such as #e4002b."))
        ],
        help_text=_("The accent of its pages, such as #e4002b; corrected where it would be hard to read."),
    )
    second_reviews = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(100)],
        help_text=_("How many of a hundred reviews a second reviewer repeats without seeing the first."),
    )
    requires_second_factor = models.BooleanField(
        default=False,
        help_text=_("Who has none is led to set one up before anything else."),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = pgettext_lazy("model", "companies")

    def __str__(self) -> str:
        return self.name

    @property
    def colour_code(self) -> str:
        """The colour as six lower-case digits, as style sheets and classes name it."""
        return self.colour.removeprefix("#").lower()


class Membership(models.Model):
    """One person's place in one company."""

    class Role(models.TextChoices):
        MEMBER = "member", _("Member")
        REVIEWER = "reviewer", _("Reviewer")
        MANAGER = "manager", _("Manager")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = pgettext_lazy("model", "person")
        verbose_name_plural = pgettext_lazy("model", "people")
        constraints = [models.UniqueConstraint(fields=["user", "company"], name="one_membership_per_company")]

    def __str__(self) -> str:
        facts = {"person": in_order(self.user), "company": in_order(self.company)}
        return pgettext("membership", "%(person)s at %(company)s") % facts


class CompanyEntry(models.Model):
    """Whose row an entry of the administration's histories is about. See `histories.py`."""

    entry = models.OneToOneField(
        "admin.LogEntry", on_delete=models.CASCADE, primary_key=True, related_name="of"
    )
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"entry {self.pk}"

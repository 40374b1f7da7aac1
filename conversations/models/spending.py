"""What answers cost, and how much may be spent: prices, budgets, and the ledger of charges.

Rows and constraints only; every figure in them is changed by `spending.py`. Money is in millionths of the site's
currency, so that it is counted in whole numbers on every database.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from conversations.models.company import Company, in_order
from conversations.models.persona import Endpoint, Persona


def _price(name: Any, help_text: Any) -> models.DecimalField[Decimal, Decimal]:
    return models.DecimalField(
        name, max_digits=12, decimal_places=6, validators=[MinValueValidator(0)], help_text=help_text
    )


class Price(models.Model):
    """What a provider takes for a model, in the site's currency for a million tokens. Kept by operators."""

    endpoint = models.ForeignKey(
        Endpoint,
        on_delete=models.CASCADE,
        related_name="prices",
        verbose_name=pgettext_lazy("field", "provider"),
    )
    model = models.CharField(
        max_length=200,
        help_text=_("As personas name it, such as mistral-large-latest. Another name is unknown."),
    )
    prompt = _price(pgettext_lazy("field", "tokens in"), _("For a million tokens that are sent."))
    completion = _price(
        pgettext_lazy("field", "tokens out"), _("For a million tokens that are written, thinking included.")
    )

    class Meta:
        ordering = ["endpoint__name", "model"]
        constraints = [models.UniqueConstraint(fields=["endpoint", "model"], name="one_price_a_model")]

    def __str__(self) -> str:
        facts = {"model": in_order(self.model), "provider": self.endpoint}
        return pgettext("price", "%(model)s at %(provider)s") % facts


class Budget(models.Model):
    """How much a company, or one of its personas or people, may use in a day or a month of the site's time zone.

    From `soft` on it is told; `hard` is never gone past, by what is reserved. Both are in tokens or in millionths of
    the currency. `spent` and `reserved` are those of the period that began on `began`: what ended, and what answers
    that are being written may come to. A budget whose period is over is counted from zero by the next answer.
    """

    class Unit(models.TextChoices):
        TOKENS = "tokens", pgettext_lazy("unit", "Tokens")
        MONEY = "money", pgettext_lazy("unit", "Money")

    class Period(models.TextChoices):
        DAY = "day", pgettext_lazy("period", "A day")
        MONTH = "month", pgettext_lazy("period", "A calendar month")

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="budgets")
    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, null=True, related_name="budgets")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="budgets"
    )
    unit = models.CharField(max_length=6, choices=Unit)
    period = models.CharField(max_length=5, choices=Period)
    soft = models.BigIntegerField(null=True)
    hard = models.BigIntegerField(null=True)
    began = models.DateField()
    reserved = models.BigIntegerField(default=0)
    spent = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(persona=None) | Q(person=None), name="budget_of_a_persona_or_a_person"
            ),
            models.CheckConstraint(
                condition=Q(soft__isnull=False) | Q(hard__isnull=False), name="budget_says_something"
            ),
            models.CheckConstraint(
                condition=(Q(soft=None) | Q(soft__gte=1)) & (Q(hard=None) | Q(hard__gte=1)),
                name="budget_above_zero",
            ),
            models.CheckConstraint(
                condition=Q(soft=None) | Q(hard=None) | Q(soft__lte=F("hard")),
                name="budget_told_before_its_end",
            ),
            models.UniqueConstraint(
                fields=["company", "unit", "period"],
                condition=Q(persona=None, person=None),
                name="one_budget_a_company",
            ),
            models.UniqueConstraint(
                fields=["persona", "unit", "period"],
                condition=Q(persona__isnull=False),
                name="one_budget_a_persona",
            ),
            models.UniqueConstraint(
                fields=["company", "person", "unit", "period"],
                condition=Q(person__isnull=False),
                name="one_budget_a_person",
            ),
        ]

    def __str__(self) -> str:
        return f"budget {self.pk}"

    @property
    def used(self) -> int:
        """What is spent and what is held, together."""
        return self.spent + self.reserved


class Charge(models.Model):
    """What one answer may come to, from the moment it is asked for, and what it came to once it is settled.

    Its id is that of the generation, which it outlives: a charge is there for every answer, whatever is deleted. That
    for a `title` has the id of its conversation, so that each is given one once. `day` is the one on which it was asked
    for, and that by which it counts; prices are those of that moment. Tokens are the billed ones where the provider
    reports them apart.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, db_index=False, related_name="+")
    persona = models.ForeignKey(
        Persona, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+"
    )
    title = models.BooleanField(default=False, help_text="For a conversation's title, and not for an answer.")
    day = models.DateField()
    made_at = models.DateTimeField()
    prompt_price = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    completion_price = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    reserved_prompt = models.BigIntegerField()
    reserved_completion = models.BigIntegerField()
    reserved_money = models.BigIntegerField(null=True, help_text="Null where the price is unknown.")

    settled_at = models.DateTimeField(null=True)
    prompt_tokens = models.BigIntegerField(null=True)
    completion_tokens = models.BigIntegerField(null=True)
    money = models.BigIntegerField(null=True)
    estimated = models.BooleanField(
        default=False, help_text="Settled by a guess from the characters: the provider reported no tokens."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(settled_at=None, prompt_tokens=None, completion_tokens=None, money=None)
                | Q(settled_at__isnull=False, prompt_tokens__isnull=False, completion_tokens__isnull=False),
                name="settled_charges_have_figures",
            ),
        ]
        indexes = [
            models.Index(fields=["company", "day"], name="charges_by_day"),
            models.Index(fields=["company"], condition=Q(settled_at=None), name="open_charges"),
            models.Index(fields=["person", "made_at"], name="charges_of_a_person"),
        ]

    def __str__(self) -> str:
        return f"charge {self.pk}"

    @property
    def reserved_tokens(self) -> int:
        """The most that it may come to."""
        return self.reserved_prompt + self.reserved_completion

    @property
    def tokens(self) -> int:
        """What it came to; zero until it is settled."""
        return (self.prompt_tokens or 0) + (self.completion_tokens or 0)

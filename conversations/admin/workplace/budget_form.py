"""The form of a budget: whose it is, of what, and its two marks. What is kept of it stays; only the marks change."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from conversations import access, budgets
from conversations.models import Budget, Company

_TYPED = {"autocomplete": "off", "inputmode": "decimal", "size": 16}
WHOLE = "company"


class BudgetForm(forms.Form):
    """A new budget, or the marks of one that there is. The company's own is for who `runs_the_site`.

    A persona or a person of another company is a 404.
    """

    soft = forms.CharField(
        label=_("Told from"),
        required=False,
        max_length=30,
        widget=forms.TextInput(_TYPED),
        help_text=_(
            "From here on the person is told, on the page on which they write, and you under “Usage”. "
            "Empty: nobody is told before the end."
        ),
    )
    hard = forms.CharField(
        label=_("Ends at"),
        required=False,
        max_length=30,
        widget=forms.TextInput(_TYPED),
        help_text=_(
            "A question that could go past this is refused, and its text kept. Empty: it has no end."
        ),
    )

    field_order = ("whose", "unit", "period", "soft", "hard")

    def __init__(self, budget: Budget, data: Any = None, *, runs_the_site: bool = False) -> None:
        marks = {"soft": budget.soft, "hard": budget.hard}
        initial = {name: budgets.typed(budget.unit, mark) for name, mark in marks.items() if mark is not None}
        super().__init__(data, initial=initial, label_suffix="")
        self.budget = budget
        if budget._state.adding:
            self.fields["whose"] = forms.ChoiceField(
                label=gettext("Whose"), choices=_whose(budget.company, runs_the_site=runs_the_site)
            )
            self.fields["unit"] = forms.ChoiceField(
                label=gettext("Of what"),
                choices=[
                    (Budget.Unit.TOKENS, gettext("Tokens")),
                    (Budget.Unit.MONEY, gettext("Money, in %(currency)s") % {"currency": settings.CURRENCY}),
                ],
                widget=forms.RadioSelect,
                initial=Budget.Unit.TOKENS,
            )
            self.fields["period"] = forms.ChoiceField(
                label=gettext("In what time"),
                choices=Budget.Period.choices,
                widget=forms.RadioSelect,
                initial=Budget.Period.MONTH,
            )
            self.order_fields(self.field_order)

    def clean(self) -> None:
        if "whose" in self.errors:
            raise access.NotVisible
        if self.errors:
            return
        if self.budget._state.adding:
            kind, __, pk = self.cleaned_data["whose"].partition(":")
            if kind != WHOLE:
                setattr(self.budget, f"{kind}_id", pk if kind == "persona" else int(pk))
            self.budget.unit, self.budget.period = self.cleaned_data["unit"], self.cleaned_data["period"]
        for name in ("soft", "hard"):
            try:
                setattr(self.budget, name, budgets.parse(self.cleaned_data[name], self.budget.unit))
            except forms.ValidationError as wrong:
                self.add_error(name, wrong)
        if not self.errors:
            budgets.check(self.budget)  # its ValidationError names the fields


def _whose(company: Company, *, runs_the_site: bool) -> list[Any]:
    """What can have a budget: the company where an operator asks, its personas, its people."""
    people = company.memberships.select_related("user").order_by("user__username")
    return [
        *([(WHOLE, gettext("The whole company"))] if runs_the_site else []),
        (
            gettext("Personas"),
            [(f"persona:{each.pk}", each.name) for each in company.personas.order_by("name")],
        ),
        (gettext("People"), [(f"person:{each.user_id}", each.user.get_username()) for each in people]),
    ]

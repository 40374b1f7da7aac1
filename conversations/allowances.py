"""What is said to whoever asks of a budget that binds them, in whole sentences by whose budget it is."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from conversations.models import Budget

Unit, Period = Budget.Unit, Budget.Period


def kind(budget: Budget) -> str:
    """Whose a budget is."""
    if budget.persona_id is not None:
        return "persona"
    return "company" if budget.person_id is None else "person"


def of(budget: Budget, *, today: bool = False) -> str:
    """What there is of a budget in its period, within a sentence."""
    if budget.period == Period.MONTH:
        return (
            pgettext("budget", "this month's money")
            if budget.unit == Unit.MONEY
            else pgettext("budget", "this month's tokens")
        )
    if today:
        return (
            pgettext("budget", "today's money")
            if budget.unit == Unit.MONEY
            else pgettext("budget", "today's tokens")
        )
    return (
        pgettext("budget", "this day's money")
        if budget.unit == Unit.MONEY
        else pgettext("budget", "this day's tokens")
    )


def unpriced() -> dict[str, str]:
    """By whose budget it is, what is said of a model without a price."""
    return {
        "company": _(
            "%(company)s has a budget in money, and the price of this persona's model is not known here. "
            "Your text is kept. Ask whoever runs the site to enter the price."
        ),
        "persona": _(
            "The persona %(persona)s has a budget in money, and the price of this persona's model is not known here. "
            "Your text is kept. Ask whoever runs the site to enter the price."
        ),
        "person": _(
            "You have a budget in money, and the price of this persona's model is not known here. "
            "Your text is kept. Ask whoever runs the site to enter the price."
        ),
    }


def held() -> dict[str, str]:
    """What is said where all that is left is held for answers under way."""
    return {
        "company": _(
            "%(company)s has only so much of %(what)s left as answers that are being written may need. "
            "Send again when one has ended. Your text is kept."
        ),
        "persona": _(
            "The persona %(persona)s has only so much of %(what)s left as answers that are being written may need. "
            "Send again when one has ended. Your text is kept."
        ),
        "person": _(
            "You have only so much of %(what)s left as answers that are being written may need. "
            "Send again when one has ended. Your text is kept."
        ),
    }


def used_up() -> dict[str, str]:
    """What is said where nothing is left."""
    return {
        "company": _("%(company)s has used up %(what)s."),
        "persona": _("The persona %(persona)s has used up %(what)s."),
        "person": _("You have used up %(what)s."),
    }


def too_little() -> dict[str, str]:
    """What is said where something is left, and no answer fits in it."""
    return {
        "company": _("%(company)s has too little of %(what)s left for an answer."),
        "persona": _("The persona %(persona)s has too little of %(what)s left for an answer."),
        "person": _("You have too little of %(what)s left for an answer."),
    }

"""Budgets as people meet them: made and changed by managers, told of to whoever they bind.

Callers have been through `access` and hold the lock of the company (`spending.lock`) where they change one. What is
said to a person who asks names no figures but their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format, get_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conversations import allowances, spending
from conversations.models import Budget, Conversation, Persona, PersonaVersion, Price
from conversations.models.company import in_order
from conversations.refusals import Refused

Unit, Period = Budget.Unit, Budget.Period

MILLION = 1_000_000
MOST = (
    10**15
)  # tokens, or millionths: nobody means more, and figures stay far from what a database can add up
_AMOUNT = re.compile(r"[0-9]{1,16}([.][0-9]{1,6})?")
_GROUPED = re.compile(r"[0-9]{1,3}(?:([.,])[0-9]{3})(?:\1[0-9]{3})*")


@dataclass(frozen=True, slots=True)
class State:
    """How a budget stands now. Its figures are those of the period that is now, whether anything was asked in it."""

    budget: Budget
    spent: int
    reserved: int

    @property
    def top(self) -> int:
        """What a bar of it ends at."""
        return self.budget.hard or self.budget.soft or 0

    @property
    def over(self) -> str:
        """`hard` where nothing is left, `soft` where it is to be told, else nothing."""
        for name, mark in (("hard", self.budget.hard), ("soft", self.budget.soft)):
            if mark is not None and self.spent >= mark:
                return name
        return ""

    @property
    def percent(self) -> int:
        """How much of it is spent, in whole hundredths, rounded down: a hundred is said of what is used up only."""
        return 100 * self.spent // self.top


def state(budget: Budget) -> State:
    """How `budget` stands."""
    if budget.began < spending.period_start(budget.period, spending.today()):
        return State(budget, 0, 0)
    return State(budget, budget.spent, budget.reserved)


def save(budget: Budget) -> None:
    """Keep a new budget, with what was spent in its period before; or the marks of one that there was. Raises
    ValidationError."""
    check(budget)
    if budget._state.adding:
        spending.count_anew(budget)
        budget.save(force_insert=True)
    else:
        budget.save(update_fields=["soft", "hard"])


def check(budget: Budget) -> None:
    """Raise ValidationError, by field, for what is no budget, is there already, or goes past the company's own."""
    if budget.soft is None and budget.hard is None:
        raise ValidationError({"hard": _("Give at least one of the two.")})
    if budget.soft is not None and budget.hard is not None and budget.soft > budget.hard:
        raise ValidationError({"soft": _("This has to come before the end, or with it.")})
    same = Budget.objects.filter(company=budget.company_id, unit=budget.unit)
    of = {"persona": budget.persona_id, "person": budget.person_id}
    if same.filter(period=budget.period, **of).exclude(pk=budget.pk).exists():
        raise ValidationError(_("There is such a budget already. Change that one."))
    if budget.persona_id is None and budget.person_id is None:
        return
    for whole in same.filter(persona=None, person=None, hard__isnull=False):
        holds = (
            whole.period == budget.period or budget.period == Period.DAY
        )  # a day's is within a month's too
        for field in ("soft", "hard"):
            mark = getattr(budget, field)
            if holds and mark is not None and whole.hard is not None and mark > whole.hard:
                said = (
                    _("The whole company has %(amount)s a day. Give at most that.")
                    if whole.period == Period.DAY
                    else _("The whole company has %(amount)s a month. Give at most that.")
                )
                raise ValidationError({field: said % {"amount": amount(whole.unit, whole.hard)}})


def parse(text: str, unit: str) -> int | None:
    """What was typed, in tokens or millionths, as the language writes it; None for nothing. Raises ValidationError."""
    text = plain(text, whole=unit == Unit.TOKENS)
    if not text:
        return None
    try:
        if not _AMOUNT.fullmatch(text):  # an exponent of some digits would be a number of as many
            raise InvalidOperation
        given = Decimal(text) * (1 if unit == Unit.TOKENS else MILLION)
        if not given.is_finite() or given != int(given) or not 1 <= given <= MOST:
            raise InvalidOperation
    except (InvalidOperation, ValueError):
        raise ValidationError(
            _("Give a whole number, above zero.")
            if unit == Unit.TOKENS
            else _("Give an amount such as 20 or 12.50, above zero.")
        ) from None
    return int(given)


def plain(text: str, *, whole: bool) -> str:
    """A number as it was typed, without what groups its digits, and with a point before its fraction.

    Where the language has a comma there, points may group digits by three; those of a `whole` number, which has no
    fraction, either sign. A point that groups nothing is taken for what it is elsewhere.
    """
    text = "".join(text.split())
    if get_format("DECIMAL_SEPARATOR") != ",":
        return text.replace(",", "")
    if whole and _GROUPED.fullmatch(text):
        return text.replace(".", "").replace(",", "")
    units, comma, fraction = text.partition(",")
    if "." in fraction:  # as elsewhere, then
        return text.replace(",", "")
    if get_format("THOUSAND_SEPARATOR") == "." and _GROUPED.fullmatch(units):
        units = units.replace(".", "")
    return f"{units}.{fraction}" if comma else units


def amount(unit: str, value: int) -> str:
    """In words, such as 1,200 tokens or 12.50 USD."""
    if unit == Unit.TOKENS:
        number = number_format(value, force_grouping=True)
        return ngettext("%(number)s token", "%(number)s tokens", value) % {"number": number}
    return money(value)


def money(value: int) -> str:
    """Millionths of the currency, with its code; of less than a hundredth as many digits as it takes to be told from
    nothing."""
    places = 2 if value >= 10_000 or value == 0 else 6
    number = number_format(f"{Decimal(value) / MILLION:.{places}f}", force_grouping=True)
    return f"{number} {settings.CURRENCY}"


def typed(unit: str, value: int) -> str:
    """As `parse` reads it, to the last digit."""
    if unit == Unit.TOKENS:
        return str(value)
    units, rest = divmod(value, MILLION)
    return number_format(f"{units}.{f'{rest:06}'.rstrip('0'):0<2}")


def named(budget: Budget) -> str:
    """Whose it is and of what, such as “the persona Guide, tokens a month”."""
    said = {
        (Unit.TOKENS, Period.DAY): _("%(whose)s, tokens a day"),
        (Unit.TOKENS, Period.MONTH): _("%(whose)s, tokens a month"),
        (Unit.MONEY, Period.DAY): _("%(whose)s, money a day"),
        (Unit.MONEY, Period.MONTH): _("%(whose)s, money a month"),
    }
    return said[Unit(budget.unit), Period(budget.period)] % {"whose": _whose(budget)}


def marks(budget: Budget) -> str:
    """From where on it is told, and where it ends."""
    soft = "" if budget.soft is None else amount(budget.unit, budget.soft)
    hard = "" if budget.hard is None else amount(budget.unit, budget.hard)
    if soft and hard:
        said = _("told from %(soft)s on, ends at %(hard)s")
    else:
        said = _("told from %(soft)s on") if soft else _("ends at %(hard)s")
    return said % {"soft": soft, "hard": hard}


def told(person_id: int, companies: set[UUID]) -> list[str]:
    """What a person is to know of their own budgets at `companies`: those that are past their marks."""
    own = Budget.objects.filter(person=person_id, company__in=companies)
    if not own.exists():  # as nearly always, and each answer's end asks
        return []
    rows = own.select_related("company").order_by("company__name", "period", "unit")
    found = [state(budget) for budget in rows]
    return [_note(each, with_company=len(companies) > 1) for each in found if each.over]


def unpriced(company_id: UUID) -> list[str]:
    """The models that a company's personas answer by now and that have no price, each once."""
    current = PersonaVersion.objects.filter(
        pk__in=Persona.objects.filter(company=company_id, published=True).values("current")
    )
    priced = set(Price.objects.values_list("endpoint_id", "model"))
    used = current.select_related("endpoint").order_by("model", "endpoint__name")
    return list(
        dict.fromkeys(
            _("%(model)s at %(provider)s") % {"model": version.model, "provider": version.endpoint}
            for version in used
            if (version.endpoint_id, version.model) not in priced
        )
    )


def of_company(budgets: QuerySet[Budget]) -> list[State]:
    """How `budgets` stand: the company's, then its personas', then its people's."""
    rows = budgets.select_related("persona", "person")
    found = sorted(rows, key=lambda each: (_rank(each), _whose(each).casefold(), each.unit, each.period))
    return [state(budget) for budget in found]


def refusal(over: spending.OverBudget, conversation: Conversation) -> Refused:
    """What to tell whoever asked: what is used up, when it renews, that the text is kept, and whom to ask.

    429, and not 402: nothing that the person could pay opens it, and the time does.
    """
    budget, persona = over.budget, conversation.persona
    left = (budget.hard or 0) - budget.spent
    names = {"company": persona.company.name, "persona": persona.name, "what": allowances.of(budget)}
    if over.unpriced:
        said = allowances.unpriced()[allowances.kind(budget)] % names
        return Refused(said, status=409, limit="price")
    if over.bound.of(budget) <= left:
        said = allowances.held()[allowances.kind(budget)] % names
        return Refused(said, status=429, limit="budget", retry_after=spending.HELD_SECONDS)
    renewal = spending.next_period(budget.period, budget.began)
    midnight = datetime.combine(renewal, time(), timezone.get_default_timezone())
    names |= {
        "used": (allowances.used_up() if left <= 0 else allowances.too_little())[allowances.kind(budget)]
        % names,
        "day": date_format(renewal, _("j F")),
    }
    return Refused(
        (
            _(
                "%(used)s It renews on %(day)s. Your text is kept. "
                "The managers of %(company)s can help sooner."
            )
            if budget.unit == Unit.MONEY
            else _(
                "%(used)s They renew on %(day)s. Your text is kept. "
                "The managers of %(company)s can help sooner."
            )
        )
        % names,
        status=429,
        limit="budget",
        retry_after=max(1, int((midnight - timezone.now()).total_seconds())),
    )


def _note(of: State, *, with_company: bool) -> str:
    budget = of.budget
    names: dict[str, object] = {"what": allowances.of(budget, today=True)}
    if of.over == "hard":
        renewal = spending.next_period(budget.period, budget.began)
        names["day"] = date_format(renewal, _("j F"))
        said = _("Your share of %(what)s is used up until %(day)s.")
    elif budget.hard is not None:
        names["percent"] = of.percent
        said = _("%(percent)s %% of your share of %(what)s is used.")
    else:
        names["amount"] = amount(budget.unit, of.spent)
        said = _("You have used %(amount)s of %(what)s, more than was meant for you.")
    said = said % names
    return _("%(company)s: %(said)s") % {"company": budget.company, "said": said} if with_company else said


def _rank(budget: Budget) -> int:
    return ("company", "persona", "person").index(allowances.kind(budget))


def _whose(budget: Budget) -> str:
    if budget.persona is not None:
        return _("the persona %(persona)s") % {"persona": in_order(budget.persona)}
    return _("the whole company") if budget.person is None else in_order(budget.person.get_username())

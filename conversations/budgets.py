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
from django.utils.formats import date_format

from conversations import spending
from conversations.models import Budget, Conversation, Persona, PersonaVersion, Price
from conversations.models.company import in_order
from conversations.refusals import Refused

Unit, Period = Budget.Unit, Budget.Period

MILLION = 1_000_000
MOST = (
    10**15
)  # tokens, or millionths: nobody means more, and figures stay far from what a database can add up
_AMOUNT = re.compile(r"[0-9]{1,16}([.][0-9]{1,6})?")
_SPAN = {Period.DAY: "day", Period.MONTH: "month"}


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
        raise ValidationError({"hard": "Give at least one of the two."})
    if budget.soft is not None and budget.hard is not None and budget.soft > budget.hard:
        raise ValidationError({"soft": "This has to come before the end, or with it."})
    same = Budget.objects.filter(company=budget.company_id, unit=budget.unit)
    of = {"persona": budget.persona_id, "person": budget.person_id}
    if same.filter(period=budget.period, **of).exclude(pk=budget.pk).exists():
        raise ValidationError("There is such a budget already. Change that one.")
    if budget.persona_id is None and budget.person_id is None:
        return
    for whole in same.filter(persona=None, person=None, hard__isnull=False):
        holds = (
            whole.period == budget.period or budget.period == Period.DAY
        )  # a day's is within a month's too
        for field in ("soft", "hard"):
            mark = getattr(budget, field)
            if holds and mark is not None and whole.hard is not None and mark > whole.hard:
                said = f"{amount(whole.unit, whole.hard)} a {_SPAN[Period(whole.period)]}"
                raise ValidationError({field: f"The whole company has {said}. Give at most that."})


def parse(text: str, unit: str) -> int | None:
    """What was typed, in tokens or millionths; None for nothing. Raises ValidationError."""
    text = "".join(text.split()).replace(",", "")
    if not text:
        return None
    wanted = "a whole number" if unit == Unit.TOKENS else "an amount such as 20 or 12.50"
    try:
        if not _AMOUNT.fullmatch(text):  # an exponent of some digits would be a number of as many
            raise InvalidOperation
        given = Decimal(text) * (1 if unit == Unit.TOKENS else MILLION)
        if not given.is_finite() or given != int(given) or not 1 <= given <= MOST:
            raise InvalidOperation
    except (InvalidOperation, ValueError):
        raise ValidationError(f"Give {wanted}, above zero.") from None
    return int(given)


def amount(unit: str, value: int) -> str:
    """In words, such as 1,200 tokens or 12.50 USD."""
    if unit == Unit.TOKENS:
        return f"{value:,} token{'' if value == 1 else 's'}"
    return money(value)


def money(value: int) -> str:
    """Millionths of the currency, with its code; of less than a hundredth as many digits as it takes to be told from
    nothing."""
    places = 2 if value >= 10_000 or value == 0 else 6
    return f"{Decimal(value) / MILLION:,.{places}f} {settings.CURRENCY}"


def typed(unit: str, value: int) -> str:
    """As `parse` reads it, to the last digit."""
    if unit == Unit.TOKENS:
        return str(value)
    units, rest = divmod(value, MILLION)
    return f"{units}.{f'{rest:06}'.rstrip('0'):0<2}"


def named(budget: Budget) -> str:
    """Whose it is and of what, such as “the persona Guide, tokens a month”."""
    return f"{_whose(budget)}, {Unit(budget.unit).label.lower()} a {_SPAN[Period(budget.period)]}"


def marks(budget: Budget) -> str:
    """From where on it is told, and where it ends."""
    said = [f"told from {amount(budget.unit, budget.soft)} on"] if budget.soft is not None else []
    said += [f"ends at {amount(budget.unit, budget.hard)}"] if budget.hard is not None else []
    return ", ".join(said)


def told(person_id: int, companies: set[UUID]) -> list[str]:
    """What a person is to know of their own budgets at `companies`: those that are past their marks."""
    own = Budget.objects.filter(person=person_id, company__in=companies).select_related("company")
    found = [state(budget) for budget in own.order_by("company__name", "period", "unit")]
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
            f"{version.model} at {version.endpoint}"
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
    budget, company = over.budget, conversation.persona.company.name
    whose = {"company": f"{company} has", "persona": f"The persona {conversation.persona.name} has"}
    has = whose.get(_kind(budget), "You have")
    if over.unpriced:
        return Refused(
            f"{has} a budget in money, and the price of this persona's model is not known here. "
            "Your text is kept. Ask whoever runs the site to enter the price.",
            status=409,
            limit="price",
        )
    what, renews = ("money", "It renews") if budget.unit == Unit.MONEY else ("tokens", "They renew")
    span = _SPAN[Period(budget.period)]
    left = (budget.hard or 0) - budget.spent
    if over.bound.of(budget) <= left:
        return Refused(
            f"{has} only so much of this {span}'s {what} left as answers that are being written may need. "
            "Send again when one has ended. Your text is kept.",
            status=429,
            limit="budget",
            retry_after=spending.HELD_SECONDS,
        )
    how = (
        f"used up this {span}'s {what}"
        if left <= 0
        else f"too little of this {span}'s {what} left for an answer"
    )
    renewal = spending.next_period(budget.period, budget.began)
    midnight = datetime.combine(renewal, time(), timezone.get_default_timezone())
    return Refused(
        f"{has} {how}. {renews} on {date_format(renewal, 'j F')}. "
        f"Your text is kept. The managers of {company} can help sooner.",
        status=429,
        limit="budget",
        retry_after=max(1, int((midnight - timezone.now()).total_seconds())),
    )


def _note(of: State, *, with_company: bool) -> str:
    budget = of.budget
    place = f"{budget.company}: " if with_company else ""
    what = "money" if budget.unit == Unit.MONEY else "tokens"
    span = "today's" if budget.period == Period.DAY else "this month's"
    if of.over == "hard":
        renewal = spending.next_period(budget.period, budget.began)
        return f"{place}Your share of {span} {what} is used up until {date_format(renewal, 'j F')}."
    if budget.hard is not None:
        return f"{place}{of.percent} % of your share of {span} {what} is used."
    return (
        f"{place}You have used {amount(budget.unit, of.spent)} of {span} {what}, more than was meant for you."
    )


def _kind(budget: Budget) -> str:
    if budget.persona_id is not None:
        return "persona"
    return "company" if budget.person_id is None else "person"


def _rank(budget: Budget) -> int:
    return ("company", "persona", "person").index(_kind(budget))


def _whose(budget: Budget) -> str:
    if budget.persona is not None:
        return f"the persona {in_order(budget.persona)}"
    return "the whole company" if budget.person is None else in_order(budget.person.get_username())

"""The ledger of what answers cost: reserved in the transaction that asks, settled in the one that ends.

Every figure of a budget is changed here, under the lock of its company, which is taken last and held to the end of the
transaction: so what is compared is what is written, with any number of processes. A reservation is a bound (a token
for each byte that is sent, and the longest answer); settling replaces it by what was used, once, however many finishers
there are. Nothing here is on the path of a token.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext

from conversations import bounds, statements
from conversations.bounds import Bound, Standing
from conversations.models import Budget, Charge, Company, Generation, Message
from conversations.refusals import Refused

Unit, Period = Budget.Unit, Budget.Period

HELD_SECONDS = 10  # after which to ask again, where running answers hold what is left


@dataclass(frozen=True, slots=True)
class Used:
    """What an answer used, in tokens. `estimated` where the provider did not say."""

    prompt: int
    completion: int
    estimated: bool = False


NOTHING = Used(0, 0)


@dataclass(frozen=True, slots=True)
class Titles:
    """What titles took: how many, their tokens, and their price in millionths as far as it was known, else None."""

    number: int
    tokens_in: int
    tokens_out: int
    money: int | None


class OverBudget(Exception):
    """A budget has no room for an answer that may come to `bound`; with `unpriced` nobody can tell what it comes to."""

    def __init__(self, budget: Budget, bound: Bound, *, unpriced: bool = False) -> None:
        super().__init__(budget.pk)
        self.budget = budget
        self.bound = bound
        self.unpriced = unpriced


def today() -> date:
    """The day of the site's time zone."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


def period_start(period: str, day: date) -> date:
    """The first day of the period that `day` is in."""
    return day.replace(day=1) if period == Period.MONTH else day


def next_period(period: str, day: date) -> date:
    """The first day of the period after."""
    if period == Period.DAY:
        return day + timedelta(days=1)
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def lock(*companies: uuid.UUID) -> None:
    """Have the budgets of `companies` to ourselves to the end of the transaction. On SQLite every writer has all."""
    if companies and connection.features.has_select_for_update:
        marks = statements.marks(companies)
        rows = f"SELECT id FROM conversations_company WHERE id IN ({marks}) ORDER BY id"  # noqa: S608
        statements.fetch(statements.locking(rows), *companies)


def reserve(generation: Generation, question: Message) -> None:
    """Put on the ledger what the answer to `question` may come to, as the last thing in the transaction that makes it.

    Raises Refused where its company has as many answers as it may have at once, and OverBudget.
    """
    persona = generation.conversation.persona
    lock(persona.company_id)
    standing = bounds.standing(generation)
    most = settings.COMPANY_ANSWERS_AT_ONCE
    if most and standing.live >= most:
        raise Refused(
            gettext(
                "%(company)s has as many answers being written as it may have at once: %(most)s. "
                "Wait a moment, then send again. Your text is kept."
            )
            % {"company": persona.company, "most": most},
            status=429,
            limit="answers_of_a_company",
            retry_after=HELD_SECONDS,
        )
    _hold(generation.pk, generation, standing, bounds.bound(generation, question, standing))


def reserve_title(generation: Generation, prompt: int, completion: int) -> None:
    """The same for a title of the conversation that `generation` answered in, of so many tokens in and out at most.

    Raises OverBudget, and IntegrityError where one was asked for before.
    """
    lock(generation.conversation.persona.company_id)
    standing = bounds.standing(generation)
    bound = Bound(prompt, completion, bounds.cost(prompt, completion, standing.prices))
    _hold(generation.conversation_id, generation, standing, bound, title=True)


def _hold(
    pk: uuid.UUID, generation: Generation, standing: Standing, bound: Bound, *, title: bool = False
) -> None:
    """Make the charge `pk`, for whom and by what `generation` is asked. Raises OverBudget."""
    persona = generation.conversation.persona
    # Another process's clock may be past a midnight that ours has not reached: its period is the one that counts.
    day = max([today(), *(budget.began for budget in standing.budgets)])
    _begin_periods(standing.budgets, day)
    for budget in standing.budgets:
        _check(budget, bound)
    charge = Charge.objects.create(
        pk=pk,
        title=title,
        company_id=persona.company_id,
        persona_id=persona.pk,
        person_id=generation.requested_by_id,
        day=day,
        made_at=timezone.now(),
        prompt_price=standing.prices[0] if standing.prices else None,
        completion_price=standing.prices[1] if standing.prices else None,
        reserved_prompt=bound.prompt,
        reserved_completion=bound.completion,
        reserved_money=bound.money,
    )
    if standing.budgets:
        _count([(charge, charge.reserved_tokens, charge.reserved_money or 0, 0, 0)])


def settle(used: Mapping[uuid.UUID, Used | None]) -> int:
    """Replace what answers have reserved by what they used, in the transaction that ends them; None for all that was
    reserved. What is settled, or was never reserved, is left as it is. Gives back how many were settled."""
    locked = Charge.objects.select_for_update(of=("self", "company"), no_key=True).select_related("company")
    charges = list(locked.filter(pk__in=used, settled_at=None).order_by("company_id", "pk"))
    if not charges:
        return 0
    for charge in charges:
        _settle(charge, used[charge.pk])
    statements.run(
        "UPDATE conversations_charge SET settled_at = %s, prompt_tokens = %s, completion_tokens = %s, money = %s, "
        "estimated = %s WHERE id = %s",
        [
            (
                connection.ops.adapt_datetimefield_value(charge.settled_at),
                *(charge.prompt_tokens, charge.completion_tokens, charge.money, charge.estimated),
                charge.pk,
            )
            for charge in charges
        ],
    )
    _count(
        [
            (each, -each.reserved_tokens, -(each.reserved_money or 0), each.tokens, each.money or 0)
            for each in charges
        ]
    )
    return len(charges)


def titles(companies: QuerySet[Company], first: date, last: date) -> Titles:
    """What the titles of companies took that were asked for from `first` to `last`."""
    charges = Charge.objects.filter(company__in=companies, title=True, day__gte=first, day__lte=last)
    found = charges.aggregate(
        number=Count("pk"),
        tokens_in=Sum("prompt_tokens", default=0),
        tokens_out=Sum("completion_tokens", default=0),
        money=Sum(F("money")),
    )
    return Titles(**found)


def settle_lost(*, alone: bool = False) -> int:
    """Settle what nobody will: of answers that were deleted while their process died. All that was reserved counts as
    used, for nobody knows. A running process gets twice the longest answer's time, unless we are `alone`."""
    alive = Generation.objects.live().filter(pk=OuterRef("pk"))
    lost = Charge.objects.filter(~Exists(alive), settled_at=None)
    if not alone:
        patience = timedelta(seconds=2 * settings.UPSTREAM_TOTAL_TIMEOUT)
        lost = lost.filter(made_at__lt=timezone.now() - patience)
    found = dict.fromkeys(lost.values_list("pk", flat=True))
    if not found:
        return 0  # as nearly always: without a transaction, which would keep SQLite's writers waiting
    with transaction.atomic():
        return settle(found)


def count_anew(budget: Budget) -> None:
    """Set the figures of a budget from the ledger, for the period that is now. Under the lock of its company."""
    budget.began = period_start(budget.period, today())
    charges = Charge.objects.filter(company=budget.company_id, day__gte=budget.began)
    if budget.persona_id is not None:
        charges = charges.filter(persona=budget.persona_id)
    if budget.person_id is not None:
        charges = charges.filter(person=budget.person_id)
    money = budget.unit == Unit.MONEY
    spent = Sum("money" if money else F("prompt_tokens") + F("completion_tokens"), default=0)
    reserved = Sum(
        "reserved_money" if money else F("reserved_prompt") + F("reserved_completion"),
        filter=Q(settled_at=None),
        default=0,
    )
    figures = charges.aggregate(spent=spent, reserved=reserved)
    budget.spent, budget.reserved = figures["spent"], figures["reserved"]


def _begin_periods(budgets: list[Budget], day: date) -> None:
    """Count from zero what has come into another period. Charges of the last one no longer count in it."""
    over = [budget for budget in budgets if budget.began < period_start(budget.period, day)]
    for budget in over:
        budget.began, budget.spent, budget.reserved = period_start(budget.period, day), 0, 0
    if over:
        Budget.objects.bulk_update(over, ["began", "spent", "reserved"])


def _check(budget: Budget, bound: Bound) -> None:
    if budget.hard is None:
        return
    if budget.unit == Unit.MONEY and bound.money is None:
        raise OverBudget(budget, bound, unpriced=True)
    if budget.used + bound.of(budget) > budget.hard:
        raise OverBudget(budget, bound)


def _settle(charge: Charge, used: Used | None) -> None:
    if used is None:
        used = Used(charge.reserved_prompt, charge.reserved_completion, estimated=True)
    prices = None
    if charge.prompt_price is not None and charge.completion_price is not None:
        prices = charge.prompt_price, charge.completion_price
    charge.settled_at = timezone.now()
    charge.prompt_tokens, charge.completion_tokens = used.prompt, used.completion
    charge.money, charge.estimated = bounds.cost(used.prompt, used.completion, prices), used.estimated


def _count(changes: list[tuple[Charge, int, int, int, int]]) -> None:
    """Add to all budgets that each charge counts in: to what is held, in tokens and in money, and to what is spent."""
    statements.run(
        "UPDATE conversations_budget SET reserved = reserved + CASE unit WHEN 'tokens' THEN %s ELSE %s END, "
        "spent = spent + CASE unit WHEN 'tokens' THEN %s ELSE %s END "
        "WHERE company_id = %s AND (persona_id IS NULL OR persona_id = %s) AND (person_id IS NULL OR person_id = %s) "
        "AND began <= %s",
        [
            (
                *amounts,
                *(charge.company_id, charge.persona_id, charge.person_id),
                connection.ops.adapt_datefield_value(charge.day),
            )
            for charge, *amounts in changes
        ],
    )

"""The budgets of a company: what is left of each, and the forms by which its managers make and change them.

The company's own is the operators' to set, and stands here for its managers to see. Each change is on record with who
made it. Figures of persons are for managers: nothing here is for reviewers.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from conversations import access, bars, budgets, spending
from conversations.admin import problems
from conversations.admin.workplace import doors, settings
from conversations.admin.workplace.budget_form import BudgetForm
from conversations.models import Budget, Company


@require_safe
@doors.of_managers
def listed(request: HttpRequest, company: Company) -> HttpResponse:
    """All of them, the company's own first."""
    found = budgets.of_company(access.budgets(company))
    context = {
        "title": _("Budgets"),
        "here": "budgets",
        "budgets": [_row(request, each) for each in found],
        "unpriced": budgets.unpriced(company.pk),
        "in_money": any(each.budget.unit == Budget.Unit.MONEY for each in found),
        "operator": access.is_operator(request.user),
        "changes": settings.changes(company, about="budget"),
        "zone": timezone.get_default_timezone_name(),
    }
    return doors.page(request, "budgets.html", company, context)


@require_http_methods(["GET", "HEAD", "POST"])
@doors.of_managers
def add(request: HttpRequest, company: Company) -> HttpResponse:
    """A new budget."""
    return _form(request, company, Budget(company=company))


@require_http_methods(["GET", "HEAD", "POST"])
@doors.of_managers
def change(request: HttpRequest, company: Company, budget_id: int) -> HttpResponse:
    """Other marks for a budget; whose it is, and of what, stays."""
    return _form(request, company, _settable(request, company, budget_id))


@require_POST
@doors.of_managers
@transaction.atomic
def remove(request: HttpRequest, company: Company, budget_id: int) -> HttpResponse:
    """Take a budget away. What was spent stays in the ledger, and counts where it is made again."""
    spending.lock(company.pk)
    budget = _settable(request, company, budget_id)
    said = _("Removed the budget of %(name)s (%(marks)s).")
    sentence = said % {"name": budgets.named(budget), "marks": budgets.marks(budget)}
    budget.delete()
    return _done(request, company, sentence)


def told(request: HttpRequest, company: Company) -> list[dict[str, Any]]:
    """For the page of usage, and for managers alone: the budgets of the company and its personas, and of its people
    those that are past a mark."""
    if not access.managed_companies(request.user).filter(pk=company.pk).exists():
        return []
    found = budgets.of_company(access.budgets(company))
    return [_row(request, each) for each in found if each.over or each.budget.person_id is None]


def _settable(request: HttpRequest, company: Company, budget_id: int) -> Budget:
    """A budget that whoever asks may change. Raises NotVisible; PermissionDenied for the company's own."""
    budget = access.budget(company, budget_id)
    if not access.may_set(request.user, budget):
        raise PermissionDenied
    return budget


def _row(request: HttpRequest, state: budgets.State) -> dict[str, Any]:
    """A budget as the pages show it."""
    budget = state.budget
    named = budgets.named(budget)
    return {
        "pk": budget.pk,
        "named": named if budget.person_id is not None else f"{named[:1].upper()}{named[1:]}",
        "bar": bars.share(state.spent, state.top),
        "used": _("%(amount)s used, %(percent)s %%")
        % {"amount": budgets.amount(budget.unit, state.spent), "percent": state.percent},
        "held": budgets.amount(budget.unit, state.reserved) if state.reserved else "",
        "marks": budgets.marks(budget),
        "over": state.over,
        "settable": access.may_set(request.user, budget),
    }


def _form(request: HttpRequest, company: Company, budget: Budget) -> HttpResponse:
    before = "" if budget._state.adding else budgets.marks(budget)
    operator = access.is_operator(request.user)
    form = BudgetForm(budget, request.POST if request.method == "POST" else None, runs_the_site=operator)
    if form.is_valid():
        try:
            with transaction.atomic():
                spending.lock(company.pk)
                budgets.save(budget)
                if (
                    budget.unit == Budget.Unit.MONEY
                    and budget.hard
                    and (lacking := budgets.unpriced(company.pk))
                ):
                    names = ", ".join(lacking)
                    said = _(
                        "No price is known of %(models)s: who answers by that is refused until whoever runs the "
                        "site enters one."
                    )
                    messages.warning(request, said % {"models": names})
                return _done(request, company, _said(budget, before))
        except ValidationError as refused:
            form.add_error(None, refused)
    context = {
        "title": _("Budget: %(name)s") % {"name": budgets.named(budget)} if before else _("New budget"),
        "here": "budgets",
        "budget": budget if before else None,
        "operator": operator,
        "form": form,
        "unpriced": budgets.unpriced(company.pk) if budget.unit != Budget.Unit.TOKENS else [],
        "problems": problems.found(form if form.is_bound else None),
    }
    return doors.page(request, "budget.html", company, context, status=400 if form.is_bound else 200)


def _said(budget: Budget, before: str) -> str:
    """What was done, in a sentence for the page and for the record."""
    if not before:
        said = _("Added the budget of %(name)s: %(marks)s.")
    else:
        said = _("Changed the budget of %(name)s: %(marks)s; before, %(before)s.")
    return said % {"name": budgets.named(budget), "marks": budgets.marks(budget), "before": before}


def _done(request: HttpRequest, company: Company, sentence: str) -> HttpResponse:
    """Put it on record, and go back to the list, which says it."""
    settings.log(request, company, sentence)
    messages.success(request, sentence)
    return redirect("admin:review_budgets", company.pk)

"""The grades that a company's reviewers give: written until the first one was given, then read and renewed."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from conversations import rubrics
from conversations.admin.workplace import doors, settings
from conversations.admin.workplace.forms import RubricForm
from conversations.models import Company, Rubric
from conversations.posting import Refused


@require_http_methods(["GET", "HEAD", "POST"])
@doors.of_managers
def rubric(request: HttpRequest, company: Company) -> HttpResponse:
    """The grades in use, and those of before."""
    current = rubrics.in_use(company)
    form = RubricForm(current, request.POST if request.method == "POST" else None)
    status = 200
    if form.is_valid():
        try:
            return settings.done(request, company, _save(request, company, current, form))
        except Refused as refused:
            current.refresh_from_db()
            form.add_error(None, refused.sentence)
            status = refused.status
    elif form.is_bound:
        status = 400
    context = {
        "title": "Grades",
        "here": "settings",
        "rubric": current,
        "form": form if form.is_bound or current.frozen_at is None else None,
        "earlier": company.rubrics.filter(in_use=False).prefetch_related("grades"),
    }
    return doors.page(request, "rubric.html", company, context, status=status)


@require_POST
@doors.of_managers
@transaction.atomic
def renew(request: HttpRequest, company: Company) -> HttpResponse:
    """Put a copy of the frozen grades in use, to be changed."""
    current = rubrics.in_use(company)
    fresh = rubrics.renew(current)
    if fresh.pk != current.pk:
        settings.log(request, company, f"Put “{fresh}” in use, made from “{current}”.")
    return redirect("admin:review_rubric", company.pk)


@transaction.atomic
def _save(request: HttpRequest, company: Company, current: Rubric, form: RubricForm) -> str:
    target = rubrics.renew(current) if "renew" in request.POST else current
    rubrics.edit(target, form.cleaned_data["name"], form.wording())
    names = ", ".join(target.grades.values_list("name", flat=True))
    sentence = f"The grades are: {names}."
    if form.has_changed():
        settings.log(request, company, sentence)
    return sentence

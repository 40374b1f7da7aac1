"""The grades that a company's reviewers give: written until the first one was given, then read and replaced."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from conversations import access, rubrics
from conversations.admin import problems
from conversations.admin.workplace import doors, settings
from conversations.admin.workplace.forms import RubricForm
from conversations.models import Company, Rubric
from conversations.posting import Refused


@require_http_methods(["GET", "HEAD", "POST"])
@doors.of_managers
def rubric(request: HttpRequest, company: Company) -> HttpResponse:
    """The grades in use, and those of before; with `new`, a form for others that are to take their place."""
    current = rubrics.in_use(company)
    form = RubricForm(current, request.POST if request.method == "POST" else None)
    status = 200
    if form.is_valid():
        try:
            return settings.done(request, company, _save(request, company, current, form), "grades")
        except Refused as refused:
            current = rubrics.in_use(company)
            form.add_error(None, refused.sentence)
            status = refused.status
    elif form.is_bound:
        status = 400
    context = {
        "title": _("Grades"),
        "here": "settings",
        "rubric": current,
        "problems": problems.found(form if form.is_bound else None),
        "form": form if form.is_bound or current.frozen_at is None or "new" in request.GET else None,
        "earlier": company.rubrics.filter(in_use=False).prefetch_related("grades"),
    }
    return doors.page(request, "rubric.html", company, context, status=status)


@transaction.atomic
def _save(request: HttpRequest, company: Company, current: Rubric, form: RubricForm) -> str:
    """Change the grades in use, or have others take the place of those that the form was made `from`."""
    name = form.cleaned_data["name"]
    if "from" not in request.POST:
        rubrics.edit(current, name, form.wording())
        sentence = _("The grades are: %(names)s.") % {"names": _names(current)}
        if form.has_changed():
            settings.log(request, company, sentence)
        return sentence
    number = request.POST["from"]
    known = number.isascii() and number.isdigit() and len(number) < 19
    old = company.rubrics.filter(pk=int(number)).first() if known else None
    if old is None:
        raise access.NotVisible
    fresh = rubrics.replace(old, name, form.wording())
    if fresh.pk != current.pk:
        put = _("Put “%(fresh)s” in use, made from “%(old)s”: %(names)s.")
        settings.log(request, company, put % {"fresh": fresh, "old": old, "names": _names(fresh)})
    said = _(
        "“%(fresh)s” is in use now: %(names)s. Reviews that are under way keep the grades they began with."
    )
    return said % {"fresh": fresh, "names": _names(fresh)}


def _names(rubric: Rubric) -> str:
    return ", ".join(rubric.grades.values_list("name", flat=True))

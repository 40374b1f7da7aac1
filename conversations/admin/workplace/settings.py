"""What the managers of a company settle about review: all of it on one page, and how much is reviewed twice.

Rules, labels and grades have modules of their own beside this one. Each change is on record with who made it.
"""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from conversations import reviewing, rubrics
from conversations.admin import problems
from conversations.admin.workplace import doors
from conversations.admin.workplace.forms import KINDS, LabelForm, SecondReviewsForm
from conversations.models import Company, Label

CHANGES = 10  # of the last ones are shown


@require_safe
@doors.of_managers
def settings(request: HttpRequest, company: Company) -> HttpResponse:
    """All that is settled."""
    return overview(request, company)


@require_POST
@doors.of_managers
@transaction.atomic
def second_reviews(request: HttpRequest, company: Company) -> HttpResponse:
    """Settle how many reviews are repeated."""
    form = SecondReviewsForm(request.POST, label_suffix="")
    if not form.is_valid():
        return overview(request, company, second=form)
    percent = form.cleaned_data["second_reviews"]
    sentence = _("Second reviews: %(number)s of a hundred.") % {"number": percent}
    if Company.objects.filter(pk=company.pk).exclude(second_reviews=percent).update(second_reviews=percent):
        log(request, company, sentence)
    return done(request, company, sentence, "second-reviews")


def overview(
    request: HttpRequest,
    company: Company,
    *,
    second: SecondReviewsForm | None = None,
    label: LabelForm | None = None,
) -> HttpResponse:
    """The page; with a form that was refused in its place."""
    known = reviewing.known_labels(company, cast(User, request.user))
    labels = known.annotate(answers=Count("given")).order_by("retired", "name")
    context = {
        "title": _("Settings of review"),
        "here": "settings",
        "rules": company.rules.select_related("persona").order_by("created_at", "pk"),
        "kinds": [(kind.value, kind.label, _(says)) for kind, says in KINDS.items()],
        "rubric": rubrics.in_use(company),
        "labels": [(each, _form_of(each, label)) for each in labels],
        "new_label": label if label and label.label.pk is None else LabelForm(Label(company=company)),
        "second": second or _second_reviews(company),
        "changes": changes(company),
        "problems": problems.found(second or label),
    }
    refused = second is not None or label is not None
    return doors.page(request, "settings.html", company, context, status=400 if refused else 200)


def take(company: Company) -> None:
    """Have the settings of `company` to ourselves: what is compared and then written is so by one at a time."""
    Company.objects.select_for_update().get(pk=company.pk)


def log(request: HttpRequest, company: Company, sentence: str) -> None:
    """Put on record who changed what."""
    admin.site.get_model_admin(Company).log_change(request, company, sentence)


def done(request: HttpRequest, company: Company, sentence: str, section: str) -> HttpResponse:
    """Back to the `section` of the page in which it was asked for, which says what was done."""
    messages.success(request, sentence, extra_tags=section)
    return redirect(f"{reverse('admin:review_settings', args=[company.pk])}#{section}")


def _form_of(label: Label, refused: LabelForm | None) -> LabelForm:
    return refused if refused and refused.label.pk == label.pk else LabelForm(label)


def _second_reviews(company: Company) -> SecondReviewsForm:
    return SecondReviewsForm(initial={"second_reviews": company.second_reviews}, label_suffix="")


def changes(company: Company, *, about: str = "") -> list[dict[str, Any]]:
    """The last changes, newest first; with `about` those that name it."""
    kind = ContentType.objects.get_for_model(Company)
    entries = LogEntry.objects.filter(content_type=kind, object_id=str(company.pk)).select_related("user")
    entries = entries.filter(change_message__icontains=about)
    return [
        {"at": entry.action_time, "by": entry.user.get_username(), "said": entry.get_change_message()}
        for entry in entries.order_by("-action_time", "-pk")[:CHANGES]
    ]

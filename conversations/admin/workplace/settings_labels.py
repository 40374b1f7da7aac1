"""The labels that a company's reviewers give: add one, rename it, retire it, bring it back."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from conversations import access, reviewing
from conversations.admin.workplace import doors, settings
from conversations.admin.workplace.forms import LabelForm
from conversations.models import Company, Label

SECTION = "labels"


@require_POST
@doors.of_managers
@transaction.atomic
def add(request: HttpRequest, company: Company) -> HttpResponse:
    """A new label."""
    settings.take(company)
    form = LabelForm(Label(company=company), request.POST)
    if not form.is_valid():
        return settings.overview(request, company, label=form)
    label = _made(company, form.cleaned_data["name"])
    sentence = _("Added the label “%(label)s”.") % {"label": label}
    settings.log(request, company, sentence)
    return settings.done(request, company, sentence, SECTION)


@require_POST
@doors.of_managers
@transaction.atomic
def rename(request: HttpRequest, company: Company, label_id: int) -> HttpResponse:
    """Another name for a label, on the answers that carry it too."""
    settings.take(company)
    label = _label(request, company, label_id)
    form = LabelForm(label, request.POST)
    if not form.is_valid():
        return settings.overview(request, company, label=form)
    before, label.name = label.name, form.cleaned_data["name"]
    if before == label.name:
        already = _("The label is called “%(label)s” already.") % {"label": label}
        return settings.done(request, company, already, SECTION)
    sentence = _("Renamed the label “%(before)s” to “%(label)s”.") % {"before": before, "label": label}
    label.save(update_fields=["name"])
    settings.log(request, company, sentence)
    return settings.done(request, company, sentence, SECTION)


@require_POST
@doors.of_managers
@transaction.atomic
def retire(request: HttpRequest, company: Company, label_id: int) -> HttpResponse:
    """No longer offer a label (`retired` is 1), or offer it again."""
    label = _label(request, company, label_id)
    retired = request.POST.get("retired") == "1"
    said = _("Retired the label “%(label)s”.") if retired else _("Brought back the label “%(label)s”.")
    sentence = said % {"label": label}
    if company.labels.filter(pk=label.pk).exclude(retired=retired).update(retired=retired):
        settings.log(request, company, sentence)
    return settings.done(request, company, sentence, SECTION)


def _label(request: HttpRequest, company: Company, label_id: int) -> Label:
    """A label that the manager may hear of. Raises NotVisible."""
    found = access.managed_label(company, label_id)
    if not reviewing.known_labels(company, cast(User, request.user)).filter(pk=found.pk).exists():
        raise access.NotVisible
    return found


def _made(company: Company, name: str) -> Label:
    """A label of that name; one that a reviewer has just made up becomes it, so that nobody is told of that."""
    for label in company.labels.filter(invented_in__isnull=False):
        if label.name.casefold() == name.casefold():
            label.name, label.invented_in = name, None
            label.save(update_fields=["name", "invented_in"])
            return label
    return Label.objects.create(company=company, name=name)

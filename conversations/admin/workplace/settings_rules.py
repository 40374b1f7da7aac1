"""The rules of a company's queue: add one, change it, switch it, take it away."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from conversations import access, rules
from conversations.admin import problems
from conversations.admin.workplace import doors, settings
from conversations.admin.workplace.forms import KINDS, RuleForm, refuse_twin
from conversations.models import Company, Rule

SECTION = "rules"


@require_http_methods(["GET", "HEAD", "POST"])
@doors.of_managers
def add(request: HttpRequest, company: Company, kind: str) -> HttpResponse:
    """A new rule of `kind`."""
    if kind not in rules.OFFERED:
        raise access.NotVisible
    return _form(request, company, Rule(company=company, kind=kind))


@require_http_methods(["GET", "HEAD", "POST"])
@doors.of_managers
def change(request: HttpRequest, company: Company, rule_id: int) -> HttpResponse:
    """Other words for a rule, or another persona; its kind stays."""
    return _form(request, company, access.managed_rule(company, rule_id))


@require_POST
@doors.of_managers
@transaction.atomic
def switch(request: HttpRequest, company: Company, rule_id: int) -> HttpResponse:
    """Switch a rule on (`active` is 1) or off. On, it has to be one that could be added now."""
    settings.take(company)
    rule = access.managed_rule(company, rule_id)
    active = request.POST.get("active") == "1"
    if active:
        try:
            rules.check(rule)
            rules.check_room(rule)
        except ValidationError as refused:
            sentence = _("The rule %(rule)s stays off. %(why)s")
            why = " ".join(refused.messages)
            messages.error(request, sentence % {"rule": rules.named(rule), "why": why})
            return redirect("admin:review_settings", company.pk)
    said = _("Switched on the rule %(rule)s.") if active else _("Switched off the rule %(rule)s.")
    sentence = said % {"rule": rules.named(rule)}
    if company.rules.filter(pk=rule.pk).exclude(active=active).update(active=active, stopped=""):
        settings.log(request, company, sentence)
    return settings.done(request, company, sentence, SECTION)


@require_POST
@doors.of_managers
@transaction.atomic
def remove(request: HttpRequest, company: Company, rule_id: int) -> HttpResponse:
    """Take a rule away; what it brought into the queue stays there, with its reason in words."""
    rule = access.managed_rule(company, rule_id)
    sentence = _("Removed the rule %(rule)s.") % {"rule": rules.named(rule)}
    rule.delete()
    settings.log(request, company, sentence)
    return settings.done(request, company, sentence, SECTION)


def _form(request: HttpRequest, company: Company, rule: Rule) -> HttpResponse:
    before = rules.named(rule)
    form = RuleForm(rule, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            return settings.done(request, company, _save(request, company, rule, before), SECTION)
        except ValidationError as refused:
            form.add_error(None, refused)
    kind = Rule.Kind(rule.kind)
    title = _("Rule: %(kind)s") if rule.pk else _("New rule: %(kind)s")
    context = {
        "title": title % {"kind": kind.label},
        "here": "settings",
        "rule": rule,
        "explained": _(KINDS[kind]),
        "form": form,
        "problems": problems.found(form if form.is_bound else None),
    }
    return doors.page(request, "rule.html", company, context, status=400 if form.is_bound else 200)


@transaction.atomic
def _save(request: HttpRequest, company: Company, rule: Rule, before: str) -> str:
    settings.take(company)
    refuse_twin(rule)
    added = rule.pk is None
    if added:
        rules.check_room(rule)
        rule.save()
    else:  # its row may have been switched, or removed, since it was read
        changed = company.rules.filter(pk=rule.pk).exclude(value=rule.value)
        changed.update(stopped="")  # which was said of another value
        company.rules.filter(pk=rule.pk).update(persona=rule.persona, value=rule.value)
    after = rules.named(rule)
    said = _("Added the rule %(after)s.") if added else _("Changed the rule %(before)s to %(after)s.")
    sentence = said % {"before": before, "after": after}
    if added or before != after:
        settings.log(request, company, sentence)
    return sentence

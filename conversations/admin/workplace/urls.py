"""The addresses of the workplace, below /admin/review/."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, path

from conversations.admin.workplace import (
    actions,
    answers,
    budgets,
    conversation,
    exports,
    keeping,
    keys,
    people,
    queue,
    readings,
    settings,
    settings_labels,
    settings_rubric,
    settings_rules,
    sittings,
    usage,
)

CONVERSATION = "<uuid:company_id>/conversations/<uuid:conversation_id>/"


def urls() -> list[URLPattern]:
    """All of them, behind the door of the administration."""
    return [
        _path("", sittings.choose, "review"),
        _path("<uuid:company_id>/sitting/", sittings.begin, "review_sitting"),
        _path("<uuid:company_id>/sitting/end/", sittings.end, "review_sitting_end"),
        _path("<uuid:company_id>/", queue.listed, "review_queue"),
        _path(CONVERSATION, conversation.page, "review_conversation"),
        _path(f"{CONVERSATION}name/", sittings.unmask, "review_unmask"),
        _path(f"{CONVERSATION}open/", actions.open_, "review_open"),
        _path(f"{CONVERSATION}claim/", actions.claim, "review_claim"),
        _path(f"{CONVERSATION}release/", actions.release, "review_release"),
        _path(f"{CONVERSATION}renew/", actions.renew, "review_renew"),
        _path(f"{CONVERSATION}judge/", actions.judge, "review_judge"),
        _path(f"{CONVERSATION}label/", actions.label, "review_label"),
        _path(f"{CONVERSATION}reply/", actions.reply, "review_reply"),
        _path(f"{CONVERSATION}note/", actions.note, "review_note"),
        _path(f"{CONVERSATION}submit/", actions.submit, "review_submit"),
        _path(f"{CONVERSATION}hold/", actions.hold, "review_hold"),
        _path("usage/", usage.of_all, "review_usage_all"),
        _path("<uuid:company_id>/usage/", usage.of_company, "review_usage"),
        _path("<uuid:company_id>/exports/", exports.listed, "review_exports"),
        _path("<uuid:company_id>/exports/<uuid:export_id>/data", exports.data, "review_export"),
        _path(
            "<uuid:company_id>/exports/<uuid:export_id>/manifest", exports.manifest, "review_export_manifest"
        ),
        _path("<uuid:company_id>/answers/", answers.listed, "review_answers"),
        _path("<uuid:company_id>/readings/", readings.listed, "review_readings"),
        _path("<uuid:company_id>/keys/", keys.listed, "review_keys"),
        _path("<uuid:company_id>/keys/<int:endpoint_id>/", keys.put, "review_key_put"),
        _path("<uuid:company_id>/keys/<int:endpoint_id>/remove/", keys.remove, "review_key_remove"),
        *_settings(),
        *_keeping(),
    ]


def _keeping() -> list[URLPattern]:
    one = "<uuid:company_id>"
    person, account = f"{one}/people/<int:person_id>", "accounts/<int:person_id>"
    return [
        _path(f"{one}/keeping/", keeping.page, "review_keeping"),
        _path(f"{one}/keeping/period/", keeping.period, "review_period"),
        _path(f"{one}/keeping/period/back/", keeping.take_back, "review_period_back"),
        _path(f"{one}/holds/<int:hold_id>/lift/", keeping.lift, "review_hold_lift"),
        _path(f"{one}/people/", people.listed, "review_people"),
        _path(f"{person}/", people.page, "review_person"),
        _path(f"{person}/data/", people.data, "review_person_data"),
        _path(f"{person}/hold/", people.hold, "review_person_hold"),
        _path(f"{person}/erase/", people.erase, "review_person_erase"),
        _path(f"{one}/erasures/<int:erasure_id>/", people.receipt, "review_erasure"),
        _path(f"{account}/", people.account, "review_account"),
        _path(f"{account}/data/", people.account_data, "review_account_data"),
        _path(f"{account}/erase/", people.account_erase, "review_account_erase"),
        _path("accounts/erasures/<int:erasure_id>/", people.account_receipt, "review_account_receipt"),
        *_budgets(),
    ]


def _settings() -> list[URLPattern]:
    one = "<uuid:company_id>/settings"
    rule, label = f"{one}/rules/<int:rule_id>", f"{one}/labels/<int:label_id>"
    return [
        _path(f"{one}/", settings.settings, "review_settings"),
        _path(f"{one}/second-reviews/", settings.second_reviews, "review_second_reviews"),
        _path(f"{one}/rules/new/<slug:kind>/", settings_rules.add, "review_rule_add"),
        _path(f"{rule}/", settings_rules.change, "review_rule"),
        _path(f"{rule}/switch/", settings_rules.switch, "review_rule_switch"),
        _path(f"{rule}/remove/", settings_rules.remove, "review_rule_remove"),
        _path(f"{one}/labels/", settings_labels.add, "review_label_add"),
        _path(f"{label}/", settings_labels.rename, "review_label_rename"),
        _path(f"{label}/retire/", settings_labels.retire, "review_label_retire"),
        _path(f"{one}/grades/", settings_rubric.rubric, "review_rubric"),
    ]


def _budgets() -> list[URLPattern]:
    one = "<uuid:company_id>/budgets"
    return [
        _path(f"{one}/", budgets.listed, "review_budgets"),
        _path(f"{one}/new/", budgets.add, "review_budget_add"),
        _path(f"{one}/<int:budget_id>/", budgets.change, "review_budget"),
        _path(f"{one}/<int:budget_id>/remove/", budgets.remove, "review_budget_remove"),
    ]


def _path(route: str, view: Callable[..., Any], name: str) -> URLPattern:
    return path(f"review/{route}", admin.site.admin_view(view), name=name)

"""What models, their fields and the reasons of the queue are called, in English and before any catalogue is asked."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import models
from django.utils.functional import Promise
from django.utils.text import camel_case_to_spaces

from conversations import matching, rules
from conversations.models.naming import FIELDS, MODELS

SAID_OTHERWISE = {"Endpoint": "provider", "Membership": "person", "CompanySignIn": "sign-in of a company"}
REASONS = [
    rules.FOUND_BAD,
    rules.BY_HAND,
    rules.CUT,
    rules.FAILED_BY % {"why": "rate_limited"},
    rules.INTERRUPTED,
    rules.SAMPLED % {"share": "5"},
    rules.TOO_SLOW % {"seconds": 0.2},
    matching.MATCHES,
    matching.MATCHES_WORDS % {"words": "“100 %” of %(words)s"},
    matching.SAYS % {"words": "50 % off <b>"},
]


@pytest.mark.parametrize("model", FIELDS, ids=lambda model: model.__name__)
def test_fields_are_called_what_django_calls_them(model: type[models.Model]) -> None:
    for name in FIELDS[model]:
        field: Any = model._meta.get_field(name)
        assert isinstance(field.verbose_name, Promise)
        assert str(field.verbose_name) == name.replace("_", " ")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_models_are_called_what_django_calls_them(model: type[models.Model]) -> None:
    said = str(model._meta.verbose_name)
    assert said in {
        camel_case_to_spaces(model.__name__),
        SAID_OTHERWISE.get(model.__name__),
        model._meta.original_attrs.get("verbose_name"),
    }
    assert isinstance(model._meta.verbose_name_plural, Promise)


def test_no_page_of_the_administration_has_a_field_without_a_name_to_translate() -> None:
    for model in admin.site._registry:
        if model is User or not model.__module__.startswith("conversations."):
            continue
        asked = [field for field in model._meta.fields if field.editable and not field.primary_key]
        unnamed = {field.name for field in asked if not isinstance(field.verbose_name, Promise)}
        assert not unnamed, model


@pytest.mark.parametrize("said", REASONS)
def test_a_reason_that_is_kept_is_known_again(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_", lambda sentence: f"» {sentence}")
    assert rules.worded(said) == f"» {said}"


def test_a_reason_that_nobody_knows_stays_as_it_is() -> None:
    assert rules.worded("Something of 2019, 100 %.") == "Something of 2019, 100 %."
    assert rules.worded("") == ""

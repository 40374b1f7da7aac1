"""What tests share: the cast of people, an upstream on a real connection, and loud skips."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from conversations import posting
from conversations.models import Company, Persona

PASSWORD = "correct horse battery"


def missing(what: str) -> None:
    """Skip by name where `what` is not to be had; fail where the tests must be complete."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI is set")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        missing("Chromium")
    return str(path)


@dataclass(frozen=True)
class Cast:
    """The demo data, by name."""

    admin: User
    member: User
    member2: User
    reviewer: User
    manager: User
    outsider: User
    coca_cola: Company
    globex: Company
    guide: Persona
    historian: Persona
    helpdesk: Persona


@pytest.fixture(autouse=True)
def _plain_static_files(settings) -> None:  # type: ignore[no-untyped-def]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def load_cast() -> Cast:
    """Load the demo companies and give them back."""
    call_command("demo", stdout=open(os.devnull, "w"))
    people = {user.username: user for user in User.objects.all()}
    personas = {persona.name: persona for persona in Persona.objects.select_related("company", "current__endpoint")}
    companies = {company.name: company for company in Company.objects.all()}
    return Cast(
        **people,
        coca_cola=companies["Coca Cola"],
        globex=companies["Globex"],
        guide=personas["Coca Cola guide"],
        historian=personas["Coca Cola historian"],
        helpdesk=personas["Globex helpdesk"],
    )

"""Take somebody's second factors away, at the machine: for when the only operator lost theirs."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations import factors, reading


class Command(BaseCommand):
    help = "Remove all second factors and recovery codes of an account, which then signs in with its password alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        person = User.objects.filter(username=username).first()
        if person is None:
            raise CommandError(f"There is no account {username!r}.")
        reading.factors_removed(None, person)
        print(f"{username}: {factors.remove_all(person)} removed")

"""Erase one person from the command line, print the receipts of all who were erased, or do it again from receipts."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations import erasing
from conversations.models import Company, Erasure
from conversations.posting import Refused

PATIENCE = 60.0  # seconds for answers that run to end
LOOK_EVERY = 0.5  # seconds


class Command(BaseCommand):
    help = (
        "Erase a person: say what goes and what stays, ask for the username once more, carry it out, and print the "
        "receipt. Nobody can undo it. The site may run meanwhile. What is under review goes when the review has ended: "
        "the site does that by itself."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.usage = (
            "manage.py erase USERNAME [--company NAME] [--typed USERNAME]\n"
            "       manage.py erase --receipts\n"
            "       manage.py erase --again FILE"
        )
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "username",
            nargs="?",
            default="",
            metavar="USERNAME",
            help="Whom to erase, by the name of the account.",
        )
        what.add_argument(
            "--receipts",
            action="store_true",
            help="Erase nobody: print the receipts of all erasures so far, one a line. Keep them beside the backups.",
        )
        what.add_argument(
            "--again",
            type=Path,
            metavar="FILE",
            help="Erase again all whom the receipts in FILE speak of: after a backup was restored that still has them.",
        )
        parser.add_argument(
            "--company",
            default="",
            metavar="NAME",
            help="With USERNAME: at this company alone. The account and all that is of other companies stay.",
        )
        parser.add_argument(
            "--typed",
            metavar="USERNAME",
            help="With USERNAME: the username once more, for scripts that nobody answers for.",
        )

    def handle(
        self,
        *args: Any,
        username: str,
        receipts: bool,
        again: Path | None,
        company: str,
        typed: str | None,
        **options: Any,
    ) -> None:
        try:
            if receipts:
                for erasure in Erasure.objects.order_by("pk").iterator():
                    self._print(erasure)
            elif again is not None:
                self._again(again)
            else:
                self._erase(erasing.find(username), self._company(company), typed)
        except Refused as refusal:
            raise CommandError(refusal.sentence) from refusal

    def _erase(self, person: User, company: Company | None, typed: str | None) -> None:
        found = erasing.preview(person, company)
        for title, counts in (("goes", found.gone), ("stays, without the name", found.stays)):
            said = ", ".join(f"{number:,} {kind}" for kind, number in counts.items())
            self.stderr.write(f"What {title}: {said or 'nothing'}.")
        if typed is None:
            typed = input("Nobody can undo it. Type the username: ")
        self._carry_out(erasing.ask(person, company, by=None, typed=typed))

    def _again(self, file: Path) -> None:
        try:
            found = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
        except (OSError, ValueError) as error:
            raise CommandError(f"{file} cannot be read as receipts, one a line: {error}") from error
        todo, sentences = erasing.again(found)
        for sentence in sentences:
            self.stderr.write(sentence)
        for erasure in todo:
            self._carry_out(erasure)

    def _carry_out(self, erasure: Erasure) -> None:
        """Do its steps, with pauses in which the site has the database; what has to wait is the site's to finish."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            erasure = Erasure.objects.select_related("person", "stand_in", "company").get(pk=erasure.pk)
            if erasure.finished_at is not None:
                break
            began = time.monotonic()
            if erasing.advance(erasure):
                deadline = time.monotonic() + PATIENCE
                time.sleep(time.monotonic() - began)
            else:
                time.sleep(LOOK_EVERY)
        else:
            self.stderr.write(
                f"{erasure.postponed} conversations are under review, held or being written. "
                "The site goes on with it by itself, and so does this command when it is called again."
            )
        self._print(erasure)

    def _company(self, name: str) -> Company | None:
        if not name:
            return None
        found = Company.objects.filter(name=name).first()
        if found is None:
            raise Refused("There is no company of that name.", status=404)
        return found

    def _print(self, erasure: Erasure) -> None:
        self.stdout.write(json.dumps(erasing.receipt(erasure), ensure_ascii=False))

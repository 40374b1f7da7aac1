"""Seal every secret in the database with the first of the encryption keys, so that the others can be dropped."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from conversations import sealed, sealing


class Command(BaseCommand):
    help = (
        "Seal all secrets with the first key of ENCRYPTION_KEY. Put the new key first and leave the old one behind it, "
        "restart every process, run this, and drop the old one then."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        renewed, unreadable = 0, []
        for model, field in sealed.columns():
            for pk in list(model._default_manager.values_list("pk", flat=True)):
                try:
                    renewed += sealed.renew(model, field, pk)
                except sealing.Unreadable:
                    unreadable.append(str(model._default_manager.get(pk=pk)))
        self.stdout.write(f"{renewed} sealed anew.")
        if unreadable:
            raise CommandError(
                f"{len(unreadable)} cannot be opened with any of the keys and stay as they are: "
                f"{', '.join(unreadable)}. Add the key that they were sealed with to the end of ENCRYPTION_KEY, "
                "or set them anew."
            )

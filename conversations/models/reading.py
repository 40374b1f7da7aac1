"""The record of who read whose conversation: written before anything is shown, changed by nobody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from conversations.models.company import Company


class ReadingQuerySet(models.QuerySet["Reading"]):
    """Adds and reads; nothing else."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError("The record of readings never changes.")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("The record of readings never changes.")

    def delete(self) -> NoReturn:
        raise TypeError("The record of readings never changes.")


class Reading(models.Model):
    """One look of one person at one conversation of another, or the way to all of another's: a password set for them.

    It points at nobody by a foreign key but its company, and at that without a constraint: what is deleted elsewhere
    takes nothing from here. `reader_name` and `owner_name` are as they were then.
    """

    class What(models.TextChoices):
        PAGE = "page", pgettext_lazy("reading", "Read")
        LIST = "list", _("Seen in a list")
        SEARCH = "search", _("Found by a search")
        EXPORT = "export", pgettext_lazy("reading", "Exported")
        UNMASK = "unmask", _("Name shown")
        PASSWORD = "passwd", _("Password set")
        LINK = "pwlink", _("Link for a password made")
        PERSON = "person", _("Data of the person exported")
        FACTORS = "factor", _("Second factor removed")

    id = models.BigAutoField(primary_key=True)
    company = models.ForeignKey(
        Company, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    reader_id = models.BigIntegerField()
    reader_name = models.CharField(max_length=150)
    owner_id = models.BigIntegerField(db_index=True)
    owner_name = models.CharField(max_length=150)
    conversation_id = models.UUIDField(null=True, help_text="Null where it was none of them in particular.")
    what = models.CharField(max_length=6, choices=What)
    reason = models.CharField(max_length=300)
    sitting = models.UUIDField()
    at = models.DateTimeField(auto_now_add=True)

    objects = ReadingQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        indexes = [
            models.Index(fields=["company", "id"], name="readings_of_a_company"),
            models.Index(fields=["reader_id"], name="readings_by_a_person"),
        ]

    def __str__(self) -> str:
        return f"reading {self.pk}"

    def save(
        self,
        *,
        force_insert: bool | tuple[models.base.ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Insert. Raises TypeError for a row that is stored already."""
        if not self._state.adding:
            raise TypeError("The record of readings never changes.")
        super().save(force_insert=True, using=using)

    def delete(self, using: Any = None, keep_parents: bool = False) -> NoReturn:
        raise TypeError("The record of readings never changes.")

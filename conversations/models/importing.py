"""What people bring in from elsewhere: the file while it is read, and the marks on what came out of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext

from conversations.models.conversation import Message
from conversations.models.persona import Persona


class Import(models.Model):
    """One file of a person's, how far it was read, and what came of it. The chats go on with `persona`.

    `position` counts the entries of the file that were dealt with, `step` the transactions in which they were: each
    names the one before it, so that of two processes one does it. `read` is in bytes of the file, for people to see.
    """

    class Status(models.TextChoices):
        ARRIVING = "arriving"
        WAITING = "waiting", "waiting or being read"
        DONE = "done"
        FAILED = "failed"

    OPEN = (Status.ARRIVING, Status.WAITING)

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="imports")
    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    received = models.PositiveBigIntegerField(default=0, help_text="Bytes.")
    read = models.PositiveBigIntegerField(default=0, help_text="Bytes.")
    status = models.CharField(max_length=8, choices=Status, default=Status.ARRIVING)
    step = models.PositiveIntegerField(default=0)
    position = models.PositiveIntegerField(default=0)
    chats = models.PositiveIntegerField(default=0)
    messages = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0, help_text="Chats that were here before, with all of it.")
    too_old = models.PositiveIntegerField(default=0, help_text="Chats past the days that they are kept for.")
    bad = models.PositiveIntegerField(default=0, help_text="Entries that could not be read.")
    problems = models.JSONField(default=list, help_text="The first of those: title and reason.")
    sentence = models.TextField(blank=True, help_text="How it ended, where it did not end well.")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                condition=Q(status__in=["arriving", "waiting"]),
                name="one_import_a_person",
            )
        ]

    def __str__(self) -> str:
        return f"import {self.pk}"

    @property
    def told(self) -> str:
        """The sentence in the language of who reads it. What was kept of the file, it may say behind the reason."""
        whole = gettext(self.sentence)
        reason, stop, kept = self.sentence.rpartition(". ")
        if not stop or whole != self.sentence:
            return whole
        return f"{gettext(f'{reason}.')} {gettext(kept)}"


class ImportPiece(models.Model):
    """A part of the file; all but the last have the same length. They go when the file has been read."""

    file = models.ForeignKey(Import, on_delete=models.CASCADE, db_index=False, related_name="pieces")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file", "number"], name="piece_once_a_file")]

    def __str__(self) -> str:
        return f"piece {self.number} of {self.file_id}"


class Imported(models.Model):
    """The mark on a message that was said elsewhere. An answer that bears it was made by no version of a persona's.

    `origin` is what the file calls its author, `sentence` how it ended where it did not end well. The id is what the
    index of words knows it by.
    """

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="imported")
    origin = models.CharField(max_length=200)
    sentence = models.TextField(blank=True)
    filed = models.BooleanField(default=False, help_text="Whether the index of words has it.")

    class Meta:
        verbose_name = "mark of an import"
        verbose_name_plural = "marks of imports"
        indexes = [models.Index(fields=["id"], condition=Q(filed=False), name="imported_to_file")]

    def __str__(self) -> str:
        return f"imported {self.message_id}"

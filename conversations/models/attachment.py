"""Files of text that people attach to their questions."""

from __future__ import annotations

import uuid

from django.db import models

from conversations.models.conversation import Message


class Attachment(models.Model):
    """A file that was sent along with a question, as the text that was read out of it.

    It never changes, as its question does not: who asks anew in other words gets copies. So a question and what hangs
    on it are what the provider was sent, whatever becomes of the questions beside it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, db_index=False, related_name="attachments")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=100)
    media_type = models.CharField(max_length=50)
    text = models.TextField()
    size = models.PositiveIntegerField(help_text="Bytes of the text.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "position"], name="one_attachment_a_position")
        ]
        ordering = ["position"]

    def __str__(self) -> str:
        return f"attachment {self.pk}"  # not its name, which is a person's words

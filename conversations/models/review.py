"""What people and reviewers say of answers."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from conversations.models.conversation import Message


class Feedback(models.Model):
    """What the person who asked thinks of an answer. They may change it or take it back."""

    class Reason(models.TextChoices):
        WRONG = "wrong", "Not correct"
        INCOMPLETE = "incomplete", "Not complete"
        OFF_TOPIC = "off_topic", "Not what I asked"
        STYLE = "style", "Wrong tone or form"
        HARMFUL = "harmful", "Harmful or offensive"

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="feedback")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="feedback"
    )
    good = models.BooleanField()
    reasons = models.JSONField(default=list)
    comment = models.TextField(max_length=2_000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "feedback"

    def __str__(self) -> str:
        return f"{'good' if self.good else 'bad'} {self.message_id}"

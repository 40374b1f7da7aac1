"""What is to be reviewed and why: a company's rules, and the entries that they open.

Rows and constraints only. Entries are opened by `filing.py` through `rules.py`; claims and reviews are in `reviewing/`.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from conversations.models.company import Company
from conversations.models.conversation import Conversation
from conversations.models.ledger import AnswerRecord
from conversations.models.persona import Persona


class Rule(models.Model):
    """Why a conversation of a company enters its queue. What `value` means depends on the kind."""

    class Kind(models.TextChoices):
        BAD = "bad", _("Bad answer")
        FLAG = "flag", _("Flagged by the person")
        TROUBLE = "trouble", _("Failed or cut answer")
        SAMPLE = "sample", _("Random sample")
        WORDS = "words", pgettext_lazy("rule", "Words")
        PATTERN = "pattern", pgettext_lazy("rule", "Pattern")
        HAND = "hand", _("Opened by a reviewer")  # the reason of an entry alone: no rule is of this kind

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="rules")
    kind = models.CharField(max_length=10, choices=Kind)
    persona = models.ForeignKey(
        Persona, on_delete=models.CASCADE, null=True, blank=True, help_text=_("All personas where empty.")
    )
    value = models.TextField(
        max_length=2_000,
        blank=True,
        help_text=_(
            "Random sample: how many of a hundred answers. Words: one word or phrase a line. "
            "Pattern: a regular expression (RE2). Otherwise empty."
        ),
    )
    active = models.BooleanField(default=True)
    stopped = models.CharField(
        max_length=200, blank=True, help_text="Why it was switched off without anybody's doing; else empty."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        label = self.Kind(self.kind).label
        if self.kind == self.Kind.SAMPLE:
            return gettext("%(rule)s of %(value)s %%") % {"rule": label, "value": self.value}
        first, *more = self.value.splitlines() or [""]
        words = gettext("%(rule)s: %(value)s") % {"rule": label, "value": first} if first else str(label)
        return f"{words} …" if more else words


class QueueEntry(models.Model):
    """One conversation that waits for review, is under review, or was reviewed. At most one is not done."""

    class Status(models.TextChoices):
        OPEN = "open", _("Waiting for a review")
        SECOND = "second", _("Waiting for a second review")
        RULING = "ruling", _("Waiting for a ruling")
        DONE = "done", pgettext_lazy("entry", "Reviewed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.CASCADE, db_index=False, related_name="queue")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="queue")
    status = models.CharField(max_length=6, choices=Status, default=Status.OPEN)
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="claims"
    )
    claim_seen_at = models.DateTimeField(null=True, help_text="When who claimed it was last heard of.")
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = pgettext_lazy("model", "queue")
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"], condition=~Q(status="done"), name="one_waiting_entry_a_conversation"
            )
        ]
        indexes = [models.Index(fields=["company", "status", "opened_at", "id"], name="queue_oldest_first")]

    def __str__(self) -> str:
        return f"entry {self.pk}"


class EntryReason(models.Model):
    """One reason for an entry: which rule, which answer, and what it saw there."""

    entry = models.ForeignKey(QueueEntry, on_delete=models.CASCADE, related_name="reasons")
    rule = models.ForeignKey(Rule, on_delete=models.SET_NULL, null=True, db_index=False, related_name="+")
    record = models.ForeignKey(AnswerRecord, on_delete=models.CASCADE, related_name="reasons")
    kind = models.CharField(max_length=10, choices=Rule.Kind)
    said = models.CharField(max_length=200, help_text="The reason in words, as it stood then.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "record", "entry"], name="one_reason_a_rule_answer_and_entry"
            )
        ]

    def __str__(self) -> str:
        return self.said

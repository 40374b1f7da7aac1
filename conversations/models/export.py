"""Exports that were asked for: of which answers, by whom, why, and what was delivered. Their data is made anew each
time, by `exports/`."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from conversations.models.company import Company


class Export(models.Model):
    """One choice of a company's answers in one format. `upto` bounds it: what is filed later is not in it.

    `rows`, `bytes` and `sha256` are those of the first delivery that was counted as a whole; empty until then.
    """

    class Kind(models.TextChoices):
        CSV = "csv", _("Answers as a table (CSV)")
        CONVERSATIONS = "conversations", _("Whole conversations (JSON lines)")
        EXAMPLES = "examples", _("Tuning: examples (JSON lines)")
        PAIRS = "pairs", _("Tuning: preference pairs (JSON lines)")

    TUNING = (Kind.EXAMPLES, Kind.PAIRS)  # these hold system prompts

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.CASCADE, db_index=False, related_name="exports")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(max_length=150, help_text="The name of who made it, as it was then.")
    kind = models.CharField(max_length=13, choices=Kind)
    filters = models.JSONField(default=dict, help_text="Which answers, as the parameters of an address.")
    reason = models.CharField(max_length=300)
    upto = models.BigIntegerField(help_text="The last answer of the ledger that can be in it.")
    answers = models.PositiveBigIntegerField(
        null=True,
        help_text="How many answers it was made of; of one that searches for words, null until it was delivered.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    finished_at = models.DateTimeField(null=True, help_text="When it was first sent to its end.")
    rows = models.PositiveBigIntegerField(null=True)
    bytes = models.PositiveBigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [models.Index(fields=["company", "-created_at"], name="exports_newest_first")]

    def __str__(self) -> str:
        return f"export {self.pk}"

    @property
    def tuning(self) -> bool:
        """Whether it holds system prompts, and so is for managers alone."""
        return self.kind in self.TUNING

    @property
    def searches(self) -> bool:
        """Whether it looks for words: then how many answers have them says something of what people wrote."""
        return "text" in self.filters

    @property
    def counted(self) -> bool:
        """Whether its numbers may be told: all that they speak of has been delivered, and so is on record."""
        return not self.searches or bool(self.sha256)


class Download(models.Model):
    """That somebody is being handed a file, by whichever process. After `until` nobody is, whatever became of it."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    token = models.UUIDField(help_text="Which of the person's it is.")
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"download of {self.pk}"

"""The ledger of ended answers: one narrow row each, for lists and statistics that stay quick at millions.

Only `filing.py` adds rows. They outlive what they speak of: when a conversation is deleted, what it cost stays.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import pgettext_lazy

from conversations.models.company import Company
from conversations.models.conversation import Conversation, Generation, Message
from conversations.models.persona import Persona, PersonaVersion


class AnswerRecord(models.Model):
    """One ended answer. `id` grows with the order in which answers ended, so it is what lists are sorted by.

    Tokens are the billed ones where the provider reports them apart; of an answer without a report, as of one that was
    stopped, the estimates by which budgets count it stand beside them. `good` is the person's rating, `verdict` the
    reviewers' grade that counts; both are copies, for filters. Each index ends in the id: a page of a filtered list
    is one short range of one index.
    """

    id = models.BigAutoField(primary_key=True)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, db_index=False, related_name="+")
    persona = models.ForeignKey(Persona, on_delete=models.PROTECT, db_index=False, related_name="+")
    version = models.ForeignKey(PersonaVersion, on_delete=models.PROTECT, db_index=False, related_name="+")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    conversation = models.ForeignKey(
        Conversation, on_delete=models.SET_NULL, null=True, related_name="records"
    )
    message = models.OneToOneField(Message, on_delete=models.SET_NULL, null=True, related_name="record")
    trial = models.BooleanField(default=False, help_text="Made while a version was tried, for nobody.")

    model = models.CharField(max_length=200, help_text="The model that was asked for.")
    status = models.CharField(max_length=11, choices=Generation.Status)
    finish_reason = models.CharField(max_length=20, blank=True)
    error_kind = models.CharField(max_length=20, null=True, help_text="Null where there was no error.")
    prompt_tokens = models.PositiveIntegerField(null=True)
    completion_tokens = models.PositiveIntegerField(null=True)
    estimated_prompt = models.PositiveIntegerField(
        null=True, help_text="By which it was charged where the provider reported no tokens."
    )
    estimated_completion = models.PositiveIntegerField(null=True)
    cost = models.BigIntegerField(
        null=True, help_text="In millionths of the currency, as charged; null where the price is unknown."
    )
    first_token_ms = models.PositiveIntegerField(null=True)
    ended_at = models.DateTimeField()

    good = models.BooleanField(null=True)
    verdict = models.ForeignKey(
        "Grade", on_delete=models.PROTECT, null=True, db_index=False, related_name="records"
    )

    class Meta:
        verbose_name = pgettext_lazy("model", "answer")
        indexes = [
            models.Index(fields=["company", "id"], name="records_of_a_company"),
            models.Index(fields=["company", "ended_at"], name="records_by_time"),
            models.Index(fields=["persona", "id"], name="records_of_a_persona"),
            models.Index(fields=["version", "id"], name="records_of_a_version"),
            models.Index(fields=["company", "model", "id"], name="records_of_a_model"),
            models.Index(fields=["company", "finish_reason", "id"], name="records_by_finish"),
            models.Index(
                fields=["company", "error_kind", "id"],
                condition=models.Q(error_kind__isnull=False),
                name="records_by_error",
            ),
            models.Index(
                fields=["company", "id"],
                condition=models.Q(error_kind__isnull=False),
                name="records_with_errors",
            ),
            models.Index(
                fields=["company", "good", "id"],
                condition=models.Q(good__isnull=False),
                name="records_by_rating",
            ),
            models.Index(
                fields=["verdict", "id"], condition=models.Q(verdict__isnull=False), name="records_by_verdict"
            ),
        ]

    def __str__(self) -> str:
        return f"answer {self.pk}"

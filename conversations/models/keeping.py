"""How long chats are kept, what holds them back, and the receipts of what went: by age, or with a person.

Rows and constraints only. The verbs are in `retention.py`, `holds.py` and `erasing/`. A receipt names counts and the
numbers of accounts, never a word that anybody wrote.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from conversations.models.company import Company
from conversations.models.conversation import Conversation
from conversations.models.persona import Persona
from conversations.models.queue import QueueEntry


class Period(models.Model):
    """For how many days a company, or one of its personas, keeps a chat that nobody writes in any more.

    Without days it is for ever, or for a persona as long as its company says. The shorter of the two counts, so that a
    company's period is the longest for all of its personas. A shorter period waits: until `waits_until` the earlier
    days hold, and the change can be taken back.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, db_index=False, related_name="periods")
    persona = models.ForeignKey(
        Persona, on_delete=models.CASCADE, null=True, db_index=False, related_name="periods"
    )
    days = models.PositiveIntegerField(null=True)
    earlier_days = models.PositiveIntegerField(null=True)
    waits_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company"], condition=Q(persona__isnull=True), name="one_period_a_company"
            ),
            models.UniqueConstraint(fields=["persona"], name="one_period_a_persona"),
        ]
        indexes = [models.Index(fields=["company"], name="periods_of_a_company")]

    def __str__(self) -> str:
        return f"period {self.pk}"

    def in_force(self, now: datetime) -> int | None:
        """The days that hold at the moment."""
        return self.earlier_days if self.waits(now) else self.days

    def waits(self, now: datetime) -> bool:
        """Whether a shorter period is still to come into force."""
        return self.waits_until is not None and now < self.waits_until


class RetentionRun(models.Model):
    """The receipt of one pass over a persona's chats: what was older than `cutoff` went, but for what was held.

    `step` counts its batches, and each names the one before: of two processes at the same batch one does it. The pass
    goes by age and has come to the conversation `after_id`, last active `after`.
    """

    company = models.ForeignKey(Company, on_delete=models.CASCADE, db_index=False, related_name="+")
    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, db_index=False, related_name="+")
    days = models.PositiveIntegerField()
    cutoff = models.DateTimeField()
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    conversations = models.PositiveIntegerField(default=0)
    messages = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    step = models.PositiveIntegerField(default=0)
    after = models.DateTimeField(null=True)
    after_id = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["persona"], condition=Q(finished_at=None), name="one_retention_run_a_persona"
            )
        ]
        indexes = [
            models.Index(fields=["company", "-id"], name="retention_runs_newest_first"),
            models.Index(fields=["persona", "-id"], name="retention_runs_of_a_persona"),
        ]

    def __str__(self) -> str:
        return f"retention run {self.pk}"


class Hold(models.Model):
    """A conversation, or all of a person's at a company, that must stay, and why. Lifted, the hold stays on record."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, db_index=False, related_name="holds")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, null=True, related_name="holds")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="holds"
    )
    reason = models.CharField(max_length=300)
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    placed_at = models.DateTimeField(auto_now_add=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True)
    lifted_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(conversation__isnull=True) ^ Q(person__isnull=True),
                name="hold_on_a_chat_or_a_person",
            ),
            models.UniqueConstraint(
                fields=["conversation"], condition=Q(lifted_at=None), name="one_hold_a_conversation"
            ),
            models.UniqueConstraint(
                fields=["company", "person"], condition=Q(lifted_at=None), name="one_hold_a_person"
            ),
        ]
        indexes = [models.Index(fields=["company", "-id"], name="holds_newest_first")]

    def __str__(self) -> str:
        return f"hold {self.pk}"


def held() -> Q:
    """That a conversation may not go: somebody holds it or its owner, or it waits for a review or is under one."""
    waiting = QueueEntry.objects.filter(conversation=OuterRef("pk")).exclude(status=QueueEntry.Status.DONE)
    holds = Hold.objects.filter(lifted_at=None)
    of_owner = holds.filter(person=OuterRef("owner"), company=OuterRef("persona__company"))
    on_it = holds.filter(conversation=OuterRef("pk"))
    return Q(Exists(waiting)) | Q(Exists(on_it)) | Q(Exists(of_owner))


class Erasure(models.Model):
    """One person's erasure and its receipt: everywhere, or at one company. It goes on by itself until it is finished.

    What has to stay hangs on `stand_in` from then on: the account itself where it is erased, else one that was made for
    it. `fingerprint` tells after the restore of a backup whether account `person_id` is the one that was erased.
    """

    class Stage(models.TextChoices):
        CONVERSATIONS = "chats", _("Removing conversations")
        RECORDS = "records", _("Removing what was said elsewhere")
        SESSIONS = "sessions", _("Ending sessions")
        HISTORY = "history", _("Going through the histories of the administration")
        ACCOUNT = "account", _("Taking the name off what stays")
        TRACES = "traces", _("Cleaning the database's files")
        DONE = "done", pgettext_lazy("erasure", "Done")

    company = models.ForeignKey(Company, on_delete=models.PROTECT, null=True, related_name="erasures")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="erasures")
    stand_in = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    asked_at = models.DateTimeField(auto_now_add=True)
    stage = models.CharField(max_length=8, choices=Stage, default=Stage.CONVERSATIONS)
    step = models.PositiveIntegerField(default=0)
    cursor = models.CharField(max_length=64, blank=True, help_text="How far its stage has come.")
    postponed = models.PositiveIntegerField(default=0, help_text="Conversations that are held or reviewed.")
    gone = models.JSONField(default=dict, help_text="What went: how many of what kind.")
    stays = models.JSONField(default=dict, help_text="What had to stay: how many of what kind.")
    fingerprint = models.CharField(max_length=64)
    companies = models.JSONField(default=list, help_text="In whose histories the name may stand.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                condition=Q(finished_at=None, company=None),
                name="one_erasure_a_person",
            ),
            models.UniqueConstraint(
                fields=["person", "company"],
                condition=Q(finished_at=None),
                name="one_erasure_a_person_and_company",
            ),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(finished_at=None), name="erasures_under_way")]

    def __str__(self) -> str:
        return f"erasure {self.pk}"

    @property
    def pseudonym(self) -> str:
        """What stands in the place of the person's name. No form takes a blank in a username, so it is nobody's."""
        return f"erased person {self.pk}"

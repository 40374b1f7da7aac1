"""What people and reviewers say of answers.

Rows and constraints only. The person's side is `feedback.py`, the reviewers' in `reviewing/`.
"""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from conversations.models.company import Company
from conversations.models.conversation import Conversation, Message
from conversations.models.ledger import AnswerRecord
from conversations.models.persona import PersonaVersion
from conversations.models.queue import QueueEntry


class Outcome(models.Model):
    """What became of what the person said of an answer, for them to read."""

    seen_at = models.DateTimeField(null=True, help_text="When a reviewer had read it and ended the review.")
    reply = models.TextField(max_length=2_000, blank=True, help_text="The reviewer's words to the person.")
    fixed_in = models.ForeignKey(
        PersonaVersion, on_delete=models.SET_NULL, null=True, related_name="+", help_text="What set it right."
    )

    class Meta:
        abstract = True

    @property
    def replied(self) -> bool:
        """Whether there is more to tell than that it was seen."""
        return bool(self.reply or self.fixed_in_id)

    @property
    def answered(self) -> bool:
        """Whether the person is told what became of it."""
        return bool(self.seen_at) or self.replied

    @property
    def changed_since(self) -> bool:
        """Whether the person says something else now than what a reviewer saw."""
        return False


class Feedback(Outcome):
    """What the person who asked thinks of an answer, and what became of it. They may change it or take it back."""

    class Reason(models.TextChoices):
        WRONG = "wrong", _("Not correct")
        INCOMPLETE = "incomplete", _("Not complete")
        OFF_TOPIC = "off_topic", _("Not what I asked")
        STYLE = "style", _("Wrong tone or form")
        HARMFUL = "harmful", _("Harmful or offensive")

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
        verbose_name_plural = pgettext_lazy("model", "feedback")

    def __str__(self) -> str:
        return f"{'good' if self.good else 'bad'} {self.message_id}"

    @property
    def changed_since(self) -> bool:
        """Whether the person says something else now than what a reviewer saw."""
        return self.seen_at is not None and self.seen_at < self.updated_at


class Flag(Outcome):
    """The person who asked wants a reviewer to look at an answer; and what became of that."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="flag")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"flag {self.message_id}"


class Rubric(models.Model):
    """The grades that a company's reviewers give. It never changes once one was given; a new one takes its place."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="rubrics")
    name = models.CharField(max_length=80)
    in_use = models.BooleanField(default=False, help_text="Reviewers grade by this one.")
    frozen_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["company"], condition=Q(in_use=True), name="one_rubric_in_use_a_company"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Grade(models.Model):
    """One grade of a rubric. `position` is its key on the keyboard."""

    rubric = models.ForeignKey(Rubric, on_delete=models.CASCADE, related_name="grades")
    position = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(5)])
    name = models.CharField(max_length=40)
    meaning = models.CharField(max_length=200, blank=True, help_text="When reviewers are to give it.")
    passes = models.BooleanField(
        default=False, help_text="Good enough to learn from: exported as an example."
    )

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["rubric", "position"], name="one_grade_a_position"),
        ]

    def __str__(self) -> str:
        return self.name


class Label(models.Model):
    """A word of the company's own for what is the matter with an answer."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="labels")
    name = models.CharField(max_length=40)
    retired = models.BooleanField(default=False, help_text="Kept where it was given, no longer offered.")
    invented_in = models.ForeignKey(
        "Review",
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text="The review that made it up, until something with it is done: to others it would tell of that one.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["company", "name"], name="label_once_a_company")]

    def __str__(self) -> str:
        return self.name


class AnswerLabel(models.Model):
    """A label that a reviewer gave to an answer."""

    label = models.ForeignKey(Label, on_delete=models.PROTECT, db_index=False, related_name="given")
    record = models.ForeignKey(AnswerRecord, on_delete=models.CASCADE, related_name="labels")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["label", "record"], name="label_once_an_answer"),
        ]

    def __str__(self) -> str:
        return str(self.label)


class Review(models.Model):
    """One reviewer's reading of an entry. Of several the ruling counts, else the first."""

    class Seat(models.TextChoices):
        FIRST = "first", pgettext_lazy("seat", "Review")
        SECOND = "second", _("Second review")
        RULING = "ruling", pgettext_lazy("seat", "Ruling")

    entry = models.ForeignKey(QueueEntry, on_delete=models.CASCADE, related_name="reviews")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="reviews"
    )
    seat = models.CharField(max_length=6, choices=Seat)
    rubric = models.ForeignKey(
        Rubric,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="The grades it began with, whichever are in use meanwhile.",
    )
    started_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entry", "seat"], condition=Q(submitted_at__isnull=False), name="one_review_a_seat"
            ),
            models.UniqueConstraint(
                fields=["entry", "seat", "reviewer"], name="one_review_a_person_and_seat"
            ),
        ]
        indexes = [
            models.Index(fields=["submitted_at"], condition=Q(seat="second"), name="second_reviews_by_time")
        ]

    def __str__(self) -> str:
        return f"{self.seat} review of {self.entry_id}"


class Judgement(models.Model):
    """What one review says of one answer: a grade, labels, how the answer should have been, and words to the person.

    It is the reviewer's own until the entry is done: then what counts of it goes to the ledger, to the labels of the
    answer and to the person's feedback.
    """

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="judgements")
    record = models.ForeignKey(AnswerRecord, on_delete=models.CASCADE, related_name="judgements")
    grade = models.ForeignKey(Grade, on_delete=models.PROTECT, null=True, related_name="+")
    correction = models.TextField(blank=True)
    labels = models.ManyToManyField(Label, related_name="+")
    reply = models.TextField(max_length=2_000, blank=True, help_text="Words to the person.")
    fixed_in = models.ForeignKey(PersonaVersion, on_delete=models.SET_NULL, null=True, related_name="+")
    counts = models.BooleanField(default=False, help_text="The one of its answer's that counts.")
    overtaken_at = models.DateTimeField(null=True, help_text="When that of a later entry took its place.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["review", "record"], name="one_judgement_a_review_and_answer"),
            models.UniqueConstraint(
                fields=["record"], condition=Q(counts=True), name="one_judgement_that_counts"
            ),
        ]

    def __str__(self) -> str:
        return f"judgement of answer {self.record_id}"


class Note(models.Model):
    """A reviewer's words to colleagues about a conversation. Never changed."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    text = models.TextField(max_length=20_000)
    late = models.BooleanField(
        default=False, help_text="What was judged after the claim had gone to somebody else."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"note {self.pk}"

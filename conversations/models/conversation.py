"""Conversations: a tree of messages, and the record of how each answer was made.

Rows and constraints only. Who may see a row is `access`; how turns come to be is `posting.py`; only
`generation/store.py` changes a generation's status.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models.persona import Persona, PersonaVersion

GRACE = timedelta(seconds=12)  # after a deletion: ten that "Undo" is offered, and two for its press to arrive
TEMPORARY = timedelta(hours=24)


def present() -> Q:
    """That a conversation is neither deleted by its owner, nor a temporary one whose time is over, nor closed."""
    return Q(closed_at=None, deleted_at=None) & (Q(temporary_until=None) | Q(temporary_until__gt=Now()))


def just_deleted() -> Q:
    """That its owner deleted a conversation and may still bring it back."""
    return Q(closed_at=None, deleted_at__gt=Now() - GRACE)


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def owned_by(self, user: User) -> ConversationQuerySet:
        """What `user` wrote in the companies that they still belong to and is `present`, without trials."""
        return self._ever_by(user).filter(present())

    def deleted_by(self, user: User) -> ConversationQuerySet:
        """The same, of what they deleted and may still bring back."""
        return self._ever_by(user).filter(just_deleted())

    def _ever_by(self, user: User) -> ConversationQuerySet:
        return self.filter(owner_id=user.pk, persona__company__memberships__user_id=user.pk, trial=None)

    def listed(self) -> ConversationQuerySet:
        """Without those that were put away, and those that stand above the others."""
        return self.filter(archived_at=None, pinned_at=None, trial=None)

    def trials_of(self, user: User) -> ConversationQuerySet:
        """What `user` tried personas with."""
        return self.there().filter(owner_id=user.pk, trial__isnull=False)

    def there(self) -> ConversationQuerySet:
        """Without those that are being removed, which nobody sees any more."""
        return self.filter(closed_at=None)


class Conversation(models.Model):
    """One person's chat with one persona. `head` is the last message of the branch that is shown. One that is too long
    to be removed at once is closed first, and then removed in pieces.

    With a `trial` it is no chat but a trial of that version, which may be a draft: it counts as no conversation and
    stands in no list.
    """

    class TitledBy(models.TextChoices):
        CUT = "cut", "cut from the first question"
        MODEL = "model"
        PERSON = "person"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="conversations"
    )
    persona = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="conversations")
    trial = models.ForeignKey(
        PersonaVersion, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    title = models.CharField(max_length=120)
    titled_by = models.CharField(max_length=6, choices=TitledBy, default=TitledBy.CUT)
    head = models.ForeignKey("Message", on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    active_at = models.DateTimeField()
    pinned_at = models.DateTimeField(null=True)
    archived_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(
        null=True, help_text="When its owner deleted it, by the database's clock, which all processes share."
    )
    temporary_until = models.DateTimeField(
        null=True, help_text="When a temporary one goes, by the same clock."
    )
    closed_at = models.DateTimeField(null=True)
    folder = models.ForeignKey(
        "Folder", on_delete=models.SET_NULL, null=True, db_index=False, related_name="conversations"
    )

    objects = ConversationQuerySet.as_manager()

    class Meta:
        # A page of a list is a short range of one of these, however many chats stand in the others.
        indexes = [
            models.Index(
                fields=["owner", "-active_at", "-id"],
                condition=Q(archived_at=None, pinned_at=None, trial=None),
                name="chats_newest_first",
            ),
            models.Index(
                fields=["owner", "-pinned_at"], condition=Q(pinned_at__isnull=False), name="chats_pinned"
            ),
            models.Index(
                fields=["owner", "-active_at", "-id"],
                condition=Q(archived_at__isnull=False),
                name="chats_put_away",
            ),
            models.Index(
                fields=["folder", "-active_at", "-id"],
                condition=Q(folder__isnull=False, archived_at=None),
                name="chats_of_a_folder",
            ),
            # For a folder that is removed: what was put away may be in it, too.
            models.Index(fields=["folder"], condition=Q(folder__isnull=False), name="chats_in_a_folder"),
            models.Index(fields=["persona", "active_at", "id"], name="chats_of_a_persona_by_age"),
            models.Index(fields=["deleted_at"], condition=Q(deleted_at__isnull=False), name="chats_deleted"),
            models.Index(
                fields=["temporary_until"],
                condition=Q(temporary_until__isnull=False),
                name="chats_temporary",
            ),
            models.Index(fields=["closed_at"], condition=Q(closed_at__isnull=False), name="chats_closed"),
        ]

    def __str__(self) -> str:
        return (
            f"conversation {self.pk}"  # not its title: lists of the admin are no place for what people wrote
        )


class Message(models.Model):
    """One question or answer. Messages with the same parent are versions of one another.

    A `strand` is a run of messages of which each is the first reply to the one before; every version beside a first
    one begins another. So the way to a message lies on few strands, and any stretch of it is a range of one index,
    however long it is. A strand has the id of the message that it begins with.

    An answer has a generation, or else the mark that it was brought in from elsewhere.
    """

    class Role(models.TextChoices):
        USER = "user"
        ASSISTANT = "assistant"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="replies")
    strand = models.UUIDField(editable=False)
    depth = models.PositiveIntegerField(editable=False, help_text="How many messages stand above it.")
    role = models.CharField(max_length=10, choices=Role)
    text = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["strand", "depth"], name="one_message_a_place_of_a_strand")
        ]
        indexes = [
            models.Index(fields=["conversation", "created_at"], name="messages_in_order"),
            models.Index(fields=["conversation"], condition=Q(id=F("strand")), name="beginnings_of_strands"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.id}"

    @classmethod
    def opening(cls, conversation: Conversation, text: str) -> Message:
        """A question that nothing stands above, not stored yet."""
        pk = uuid.uuid4()
        return cls(id=pk, conversation=conversation, role=cls.Role.USER, text=text, strand=pk, depth=0)

    def reply(self, text: str = "") -> Message:
        """The first reply to this message, not stored yet: an answer to a question, a question to an answer."""
        role = self.Role.ASSISTANT if self.role == self.Role.USER else self.Role.USER
        return self._beside(role, text, parent=self, strand=self.strand, depth=self.depth + 1)

    def version(self, text: str = "") -> Message:
        """A version beside this message, not stored yet."""
        pk = uuid.uuid4()
        return self._beside(self.role, text, id=pk, parent=self.parent, strand=pk, depth=self.depth)

    def _beside(self, role: str, text: str, **place: Any) -> Message:
        return Message(conversation_id=self.conversation_id, role=role, text=text, **place)


class GenerationQuerySet(models.QuerySet["Generation"]):
    def live(self) -> GenerationQuerySet:
        """Those of which more text may still come; their end says so, which is what the indexes of the live go by."""
        return self.filter(finished_at=None)


class Generation(models.Model):
    """How one answer was made: asked by whom, of which version, by whom served, and how it ended.

    Times are the server's; `first_token_ms` counts from the claim by a runner. Token counts are the provider's
    own; the billed ones only where it reports them apart.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        DONE = "done"
        STOPPED = "stopped"
        FAILED = "failed"
        INTERRUPTED = "interrupted"

    class KeyOf(models.TextChoices):
        ENVIRONMENT = "environment", _("the environment's")
        PROVIDER = "provider", _("the provider's, for every company")
        COMPANY = "company", _("the company's own")

    LIVE = (Status.PENDING, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="generations")
    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="generation")
    version = models.ForeignKey(PersonaVersion, on_delete=models.PROTECT, related_name="generations")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="generations"
    )
    client_id = models.UUIDField(help_text="Made by the page; the same one twice is the same request.")
    inherited_chars = models.PositiveIntegerField(
        default=0, help_text="How much of the text was taken over from the answer that this one continues."
    )

    status = models.CharField(max_length=11, choices=Status, default=Status.PENDING)
    lease = models.UUIDField(null=True, help_text="The process that runs it.")
    heartbeat_at = models.DateTimeField(help_text="When it was last known to be cared for.")
    stop_requested = models.BooleanField(default=False)

    reasoning = models.TextField(blank=True)
    citations = models.JSONField(
        null=True, help_text="Notes on what of the attached files it rests on, where the provider said so."
    )
    finish_reason = models.CharField(max_length=20, blank=True)
    error_kind = models.CharField(max_length=20, blank=True)
    sentence = models.TextField(
        blank=True, help_text="How it ended, for the person; empty when it ended well."
    )
    provider_status = models.PositiveIntegerField(null=True)
    request_id = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=200, blank=True, help_text="The model as the provider named it.")
    prompt_tokens = models.PositiveIntegerField(null=True)
    completion_tokens = models.PositiveIntegerField(null=True)
    billed_prompt_tokens = models.PositiveIntegerField(null=True)
    billed_completion_tokens = models.PositiveIntegerField(null=True)
    first_token_ms = models.PositiveIntegerField(null=True)
    left_out = models.PositiveIntegerField(
        default=0, help_text="How many messages stand above those that were sent, for lack of room."
    )
    prompt_estimate = models.PositiveIntegerField(
        null=True, help_text="A guess at the tokens that were sent, made when the answer was taken on."
    )
    recorded = models.BooleanField(
        default=False, help_text="Answered by the recorded upstream, not by a model."
    )
    key_of = models.CharField(
        max_length=11,
        choices=KeyOf,
        null=True,
        help_text="By whose key it was asked for, and so who pays; null where there was none.",
    )

    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    filed = models.BooleanField(
        default=False, help_text="Whether the ledger and the queue know how it ended and what was said of it."
    )

    objects = GenerationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(finished_at=None),
                name="one_running_answer_a_conversation",
            ),
            models.CheckConstraint(
                condition=Q(finished_at=None, status__in=["pending", "running"])
                | Q(finished_at__isnull=False) & ~Q(status__in=["pending", "running"]),
                name="live_answers_have_no_end",
            ),
            models.UniqueConstraint(fields=["requested_by", "client_id"], name="one_answer_a_request"),
        ]
        indexes = [
            # SQLite takes a partial index only for a condition without parameters: a status would be one.
            models.Index(fields=["heartbeat_at"], condition=Q(finished_at=None), name="live_answers"),
            models.Index(
                fields=["requested_by"], condition=Q(finished_at=None), name="live_answers_of_a_person"
            ),
            models.Index(fields=["requested_by", "-created_at"], name="answers_of_a_person"),
            models.Index(
                fields=["finished_at"],
                condition=Q(filed=False, finished_at__isnull=False),
                name="answers_to_file",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.id}"

    @property
    def live(self) -> bool:
        """Whether more text may still come."""
        return self.status in self.LIVE

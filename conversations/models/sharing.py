"""What people show each other of their chats."""

from __future__ import annotations

from django.db import models

from conversations.models.conversation import Conversation, Message


class SharedLink(models.Model):
    """A link by which colleagues of its chat's owner read the branch down to `head`, until it expires.

    Of its secret only the hash is kept. One that is taken back is deleted.
    """

    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="shared_links")
    head = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"link to {self.conversation_id}"

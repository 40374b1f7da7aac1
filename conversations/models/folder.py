"""Folders: how a person sorts their chats."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Folder(models.Model):
    """One person's place for some of their chats. A chat is in one or in none."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="folders")
    name = models.CharField(max_length=60)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="folder_name_once_a_person")]

    def __str__(self) -> str:
        return f"folder {self.pk}"  # not its name: that is its owner's

"""Who a session belongs to, and whether they have to set up a second factor first, in the one query of a request."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User

from conversations import factors


class PersonBackend(ModelBackend):
    """Django's, which says of each person what `factors.lacks` asks."""

    def get_user(self, user_id: Any) -> User | None:
        for found in User.objects.annotate(lacks_second_factor=factors.lacking()).filter(pk=user_id):
            return found if self.user_can_authenticate(found) else None
        return None

"""The keys that providers are called with, where they are not the environment's. Sealed, never in clear."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext

from conversations.models.company import Company, in_order
from conversations.models.persona import Endpoint


class ProviderKey(models.Model):
    """The key of one company at a provider; without a company, of all that have none of their own.

    `sealed` is opened by `keys.py` alone. `last4` is what people know it by, empty where that would tell too much.
    """

    SEALED: ClassVar = ("sealed",)
    """The columns that hold sealed values: `manage.py rotate_keys` and the system check go by this."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="keys")
    company = models.ForeignKey(
        Company, on_delete=models.CASCADE, null=True, blank=True, related_name="provider_keys"
    )
    sealed = models.TextField(editable=False)
    last4 = models.CharField(max_length=4, blank=True, editable=False)
    set_at = models.DateTimeField()
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "company"], name="one_key_a_company_and_provider"),
            models.UniqueConstraint(
                fields=["endpoint"], condition=models.Q(company=None), name="one_key_a_provider_for_all"
            ),
        ]

    def __str__(self) -> str:
        if self.company is None:  # and nothing of it
            return gettext("the key of all companies for %(provider)s") % {"provider": self.endpoint}
        facts = {"company": in_order(self.company), "provider": self.endpoint}
        return gettext("the key of %(company)s for %(provider)s") % facts

    @property
    def sealing_context(self) -> str:
        """What its sealed value is bound to: whose it is and where it goes."""
        return f"conversations.providerkey/{self.endpoint_id}/{self.company_id or 'all'}"

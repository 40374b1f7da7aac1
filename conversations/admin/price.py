"""What models cost, for operators. What an answer by a model without a price costs, nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _

from conversations.admin.scope import OperatorsAdmin
from conversations.models import Price

if TYPE_CHECKING:
    OperatorsPrice = OperatorsAdmin[Price]
else:
    OperatorsPrice = OperatorsAdmin


@admin.register(Price)
class PriceAdmin(OperatorsPrice):
    list_display = ["model", "endpoint", "prompt", "completion"]
    list_select_related = ["endpoint"]
    list_filter = ["endpoint"]
    search_fields = ["model"]

    def get_fieldsets(self, request: HttpRequest, obj: Price | None = None) -> Any:
        """The fields under what they are of: a price says nothing without its currency."""
        of = _(
            "Prices are in %(currency)s, for a million tokens, and count for questions from now on. "
            "An answer by a model without a price counts nothing in money. Where a budget in money has an end it is "
            "refused, as nobody could keep that end. A model that costs nothing has the price 0."
        ) % {"currency": settings.CURRENCY}
        return [(None, {"fields": ["endpoint", "model", "prompt", "completion"], "description": of})]

"""All that is sealed in the database, wherever it stands: what rotation goes through and the system check opens.

A model that holds sealed values names their columns in `SEALED` and what they are bound to in `sealing_context`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Model

from conversations import sealing


def columns() -> Iterator[tuple[type[Model], str]]:
    """Every column of sealed values, with its model."""
    for model in apps.get_models():
        for field in getattr(model, "SEALED", ()):
            yield model, field


def renew(model: type[Model], field: str, pk: Any) -> int:
    """Seal the value of a row with the first key; gives back whether that changed anything. Raises sealing.Unreadable.

    The row is kept to ourselves meanwhile: what somebody sets at this moment is not overwritten.
    """
    with transaction.atomic():
        row: Any = model._default_manager.select_for_update().filter(pk=pk).exclude(**{field: ""}).first()
        if row is None:
            return 0
        after = sealing.reseal(getattr(row, field), row.sealing_context)
        return model._default_manager.filter(pk=pk).exclude(**{field: after}).update(**{field: after})


def unreadable() -> list[Model]:
    """The rows with something that cannot be opened with the keys of this server."""
    found: list[Model] = []
    for model, field in columns():
        rows: Any = model._default_manager.exclude(**{field: ""}).order_by("pk")
        for row in rows.iterator():
            try:
                sealing.unseal(getattr(row, field), row.sealing_context)
            except sealing.Unreadable:
                found.append(row)
    return found

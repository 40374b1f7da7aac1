"""All that is sealed in the database, wherever it stands: what rotation goes through and the system check opens.

A model that holds sealed values names their columns in `SEALED` and what they are bound to in `sealing_context`. Those
of allauth's second factors stand within a column of JSON, bound to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Model

from conversations import sealing

FACTORS = "mfa.Authenticator"
# The secret of an app, what recovery codes are made from, and such codes that were brought along.
_WITHIN = {"secret", "seed", "migrated_codes"}


def columns() -> Iterator[tuple[type[Model], str]]:
    """Every column of sealed values, with its model."""
    for model in apps.get_models():
        for field in getattr(model, "SEALED", ("data",) if model._meta.label == FACTORS else ()):
            yield model, field


def renew(model: type[Model], field: str, pk: Any) -> int:
    """Seal the value of a row with the first key; gives back whether that changed anything. Raises sealing.Unreadable.

    The row is kept to ourselves meanwhile: what somebody sets at this moment is not overwritten.
    """
    with transaction.atomic():
        row: Any = model._default_manager.select_for_update().filter(pk=pk).first()
        if row is None:
            return 0
        before = getattr(row, field)
        after = _resealed(before, _context(row))
        return 0 if after == before else model._default_manager.filter(pk=pk).update(**{field: after})


def unreadable() -> list[Model]:
    """The rows with something that cannot be opened with the keys of this server."""
    found: list[Model] = []
    for model, field in columns():
        for row in model._default_manager.order_by("pk").iterator():
            try:
                _resealed(getattr(row, field), _context(row))
            except sealing.Unreadable:
                found.append(row)
    return found


def _context(row: Any) -> str:
    return getattr(row, "sealing_context", "")


def _resealed(value: Any, context: str) -> Any:
    """`value` with all that is sealed in it sealed by the first key. Raises sealing.Unreadable."""
    if isinstance(value, dict):
        return {name: _resealed(each, context) if name in _WITHIN else each for name, each in value.items()}
    if isinstance(value, list):
        return [_resealed(each, context) for each in value]
    return sealing.reseal(value, context) if value else value

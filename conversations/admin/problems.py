"""What is wrong with a form, in one place above it: each sentence leads to its field. Knows no request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.forms import BaseForm
from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Problem:
    """A sentence, and the id of the field that it is about; of the whole form, none."""

    target: str
    said: str


def found(form: BaseForm | None) -> list[Problem]:
    """What is wrong with `form`, in the order of its fields. The first of them gets the focus."""
    if form is None or not form.errors:
        return []
    of_all = [Problem("", str(error)) for error in form.non_field_errors()]
    wrong = [form[name] for name in form.fields if name in form.errors]
    for field in wrong[:1]:
        attributes: dict[str, Any] = field.field.widget.attrs
        attributes["autofocus"] = True
    return of_all + [
        Problem(field.auto_id, _("%(field)s: %(problem)s") % {"field": field.label, "problem": error})
        for field in wrong
        for error in field.errors
    ]

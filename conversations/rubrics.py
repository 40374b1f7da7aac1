"""A company's rubrics: the one in use, which is made where there is none, changed while it may be, and replaced.

A rubric is frozen with the first grade that is given by it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from conversations.models import Company, Grade, Rubric
from conversations.posting import Refused

LEAST, MOST = 2, 5
FROZEN = gettext_lazy(
    "A grade of these was given meanwhile, so they do not change any more. Nothing was saved: "
    "what you wrote stands below and can become new grades."
)

REPLACED = gettext_lazy(
    "Somebody else has put new grades in use meanwhile. Nothing was saved: what you wrote stands below. "
    "Look at theirs on the page of the settings first."
)


@dataclass(frozen=True, slots=True)
class Wording:
    """What a grade is to say. Without a name and a meaning there is no such grade."""

    name: str
    meaning: str = ""
    passes: bool = False


def in_use(company: Company) -> Rubric:
    """The rubric by which reviewers of `company` grade; the default one on first need."""
    found = company.rubrics.prefetch_related("grades").filter(in_use=True).first()
    if found is not None:
        return found
    with transaction.atomic():
        _take(company)
        found = company.rubrics.filter(in_use=True).first()
        return found or _make(company, _("Grades"), _default())


def given(rubric: Rubric, grade_id: int) -> Grade:
    """A grade of `rubric` that is about to be given: from now on that one does not change. Raises Refused.

    Inside a transaction: whoever changes the rubric waits for it, and then finds it frozen.
    """
    Rubric.objects.filter(pk=rubric.pk, frozen_at=None).update(frozen_at=timezone.now())
    grade = rubric.grades.filter(pk=grade_id).first()
    if grade is None:
        raise Refused(_("The grades have changed. Reload the page and judge again."), status=409)
    return grade


def edit(rubric: Rubric, name: str, rows: Sequence[Wording]) -> None:
    """Give `rubric` that name and the grades of `rows`, in their order.

    Raises ValidationError, whose fields are `name` and `name_1` for the name in the first row, and Refused where the
    rubric is frozen.
    """
    check(rows)
    with transaction.atomic():
        kept = Rubric.objects.select_for_update().get(pk=rubric.pk)
        if kept.frozen_at is not None:
            raise Refused(str(FROZEN), status=409)
        kept.name = name
        kept.save(update_fields=["name"])
        _write(kept, [row for row in rows if row.name])


def replace(rubric: Rubric, name: str, rows: Sequence[Wording]) -> Rubric:
    """Put a new rubric of that name with the grades of `rows` in use, in the place of the frozen `rubric`.

    Sent twice, it is done once. Raises ValidationError as `edit`, and Refused where another took its place meanwhile.
    """
    check(rows)
    wanted = [row for row in rows if row.name]
    with transaction.atomic():
        company = _take(rubric.company)
        current = in_use(company)
        if current.pk == rubric.pk and current.frozen_at is not None:
            Rubric.objects.filter(pk=current.pk).update(in_use=False)
            return _make(company, name, wanted)
        same = [Wording(grade.name, grade.meaning, grade.passes) for grade in current.grades.all()]
        if (current.name, same) != (name, wanted):
            raise Refused(str(REPLACED), status=409)
        return current


def check(rows: Sequence[Wording]) -> None:
    """Raise ValidationError by field where `rows` are no rubric."""
    problems: dict[str, str] = {}
    seen: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        if not row.name and row.meaning:
            problems[f"name_{number}"] = _("Give this grade a name, or empty its meaning too.")
        elif row.name and row.name.casefold() in seen:
            twice = _("“%(name)s” is there already. Give another name.")
            problems[f"name_{number}"] = twice % {"name": seen[row.name.casefold()]}
        seen[row.name.casefold()] = row.name
    if problems:
        raise ValidationError(problems)
    if not LEAST <= sum(bool(row.name) for row in rows) <= MOST:
        few = _("Give at least %(least)s grades and at most %(most)s.")
        raise ValidationError(few % {"least": LEAST, "most": MOST})


def _default() -> list[Wording]:
    """The grades to begin with, in the language of whoever needs them first: from then on they are the company's."""
    return [
        Wording(
            pgettext("grade", "Harmful"),
            _("It could hurt somebody, or break the law or the company’s rules."),
        ),
        Wording(pgettext("grade", "Wrong"), _("It is not correct, or made up.")),
        Wording(
            pgettext("grade", "Incomplete"), _("It is correct, but something that was asked for is missing.")
        ),
        Wording(pgettext("grade", "Good"), _("It is correct and complete."), passes=True),
        Wording(
            pgettext("grade", "Excellent"), _("It is as good as the best of us would answer."), passes=True
        ),
    ]


def _take(company: Company) -> Company:
    """The row of `company`, for this transaction alone: of two that make a rubric the second finds the first's."""
    return Company.objects.select_for_update().get(pk=company.pk)


def _make(company: Company, name: str, rows: Sequence[Wording]) -> Rubric:
    rubric = Rubric.objects.create(company=company, name=name, in_use=True)
    _write(rubric, rows)
    return rubric


def _write(rubric: Rubric, rows: Sequence[Wording]) -> None:
    """Rows of their own each time: a grade that a reviewer still has before them must not become another."""
    rubric.grades.all().delete()
    Grade.objects.bulk_create(
        Grade(rubric=rubric, position=position, name=row.name, meaning=row.meaning, passes=row.passes)
        for position, row in enumerate(rows, 1)
    )


def next_name(name: str) -> str:
    """What a rubric made from one of that `name` is called unless somebody says otherwise."""
    counted = re.fullmatch(r"(.*\S) (\d{1,4})", name)
    stem, number = (counted[1], int(counted[2])) if counted else (name, 1)
    return f"{stem[:70]} {number + 1}"

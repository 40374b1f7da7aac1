"""The grades that a company's reviewers give: its rubric in use, or the one that everybody starts with."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone

from conversations.models import Company, Grade, Rubric
from conversations.posting import Refused

DEFAULT = (
    ("Harmful", "It could hurt somebody, or says what must never be said.", False),
    ("Wrong", "It says what is not so, or answers another question.", False),
    ("Incomplete", "It is right, but leaves out what was asked for.", False),
    ("Good", "It is right and does what was asked.", True),
    ("Excellent", "It is right, clear, and as one would have said it oneself.", True),
)


def rubric(company: Company) -> Rubric:
    """The rubric that `company` grades by, with its grades. Made where there is none."""
    in_use = Rubric.objects.prefetch_related("grades").filter(company=company, in_use=True)
    if found := in_use.first():
        return found
    try:
        with transaction.atomic():
            made = Rubric.objects.create(company=company, name="Quality of the answer", in_use=True)
            Grade.objects.bulk_create(
                Grade(rubric=made, position=number, name=name, meaning=meaning, passes=passes)
                for number, (name, meaning, passes) in enumerate(DEFAULT, 1)
            )
    except IntegrityError:  # another reviewer began at the same moment
        pass
    return in_use.get()


def given(company: Company, grade_id: int) -> Grade:
    """A grade that is about to be given: from now on its rubric does not change. Raises Refused.

    Inside a transaction: whoever changes the rubric waits for it, and then finds it frozen.
    """
    grade = Grade.objects.select_related("rubric").filter(pk=grade_id, rubric__company=company).first()
    if grade is None or not Rubric.objects.filter(pk=grade.rubric_id, in_use=True).exists():
        raise Refused("The rubric has changed. Reload the page and judge again.", status=409)
    Rubric.objects.filter(pk=grade.rubric_id, frozen_at=None).update(frozen_at=timezone.now())
    return grade

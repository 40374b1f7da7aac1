"""The grades of a company: there on first need, edited until one was given, then renewed and kept."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from conversations import rubrics
from conversations.models import Rubric
from conversations.posting import Refused
from conversations.rubrics import Wording
from tests.conftest import Cast
from tests.races import at_once
from tests.test_review_settings import logged, shown, url


@pytest.fixture
def manager(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.manager)
    return client


def _grades(rubric: Rubric) -> list[tuple[int, str, bool]]:
    return list(rubric.grades.values_list("position", "name", "passes"))


def _form(*names: str, name: str = "Grades", **more: str) -> dict[str, str]:
    return {"name": name, **{f"name_{row}": each for row, each in enumerate(names, 1)}, **more}


def test_a_company_has_grades_from_its_first_need_on(cast: Cast) -> None:
    rubric = rubrics.in_use(cast.coca_cola)
    assert _grades(rubric) == [
        (1, "Harmful", False),
        (2, "Wrong", False),
        (3, "Incomplete", False),
        (4, "Good", True),
        (5, "Excellent", True),
    ]
    assert rubrics.in_use(cast.coca_cola) == rubric
    assert rubrics.in_use(cast.globex) != rubric


@pytest.mark.django_db(transaction=True)
def test_two_first_needs_are_one_rubric(live_cast: Cast) -> None:
    found = at_once(*[lambda: rubrics.in_use(live_cast.coca_cola).pk] * 4)
    assert len(set(found)) == 1
    assert Rubric.objects.get().grades.count() == 5


def test_grades_are_edited_in_their_place_until_one_was_given(cast: Cast, manager: Client) -> None:
    rubric = rubrics.in_use(cast.coca_cola)
    kept = list(rubric.grades.values_list("pk", flat=True))
    sent = _form("No", "", "Yes", "", "Superb", meaning_5="Frame it.", passes_5="on", name="Short")
    answer = manager.post(url(cast, "rubric"), sent)
    assert answer.status_code == 302
    rubric.refresh_from_db()
    assert rubric.name == "Short"
    assert _grades(rubric) == [(1, "No", False), (2, "Yes", False), (3, "Superb", True)]
    assert list(rubric.grades.values_list("pk", flat=True)) == kept[:3]
    assert rubric.grades.get(position=3).meaning == "Frame it."
    assert logged() == ["manager: The grades are: No, Yes, Superb."]
    manager.post(url(cast, "rubric"), _form("A", "B", "C", "D", "E"))
    assert [name for _, name, _ in _grades(rubric)] == list("ABCDE")


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (_form("Only one"), "Give at least 2 grades and at most 5."),
        (_form("Good", "good"), "“Good” is there already. Give another name."),
        (_form("Good", "Bad", "", meaning_3="Nameless"), "Give this grade a name, or empty its meaning too."),
        (_form("Good", "Bad" * 20), "Shorten it to 40 characters; it has 60."),
        (_form("Good", "Bad", name=" "), "Give these grades a name."),
    ],
)
def test_grades_that_will_not_do_say_so_and_keep_what_was_typed(
    cast: Cast, manager: Client, sent: dict[str, str], sentence: str
) -> None:
    rubric = rubrics.in_use(cast.coca_cola)
    before = _grades(rubric)
    answer = manager.post(url(cast, "rubric"), sent)
    page = answer.content.decode()
    assert answer.status_code == 400
    assert page.count(sentence) == 1
    for typed in sent.values():
        assert f'value="{typed}"' in page or not typed.strip()
    assert (_grades(rubric), logged()) == (before, [])


def test_frozen_grades_are_read_and_renewed(cast: Cast, manager: Client) -> None:
    old = rubrics.in_use(cast.coca_cola)
    rubrics.edit(old, "<i>Ours</i>", [Wording("No"), Wording("Yes", "If so", passes=True)])
    Rubric.objects.update(frozen_at=timezone.now())
    page = shown(manager, cast, "rubric")
    assert "Make a new rubric from this one" in page
    assert 'name="name_1"' not in page
    assert "<i>" not in page
    for _ in range(2):  # a form may arrive twice
        manager.post(url(cast, "rubric_renew"))
    fresh = Rubric.objects.get(in_use=True)
    assert Rubric.objects.count() == 2
    assert (fresh.name, fresh.frozen_at, _grades(fresh)) == ("<i>Ours</i> 2", None, _grades(old))
    assert fresh.grades.get(position=2).meaning == "If so"
    manager.post(url(cast, "rubric"), _form("Nope", "Yes", "Wow"))
    assert [name for _, name, _ in _grades(fresh)] == ["Nope", "Yes", "Wow"]
    assert [name for _, name, _ in _grades(old)] == ["No", "Yes"]
    page = shown(manager, cast, "rubric")
    assert "Earlier grades" in page
    assert "If so" in page
    assert logged() == [
        "manager: Put “<i>Ours</i> 2” in use, made from “<i>Ours</i>”.",
        "manager: The grades are: Nope, Yes, Wow.",
    ]


def test_grades_that_froze_while_they_were_edited_lose_nothing_that_was_typed(
    cast: Cast, manager: Client
) -> None:
    old = rubrics.in_use(cast.coca_cola)
    Rubric.objects.update(frozen_at=timezone.now())
    answer = manager.post(url(cast, "rubric"), _form("Mine", "Own"))
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "A grade of these was given meanwhile" in page
    assert 'value="Mine"' in page
    assert 'name="renew"' in page
    assert rubrics.in_use(cast.coca_cola) == old
    manager.post(url(cast, "rubric"), _form("Mine", "Own", renew="1"))
    assert [name for _, name, _ in _grades(rubrics.in_use(cast.coca_cola))] == ["Mine", "Own"]
    assert old.grades.count() == 5


def test_a_frozen_rubric_is_not_edited(cast: Cast) -> None:
    rubric = rubrics.in_use(cast.coca_cola)
    Rubric.objects.update(frozen_at=timezone.now())
    with pytest.raises(Refused):
        rubrics.edit(rubric, "Other", [Wording("A"), Wording("B")])
    with pytest.raises(ValidationError):
        rubrics.edit(rubric, "Other", [Wording("A")])
    with pytest.raises(ValidationError):
        rubrics.edit(rubric, "Other", [Wording(name) for name in "ABCDEF"])

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
from tests.reviews import answer, body, client_of, make, page, press
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
    sent_back = manager.post(url(cast, "rubric"), sent)
    assert sent_back.status_code == 302
    rubric.refresh_from_db()
    assert rubric.name == "Short"
    assert _grades(rubric) == [(1, "No", False), (2, "Yes", False), (3, "Superb", True)]
    assert not set(rubric.grades.values_list("pk", flat=True)) & set(kept)  # an open page has none of them
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
    sent_back = manager.post(url(cast, "rubric"), sent)
    text = sent_back.content.decode()
    assert sent_back.status_code == 400
    of_a_field = not sentence.startswith("Give at least")
    assert text.count(sentence) == 1 + of_a_field  # above the form, and at the field
    for typed in sent.values():
        assert f'value="{typed}"' in text or not typed.strip()
    assert (_grades(rubric), logged()) == (before, [])


def test_frozen_grades_are_read_and_renewed(cast: Cast, manager: Client) -> None:
    old = rubrics.in_use(cast.coca_cola)
    rubrics.edit(old, "<i>Ours</i>", [Wording("No"), Wording("Yes", "If so", passes=True)])
    Rubric.objects.update(frozen_at=timezone.now())
    text = shown(manager, cast, "rubric")
    assert "Make new grades from these" in text
    assert 'name="name_1"' not in text
    assert "<i>" not in text
    text = body(manager.get(url(cast, "rubric"), {"new": "1"}))
    for typed in (
        'value="&lt;i&gt;Ours&lt;/i&gt; 2"',
        'value="No"',
        'value="If so"',
        "keep the grades they began",
    ):
        assert typed in text
    assert list(Rubric.objects.filter(company=cast.coca_cola)) == [old]  # nothing is made before it is saved
    sent = _form("Nope", "Yes", "Wow", name="<i>New</i>", **{"from": str(old.pk)})
    assert manager.post(url(cast, "rubric"), sent | {"name_2": "", "name_3": ""}).status_code == 400
    assert rubrics.in_use(cast.coca_cola) == old
    for _ in range(2):  # a form may arrive twice
        assert manager.post(url(cast, "rubric"), sent).status_code == 302
    fresh = Rubric.objects.get(in_use=True)
    assert Rubric.objects.count() == 2
    assert (fresh.name, fresh.frozen_at) == ("<i>New</i>", None)
    assert [name for _, name, _ in _grades(fresh)] == ["Nope", "Yes", "Wow"]
    assert [name for _, name, _ in _grades(old)] == ["No", "Yes"]
    said = shown(manager, cast)
    assert (
        "is in use now: Nope, Yes, Wow. Reviews that are under way keep the grades they began with." in said
    )
    assert "<i>" not in said
    text = shown(manager, cast, "rubric")
    assert "Earlier grades" in text
    assert "If so" in text
    assert logged() == ["manager: Put “<i>New</i>” in use, made from “<i>Ours</i>”: Nope, Yes, Wow."]
    late = manager.post(url(cast, "rubric"), sent | {"name_1": "Mine"})
    assert late.status_code == 409
    assert "Somebody else has put new grades in use" in body(late)
    assert 'value="Mine"' in body(late)
    assert [name for _, name, _ in _grades(fresh)] == ["Nope", "Yes", "Wow"]


@pytest.mark.parametrize("number", ["9" * 5_000, "9" * 30, "x", "²", "-1", ""])
def test_grades_that_are_made_from_none_that_there_are_is_a_404(
    cast: Cast, manager: Client, number: str
) -> None:
    rubrics.in_use(cast.coca_cola)
    sent = _form("Bad", "Fine", **{"from": number})
    assert manager.post(url(cast, "rubric"), sent).status_code == 404
    assert Rubric.objects.filter(company=cast.coca_cola).count() == 1


def test_new_grades_leave_a_review_that_is_open_as_it_is(cast: Cast, manager: Client) -> None:
    case = make(cast)
    review = case.judged(cast.reviewer, 2)
    sent = _form("Bad", "Fine", **{"from": str(case.grades[0].rubric_id)})
    manager.post(url(cast, "rubric"), sent)
    reviewer = client_of(cast, "reviewer")
    shown_to = body(reviewer.get(page(case)))
    assert 'aria-pressed="true"' in shown_to
    assert "Excellent" in shown_to
    press(reviewer, case, "judge", review=review.pk, answer=answer(case), grade=case.grades[4].pk)
    press(reviewer, case, "submit", review=review.pk)
    assert case.verdicts() == ["Excellent", ""]
    later = make(cast)
    later.claimed(cast.reviewer)
    assert "Fine" in body(reviewer.get(page(later)))


def test_grades_that_froze_while_they_were_edited_lose_nothing_that_was_typed(
    cast: Cast, manager: Client
) -> None:
    old = rubrics.in_use(cast.coca_cola)
    Rubric.objects.update(frozen_at=timezone.now())
    sent_back = manager.post(url(cast, "rubric"), _form("Mine", "Own"))
    text = sent_back.content.decode()
    assert sent_back.status_code == 409
    assert "A grade of these was given meanwhile" in text
    assert 'value="Mine"' in text
    assert 'name="from"' in text
    assert rubrics.in_use(cast.coca_cola) == old
    manager.post(url(cast, "rubric"), _form("Mine", "Own", **{"from": str(old.pk)}))
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

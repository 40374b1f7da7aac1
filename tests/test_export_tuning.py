"""Tuning data: the shape that the provider publishes, only what was reviewed, in its own context, each thing once."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from conversations import feedback, filing, personas, posting
from conversations.exports.walking import Walk
from conversations.models import Endpoint, Generation, PersonaVersion
from tests.answers import ended, ended_in
from tests.conftest import Cast
from tests.exporting import Kind, again, export_of, judge, lines_of
from tests.tuning_shape import Misshapen, check_examples, check_pairs

PROMPT = {"role": "system", "content": "You are an assistant for the company Coca Cola"}
QUESTION = {"role": "user", "content": "What is Coca Cola?"}


def says(text: str, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **more}


def asks(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def examples(cast: Cast) -> list[list[dict[str, Any]]]:
    return [each["messages"] for each in check_examples(lines_of(export_of(cast, Kind.EXAMPLES)))]


def pairs(cast: Cast) -> list[tuple[list[dict[str, Any]], str, str]]:
    found = check_pairs(lines_of(export_of(cast, Kind.PAIRS)))
    return [(each["messages"], each["chosen"]["content"], each["rejected"]["content"]) for each in found]


def republish(cast: Cast, prompt: str) -> None:
    cast.guide.refresh_from_db()
    version = PersonaVersion(
        system_prompt=prompt, endpoint=Endpoint.objects.get(wire="mistral"), model="mistral-small-latest"
    )
    personas.publish(cast.guide, version, by=cast.manager)
    cast.guide.refresh_from_db()


def test_only_what_reviewers_passed_or_put_right_is_an_example(cast: Cast) -> None:
    passed, corrected, failed = ended(cast, "Good."), ended(cast, "Poor."), ended(cast, "Bad.")
    liked, undecided, graded_before = ended(cast, "Liked."), ended(cast, "Open."), ended(cast, "Overruled.")
    judge(passed)
    judge(corrected, False, correction="Put right.")
    judge(failed, False)
    feedback.rate(cast.member, liked.answer, good=True)
    judge(undecided, counts=False)
    judge(graded_before, False)
    judge(graded_before, counts=False)
    assert examples(cast) == [[PROMPT, QUESTION, says("Good.")], [PROMPT, QUESTION, says("Put right.")]]


def test_a_correction_counts_beside_a_judgement_without_one(cast: Cast) -> None:
    turn = ended(cast, "Poor.")
    judge(turn, False, counts=False)
    judge(turn, False, correction="Put right.")
    assert examples(cast) == [[PROMPT, QUESTION, says("Put right.")]]


def test_each_stands_behind_the_prompt_of_its_day(cast: Cast) -> None:
    first = ended(cast, "By the first.")
    judge(first)
    republish(cast, "Be brief.")
    judge(ended(cast, "By the second.", persona=cast.guide))
    judge(again(first, "Anew."))
    republish(cast, " \n")
    judge(ended(cast, "By nothing.", persona=cast.guide))
    brief = {"role": "system", "content": "Be brief."}
    assert examples(cast) == [
        [PROMPT, QUESTION, says("By the first.")],
        [brief, QUESTION, says("By the second.")],
        [brief, QUESTION, says("Anew.")],
        [QUESTION, says("By nothing.")],
    ]


def test_only_what_was_judged_weighs(cast: Cast) -> None:
    first = ended(cast, "One.", question="1?")
    second = ended_in(first.conversation, "Two.", question="2?")
    third = ended_in(first.conversation, "Three.", question="3?")
    fourth = ended_in(first.conversation, "Four.", question="4?")
    judge(second)
    judge(third, correction="Better three.")
    judge(fourth)
    branch = [PROMPT, asks("1?"), says("One.", weight=0), asks("2?"), says("Two.")]
    assert examples(cast) == [
        branch,
        [*branch, asks("3?"), says("Better three.")],
        [*branch, asks("3?"), says("Three.", weight=0), asks("4?"), says("Four.")],
    ]


def test_the_context_is_what_the_model_was_sent(cast: Cast) -> None:
    first = ended(cast, " ", question="1?", status=Generation.Status.FAILED)
    second = ended_in(first.conversation, "Two.", question="2?")
    third = ended_in(first.conversation, "Three.", question="3?", left_out=4)
    judge(second)
    judge(third)
    assert examples(cast) == [
        [PROMPT, asks("1?\n\n2?"), says("Two.")],
        [PROMPT, asks("3?"), says("Three.")],
    ]


def test_an_edited_question_has_its_own_branch(cast: Cast) -> None:
    first = ended(cast, "One.", question="1?")
    question = first.answer.parent
    assert question is not None
    ended_in(first.conversation, "Beside it.", question="2?")
    turn = posting.edit(cast.member, question, "1, rather?", client_id=first.answer.pk)
    Generation.objects.filter(pk=turn.generation.pk).update(status="done", finished_at=turn.answer.created_at)
    type(turn.answer).objects.filter(pk=turn.answer.pk).update(text="Rather this.")
    judge(turn)
    assert examples(cast) == [[PROMPT, asks("1, rather?"), says("Rather this.")]]


def test_answers_without_words_teach_nothing(cast: Cast) -> None:
    turn = ended(cast, "  ")
    judge(turn)
    judge(ended(cast, "Said."), False, correction=" \n")
    judge(ended(cast, "Fair."), correction=" \n")
    assert examples(cast) == [[PROMPT, QUESTION, says("Fair.")]]
    assert pairs(cast) == []


def test_the_same_is_there_once_and_the_rest_is_counted(cast: Cast) -> None:
    for _ in range(3):
        judge(ended(cast, "The same."))
    judge(ended(cast, "Another."))
    export = export_of(cast, Kind.EXAMPLES)
    assert len(check_examples(lines_of(export))) == 2
    walk = Walk(export)
    while walk.batch() is not None:
        pass
    assert (walk.tally.answers, walk.tally.lines, walk.tally.duplicates) == (4, 2, 2)


def test_a_correction_is_preferred_to_what_it_corrects(cast: Cast) -> None:
    judge(ended(cast, "Poor."), False, correction="Put right.")
    judge(ended(cast, "Fair."), correction="Polished.")
    judge(ended(cast, "The same."), correction="The same.")
    assert pairs(cast) == [
        ([PROMPT, QUESTION], "Put right.", "Poor."),
        ([PROMPT, QUESTION], "Polished.", "Fair."),
    ]


def test_a_good_answer_is_preferred_to_its_bad_siblings(cast: Cast) -> None:
    bad = ended(cast, "Bad.")
    good, worst, unread = again(bad, "Good."), again(bad, "Worst."), again(bad, "Unread.")
    judge(bad, False)
    judge(good)
    judge(worst, False)
    feedback.rate(cast.member, unread.answer, good=True)
    elsewhere = ended(cast, "Elsewhere.")
    judge(elsewhere, False)
    assert pairs(cast) == [([PROMPT, QUESTION], "Good.", "Bad."), ([PROMPT, QUESTION], "Good.", "Worst.")]


def test_what_a_person_liked_counts_only_where_reviewers_gave_no_grade(cast: Cast) -> None:
    bad = ended(cast, "Bad.")
    liked, disliked = again(bad, "Liked."), again(bad, "Liked, and failed.")
    judge(bad, False)
    for turn, passes in ((liked, None), (disliked, False)):
        feedback.rate(cast.member, turn.answer, good=True)
        judge(turn, passes)
    filing.file_ended()
    assert [pair[1:] for pair in pairs(cast)] == [("Liked.", "Bad."), ("Liked.", "Liked, and failed.")]


def test_a_pair_stands_behind_the_prompt_of_the_better_one(cast: Cast) -> None:
    bad = ended(cast, "Bad.")
    judge(bad, False)
    republish(cast, "Be better.")
    judge(again(bad, "Good."))
    assert pairs(cast) == [([{"role": "system", "content": "Be better."}, QUESTION], "Good.", "Bad.")]


def test_what_was_judged_in_another_company_stays_there(cast: Cast) -> None:
    judge(ended(cast, "Theirs.", by=cast.outsider, persona=cast.helpdesk), False, correction="Right.")
    assert examples(cast) == []
    assert pairs(cast) == []


@pytest.mark.parametrize("seed", range(6))
def test_whatever_the_tree_it_has_the_shape(cast: Cast, seed: int) -> None:
    chance = random.Random(seed)
    turns = [ended(cast, "Begun.")]
    for number in range(24):
        facts: dict[str, Any] = {"status": chance.choice(["done", "done", "failed", "stopped"])}
        text = chance.choice([f"Answer {number}.", "The same.", " ", "Two\u2028lines\x85here."])
        match chance.randrange(3):
            case 0:
                turns.append(ended(cast, text, question=chance.choice(["A?", "B?"]), **facts))
            case 1:
                turns.append(ended_in(chance.choice(turns).conversation, text, **facts))
            case 2:
                turns.append(again(chance.choice(turns), text, **facts))
    for turn in chance.sample(turns, 18):
        correction = chance.choice(["", "", f"Right {chance.random()}", " "])
        judge(turn, chance.choice([True, False, None]), correction)
    found = check_examples(lines_of(export_of(cast, Kind.EXAMPLES)))
    assert found
    check_pairs(lines_of(export_of(cast, Kind.PAIRS)))
    assert len({json.dumps(each) for each in found}) == len(found)


@pytest.mark.parametrize(
    "line",
    [
        {"messages": []},
        {"messages": [asks("a")]},
        {"messages": [says("a")]},
        {"messages": [asks("a"), says("")]},
        {"messages": [asks("a"), asks("b"), says("c")]},
        {"messages": [asks("a"), PROMPT, says("c")]},
        {"messages": [asks("a"), says("b", weight=2)]},
        {"messages": [asks("a"), says("b", weight=0)]},
        {"messages": [asks("a"), says("b")], "id": 1},
        {"messages": [asks("a"), {"role": "tool", "content": "x"}]},
    ],
)
def test_the_validator_refuses_what_the_provider_would(line: dict[str, Any]) -> None:
    with pytest.raises(Misshapen):
        check_examples(json.dumps(line).encode() + b"\n")


@pytest.mark.parametrize("kind", [Kind.EXAMPLES, Kind.PAIRS])
def test_a_batch_costs_the_same_number_of_queries_whatever_is_in_it(
    cast: Cast, kind: Kind, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        turn = ended(cast, f"Bad {number}")
        judge(turn, False)
        judge(again(turn, f"Good {number}"), correction="" if number % 2 else "Right.")
        judge(ended_in(turn.conversation, f"More {number}"))
    export = export_of(cast, kind)
    with django_assert_max_num_queries(6):
        lines_of(export)

"""Ended answers reach the ledger, and the queue by the rules of their company, each once."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import F
from django.utils import timezone

from conversations import feedback, filing, matching, posting, rules, scanning
from conversations.models import AnswerRecord, EntryReason, Generation, QueueEntry, Rule
from tests.answers import ended, ended_in
from tests.conftest import Cast
from tests.test_posting import start

Kind = Rule.Kind
SLOW = "QQ(?:[^Z]?[^Y]){400}Z"  # half a second for as many Q as are looked at, and no time for other texts


def rule(cast: Cast, kind: Kind, value: str = "", **more: Any) -> Rule:
    made = Rule(company=cast.coca_cola, kind=kind, value=value, **more)
    rules.check(made)
    made.save()
    return made


def reasons() -> list[str]:
    return list(EntryReason.objects.order_by("pk").values_list("said", flat=True))


def test_an_ended_answer_is_in_the_ledger_once(cast: Cast) -> None:
    turn = ended(
        cast, prompt_tokens=7, completion_tokens=9, billed_completion_tokens=8, finish_reason="length"
    )
    assert [filing.file_ended(), filing.file_ended()] == [1, 0]
    record = AnswerRecord.objects.get()
    assert (record.message, record.conversation) == (turn.answer, turn.conversation)
    assert (record.company, record.persona, record.version) == (
        cast.coca_cola,
        cast.guide,
        cast.guide.current,
    )
    assert (record.prompt_tokens, record.completion_tokens, record.finish_reason) == (7, 8, "length")
    assert (record.error_kind, record.good, record.trial) == (None, None, False)
    Generation.objects.update(filed=False)
    filing.file_ended()
    assert AnswerRecord.objects.get() == record


def test_a_running_answer_is_not(cast: Cast) -> None:
    start(cast)
    assert filing.file_ended() == 0
    assert not AnswerRecord.objects.exists()


def test_the_ledger_follows_what_the_person_says(cast: Cast) -> None:
    turn = ended(cast)
    for say, good in (
        (lambda: feedback.rate(cast.member, turn.answer, good=False), False),
        (lambda: feedback.rate(cast.member, turn.answer, good=True), True),
        (lambda: feedback.take_back(turn.answer), None),
    ):
        say()
        filing.file_ended()
        assert AnswerRecord.objects.get().good is good


def test_the_ledger_outlives_the_conversation(cast: Cast) -> None:
    turn = ended(cast)
    filing.file_ended()
    turn.conversation.delete()
    record = AnswerRecord.objects.get()
    assert (record.conversation, record.message, record.persona) == (None, None, cast.guide)


def test_each_kind_of_rule_says_why(cast: Cast) -> None:
    for kind, value in (
        (Kind.BAD, ""),
        (Kind.FLAG, ""),
        (Kind.TROUBLE, ""),
        (Kind.SAMPLE, "100"),
        (Kind.WORDS, "refund\nreçu"),
        (Kind.PATTERN, r"\d{4}-\d{4}"),
    ):
        rule(cast, kind, value)
    turn = ended(cast, "Your RECU is 1234-5678.", finish_reason="length")
    feedback.rate(cast.member, turn.answer, good=False)
    feedback.flag(cast.member, turn.answer)
    filing.file_ended()
    assert reasons() == [
        "The person found this answer bad.",
        "The person asked for a review.",
        "The answer was cut at its length limit.",
        "In the random sample of 100 %.",
        "Says “reçu”.",
        "Matches the pattern: “1234-5678”.",
    ]
    entry = QueueEntry.objects.get()
    assert (entry.conversation, entry.company) == (turn.conversation, cast.coca_cola)


def test_a_failed_answer_says_what_failed(cast: Cast) -> None:
    rule(cast, Kind.TROUBLE)
    ended(cast, "", status=Generation.Status.FAILED, error_kind="rate_limited")
    filing.file_ended()
    assert reasons() == ["The answer failed: rate_limited."]


def test_words_are_whole_words_but_where_scripts_have_no_spaces(cast: Cast) -> None:
    rule(cast, Kind.WORDS, "sue\n返金")
    ended(cast, "This issue is a tissue.")
    filing.file_ended()
    assert reasons() == []
    ended(cast, "商品の返金について")
    filing.file_ended()
    assert reasons() == ["Says “返金”."]


def test_a_rule_gives_its_reason_once_an_answer(cast: Cast) -> None:
    rule(cast, Kind.BAD)
    turn = ended(cast)
    for _ in range(3):
        feedback.rate(cast.member, turn.answer, good=False)
        filing.file_ended()
    assert EntryReason.objects.count() == QueueEntry.objects.count() == 1


def test_what_is_new_in_a_conversation_joins_its_waiting_entry_or_opens_another(cast: Cast) -> None:
    rule(cast, Kind.SAMPLE, "100")
    turn = ended(cast)
    filing.file_ended()
    ended_in(turn.conversation)
    filing.file_ended()
    entry = QueueEntry.objects.get()
    assert entry.reasons.count() == 2
    QueueEntry.objects.update(status=QueueEntry.Status.DONE)
    ended_in(turn.conversation)
    filing.file_ended()
    assert QueueEntry.objects.exclude(pk=entry.pk).get().reasons.count() == 1


def test_rules_hold_for_their_company_their_persona_and_while_they_are_active(cast: Cast) -> None:
    rule(cast, Kind.SAMPLE, "100", persona=cast.historian)
    rule(cast, Kind.TROUBLE, active=False)
    Rule.objects.create(company=cast.globex, kind=Kind.SAMPLE, value="100")
    ended(cast, finish_reason="length")
    filing.file_ended()
    assert reasons() == []
    ended(cast, persona=cast.historian)
    filing.file_ended()
    assert reasons() == ["In the random sample of 100 %."]


def test_a_sample_draws_about_its_share_and_no_answer_twice(cast: Cast) -> None:
    sample = rule(cast, Kind.SAMPLE, "10")
    turn = ended(cast)
    filing.file_ended()
    record, generation = AnswerRecord.objects.get(), Generation.objects.get()
    drawn = 0
    for number in range(3_000):
        record.message_id = type(turn.answer.pk)(int=number)
        first = rules.reason(sample, record, generation)
        assert rules.reason(sample, record, generation) == first
        drawn += bool(first)
    assert 220 < drawn < 380


def test_what_explodes_elsewhere_is_read_in_no_time(cast: Cast) -> None:
    rule(cast, Kind.PATTERN, r"(a+)+$")
    ended(cast, "a" * 30_000 + "b")
    filing.file_ended()
    assert reasons() == []  # with backtracking, not before the sun is cold


@pytest.mark.parametrize(
    "hungry",
    [
        "[a-z].{0,999}" * 30 + "Q",
        "[a-z]{0,300}[a-z]{0,300}Q",
        r"\p{L}{0,100}\p{N}Q",
        SLOW,
        SLOW.replace("Q", "猫"),
        SLOW.replace("QQ", r"\x51\x{51}"),
    ],
)
def test_a_pattern_that_takes_long_is_refused_when_it_is_made(cast: Cast, hungry: str) -> None:
    with pytest.raises(ValidationError) as refused:
        rules.check(Rule(company=cast.coca_cola, kind=Kind.PATTERN, value=hungry))
    assert "repetitions" in refused.value.message_dict["value"][0]


def test_what_people_look_for_takes_no_time(cast: Cast) -> None:
    for pattern in (
        r"\d{4}-\d{4}",
        r"(?i)\bpassw(or)?d\b.{0,40}\b\w{8,}",
        r"[\w.+-]+@[\w.-]+\.\w{2,}",
        "返金|解約",
    ):
        rule(cast, Kind.PATTERN, pattern)


def test_a_rule_that_takes_long_all_the_same_is_switched_off_on_record(cast: Cast) -> None:
    slow = Rule.objects.create(company=cast.coca_cola, kind=Kind.PATTERN, value=SLOW)
    rule(cast, Kind.WORDS, "refund")
    ended(cast, "Q" * 65_536, question="A refund?")
    for _ in range(2):  # at once, or without that rule the next time
        filing.file_ended()
    slow.refresh_from_db()
    assert not slow.active
    assert slow.stopped.startswith("It needed more than 0.2 seconds to look through one answer")
    entry = LogEntry.objects.get()
    assert (entry.user.get_username(), entry.object_id) == ("the site", str(cast.coca_cola.pk))
    assert entry.get_change_message() == f"Switched off the rule “Pattern: {SLOW}”. {slow.stopped}"
    assert not entry.user.is_active
    assert not entry.user.has_usable_password()
    assert reasons() == ["Says “refund”."]


def test_time_that_is_up_leaves_the_rest_to_the_next_filing(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "READ_SECONDS", 0.0)
    for _ in range(2):
        Rule.objects.create(company=cast.coca_cola, kind=Kind.PATTERN, value=SLOW)
    ended(cast, "Q" * 65_536)
    ended(cast, "Short.")
    for filed, active in ((0, 1), (1, 0), (2, 0)):
        assert filing.file_ended() > 0
        assert AnswerRecord.objects.count() == filed
        assert Rule.objects.filter(active=True).count() == active


@pytest.mark.parametrize("window", [1_000, 2])
def test_what_takes_one_company_long_keeps_no_other_waiting(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    monkeypatch.setattr(scanning, "READ_SECONDS", 0.0)
    monkeypatch.setattr(filing, "WINDOW", window)
    rule(cast, Kind.WORDS, "refund")
    for _ in range(4):
        ended(cast)
    ended(cast, by=cast.outsider, persona=cast.helpdesk)
    filing.file_ended()
    assert list(AnswerRecord.objects.order_by("pk").values_list("company__name", flat=True)) == [
        "Coca Cola",
        "Globex",
    ]
    for _ in range(3):
        filing.file_ended()
    assert (AnswerRecord.objects.count(), filing.file_ended()) == (5, 0)


def test_texts_are_looked_through_outside_of_the_transaction(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(live_cast, Kind.WORDS, "refund")
    ended(live_cast, "A refund.")
    seen: list[bool] = []
    find = matching.find

    def noted(*given: Any) -> str:
        seen.append(connection.in_atomic_block)
        return find(*given)

    monkeypatch.setattr(matching, "find", noted)
    filing.file_ended()
    assert (seen, reasons()) == ([False], ["Says “refund”."])


def test_an_answer_that_cannot_be_filed_holds_up_no_other(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rule(cast, Kind.SAMPLE, "100")
    poison, sound = ended(cast), ended(cast)
    ask = rules.reason

    def breaks(rule: Rule, record: AnswerRecord, answer: Generation) -> str:
        if answer.message_id == poison.answer.pk:
            raise ValueError("broken")
        return ask(rule, record, answer)

    monkeypatch.setattr(rules, "reason", breaks)
    filing.file_ended()
    assert [entry.conversation for entry in QueueEntry.objects.all()] == [sound.conversation]
    assert filing.file_ended() == 0
    assert "cannot be filed" in caplog.text


def test_what_the_person_says_again_after_a_review_enters_again(cast: Cast) -> None:
    rule(cast, Kind.BAD)
    turn = ended(cast)
    feedback.rate(cast.member, turn.answer, good=False)
    filing.file_ended()
    QueueEntry.objects.update(status=QueueEntry.Status.DONE, closed_at=timezone.now())
    Generation.objects.update(filed=False)
    filing.file_ended()
    assert QueueEntry.objects.count() == 1  # nothing new was said
    feedback.rate(cast.member, turn.answer, good=False, comment="Still wrong.")
    filing.file_ended()
    filing.file_ended()
    assert [entry.reasons.count() for entry in QueueEntry.objects.all()] == [1, 1]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.SAMPLE, ""),
        (Kind.SAMPLE, "0"),
        (Kind.SAMPLE, "101"),
        (Kind.SAMPLE, "5 %"),
        (Kind.SAMPLE, "²"),
        (Kind.SAMPLE, "000"),
        (Kind.SAMPLE, "000100000"),
        (Kind.SAMPLE, "1" * 2_000),
        (Kind.WORDS, " \n "),
        (Kind.WORDS, "w\n" * 101),
        (Kind.PATTERN, ""),
        (Kind.PATTERN, "(open"),
        (Kind.PATTERN, r"(a)\1"),
        (Kind.PATTERN, "(((a{100}){100}){100})"),
        (Kind.PATTERN, "x" * 1_001),
    ],
)
def test_rules_that_make_no_sense_are_refused(cast: Cast, kind: Kind, value: str) -> None:
    with pytest.raises(ValidationError) as refused:
        rules.check(Rule(company=cast.coca_cola, kind=kind, value=value))
    assert "value" in refused.value.message_dict


def test_a_rule_for_another_companys_persona_is_refused(cast: Cast) -> None:
    with pytest.raises(ValidationError):
        rules.check(Rule(company=cast.coca_cola, kind=Kind.BAD, persona=cast.helpdesk))


def test_a_batch_costs_the_same_number_of_queries_whatever_its_size(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    for kind in (Kind.BAD, Kind.FLAG, Kind.TROUBLE):
        rule(cast, kind)
    for number in range(30):
        ended(cast, f"Answer {number}", finish_reason="length")
    with django_assert_max_num_queries(26):
        assert filing.file_ended() == 30
    assert QueueEntry.objects.count() == 30


def test_times_stay_those_of_the_end(cast: Cast) -> None:
    ended(cast)
    filing.file_ended()
    assert AnswerRecord.objects.filter(ended_at=F("message__generation__finished_at")).count() == 1


def test_a_trial_counts_in_the_ledger_and_enters_no_queue(cast: Cast) -> None:
    rule(cast, Kind.SAMPLE, "100")
    assert cast.guide.current is not None
    turn = posting.try_(cast.manager, cast.guide.current, "Say a word", client_id=uuid.uuid4())
    Generation.objects.update(status=Generation.Status.DONE, finished_at=turn.generation.heartbeat_at)
    filing.file_ended()
    assert AnswerRecord.objects.get().trial
    assert reasons() == []


def test_a_heap_of_marks_is_looked_through_at_once() -> None:
    heap = "a" + "\u0300\u0316" * 30_000
    began = time.process_time()
    matching.Text.of(heap, fold=True)
    assert time.process_time() - began < 0.3

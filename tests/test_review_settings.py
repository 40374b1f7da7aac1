"""What a company's managers settle about review: rules, labels, second reviews; and who is on record for it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from conversations import feedback, filing, reviewing, rubrics, rules
from conversations.management.commands.demo import begin_review
from conversations.models import AnswerLabel, AnswerRecord, Company, EntryReason, Label, Rule
from tests.answers import ended
from tests.conftest import Cast
from tests.races import at_once


@pytest.fixture(autouse=True)
def _demo(cast: Cast) -> None:
    """What the demo begins with."""
    begin_review(cast.coca_cola)


@pytest.fixture
def manager(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.manager)
    return client


def url(cast: Cast, page: str, *below: Any) -> str:
    return reverse(f"admin:review_{page}", args=[cast.coca_cola.pk, *below])


def shown(client: Client, cast: Cast, page: str = "settings", *below: Any) -> str:
    answer = client.get(url(cast, page, *below))
    assert answer.status_code == 200
    return answer.content.decode()


def logged() -> list[str]:
    """What is on record, as by whom."""
    entries = LogEntry.objects.order_by("pk").select_related("user")
    return [f"{entry.user}: {entry.get_change_message()}" for entry in entries]


def _record(cast: Cast) -> AnswerRecord:
    turn = ended(cast)
    filing.file_ended()
    return AnswerRecord.objects.get(message=turn.answer)


# -- Rules -----------------------------------------------------------------------------------------


def test_the_demo_has_rules_and_labels_to_begin_with(cast: Cast, manager: Client) -> None:
    assert [str(rule) for rule in cast.coca_cola.rules.order_by("pk")] == [
        "Bad answer",
        "Flagged by the person",
        "Failed or cut answer",
        "Random sample of 5 %",
    ]
    page = shown(manager, cast)
    for words in ("5 of a hundred answers", "All personas", "Made up", "Out of date", "Tone", "On 0 answers"):
        assert words in page


@pytest.mark.parametrize("kind", rules.OFFERED)
def test_each_kind_of_rule_is_added_by_a_form_of_its_own(cast: Cast, manager: Client, kind: str) -> None:
    Rule.objects.all().delete()
    value = {"sample": " 07 ", "words": " refund \n\n  reçu", "pattern": r"<b>\d+</b>"}.get(kind, "")
    page = shown(manager, cast, "rule_add", kind)
    assert ('name="value"' in page) is bool(value)
    added = manager.post(url(cast, "rule_add", kind), {"persona": str(cast.guide.pk), "value": value})
    assert (added.status_code, added["Location"]) == (302, url(cast, "settings") + "#rules")
    rule = cast.coca_cola.rules.get()
    kept = {"sample": "7", "words": "refund\nreçu", "pattern": r"<b>\d+</b>"}.get(kind, "")
    assert (rule.kind, rule.value, rule.persona, rule.active) == (kind, kept, cast.guide, True)
    assert logged()[-1].startswith("manager: Added the rule “")
    assert logged()[-1].endswith("for Coca Cola guide.")
    listed = shown(manager, cast)
    assert "Coca Cola guide" in listed
    assert "<b>" not in listed
    if value:
        assert "<b>" not in shown(manager, cast, "rule", rule.pk)


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        ("sample", "5 %", "Give a whole number from 1 to 100"),
        ("sample", "", "Give a whole number from 1 to 100"),
        ("words", " ", "Give one word or phrase a line"),
        ("words", "w" * 2_001, "Shorten it to 2000 characters; it has 2001."),
        ("pattern", "", "Give a pattern of at most 1,000 characters."),
        ("pattern", "(open", "a bracket “(” is not closed, at “(open”."),
        ("pattern", "a)", "a bracket “)” was not opened, at “a)”."),
        ("pattern", "[a", "a bracket “[” is not closed, at “[a”."),
        ("pattern", "[z-a]", "there is no such range of characters, at “z-a”."),
        ("pattern", r"(a)\1", "no reference back to a group, at “\\1”."),
        ("pattern", "(?=a)", "no looking ahead or behind, at “(?=”."),
        ("pattern", "*a", "nothing stands there to be repeated, at “*”."),
        ("pattern", "a{1001}", "it repeats more than 1,000 times, or backwards, at “{1001}”."),
        ("pattern", "a**", "one repetition follows another, at “**”."),
        ("pattern", "a\\", "it ends in a backslash."),
    ],
)
def test_a_rule_that_makes_no_sense_says_so_at_its_field_and_keeps_what_was_typed(
    cast: Cast, manager: Client, kind: str, value: str, sentence: str
) -> None:
    before = Rule.objects.count()
    answer = manager.post(url(cast, "rule_add", kind), {"persona": str(cast.guide.pk), "value": value})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert sentence in page
    assert 'aria-invalid="true"' in page
    assert (f'value="{value}"' in page) or (f">\n{value}" in page) or not value.strip()
    assert f'value="{cast.guide.pk}" selected' in page
    assert (Rule.objects.count(), logged()) == (before, [])


@pytest.mark.parametrize(
    ("kind", "value", "again", "other"),
    [("bad", "", "", None), ("words", "refund\nsue", "Sue\n REFUND", "sue"), ("sample", "7", " 07", "8")],
)
def test_a_rule_that_finds_the_same_is_refused(
    cast: Cast, manager: Client, kind: str, value: str, again: str, other: str | None
) -> None:
    Rule.objects.all().delete()
    add = url(cast, "rule_add", kind)
    assert manager.post(add, {"persona": "", "value": value}).status_code == 302
    refused = manager.post(add, {"persona": "", "value": again})
    assert refused.status_code == 400
    assert "There is a rule that finds the same already." in refused.content.decode()
    Rule.objects.update(active=False)
    refused = manager.post(add, {"persona": "", "value": again})
    assert "It is switched off; switch it on instead." in refused.content.decode()
    assert Rule.objects.count() == len(logged()) == 1
    assert manager.post(add, {"persona": str(cast.guide.pk), "value": value}).status_code == 302
    last = Rule.objects.get(persona=cast.guide)
    assert manager.post(url(cast, "rule", last.pk), {"persona": "", "value": again}).status_code == 400
    if other:
        assert manager.post(add, {"persona": "", "value": other}).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_two_managers_add_a_rule_once(live_cast: Cast) -> None:
    Rule.objects.all().delete()

    def add() -> int:
        client = Client()
        client.force_login(live_cast.manager)
        return client.post(url(live_cast, "rule_add", "bad"), {"persona": ""}).status_code

    assert sorted(at_once(add, add)) == [302, 400]
    assert Rule.objects.count() == 1


def test_a_rule_is_changed_but_not_its_kind(cast: Cast, manager: Client) -> None:
    rule = cast.coca_cola.rules.get(kind="sample")
    answer = manager.post(url(cast, "rule", rule.pk), {"kind": "bad", "persona": "", "value": "101"})
    assert answer.status_code == 400
    manager.post(url(cast, "rule", rule.pk), {"kind": "bad", "persona": "", "value": "10"})
    rule.refresh_from_db()
    assert (rule.kind, rule.value, rule.persona) == ("sample", "10", None)
    assert logged() == ["manager: Changed the rule “Random sample of 5 %” to “Random sample of 10 %”."]
    manager.post(url(cast, "rule", rule.pk), {"value": "10"})
    assert len(logged()) == 1
    assert "manager" in shown(manager, cast).partition("Last changes")[2]


def test_a_rule_is_switched_off_and_on_and_looks_accordingly(cast: Cast, manager: Client) -> None:
    Rule.objects.exclude(kind="bad").delete()
    rule = Rule.objects.get()
    for _ in range(2):  # a form may arrive twice
        manager.post(url(cast, "rule_switch", rule.pk), {"active": ""})
    turn = ended(cast)
    feedback.rate(cast.member, turn.answer, good=False)
    filing.file_ended()
    assert not EntryReason.objects.exists()
    manager.post(url(cast, "rule_switch", rule.pk), {"active": "1"})
    rule.refresh_from_db()
    assert rule.active
    assert logged() == [
        "manager: Switched off the rule “Bad answer”.",
        "manager: Switched on the rule “Bad answer”.",
    ]


def test_a_company_has_so_many_rules_for_texts_at_the_same_time(cast: Cast, manager: Client) -> None:
    for number in range(rules.TEXT_RULES):
        Rule.objects.create(company=cast.coca_cola, kind="words", value=f"word {number}")
    Rule.objects.create(company=cast.globex, kind="words", value="theirs")
    answer = manager.post(url(cast, "rule_add", "pattern"), {"value": "mine"})
    assert answer.status_code == 400
    assert "Your company has 20 rules for words and patterns switched on" in answer.content.decode()
    assert 'value="mine"' in answer.content.decode()
    off = Rule.objects.create(company=cast.coca_cola, kind="pattern", value="off", active=False)
    page = manager.post(url(cast, "rule_switch", off.pk), {"active": "1"}, follow=True).content.decode()
    assert "The rule “Pattern: off” stays off. Your company has 20 rules" in page
    assert not Rule.objects.filter(pk=off.pk, active=True).exists()
    flags = manager.post(url(cast, "rule_add", "flag"), {"persona": cast.guide.pk})
    assert flags.status_code == 302  # looks through nothing
    one = cast.coca_cola.rules.filter(kind="words")[0]
    assert manager.post(url(cast, "rule", one.pk), {"value": "changed"}).status_code == 302
    manager.post(url(cast, "rule_switch", one.pk), {"active": ""})
    manager.post(url(cast, "rule_switch", off.pk), {"active": "1"})
    assert Rule.objects.filter(pk=off.pk, active=True).exists()


@pytest.mark.django_db(transaction=True)
def test_two_managers_add_no_rule_too_many(live_cast: Cast) -> None:
    for number in range(rules.TEXT_RULES - 1):
        Rule.objects.create(company=live_cast.coca_cola, kind="words", value=f"word {number}")

    def add() -> int:
        client = Client()
        client.force_login(live_cast.manager)
        return client.post(url(live_cast, "rule_add", "words"), {"value": "mine"}).status_code

    assert sorted(at_once(add, add)) == [302, 400]


def test_a_rule_that_the_site_switched_off_says_why_until_it_is_another(cast: Cast, manager: Client) -> None:
    slow = "QQ(?:[^Z]?[^Y]){400}Z"
    rule = Rule.objects.create(company=cast.coca_cola, kind="pattern", value=slow)
    ended(cast, "Q" * 65_536)
    filing.file_ended()
    page = shown(manager, cast)
    assert "Switched off by the site. It needed more" in page
    assert "the site, <time" in page.partition("Last changes")[2]
    page = manager.post(url(cast, "rule_switch", rule.pk), {"active": "1"}, follow=True).content.decode()
    assert "stays off. This pattern takes too long." in page
    manager.post(url(cast, "rule", rule.pk), {"value": "QQZ"})
    assert "Switched off by the site." not in shown(manager, cast).partition("Last changes")[0]
    manager.post(url(cast, "rule_switch", rule.pk), {"active": "1"})
    rule.refresh_from_db()
    assert (rule.active, rule.stopped) == (True, "")


def test_a_rule_that_gave_reasons_is_removed_and_they_keep_their_words(cast: Cast, manager: Client) -> None:
    Rule.objects.exclude(kind="bad").delete()
    rule = Rule.objects.get()
    turn = ended(cast)
    feedback.rate(cast.member, turn.answer, good=False)
    filing.file_ended()
    manager.post(url(cast, "rule_remove", rule.pk))
    reason = EntryReason.objects.get()
    assert (reason.rule, reason.kind, reason.said) == (None, "bad", "The person found this answer bad.")
    assert "There is no rule yet" in shown(manager, cast)
    assert logged() == ["manager: Removed the rule “Bad answer”."]


def test_what_belongs_to_another_company_is_a_404_and_stays(cast: Cast, manager: Client) -> None:
    rule = Rule.objects.create(company=cast.globex, kind="words", value="theirs")
    label = Label.objects.create(company=cast.globex, name="theirs")
    own = cast.coca_cola.rules.get(kind="bad")
    theirs = rubrics.in_use(cast.globex)
    for address, sent in (
        (url(cast, "rule", rule.pk), {"value": "ours"}),
        (url(cast, "rule_switch", rule.pk), {}),
        (url(cast, "rule_remove", rule.pk), {}),
        (url(cast, "label_rename", label.pk), {"name": "ours"}),
        (url(cast, "label_retire", label.pk), {"retired": "1"}),
        (url(cast, "rule", own.pk), {"persona": str(cast.helpdesk.pk)}),
        (url(cast, "rule", own.pk), {"persona": "no such thing"}),
        (url(cast, "rule_add", "bad"), {"persona": str(cast.helpdesk.pk)}),
        (url(cast, "rule_add", "vibes"), {}),
        (url(cast, "rule", 10**30), {}),
        (reverse("admin:review_settings", args=[cast.globex.pk]), {}),
        (reverse("admin:review_label_add", args=[cast.globex.pk]), {"name": "ours"}),
        (reverse("admin:review_second_reviews", args=[cast.globex.pk]), {"second_reviews": "9"}),
        (url(cast, "rubric"), {"name": "x", "name_1": "a", "name_2": "b", "from": str(theirs.pk)}),
    ):
        assert manager.post(address, sent).status_code in {404, 405}, address
    assert Rule.objects.filter(pk=rule.pk, value="theirs", active=True).exists()
    assert Label.objects.filter(pk=label.pk, name="theirs", retired=False).exists()
    assert "theirs" not in shown(manager, cast)
    assert logged() == []


def test_reviewers_settle_nothing(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.reviewer)
    assert client.get(url(cast, "settings")).status_code == 404
    assert client.post(url(cast, "label_add"), {"name": "Mine"}).status_code == 404
    assert not Label.objects.filter(name="Mine").exists()


def test_the_forms_are_guarded_against_other_sites(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.manager)
    assert client.post(url(cast, "label_add"), {"name": "Theirs"}).status_code == 403


# -- Labels and second reviews ---------------------------------------------------------------------


def test_labels_are_added_renamed_retired_and_brought_back(cast: Cast, manager: Client) -> None:
    manager.post(url(cast, "label_add"), {"name": "  Too \n long "})
    label = Label.objects.get(name="Too long")
    AnswerLabel.objects.create(label=label, record=_record(cast))
    manager.post(url(cast, "label_rename", label.pk), {"name": "Long-winded"})
    manager.post(url(cast, "label_rename", label.pk), {"name": "LONG-winded"})
    assert "On 1 answer<" in shown(manager, cast)
    manager.post(url(cast, "label_retire", label.pk), {"retired": "1"})
    label.refresh_from_db()
    assert (label.name, label.retired) == ("LONG-winded", True)
    again = manager.post(url(cast, "label_add"), {"name": "long-winded"})
    assert again.status_code == 400
    assert "It is retired; bring it back instead." in again.content.decode()
    for _ in range(2):
        manager.post(url(cast, "label_retire", label.pk), {"retired": ""})
    assert Label.objects.filter(pk=label.pk, retired=False).exists()
    assert logged() == [
        "manager: Added the label “Too long”.",
        "manager: Renamed the label “Too long” to “Long-winded”.",
        "manager: Renamed the label “Long-winded” to “LONG-winded”.",
        "manager: Retired the label “LONG-winded”.",
        "manager: Brought back the label “LONG-winded”.",
    ]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Give the label a name."),
        (" \t ", "Give the label a name."),
        ("made UP", "There is a label “Made up” already."),
        ("x" * 41, "Shorten it to 40 characters; it has 41."),
    ],
)
def test_a_label_that_will_not_do_says_so_in_its_place(
    cast: Cast, manager: Client, name: str, sentence: str
) -> None:
    tone = Label.objects.get(name="Tone")
    for address in (url(cast, "label_add"), url(cast, "label_rename", tone.pk)):
        answer = manager.post(address, {"name": name})
        page = answer.content.decode()
        assert answer.status_code == 400
        assert page.count(sentence) == 2  # above the page, with the way to the field, and at the field
        assert page.count("autofocus") == 1
        assert f'value="{name}"' in page or not name.strip()
    assert sorted(Label.objects.values_list("name", flat=True)) == ["Made up", "Out of date", "Tone"]


@pytest.mark.django_db(transaction=True)
def test_a_label_that_a_reviewer_has_just_made_up_can_be_added(cast: Cast, manager: Client) -> None:
    record = _record(cast)
    entry = reviewing.open_by_hand(cast.coca_cola, record)
    review = reviewing.claim(entry, cast.reviewer)
    reviewing.label(review, record, "Cold tone")
    assert "Cold tone" not in shown(manager, cast)
    manager.post(url(cast, "label_add"), {"name": "cold Tone"})
    label = Label.objects.get(name="cold Tone")
    assert list(review.judgements.get().labels.all()) == [label]
    assert "cold Tone" in shown(manager, cast)


def test_two_managers_add_a_label_once(live_cast: Cast) -> None:
    def add() -> int:
        client = Client()
        client.force_login(live_cast.manager)
        return client.post(url(live_cast, "label_add"), {"name": "Rude"}).status_code

    assert sorted(at_once(add, add)) == [302, 400]
    assert Label.objects.filter(name="Rude").count() == 1


def test_second_reviews_are_a_share_of_a_hundred(cast: Cast, manager: Client) -> None:
    for typed in ("101", "-1", "ten", ""):
        answer = manager.post(url(cast, "second_reviews"), {"second_reviews": typed})
        assert answer.status_code == 400
        assert "Give a whole number from 0 to 100." in answer.content.decode()
        assert f'value="{typed}"' in answer.content.decode() or not typed
    for _ in range(2):
        manager.post(url(cast, "second_reviews"), {"second_reviews": "20"})
    assert Company.objects.get(pk=cast.coca_cola.pk).second_reviews == 20
    assert logged() == ["manager: Second reviews: 20 of a hundred."]


@pytest.mark.parametrize(
    ("page", "sent", "section"),
    [
        ("label_add", {"name": "Rude"}, "labels"),
        ("second_reviews", {"second_reviews": "20"}, "second-reviews"),
        ("rubric", {"name": "Ours", "name_1": "Good", "passes_1": "on", "name_2": "Bad"}, "grades"),
        ("rule_add", {"persona": ""}, "rules"),
    ],
)
def test_what_was_done_is_said_in_its_section(
    cast: Cast, manager: Client, page: str, sent: dict[str, str], section: str
) -> None:
    Rule.objects.all().delete()
    address = url(cast, page, "bad") if page == "rule_add" else url(cast, page)
    answer = manager.post(address, sent)
    assert answer["Location"] == f"{url(cast, 'settings')}#{section}"
    shows = shown(manager, cast)
    below = shows.partition(f'<h2 id="{section}" tabindex="-1">')[2].partition("<h2")[0]
    assert shows.count('role="status"') == below.count('role="status"') == 1
    assert "messagelist" not in shows


def test_what_is_refused_is_said_above_with_the_way_to_it(cast: Cast, manager: Client) -> None:
    page = manager.post(url(cast, "second_reviews"), {"second_reviews": "1000"}).content.decode()
    assert "Nothing was saved." in page
    assert '<a href="#id_second_reviews">Of a hundred reviews: Give a whole number from 0 to 100.</a>' in page
    field = page.partition('name="second_reviews"')[2].partition(">")[0]
    assert "autofocus" in field
    assert page.count("autofocus") == 1


def test_the_page_costs_the_same_number_of_queries_whatever_is_settled(
    cast: Cast, manager: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    manager.post(url(cast, "label_add"), {"name": "first"})
    shown(manager, cast)
    with CaptureQueriesContext(connection) as few:
        shown(manager, cast)
    queries = len(few)
    for number in range(20):
        Rule.objects.create(company=cast.coca_cola, kind="words", value="w", persona=cast.guide)
        manager.post(url(cast, "label_add"), {"name": f"label {number}"})
    shown(manager, cast)  # with what was done, which is said once
    with django_assert_num_queries(queries):
        shown(manager, cast)

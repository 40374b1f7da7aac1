"""Budgets and prices in the administration: who sets which, what is refused, who is on record, and who is told what."""

from __future__ import annotations

import uuid
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation
from pytest_django.fixtures import DjangoAssertNumQueries

from conversations import budgets, filing, usage
from conversations.database import in_database
from conversations.models import AnswerRecord, Budget, Generation, Price
from conversations.providers.recorded import RecordedUpstream
from tests.conftest import Cast
from tests.test_budgets import USAGE, ask, budget, finish, price
from tests.test_generation import begin, ended
from tests.test_pages import HTMX
from tests.test_rechecks import opened

Status = Generation.Status
Unit, Period = Budget.Unit, Budget.Period


def client_of(cast: Cast, who: str) -> Client:
    client = Client()
    client.force_login(getattr(cast, who))
    return client


def url(cast: Cast, page: str = "budgets", *below: Any) -> str:
    return reverse(f"admin:review_{page}", args=[cast.coca_cola.pk, *below])


def sent(whose: str, **facts: str) -> dict[str, str]:
    """The form of a new budget, of tokens a month where nothing else is given."""
    return {"whose": whose, "unit": "tokens", "period": "month", "soft": "", "hard": ""} | facts


def said(answer: Any) -> str:
    """The sentences above a form that was refused."""
    assert answer.status_code == 400
    return " ".join(problem.said for problem in answer.context["problems"])


def logged() -> list[str]:
    entries = LogEntry.objects.order_by("pk").select_related("user")
    return [f"{entry.user}: {entry.get_change_message()}" for entry in entries]


def test_managers_make_change_and_remove_budgets_of_personas_and_people(cast: Cast) -> None:
    finish(ask(cast), usage=USAGE)
    manager = client_of(cast, "manager")
    form = manager.get(url(cast, "budget_add")).content.decode()
    assert "The whole company" not in form
    person = sent(f"person:{cast.member.pk}", soft="40,000", hard="50 000")
    made = manager.post(url(cast, "budget_add"), person)
    assert (made.status_code, made["Location"]) == (302, url(cast))
    manager.post(
        url(cast, "budget_add"), sent(f"persona:{cast.guide.pk}", unit="money", period="day", hard="12.50")
    )
    own, guides = Budget.objects.order_by("pk")
    assert (own.person, own.soft, own.hard, own.spent) == (cast.member, 40_000, 50_000, 42)
    assert (guides.persona, guides.soft, guides.hard) == (cast.guide, None, 12_500_000)
    page = manager.get(url(cast)).content.decode()
    assert "42 tokens used, 0 %" in page
    assert "told from 40,000 tokens on, ends at 50,000 tokens" in page
    manager.post(url(cast, "budget", own.pk), {"soft": "", "hard": "60000"})
    own.refresh_from_db()
    assert (own.soft, own.hard, own.spent) == (None, 60_000, 42)
    manager.post(url(cast, "budget_remove", guides.pk))
    assert not Budget.objects.filter(pk=guides.pk).exists()
    assert logged() == [
        "manager: Added the budget of member, tokens a month: told from 40,000 tokens on, ends at 50,000 tokens.",
        "manager: Added the budget of the persona Coca Cola guide, money a day: ends at 12.50 USD.",
        "manager: Changed the budget of member, tokens a month: ends at 60,000 tokens; before, "
        "told from 40,000 tokens on, ends at 50,000 tokens.",
        "manager: Removed the budget of the persona Coca Cola guide, money a day (ends at 12.50 USD).",
    ]
    page = manager.get(url(cast)).content.decode()
    assert "Removed the budget of the persona" in page


def test_the_company_s_own_budget_is_the_operators_to_set(cast: Cast) -> None:
    manager, operator = client_of(cast, "manager"), client_of(cast, "admin")
    assert manager.post(url(cast, "budget_add"), sent("company", hard="100")).status_code == 404
    assert not Budget.objects.exists()
    assert operator.post(url(cast, "budget_add"), sent("company", hard="100000")).status_code == 302
    whole = Budget.objects.get()
    page = manager.get(url(cast)).content.decode()
    assert "The whole company, tokens a month" in page
    assert "Set by who runs the site" in page
    for address in (url(cast, "budget", whole.pk), url(cast, "budget_remove", whole.pk)):
        assert manager.post(address, {"hard": "1"}).status_code == 403
    whole.refresh_from_db()
    assert whole.hard == 100_000
    assert operator.post(url(cast, "budget", whole.pk), {"hard": "90000"}).status_code == 302


def test_budgets_are_set_within_the_company_s(cast: Cast) -> None:
    budget(cast.coca_cola, 1_000)
    budget(cast.coca_cola, 100, period=Period.DAY)
    manager = client_of(cast, "manager")
    for period, marks, refused in (
        ("month", {"hard": "1001"}, "The whole company has 1,000 tokens a month."),
        ("month", {"soft": "1001"}, "The whole company has 1,000 tokens a month."),
        ("day", {"hard": "101"}, "The whole company has 100 tokens a day."),
    ):
        form = sent(f"person:{cast.member.pk}", period=period, **marks)
        assert refused in said(manager.post(url(cast, "budget_add"), form))
    assert (
        manager.post(url(cast, "budget_add"), sent(f"person:{cast.member.pk}", hard="1000")).status_code
        == 302
    )
    whole = Budget.objects.get(person=None, period="month")
    whole.hard = 10  # which operators may, whatever stands below: all have to hold anyway
    budgets.save(whole)


@pytest.mark.parametrize(
    ("facts", "refused"),
    [
        ({}, "Give at least one of the two."),
        ({"soft": "20", "hard": "10"}, "This has to come before the end, or with it."),
        ({"hard": "many"}, "Give a whole number, above zero."),
        ({"hard": "0"}, "Give a whole number, above zero."),
        ({"hard": "-5"}, "Give a whole number, above zero."),
        ({"hard": "1.5"}, "Give a whole number, above zero."),
        ({"hard": "NaN"}, "Give a whole number, above zero."),
        ({"hard": "Infinity"}, "Give a whole number, above zero."),
        ({"hard": "9" * 20}, "Give a whole number, above zero."),
        ({"hard": "1e400000"}, "Give a whole number, above zero."),
        ({"unit": "money", "hard": "0.0000001"}, "Give an amount such as 20 or 12.50, above zero."),
        ({"unit": "gold", "hard": "5"}, "gold is not one of the available choices"),
        ({"period": "year", "hard": "5"}, "year is not one of the available choices"),
    ],
)
def test_what_will_not_do_is_said_and_what_was_typed_stays(
    cast: Cast, facts: dict[str, str], refused: str
) -> None:
    manager = client_of(cast, "manager")
    answer = manager.post(url(cast, "budget_add"), sent(f"person:{cast.member.pk}", **facts))
    assert refused in said(answer)
    assert f'value="{facts.get("hard", "")}"' in answer.content.decode() or not facts.get("hard")
    assert not Budget.objects.exists()
    assert logged() == []


def test_a_second_budget_of_a_kind_is_refused(cast: Cast) -> None:
    manager = client_of(cast, "manager")
    form = sent(f"persona:{cast.guide.pk}", hard="100")
    manager.post(url(cast, "budget_add"), form)
    assert "There is such a budget already." in said(manager.post(url(cast, "budget_add"), form))
    for other in ({"period": "day"}, {"unit": "money"}):
        assert manager.post(url(cast, "budget_add"), form | other).status_code == 302


def test_nobody_of_another_company_can_be_given_one(cast: Cast) -> None:
    manager = client_of(cast, "manager")
    for whose in (
        f"person:{cast.outsider.pk}",
        f"persona:{cast.helpdesk.pk}",
        f"persona:{uuid.uuid4()}",
        "person:x",
        "",
        "company",
    ):
        assert manager.post(url(cast, "budget_add"), sent(whose, hard="5")).status_code == 404
    foreign = budget(cast.globex, persona=cast.helpdesk)
    for page in ("budget", "budget_remove"):
        assert manager.post(url(cast, page, foreign.pk), {"hard": "5"}).status_code == 404
    foreign.refresh_from_db()
    assert foreign.hard == 1_000_000


def test_amounts_are_read_back_as_they_are_typed(cast: Cast) -> None:
    for text, unit, value in (
        ("1,200", Unit.TOKENS, 1_200),
        (" 12 000 ", Unit.TOKENS, 12_000),
        ("1234.56", Unit.MONEY, 1_234_560_000),
        ("0.000001", Unit.MONEY, 1),
        ("", Unit.MONEY, None),
    ):
        assert budgets.parse(text, unit) == value
        if value is not None:
            assert budgets.parse(budgets.typed(unit, value), unit) == value
    assert budgets.amount(Unit.TOKENS, 1) == "1 token"
    assert (budgets.money(0), budgets.money(9_999), budgets.money(1_234_567_890)) == (
        "0.00 USD",
        "0.009999 USD",
        "1,234.57 USD",
    )


@pytest.mark.parametrize(
    ("language", "text", "unit", "value"),
    [
        ("de", "50.000", Unit.TOKENS, 50_000),
        ("de", "50,000", Unit.TOKENS, 50_000),
        ("de", "12,50", Unit.MONEY, 12_500_000),
        ("de", "12.50", Unit.MONEY, 12_500_000),
        ("de", "1.234,56", Unit.MONEY, 1_234_560_000),
        ("de", "1,234.56", Unit.MONEY, 1_234_560_000),
        ("fr", "50\u202f000", Unit.TOKENS, 50_000),
        ("fr", "1\xa0234,56", Unit.MONEY, 1_234_560_000),
        ("fr", "1.5", Unit.MONEY, 1_500_000),
    ],
)
def test_amounts_are_read_as_each_language_writes_them(
    language: str, text: str, unit: str, value: int
) -> None:
    """And what a page shows of them can be typed."""
    with translation.override(language):
        assert budgets.parse(text, unit) == value
        assert budgets.parse(budgets.typed(unit, value), unit) == value
        shown = budgets.amount(unit, value).rpartition(" ")[0]
        assert budgets.parse(shown, unit) == value


@pytest.mark.parametrize("text", ["1,2,3", "1.5.0", "1,5e3", "12,50,", "."])
def test_what_is_no_amount_in_german_is_refused(text: str) -> None:
    with translation.override("de"):
        for unit in Unit.values:
            with pytest.raises(ValidationError):
                budgets.parse(text, unit)


def test_the_form_says_of_which_models_no_price_is_known(cast: Cast) -> None:
    """Before a budget in money refuses whoever asks them."""
    manager, words = client_of(cast, "manager"), "No price is known of"
    tokens = budget(cast.coca_cola, persona=cast.guide)
    money = budget(cast.coca_cola, unit=Unit.MONEY, persona=cast.guide)
    new = manager.get(url(cast, "budget_add")).content.decode()
    assert f"{words} command-r-plus-08-2024 at Cohere, mistral-large-latest at Mistral" in new
    assert words in manager.get(url(cast, "budget", money.pk)).content.decode()
    assert words not in manager.get(url(cast, "budget", tokens.pk)).content.decode()
    price(cast.guide)
    price(cast.historian)
    assert words not in manager.get(url(cast, "budget_add")).content.decode()


def test_an_amount_with_many_places_is_not_rounded_in_its_form(cast: Cast) -> None:
    made = budget(cast.coca_cola, 1_234_567, unit=Unit.MONEY, persona=cast.guide)
    manager = client_of(cast, "manager")
    page = manager.get(url(cast, "budget", made.pk))
    manager.post(url(cast, "budget", made.pk), {"soft": "", "hard": page.context["form"]["hard"].value()})
    made.refresh_from_db()
    assert made.hard == 1_234_567


def test_what_is_past_its_mark_is_said(cast: Cast) -> None:
    budget(cast.coca_cola, 100, soft=80, persona=cast.guide)
    manager = client_of(cast, "manager")
    for spent, words in ((79, ""), (80, "Past its mark"), (99, "Past its mark"), (100, "Used up")):
        Budget.objects.update(spent=spent)
        page = manager.get(url(cast)).content.decode()
        assert [mark for mark in ("Past its mark", "Used up") if mark in page] == ([words] if words else [])


def test_the_page_asks_as_much_however_many_budgets_there_are(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    manager = client_of(cast, "manager")
    budget(cast.coca_cola, person=cast.member)
    manager.get(url(cast))
    with CaptureQueriesContext(connection) as few:
        manager.get(url(cast))
    for person in (cast.member2, cast.reviewer, cast.manager):
        for period in Period.values:
            budget(cast.coca_cola, person=person, period=period)
    with django_assert_num_queries(len(few)):
        manager.get(url(cast))


# -- Prices -----------------------------------------------------------------------------------------


def test_operators_keep_prices_and_are_on_record(cast: Cast) -> None:
    operator, manager = client_of(cast, "admin"), client_of(cast, "manager")
    assert cast.guide.current is not None
    budget(cast.coca_cola, unit=Unit.MONEY)
    page = manager.get(url(cast)).content.decode()
    assert "mistral-large-latest at Mistral" in page
    assert "their answers are refused" in page
    form = {"endpoint": cast.guide.current.endpoint_id, "model": "mistral-large-latest"}
    listed = reverse("admin:conversations_price_add")
    assert "Prices are in USD, for a million tokens" in operator.get(listed).content.decode()
    assert operator.post(listed, form | {"prompt": "-1", "completion": "6"}).status_code == 200
    assert operator.post(listed, form | {"prompt": "2.25", "completion": "6"}).status_code == 302
    assert Price.objects.get().prompt == Decimal("2.25")
    assert logged() == ["admin: Added."]
    assert "mistral-large-latest at Mistral" not in manager.get(url(cast)).content.decode()
    assert manager.post(listed, form | {"prompt": "0", "completion": "0"}).status_code == 403


# -- Usage ------------------------------------------------------------------------------------------


def test_money_stands_beside_tokens_where_prices_are_known(cast: Cast) -> None:
    price(cast.guide, prompt=Decimal("20000"), completion=Decimal("60000"))
    finish(ask(cast), usage=USAGE)
    finish(ask(cast, persona=cast.historian), usage=USAGE)
    filing.file_ended()
    page = client_of(cast, "reviewer").get(url(cast, "usage"))
    by_persona = {
        row["name"]: dict(zip(page.context["columns"], row["cells"], strict=True))
        for row in page.context["tables"][0]["rows"]
    }
    assert by_persona["Coca Cola guide"]["Money"] == "2.04 USD"
    assert by_persona["Coca Cola historian"]["Money"] == "–"
    assert dict(page.context["facts"])["Money"] == "2.04 USD"
    assert "1 had none" in page.content.decode()


def test_usage_and_budgets_count_the_same(cast: Cast) -> None:
    """Also of what was stopped, of which providers report nothing; and each page says that it is an estimate."""
    whole = budget(cast.coca_cola)
    finish(ask(cast), usage=USAGE)
    finish(ask(cast), Status.STOPPED, "so far")
    finish(ask(cast), Status.FAILED, "")
    filing.file_ended()
    total = usage.of_company(cast.coca_cola, usage.Span.until_today(1)).total
    whole.refresh_from_db()
    assert total.tokens_in + total.tokens_out == whole.spent > 42
    assert total.estimated == 1
    AnswerRecord.objects.update(estimated_prompt=None, estimated_completion=None)  # as from before
    import_module("conversations.migrations.0024_kept_apart").estimate(apps, None)
    assert usage.of_company(cast.coca_cola, usage.Span.until_today(1)).total == total
    page = " ".join(client_of(cast, "manager").get(url(cast, "usage")).content.decode().split())
    assert "The provider reported no tokens of 1 of the answers" in page


def test_budgets_stand_on_the_usage_page_for_managers_and_tell_no_reviewer_of_a_person(cast: Cast) -> None:
    budget(cast.coca_cola, 100_000)
    budget(cast.coca_cola, 100_000, persona=cast.guide)
    quiet = budget(cast.coca_cola, 100_000, person=cast.member2)
    loud = budget(cast.coca_cola, 100_000, person=cast.member)
    Budget.objects.filter(pk=loud.pk).update(spent=100_000)
    page = client_of(cast, "manager").get(url(cast, "usage"))
    assert [each["pk"] for each in page.context["budgets"]][-1] == loud.pk
    assert quiet.pk not in [each["pk"] for each in page.context["budgets"]]
    assert "member, tokens a month" in page.content.decode()
    for who in ("reviewer", "member"):
        seen = client_of(cast, who).get(url(cast, "usage")).content.decode()
        assert "tokens a month" not in seen


# -- The person who asks ----------------------------------------------------------------------------


def test_a_person_is_told_of_their_own_share_and_of_nobody_elses(cast: Cast) -> None:
    turn = ask(cast)
    finish(turn, usage=USAGE)
    budget(cast.coca_cola, 100, soft=10, person=cast.member)
    Budget.objects.update(spent=87)
    words = "87 % of your share of this month&#x27;s tokens is used."
    chat = reverse("conversation", args=[turn.conversation.pk])
    member, other = client_of(cast, "member"), client_of(cast, "member2")
    assert words in member.get("/").content.decode()
    assert words in member.get(chat).content.decode()
    assert "your share" not in other.get("/").content.decode()


def test_a_refused_question_is_kept_on_its_page(cast: Cast) -> None:
    budget(cast.coca_cola, 1, person=cast.member)
    form = {"persona": str(cast.guide.pk), "text": "hello", "client_id": str(uuid.uuid4())}
    member = Client(headers=HTMX)
    member.force_login(cast.member)
    reply = member.post(reverse("start_chat"), form)
    assert reply.status_code == 429
    assert int(reply.headers["Retry-After"]) > 0
    assert "You have too little of this month&#x27;s tokens left for an answer." in reply.content.decode()
    assert 'id="composer-error"' in reply.content.decode()


def test_marks_that_are_nonsense_are_nobodys(cast: Cast) -> None:
    with pytest.raises(ValidationError):
        budgets.save(Budget(company=cast.coca_cola, unit="tokens", period="day"))
    assert not Budget.objects.exists()


async def test_the_page_is_told_when_an_answer_has_ended(live_cast: Cast, running: RecordedUpstream) -> None:
    """On the branch that is shown, or on another; by the socket, or by the form that stops it."""
    await in_database(lambda: budget(live_cast.coca_cola, 10_000, soft=1, person=live_cast.member))
    turn = await begin(live_cast)
    tab = await opened(f"/ws/c/{turn.conversation.pk}/", live_cast.member)
    await ended(turn)
    frame = ""
    while "composer-budget" not in frame:
        frame = (await tab.receive_output())["text"]
    assert 'id="composer-budget"' in frame
    assert "of your share of this month&#x27;s tokens is used." in frame
    await tab.disconnect()

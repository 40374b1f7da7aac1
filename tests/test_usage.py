"""What a company used, from rows that are known: each figure, the days of the site's time zone, and nobody else's."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from conversations import filing, personas, posting, usage
from conversations.models import AnswerRecord, Company, Generation, Persona, PersonaVersion
from conversations.models.persona import EVERYBODY
from conversations.usage import Figures, Span, percentiles
from tests.answers import ended
from tests.conftest import Cast

Status = Generation.Status
DAY = date(2026, 5, 4)
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
WEEK = Span(DAY, DAY + timedelta(days=6))


def record(cast: Cast, persona: Persona | None = None, **facts: Any) -> AnswerRecord:
    """An answer of the guide's to the member at noon of DAY, but for what is given."""
    persona = persona or cast.guide
    version = facts.pop("version", persona.current)
    usual = {"person": cast.member, "model": version.model, "status": Status.DONE, "ended_at": NOON}
    return AnswerRecord.objects.create(
        company_id=persona.company_id, persona=persona, version=version, **usual | facts
    )


def by_name(lines: list[usage.Line]) -> dict[str, int]:
    return {str(line.what): line.figures.answers for line in lines}


def used(cast: Cast, span: Span = WEEK) -> list[int]:
    """The answers of each day."""
    return [line.figures.answers for line in usage.of_company(cast.coca_cola, span).days]


def test_every_figure_is_right(cast: Cast) -> None:
    record(cast, prompt_tokens=7, completion_tokens=11, first_token_ms=300, good=True)
    record(cast, prompt_tokens=5, first_token_ms=100, good=False, finish_reason="length")
    record(cast, status=Status.FAILED, error_kind="timeout", person=cast.member2)
    record(cast, status=Status.INTERRUPTED, completion_tokens=3, first_token_ms=200)
    record(cast, status=Status.STOPPED, good=True, first_token_ms=4_000)
    record(cast, trial=True, person=cast.manager, prompt_tokens=1, completion_tokens=1)
    found = usage.of_company(cast.coca_cola, WEEK)
    expected = Figures(
        answers=6,
        trials=1,
        failed=2,
        cut=1,
        tokens_in=13,
        tokens_out=15,
        unpriced=3,
        rated_good=2,
        rated_bad=1,
        people=2,
        first_token_p50=200,
        first_token_p95=4_000,
    )
    assert found.total == expected
    assert (expected.failure_rate, expected.rating) == (2 / 6, 2 / 3)
    assert [line.what for line in found.days] == WEEK.days
    assert [line.figures for line in found.days] == [expected] + [Figures()] * 6
    for lines in (found.companies, found.personas, found.versions, found.models):
        assert [line.figures for line in lines] == [expected]
    assert found.versions[0].what == (cast.guide, 1)
    assert (Figures().failure_rate, Figures().rating) == (None, None)


def test_who_tries_a_version_is_none_of_the_people(cast: Cast) -> None:
    ended(cast)
    assert cast.guide.current is not None
    tried = posting.try_(cast.manager, cast.guide.current, "Say a word", client_id=uuid.uuid4())
    Generation.objects.filter(pk=tried.generation.pk).update(status=Status.DONE, finished_at=timezone.now())
    filing.file_ended()
    assert AnswerRecord.objects.get(trial=True).person == cast.manager  # as the record of who caused it
    found = usage.of_company(cast.coca_cola, Span.until_today(1))
    for line in (found.total, *(each.figures for each in found.personas + found.versions + found.models)):
        assert (line.answers, line.trials, line.people) == (2, 1, 1)


def test_people_and_percentiles_are_of_the_whole_and_not_sums_of_parts(cast: Cast) -> None:
    for days, wait in ((0, 10), (0, 20), (1, 30), (2, 1_000)):
        record(cast, ended_at=NOON + timedelta(days=days), first_token_ms=wait)
    record(cast, cast.historian, first_token_ms=40)
    found = usage.of_company(cast.coca_cola, WEEK)
    assert (found.total.people, found.total.first_token_p50, found.total.first_token_p95) == (1, 30, 1_000)
    assert [line.figures.people for line in found.days] == [1, 1, 1, 0, 0, 0, 0]
    assert [line.figures.first_token_p50 for line in found.days[:4]] == [20, 30, 1_000, None]
    assert [line.figures.people for line in found.personas] == [1, 1]


def test_parts_are_by_persona_version_and_model(cast: Cast) -> None:
    old = cast.guide.current
    assert old is not None
    told = PersonaVersion(system_prompt="x", endpoint=old.endpoint, model="another")
    new = personas.publish(cast.guide, told, by=cast.manager)
    drafts = [
        PersonaVersion.objects.create(
            persona=cast.guide,
            company=cast.coca_cola,
            endpoint=old.endpoint,
            endpoint_whose=EVERYBODY,
            model="m",
            system_prompt=word,
        )
        for word in ("one", "two")
    ]
    for version, count in ((old, 4), (new, 3), (drafts[0], 1), (drafts[1], 1)):
        for _ in range(count):
            record(cast, version=version)
    record(cast, cast.historian)
    record(cast, version=old, model="asked for instead")
    found = usage.of_company(cast.coca_cola, WEEK)
    assert by_name(found.personas) == {"Coca Cola guide": 10, "Coca Cola historian": 1}
    guide = cast.guide
    assert [(line.what, line.figures.answers) for line in found.versions] == [
        ((guide, 1), 5),
        ((guide, 2), 3),
        ((guide, None), 2),
        ((cast.historian, 1), 1),
    ]
    assert by_name(found.models) == {
        old.model: 4,
        "another": 3,
        "m": 2,
        "command-r-plus-08-2024": 1,
        "asked for instead": 1,
    }


@pytest.mark.parametrize(("days", "weeks"), [(7, 0), (92, 0), (93, 14), (365, 53), (366, 53)])
def test_a_long_span_is_looked_at_by_weeks(cast: Cast, days: int, weeks: int) -> None:
    span = Span(DAY - timedelta(days=days - 1), DAY)
    record(cast, first_token_ms=100)
    record(cast, ended_at=NOON - timedelta(days=6), person=cast.member2, first_token_ms=300)
    record(cast, ended_at=NOON - timedelta(days=days - 1))
    found = usage.of_company(cast.coca_cola, span)
    assert len(found.weeks) == weeks
    if weeks:
        assert [line.what for line in found.weeks[-2:]] == [DAY - timedelta(days=13), DAY - timedelta(days=6)]
        assert found.weeks[0].what == span.first
        assert found.weeks[0].figures.answers == 1
        last = found.weeks[-1].figures
        assert (last.answers, last.people, last.first_token_p50, last.first_token_p95) == (2, 2, 100, 300)
        assert {span.week_of(day) for day in span.days} == {line.what for line in found.weeks}


def test_another_company_is_never_counted(cast: Cast) -> None:
    record(cast)
    for _ in range(3):
        record(cast, cast.helpdesk, person=cast.outsider, prompt_tokens=999, first_token_ms=999)
    found = usage.of_company(cast.coca_cola, WEEK)
    assert (found.total.answers, found.total.tokens_in, found.total.first_token_p95) == (1, 0, None)
    assert by_name(found.companies) == {"Coca Cola": 1}
    everything = usage.of_all(WEEK)
    assert by_name(everything.companies) == {"Globex": 3, "Coca Cola": 1}
    assert (everything.total.answers, everything.total.people) == (4, 2)


def test_what_was_used_outlives_person_and_conversation(cast: Cast) -> None:
    turn = ended(cast, by=cast.member2, prompt_tokens=5)
    filing.file_ended()
    turn.conversation.delete()
    User.objects.get(pk=cast.member2.pk).delete()
    total = usage.of_company(cast.coca_cola, Span.until_today(7)).total
    assert (total.answers, total.tokens_in, total.people) == (1, 5, 0)


@pytest.mark.parametrize(
    ("zone", "day", "begins", "hours"),
    [
        ("UTC", date(2026, 5, 4), "2026-05-04T00:00", 24),
        ("Europe/Berlin", date(2026, 5, 4), "2026-05-03T22:00", 24),
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-28T23:00", 23),  # clocks go forward
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-24T22:00", 25),  # and back
        ("America/New_York", date(2026, 11, 1), "2026-11-01T04:00", 25),
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00", 23),  # forward at midnight
        ("Africa/Cairo", date(2026, 10, 29), "2026-10-28T21:00", 25),  # back at midnight
        ("Australia/Lord_Howe", date(2026, 4, 5), "2026-04-04T13:00", 24.5),
        ("Asia/Kathmandu", date(2026, 5, 4), "2026-05-03T18:15", 24),
    ],
)
def test_days_are_those_of_the_site(
    cast: Cast, settings: Settings, zone: str, day: date, begins: str, hours: float
) -> None:
    settings.TIME_ZONE = zone
    begin = datetime.fromisoformat(begins).replace(tzinfo=UTC)
    end = begin + timedelta(hours=hours)
    tick = timedelta(microseconds=1)
    for moment in (begin - tick, begin, begin + timedelta(hours=hours / 2), end - tick, end):
        record(cast, ended_at=moment)
    one = timedelta(days=1)
    for reach in (1, 40, 150):  # with one change of the clocks in the span, or several
        around = used(cast, Span(day - reach * one, day + reach * one))
        assert around[reach - 1 : reach + 2] == [1, 3, 1]
        assert sum(around) == 5
    assert used(cast, Span(day, day)) == [3]


def test_the_last_days_end_with_today(cast: Cast, settings: Settings) -> None:
    settings.TIME_ZONE = "Pacific/Kiritimati"  # 14 hours ahead
    today = timezone.localdate(timezone=timezone.get_default_timezone())
    assert Span.until_today(7) == Span(today - timedelta(days=6), today)
    record(cast, ended_at=timezone.now())
    assert used(cast, Span.until_today(1)) == [1]


@pytest.mark.parametrize("count", [1, 2, 3, 19, 20, 21, 100, 101, 1_000])
def test_percentiles_are_exact(count: int) -> None:
    values = [(number * 7_919) % 10_007 for number in range(count)]
    ordered = sorted(values)
    for share in (0.5, 0.95):
        rank = -(-int(share * 100) * count // 100)
        assert percentiles(Counter(values), share) == [ordered[rank - 1]]


def test_percentiles_of_nothing_and_of_equals() -> None:
    assert percentiles({}, 0.5, 0.95) == [None, None]
    assert percentiles({7: 1_000}, 0.5, 0.95) == [7, 7]


# -- The pages ---------------------------------------------------------------------------------------------------


def page(cast: Cast, who: str = "reviewer", query: str = "", company: Company | None = None) -> Any:
    client = Client()
    client.force_login(getattr(cast, who))
    address = reverse("admin:review_usage", args=[(company or cast.coca_cola).pk])
    return client.get(address + query)


def shown(response: Any) -> str:
    """The words of a page without its markup."""
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())


def test_the_page_shows_charts_and_the_same_numbers_in_tables(cast: Cast) -> None:
    now = timezone.now()
    for _ in range(1_200):
        record(cast, ended_at=now, prompt_tokens=1_000, first_token_ms=1_234, good=True)
    response = page(cast)
    assert response.status_code == 200
    markup, words = response.content.decode(), shown(response)
    assert markup.count('role="img"') == 6
    assert markup.count('<p class="help" id="usage-numbers"') == 1
    assert "1,200 0 1 1,200,000 0 – 1,234 1,234 0 0.0 0 1,200 0 100.0" in words
    for caption in ("By persona", "By version", "By model", "By day"):
        assert caption in words
    assert "By company" not in words
    assert "Coca Cola guide, version 1" in words
    assert " style=" not in markup.partition('class="usage-charts"')[2].partition("</section>")[0]
    assert response.headers["Cache-Control"].startswith("no-store, private")


@pytest.mark.parametrize("by", ["day", "persona", "version", "model", "nonsense", "company"])
def test_every_figure_is_drawn_by_what_is_asked(cast: Cast, by: str) -> None:
    for persona in (cast.guide, cast.historian):
        record(cast, persona, ended_at=timezone.now(), prompt_tokens=7, first_token_ms=300, good=True)
    response = page(cast, query=f"?days=7&by={by}")
    markup = response.content.decode()
    assert markup.count('role="img"') == 6
    over_time = by in {"day", "nonsense", "company"}  # companies are for operators
    assert response.context["by"] == ("day" if over_time else by)
    assert markup.count('class="chart-name"') == (0 if over_time else 12)
    assert ("&amp;by=" + by in markup) is not (by in {"nonsense", "company"})
    assert "p50" not in markup
    assert "First token, median" in markup


def test_operators_see_the_companies_side_by_side(cast: Cast) -> None:
    record(cast, ended_at=timezone.now())
    record(cast, cast.helpdesk, ended_at=timezone.now())
    client = Client()
    client.force_login(cast.admin)
    markup = client.get(reverse("admin:review_usage_all"), {"by": "company"}).content.decode()
    assert "Coca Cola: 1. Globex: 1." in markup or "Globex: 1. Coca Cola: 1." in markup


def test_a_year_is_drawn_by_weeks_and_says_its_years(cast: Cast) -> None:
    record(cast, ended_at=timezone.now(), status=Status.FAILED, error_kind="timeout")
    response = page(cast, query="?days=365")
    markup = response.content.decode()
    assert response.context["bys"][0] == response.context["by"] == "week"
    assert "By week" in markup
    assert "in the week from" in markup
    assert f"{Span.until_today(365).first.year}</text>" in markup
    assert "200 %" not in markup


def test_an_empty_span_and_a_new_company_say_so(cast: Cast) -> None:
    assert "There are no answers yet." in shown(page(cast))
    record(cast)
    said = shown(page(cast, query="?from=2020-01-01&to=2020-01-31"))
    assert "No answer ended between 1 January 2020 and 31 January 2020." in said


@pytest.mark.parametrize("days", [7, 30, 90, 365])
def test_the_span_is_chosen(cast: Cast, days: int) -> None:
    context = page(cast, query=f"?days={days}").context
    assert len(context["span"].days) == days
    assert context["chosen"] == days


def test_a_span_is_given_by_its_ends(cast: Cast) -> None:
    record(cast)
    response = page(cast, query="?from=2026-05-04&to=2026-05-10")
    assert response.context["span"] == WEEK
    assert response.context["total"].answers == 1


@pytest.mark.parametrize(
    "query",
    [
        "?from=2026-05-04",
        "?to=2026-05-04",
        "?from=x&to=y",
        "?from=2026-05-05&to=2026-05-04",
        "?from=2025-01-01&to=2026-05-04",
        "?from=0001-01-01&to=0001-01-02",
        "?from=9999-12-30&to=9999-12-31",
        "?from=2026-02-30&to=2026-03-01",
        "?from=%00&to=%22%3E%3Cscript%3E",
    ],
)
def test_a_span_that_is_none_is_refused_in_words(cast: Cast, query: str) -> None:
    response = page(cast, query=query)
    assert response.status_code == 400
    assert "Give two dates, the earlier one first" in shown(response)
    assert "Shown are the last 30 days." in shown(response)
    assert "<script>" not in response.content.decode().partition('class="usage-span"')[2]


@pytest.mark.parametrize("query", ["?days=0", "?days=99999", "?days=x", "?days=-7", "?days=%D9%A7"])
def test_other_numbers_of_days_are_the_usual(cast: Cast, query: str) -> None:
    assert len(page(cast, query=query).context["span"].days) == 30


def test_operators_see_all_companies(cast: Cast) -> None:
    record(cast, ended_at=timezone.now())
    record(cast, cast.helpdesk, ended_at=timezone.now())
    client = Client()
    client.force_login(cast.admin)
    address = reverse("admin:review_usage_all")
    response = client.get(address, {"days": "7"})
    assert "By company" in shown(response)
    assert "Globex helpdesk, version 1" in shown(response)
    company = reverse("admin:review_usage", args=[cast.globex.pk])
    assert f'href="{company}?days=7"' in response.content.decode()
    for place in ("admin:index", "admin:review"):
        assert address in client.get(reverse(place)).content.decode()
        for who in (cast.manager, cast.reviewer):
            other = Client()
            other.force_login(who)
            assert address not in other.get(reverse(place), follow=True).content.decode()


def test_hostile_names_stay_names(cast: Cast) -> None:
    bad = "<script>alert('x')</script>"
    Persona.objects.filter(pk=cast.guide.pk).update(name=bad)
    record(cast, ended_at=timezone.now(), model=bad)
    markup = page(cast).content.decode()
    assert bad not in markup
    assert escape(bad) in markup


def test_long_tables_say_that_they_are_cut(cast: Cast) -> None:
    for number in range(103):
        record(cast, ended_at=timezone.now(), model=f"model-{number}")
    assert "The 100 with the most answers, of 103." in shown(page(cast))


def test_a_page_takes_the_same_few_queries_however_much_there_is(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    span, current = Span.until_today(365), cast.guide.current
    assert current is not None

    def taken() -> int:
        with CaptureQueriesContext(connection) as queries:
            page(cast, query="?days=365")
        return len(queries)

    record(cast, ended_at=timezone.now())
    few = taken()
    for number in range(60):
        persona = Persona.objects.create(company=cast.coca_cola, name=f"Persona {uuid.uuid4()}")
        version = PersonaVersion.objects.create(
            persona=persona,
            company=cast.coca_cola,
            number=1,
            endpoint=current.endpoint,
            endpoint_whose=EVERYBODY,
            model=f"m{number}",
            system_prompt="x",
        )
        record(cast, persona, version=version, ended_at=timezone.now() - timedelta(days=number))
    assert taken() == few
    with django_assert_num_queries(2):
        assert usage.of_company(cast.coca_cola, span).total.answers == 61


def test_the_query_reads_a_range_of_the_index(cast: Cast) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL chooses its plan by how much there is")
    for companies in (Company.objects.filter(pk=cast.coca_cola.pk), Company.objects.all()):
        with CaptureQueriesContext(connection) as queries:
            list(usage._lines(companies, WEEK))
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + queries[0]["sql"])
            plan = " ".join(str(row[3]) for row in cursor.fetchall())
        assert "records_by_time (company_id=? AND ended_at>? AND ended_at<?)" in plan

"""The persona studio: drafts, publishing, comparing, restoring, and the provider's list of models."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random
from string import ascii_letters
from time import thread_time
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from pytest_django import DjangoAssertNumQueries, Settings

from conversations import access, catalogue, personas, posting
from conversations.admin import alignment, compare
from conversations.models import Endpoint, Persona, PersonaVersion
from conversations.models.persona import EVERYBODY
from conversations.providers.recorded import RecordedUpstream
from tests.conftest import NOWHERE, Cast
from tests.races import at_once
from tests.test_admin import address, form

DRAFT: dict[str, Any] = {"_publish": None, "_draft": "Save draft"}


@pytest.fixture
def manager(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.manager)
    return client


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def guide(cast: Cast) -> Persona:
    return Persona.objects.select_related("current", "draft").get(pk=cast.guide.pk)


def numbers(cast: Cast) -> list[int | None]:
    return list(cast.guide.versions.filter(number__isnull=False).values_list("number", flat=True))


def page(name: str, cast: Cast, *arguments: object) -> str:
    return reverse(f"admin:conversations_persona_{name}", args=[cast.guide.pk, *arguments])


def save_draft(manager: Client, cast: Cast, prompt: str, **changes: Any) -> None:
    sent = form(cast, system_prompt=prompt, **DRAFT, **changes)
    answer = manager.post(address(cast.guide), sent)
    assert answer.status_code == 302, answer.context["adminform"].form.errors


def test_a_draft_answers_nobody_until_it_is_published(cast: Cast, manager: Client) -> None:
    save_draft(manager, cast, "Be kind.", top_p="0.5")
    drafted = guide(cast)
    assert drafted.draft is not None
    assert (drafted.draft.system_prompt, drafted.draft.number) == ("Be kind.", None)
    assert drafted.draft.created_by == cast.manager
    assert drafted.current == cast.guide.current
    turn = posting.start(cast.member, drafted, "Hello", client_id=uuid.uuid4())
    assert turn.generation.version == cast.guide.current

    shown = manager.get(address(cast.guide)).content.decode()
    assert "Be kind." in shown
    assert "draft" in shown
    answer = manager.post(address(cast.guide), form(cast, system_prompt="Be kind.", top_p="0.5"), follow=True)
    assert "Published: version 2 is in force" in answer.content.decode()
    published = guide(cast)
    assert published.draft is None
    assert published.current is not None
    assert (published.current.number, published.current.top_p) == (2, 0.5)
    assert numbers(cast) == [2, 1]
    assert LogEntry.objects.filter(user=cast.manager, change_message="Published version 2.").exists()


def test_each_saving_of_a_draft_is_a_row_and_none_is_numbered(cast: Cast, manager: Client) -> None:
    save_draft(manager, cast, "One")
    first = guide(cast).draft
    save_draft(manager, cast, "Two")
    second = guide(cast).draft
    assert first is not None
    assert second is not None
    assert first.pk != second.pk
    assert PersonaVersion.objects.get(pk=first.pk).system_prompt == "One"
    assert numbers(cast) == [1]


def test_a_draft_that_says_what_is_in_force_is_none(cast: Cast, manager: Client) -> None:
    told = cast.guide.current
    assert told is not None
    save_draft(manager, cast, "Something else")
    save_draft(manager, cast, told.system_prompt)
    assert guide(cast).draft is None


def test_publishing_without_a_change_makes_no_version(cast: Cast, manager: Client) -> None:
    answer = manager.post(address(cast.guide), form(cast), follow=True)
    assert "version 1 stays in force" in answer.content.decode()
    assert numbers(cast) == [1]


def test_a_new_persona_can_begin_as_a_draft(cast: Cast, manager: Client) -> None:
    sent = form(cast, name="Newcomer", company=str(cast.coca_cola.pk), **DRAFT)
    assert manager.post(reverse("admin:conversations_persona_add"), sent).status_code == 302
    newcomer = Persona.objects.get(name="Newcomer")
    assert newcomer.current is None
    assert newcomer.draft is not None
    assert newcomer not in access.personas(cast.member)
    assert manager.get(address(newcomer)).status_code == 200


def test_of_two_who_write_at_once_none_is_overwritten_unknowingly(cast: Cast, manager: Client) -> None:
    seen = manager.get(address(cast.guide)).context["adminform"].form.initial["seen"]
    save_draft(manager, cast, "Theirs", seen=seen)
    answer = manager.post(address(cast.guide), form(cast, system_prompt="Mine", seen=seen))
    assert answer.status_code == 200
    assert "Nothing of yours is saved yet" in answer.content.decode()
    assert ">\nMine</textarea>" in answer.content.decode()
    draft = guide(cast).draft
    assert draft is not None
    assert draft.system_prompt == "Theirs"


@pytest.mark.parametrize("unseen", [None, ""])
@pytest.mark.parametrize("button", [DRAFT, {}], ids=["draft", "publish"])
def test_a_form_that_does_not_say_what_it_began_with_overwrites_no_draft(
    cast: Cast, manager: Client, button: dict[str, Any], unseen: str | None
) -> None:
    save_draft(manager, cast, "Theirs")
    before = guide(cast).tagline
    sent = form(cast, system_prompt="Mine", seen=unseen, tagline="Mine too", **button)
    answer = manager.post(address(cast.guide), sent)
    assert answer.status_code == 200
    assert "Nothing of yours is saved yet" in answer.content.decode()
    kept = guide(cast)
    assert kept.draft is not None
    assert (kept.draft.system_prompt, kept.tagline, numbers(cast)) == ("Theirs", before, [1])


def test_two_forms_of_a_persona_without_any_version_are_not_both_taken(cast: Cast, manager: Client) -> None:
    sent = form(cast, name="Newcomer", company=str(cast.coca_cola.pk), **DRAFT)
    manager.post(reverse("admin:conversations_persona_add"), sent)
    newcomer = Persona.objects.get(name="Newcomer")
    manager.post(reverse("admin:conversations_persona_discard", args=[newcomer.pk]))
    for prompt, status in (("First", 302), ("Second", 200)):
        again = form(cast, name="Newcomer", system_prompt=prompt, seen="", **DRAFT)
        assert manager.post(address(newcomer), again).status_code == status
    newcomer.refresh_from_db()
    assert newcomer.draft is not None
    assert newcomer.draft.system_prompt == "First"


@pytest.mark.parametrize("button", [DRAFT, {}], ids=["draft", "publish"])
def test_of_four_who_write_at_once_one_is_taken(live_cast: Cast, button: dict[str, Any]) -> None:
    seen = personas.state(guide(live_cast))

    def write(prompt: str) -> int:
        client = Client()
        client.force_login(live_cast.manager)
        sent = form(live_cast, system_prompt=prompt, seen=seen, **button)
        return client.post(address(live_cast.guide), sent).status_code

    answers = at_once(*(partial(write, f"By number {number}") for number in range(4)))
    assert sorted(answers) == [200, 200, 200, 302]
    assert live_cast.guide.versions.count() == 2


@pytest.mark.parametrize("button", [DRAFT, {}], ids=["draft", "publish"])
def test_a_button_that_is_pressed_twice_makes_one_version(live_cast: Cast, button: dict[str, Any]) -> None:
    seen = personas.state(guide(live_cast))

    def press() -> int:
        client = Client()
        client.force_login(live_cast.manager)
        sent = form(live_cast, system_prompt="New", seen=seen, **button)
        return client.post(address(live_cast.guide), sent).status_code

    assert at_once(press, press) == [302, 302]
    assert live_cast.guide.versions.count() == 2
    assert LogEntry.objects.filter(change_message="Published version 2.").count() == (button == {})


def test_the_verbs_take_nobody_for_having_seen_what_came_later(cast: Cast) -> None:
    seen, told = personas.state(cast.guide), cast.guide.current
    assert told is not None

    def said(prompt: str) -> PersonaVersion:
        version = personas.copy(told)
        version.system_prompt = prompt
        return version

    personas.save_draft(cast.guide, said("Theirs"), by=None, seen=seen)
    for verb in (personas.publish, personas.save_draft):
        with pytest.raises(personas.Overtaken):
            verb(cast.guide, said("Mine"), by=None, seen=seen)
    with pytest.raises(personas.Overtaken):
        personas.discard_draft(cast.guide, seen=seen)


def test_a_draft_that_was_not_seen_is_neither_discarded_nor_replaced(cast: Cast, manager: Client) -> None:
    manager.post(address(cast.guide), form(cast, system_prompt="New"))
    seen = personas.state(guide(cast))
    save_draft(manager, cast, "Theirs")
    for deed in (page("discard", cast), page("restore", cast, 1)):
        answer = manager.post(deed, {"seen": seen}, follow=True)
        assert "so nothing was changed" in answer.content.decode()
        draft = guide(cast).draft
        assert draft is not None
        assert draft.system_prompt == "Theirs"
    manager.post(page("discard", cast), {"seen": personas.state(guide(cast))})
    assert guide(cast).draft is None


def test_a_name_that_is_taken_is_said_at_its_field(cast: Cast, manager: Client) -> None:
    answer = manager.post(address(cast.guide), form(cast, name="Coca Cola historian"))
    assert "name" in answer.context["adminform"].form.errors


def test_a_prompt_past_all_measure_is_refused_at_its_field(cast: Cast, manager: Client) -> None:
    longest = "ä" * (50 * 1024)
    page = manager.post(address(cast.guide), form(cast, system_prompt=longest + "b", **DRAFT))
    assert "at most 100 KB; this one has 101 KB" in page.content.decode()
    assert longest in page.content.decode()  # what was written stays
    assert "maxlength" not in str(
        page.context["adminform"].form["system_prompt"]
    )  # a browser would cut it unsaid
    assert guide(cast).draft is None
    manager.post(address(cast.guide), form(cast, system_prompt=longest, **DRAFT))
    drafted = guide(cast).draft
    assert drafted is not None
    assert drafted.system_prompt == longest


def test_a_draft_is_discarded_and_brought_back(cast: Cast, manager: Client) -> None:
    save_draft(manager, cast, "Half a thought")
    page = manager.post(reverse("admin:conversations_persona_discard", args=[cast.guide.pk]), follow=True)
    assert guide(cast).draft is None
    assert "Bring it back" in page.content.decode()
    draft = page.context["discarded"]
    back = reverse("admin:conversations_persona_bring_back", args=[cast.guide.pk, draft.pk])
    manager.post(back)
    again = guide(cast)
    assert again.draft is not None
    assert again.current is not None
    assert again.draft.system_prompt == "Half a thought"
    for other in (again.current.pk, 987654321):  # what was published is restored by its number
        address_of = reverse("admin:conversations_persona_bring_back", args=[cast.guide.pk, other])
        assert manager.post(address_of).status_code == 404
    assert "Bring it back" not in manager.get(address(cast.guide), {"discarded": "x"}).content.decode()


def test_old_versions_stay_readable(cast: Cast, manager: Client) -> None:
    manager.post(address(cast.guide), form(cast, system_prompt="<b>New</b>", stop="END"))
    first = manager.get(page("version", cast, 1)).content.decode()
    assert "You are an assistant for the company Coca Cola" in first
    assert 'value="Restore"' in first
    second = manager.get(page("version", cast, 2)).content.decode()
    assert "&lt;b&gt;New&lt;/b&gt;" in second
    assert 'value="Restore"' not in second
    for absent in ("3", "0", "draft", "x", "99999999999999999999"):
        assert manager.get(page("version", cast, absent)).status_code == 404


def test_two_versions_stand_side_by_side(cast: Cast, manager: Client) -> None:
    manager.post(address(cast.guide), form(cast, system_prompt="Same\nOld\nEnd"))
    save_draft(manager, cast, "Same\nNew\nMore\nEnd", temperature="0.2")
    answer = manager.get(page("compare", cast), {"left": "2", "right": "draft"})
    pairs = [
        (pair.left and pair.left.text, pair.right and pair.right.text, pair.changed)
        for pair in answer.context["prompts"].rows
    ]
    assert pairs == [
        ("Same", "Same", False),
        ("Old", "New", True),
        (None, "More", True),
        ("End", "End", False),
    ]
    changed = [each for each in answer.context["parameters"] if each.changed]
    assert [(each.label, each.left, each.right) for each in changed] == [("Temperature", "0.7", "0.2")]
    shown = answer.content.decode()
    assert "Only here:" in shown  # not by colour alone
    assert '<span class="studio-mark">changed</span>' in shown
    assert answer.context["left"].number == 2

    by_default = manager.get(page("compare", cast))
    assert (by_default.context["left"].slug, by_default.context["right"].slug) == ("2", "draft")
    same = manager.get(page("compare", cast), {"left": "1", "right": "1"}).content.decode()
    assert "These two say the same." in same
    assert manager.get(page("compare", cast), {"left": "7"}).status_code == 404


def test_long_stretches_of_equal_lines_are_folded(cast: Cast, manager: Client) -> None:
    lines = [f"Line {number}" for number in range(1, 201)]
    manager.post(address(cast.guide), form(cast, system_prompt="\n".join(lines)))
    lines[120:121] = ["Another", "And one more"]
    manager.post(address(cast.guide), form(cast, system_prompt="\n".join(lines)))
    shown = manager.get(page("compare", cast), {"left": "2", "right": "3"})
    rows = shown.context["prompts"].rows
    assert [(row.left and row.left.number, row.right and row.right.number, row.folded) for row in rows] == [
        (None, None, 117),
        (118, 118, 0),
        (119, 119, 0),
        (120, 120, 0),
        (121, 121, 0),
        (None, 122, 0),
        (122, 123, 0),
        (123, 124, 0),
        (124, 125, 0),
        (None, None, 76),
    ]
    assert "… 117 equal lines …" in shown.content.decode()
    assert shown.context["prompts"].note == ""


def two_letters(count: int, seed: int) -> str:
    draw = Random(seed)
    return "\n".join("".join(draw.choices(ascii_letters, k=2)) for _ in range(count))


HARD = {
    "short lines": (two_letters(34_000, 1), two_letters(34_000, 2)),
    "every second line": (
        "\n".join(f"{n:x}\n" for n in range(17_000)),
        "\n".join(f"{n:x}\nx" for n in range(15_000)),
    ),
    "no lines": ("\n" * 102_300 + "x", "\n" * 51_000 + "y" + "\n" * 51_000 + "x"),
    "two lines in turn": ("a\nb\n" * 25_000, "b\na\na\n" * 17_000),
    "one line": ("word " * 20_000, "words " * 17_000),
    "signs": ("'&" * 51_000, '"<' * 51_000),
    "signs in lines": ("'\n" * 51_000, '"\n' * 51_000),
}


@pytest.mark.parametrize("kind", HARD)
def test_any_two_prompts_are_compared_soon_and_on_a_small_page(
    cast: Cast, manager: Client, kind: str
) -> None:
    told = cast.guide.current
    assert told is not None
    for prompt in HARD[kind]:
        version = personas.copy(told)
        version.system_prompt = prompt
        personas.publish(cast.guide, version, by=None)
    began = thread_time()
    answer = manager.get(page("compare", cast), {"left": "2", "right": "3"})
    assert thread_time() - began < 1.5  # a third of it where nothing else runs
    assert len(answer.content) < 1_000_000
    for row in answer.context["prompts"].rows:
        assert row.folded or row.changed or row.left.text == row.right.text


def test_what_is_compared_by_larger_pieces_is_all_there() -> None:
    left, right = HARD["short lines"]
    found = compare.prompts(left, right)
    assert "\n".join(row.left.text for row in found.rows if row.left) == left
    assert "\n".join(row.right.text for row in found.rows if row.right) == right
    assert found.note == (
        "These prompts differ in so many places that 68 lines are compared at a time. Each version shows the whole."
    )
    assert "only the beginnings" in compare.prompts(*HARD["signs"]).note


@pytest.mark.parametrize("seed", range(50))
def test_lines_are_aligned_by_all_that_they_share_in_order(seed: int) -> None:
    draw = Random(seed)
    old = draw.choices("abcdefgh", k=draw.randint(0, 14))
    new = draw.choices("abcdefgh", k=draw.randint(0, 14))
    left: list[str] = []
    right: list[str] = []
    for block in alignment.blocks(old, new):
        left += [old[at] for at in block.old]
        right += [new[at] for at in block.new]
        assert not block.equal or [old[at] for at in block.old] == [new[at] for at in block.new]
        assert block.old or block.new
    assert (left, right) == (old, new)


def test_values_are_shown_as_people_read_them() -> None:
    version = PersonaVersion(stop=["\n", "END"], safe_prompt=False, temperature=0.0)
    assert compare.value(version, "stop") == '"\\n", "END"'
    assert compare.value(version, "safe_prompt") == "no"
    assert compare.value(version, "temperature") == "0.0"
    assert compare.value(version, "top_p") == str(compare.NOT_SENT)


def test_a_restored_version_is_the_draft(cast: Cast, manager: Client) -> None:
    manager.post(address(cast.guide), form(cast, system_prompt="New"))
    answer = manager.post(page("restore", cast, 1), follow=True)
    assert "The draft is version 1 again." in answer.content.decode()
    restored = guide(cast)
    assert restored.draft is not None
    assert restored.draft.system_prompt == "You are an assistant for the company Coca Cola"
    assert restored.draft.created_by == cast.manager
    assert restored.current is not None
    assert restored.current.number == 2
    manager.post(page("restore", cast, 2))
    assert guide(cast).draft is None
    assert manager.get(page("restore", cast, 1)).status_code == 405


def test_what_its_provider_refuses_now_is_not_restored(cast: Cast, manager: Client) -> None:
    endpoint = Endpoint.objects.get(wire="mistral")
    PersonaVersion.objects.create(
        persona=cast.guide,
        company=cast.coca_cola,
        number=2,
        endpoint=endpoint,
        endpoint_whose=EVERYBODY,
        model="m",
        temperature=9.0,
        created_by=None,
    )
    answer = manager.post(page("restore", cast, 2), follow=True)
    assert "Version 2 cannot be restored" in answer.content.decode()
    assert guide(cast).draft is None
    with pytest.raises(ValidationError):
        personas.save_draft(cast.guide, PersonaVersion(endpoint=endpoint, model=""), by=None)


def test_many_versions_cost_no_more_queries(
    cast: Cast, manager: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(10):
        manager.post(address(cast.guide), form(cast, system_prompt=f"Version {number}"))
    for asked in (address(cast.guide), page("compare", cast), page("version", cast, 3)):
        with django_assert_max_num_queries(30):
            manager.get(asked)


# -- The provider's list of models ----------------------------------------------------------------------------


def listed(client: Client, endpoint: Endpoint | None = None) -> Any:
    endpoint = endpoint or Endpoint.objects.get(wire="mistral")
    answer = client.get(reverse("admin:conversations_persona_models"), {"endpoint": endpoint.pk})
    assert answer.status_code == 200
    return answer.json()["models"]


def test_the_models_of_a_provider_are_offered_and_kept(
    cast: Cast, manager: Client, upstream: RecordedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {model["id"]: model for model in listed(manager)}
    assert found["mistral-large-latest"]["context_length"] > 0
    assert found["mistral-large-latest"]["capabilities"]
    shown = manager.get(address(cast.guide)).content.decode()
    assert 'list="models"' in shown
    assert '<datalist id="models">' in shown
    monkeypatch.setattr(catalogue, "_listed", None)
    assert {model["id"] for model in listed(manager)} == set(found)


def test_a_list_that_cannot_be_had_is_none_and_hinders_nobody(
    cast: Cast, manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert listed(manager) is None  # nothing listens there
    monkeypatch.setattr(catalogue, "_listed", None)
    assert listed(manager) is None  # kept for a little while: not asked again
    answer = manager.post(address(cast.guide), form(cast, model="typed-by-hand"))
    assert answer.status_code == 302
    told = guide(cast).current
    assert told is not None
    assert told.model == "typed-by-hand"


def test_another_address_is_another_list(
    cast: Cast, manager: Client, upstream: RecordedUpstream, settings: Settings
) -> None:
    assert listed(manager)
    settings.MISTRAL_BASE_URL = NOWHERE
    assert listed(manager) is None


def test_an_unknown_provider_has_no_list(cast: Cast, manager: Client) -> None:
    for given in ("", "x", "99999", "²", "9" * 40):
        answer = manager.get(reverse("admin:conversations_persona_models"), {"endpoint": given})
        assert answer.status_code == 404


# -- The form ----------------------------------------------------------------------------------------------------


def test_line_ends_are_kept_as_one_kind_and_old_ones_are_no_change(cast: Cast, manager: Client) -> None:
    save_draft(manager, cast, "One\r\nTwo", greeting="Hello\r\nyou")
    drafted = guide(cast)
    assert drafted.draft is not None
    assert (drafted.draft.system_prompt, drafted.greeting) == ("One\nTwo", "Hello\nyou")
    before = PersonaVersion.objects.count()
    save_draft(manager, cast, "One\r\nTwo")
    assert PersonaVersion.objects.count() == before
    old = PersonaVersion(
        system_prompt="Old\r\nends", endpoint=Endpoint.objects.get(wire="mistral"), model="m"
    )
    personas.publish(cast.guide, old, by=None)
    save_draft(manager, cast, "Old\r\nends", model="other")
    changed = guide(cast)
    assert changed.current is not None
    assert changed.draft is not None
    assert personas.changed(changed.current, changed.draft) >= {"model"}
    assert "system_prompt" not in personas.changed(changed.current, changed.draft)


def test_what_is_wrong_is_said_above_with_the_way_to_each_field(cast: Cast, manager: Client) -> None:
    sent = form(cast, name="", temperature="9", company=str(cast.coca_cola.pk))
    shown = manager.post(reverse("admin:conversations_persona_add"), sent).content.decode()
    assert "<title>Error: Add persona" in shown
    assert '<a href="#id_name">Name: This field is required.</a>' in shown
    assert '<a href="#id_temperature">Temperature: Enter a number from 0 to 1.5.</a>' in shown
    assert shown.count("autofocus") == 1
    assert "autofocus" in shown.partition('name="name"')[2].partition(">")[0]
    assert "change_form.js" not in shown  # it would take the focus to the first field


def test_who_looks_after_one_company_does_not_choose_it(cast: Cast, manager: Client) -> None:
    add = reverse("admin:conversations_persona_add")
    assert f'<option value="{cast.coca_cola.pk}" selected>' in manager.get(add).content.decode()
    operator = Client()
    operator.force_login(cast.admin)
    assert f'<option value="{cast.coca_cola.pk}" selected>' not in operator.get(add).content.decode()


def test_ranges_are_told_before_they_are_broken(cast: Cast, manager: Client) -> None:
    shown = manager.get(address(cast.guide)).content.decode()
    for said in (
        "Mistral: 0 to 1.5. Cohere: 0 to 1. OpenAI-compatible: 0 to 2.",
        "Mistral and OpenAI-compatible: −2 to 2. Cohere: 0 to 1.",
        "Cohere: 0 to 500. Mistral and OpenAI-compatible: not known, leave it empty.",
        "answer. 0 or more.",
        "none, minimal, low, medium, high, xhigh",
    ):
        assert said in shown, said


def test_what_a_provider_does_not_take_is_left_out_by_the_style_sheet(cast: Cast, manager: Client) -> None:
    shown = manager.get(address(cast.guide)).content.decode()
    left = {name for names in re.findall(r'data-leaves="([^"]+)"', shown) for name in names.split()}
    sheet = (Path(__file__).resolve().parents[1] / "static/css/studio.css").read_text("utf-8")
    assert left == set(re.findall(r'data-leaves~="(\w+)"', sheet)) == {"k", "safe_prompt", "reasoning_effort"}


def test_what_reads_of_a_chat_is_told_as_what_holds(cast: Cast, manager: Client) -> None:
    assert "32,768 (default)" in manager.get(page("version", cast, 1)).content.decode()
    assert compare.value(PersonaVersion(context_length=128_000), "context_length") == "128,000"


def test_versions_are_compared_where_there_are_two(cast: Cast, manager: Client) -> None:
    shown = manager.get(address(cast.guide)).content.decode()
    assert "compare-left" not in shown
    save_draft(manager, cast, "Another")
    assert "compare-left" in manager.get(address(cast.guide)).content.decode()


def test_what_keeps_people_from_a_persona_is_said_once(cast: Cast, manager: Client) -> None:
    sent = form(cast, name="Newcomer", company=str(cast.coca_cola.pk), published=None, **DRAFT)
    shown = manager.post(reverse("admin:conversations_persona_add"), sent, follow=True).content.decode()
    assert "until it is published and “Offered” is ticked." in shown
    assert shown.count("Nobody can choose") == 1


def test_the_history_says_what_was_done_and_when_as_elsewhere(cast: Cast, manager: Client) -> None:
    manager.post(address(cast.guide), form(cast, tagline="x"))
    manager.post(address(cast.guide), form(cast, tagline="x", system_prompt="New"))
    save_draft(manager, cast, "Newer", tagline="x")
    manager.post(address(cast.guide), form(cast, tagline="x", system_prompt="Newer"))
    shown = manager.get(reverse("admin:conversations_persona_history", args=[cast.guide.pk]))
    shown_text = shown.content.decode()
    assert "Published version 3." in shown_text
    assert "No fields changed." not in shown_text
    entry = LogEntry.objects.order_by("-pk")[0]
    assert date_format(localtime(entry.action_time), "j F Y, H:i") in shown_text

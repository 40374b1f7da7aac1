"""The operator's forms: a published change of what the model is told is a new version, ranges are checked by name."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from conversations import personas
from conversations.models import Company, Conversation, Endpoint, Membership, Persona, PersonaVersion
from conversations.providers.recorded import RecordedUpstream
from tests.answers import ended
from tests.conftest import NOWHERE, Cast


@pytest.fixture
def operator(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.admin)
    return client


def form(cast: Cast, **changes: Any) -> dict[str, Any]:
    """What the persona form of the guide sends, opened just now, with changes."""
    version = cast.guide.current
    assert version is not None
    sent = {
        "seen": personas.state(Persona.objects.get(pk=cast.guide.pk)),
        "name": "Coca Cola guide",
        "published": "on",
        "tagline": "Answers questions",
        "starters": "What is it?\n\nWho made it?",
        "system_prompt": version.system_prompt,
        "endpoint": version.endpoint_id,
        "model": version.model,
        "temperature": "0.7",
        "top_p": "1",
        "max_tokens": "100",
        "safe_prompt": "unknown",
        "_publish": "Publish",
    }
    return {key: value for key, value in (sent | changes).items() if value is not None}


def address(persona: Persona) -> str:
    return reverse("admin:conversations_persona_change", args=[persona.pk])


def test_what_people_see_changes_without_a_new_version(cast: Cast, operator: Client) -> None:
    answer = operator.post(address(cast.guide), form(cast))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    guide = Persona.objects.get(pk=cast.guide.pk)
    assert guide.starters == ["What is it?", "Who made it?"]
    assert guide.current == cast.guide.current
    assert guide.versions.count() == 1


def test_what_the_model_is_told_changes_by_a_new_version(cast: Cast, operator: Client) -> None:
    answer = operator.post(
        address(cast.guide), form(cast, system_prompt="Be kind.", stop="END\nFIN", top_p="")
    )
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    new, old = Persona.objects.get(pk=cast.guide.pk).versions.all()
    assert (new.number, new.system_prompt, new.stop, new.top_p) == (2, "Be kind.", ["END", "FIN"], None)
    assert new.created_by == cast.admin
    assert (old.number, old.system_prompt) == (1, "You are an assistant for the company Coca Cola")
    assert "Be kind." in operator.get(address(cast.guide)).content.decode()
    first = reverse("admin:conversations_persona_version", args=[cast.guide.pk, 1])
    assert "You are an assistant for the company Coca Cola" in operator.get(first).content.decode()


def test_a_new_persona_begins_with_its_first_version(cast: Cast, operator: Client) -> None:
    sent = form(cast, name="Newcomer", company=str(cast.globex.pk))
    answer = operator.post(reverse("admin:conversations_persona_add"), sent)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    newcomer = Persona.objects.get(name="Newcomer")
    assert newcomer.company == cast.globex
    assert newcomer.current is not None
    assert newcomer.current.number == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("temperature", "1.6"), ("top_p", "0"), ("max_tokens", "0"), ("k", "5"), ("seed", "-1"), ("model", "")],
)
def test_a_value_out_of_range_is_refused_at_its_field(
    cast: Cast, operator: Client, field: str, value: str
) -> None:
    answer = operator.post(address(cast.guide), form(cast, **{field: value}))
    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors
    assert PersonaVersion.objects.filter(persona=cast.guide).count() == 1


def test_stop_sequences_keep_their_spaces_and_line_breaks(cast: Cast, operator: Client) -> None:
    operator.post(address(cast.guide), form(cast, stop="User: \n\\n\\n"))
    version = Persona.objects.get(pk=cast.guide.pk).current
    assert version is not None
    assert version.stop == ["User: ", "\n\n"]
    page = operator.get(address(cast.guide)).content.decode()
    assert "User: \n\\n\\n</textarea>" in page


def test_an_endpoint_in_use_stays_the_server_it_is(cast: Cast, operator: Client) -> None:
    version = cast.guide.current
    assert version is not None
    page = reverse("admin:conversations_endpoint_change", args=[version.endpoint_id])
    operator.post(page, {"name": "Renamed", "wire": "cohere", "base_url": "http://elsewhere"})
    endpoint = Endpoint.objects.get(pk=version.endpoint_id)
    assert (endpoint.name, endpoint.wire, endpoint.base_url) == ("Renamed", "mistral", "")


@pytest.mark.parametrize(
    ("given", "sound"),
    [
        ("http://ollama:11434", True),
        ("https://llm.example.com/v1", True),
        ("http://[::1]:8080", True),
        ("ftp://x", False),
        ("http://", False),
        ("http://x:99999", False),
        ("ollama:11434", False),
        ("http://[x", False),
    ],
)
def test_the_address_of_an_endpoint(given: str, sound: bool) -> None:
    endpoint = Endpoint(name="x", wire="openai", base_url=given)
    if sound:
        endpoint.clean_fields()
        return
    with pytest.raises(ValidationError):
        endpoint.clean_fields()


def test_many_versions_cost_no_more_queries(
    cast: Cast, operator: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(10):
        operator.post(address(cast.guide), form(cast, system_prompt=f"Version {number}"))
    with django_assert_max_num_queries(20):
        operator.get(address(cast.guide))


def test_a_persona_stays_in_its_company(cast: Cast, operator: Client) -> None:
    operator.post(address(cast.guide), form(cast, company=str(cast.globex.pk)))
    assert Persona.objects.get(pk=cast.guide.pk).company == cast.coca_cola


def test_a_version_is_never_changed(cast: Cast) -> None:
    version = cast.guide.current
    assert version is not None
    version.system_prompt = "other"
    with pytest.raises(TypeError):
        version.save()
    with pytest.raises(TypeError):
        PersonaVersion.objects.update(system_prompt="other")
    with pytest.raises(TypeError):
        PersonaVersion.objects.bulk_update([version], ["system_prompt"])
    assert PersonaVersion.objects.get(pk=version.pk).system_prompt != "other"


def test_stop_sequences_are_texts(cast: Cast) -> None:
    version = PersonaVersion(endpoint=Endpoint.objects.all()[0], model="m", stop=[1])
    with pytest.raises(ValidationError) as problem:
        personas.publish(cast.guide, version, by=None)
    assert "stop" in problem.value.message_dict


def test_the_demo_is_loaded_once(cast: Cast) -> None:
    out = io.StringIO()
    call_command("demo", stdout=out)
    assert Persona.objects.count() == 3
    assert "outsider   Member of Globex" in out.getvalue()


def test_the_models_of_each_provider_are_listed(
    cast: Cast, upstream: RecordedUpstream, settings: Settings
) -> None:
    out = io.StringIO()
    call_command("models", stdout=out)
    for line in ("mistral-large-latest", "command-r-plus-08-2024", "128,000 tokens"):
        assert line in out.getvalue()
    settings.MISTRAL_BASE_URL = NOWHERE
    errors = io.StringIO()
    with pytest.raises(CommandError):
        call_command("models", "mistral", stdout=out, stderr=errors)
    assert "could not be reached" in errors.getvalue()


@pytest.mark.parametrize("person", ["9" * 5_000, "x", "²", "-1"])
def test_a_person_that_there_is_not_is_said_at_the_field(cast: Cast, operator: Client, person: str) -> None:
    add = reverse("admin:conversations_membership_add")
    assert operator.get(add, {"user": person}).status_code == 200
    sent = {"user": person, "company": str(cast.globex.pk), "role": "member"}
    assert "user" in operator.post(add, sent).context["adminform"].form.errors
    change = reverse("admin:conversations_company_change", args=[cast.globex.pk])
    inline = {"memberships-TOTAL_FORMS": "1", "memberships-INITIAL_FORMS": "0", "memberships-0-user": person}
    assert operator.post(change, {"name": "Globex", "colour": "#000000", **inline}).status_code == 200


def test_what_has_conversations_cannot_be_deleted_and_says_so_at_once(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        ended(cast)
    client = Client()
    client.force_login(cast.admin)
    for model, pk in (
        ("conversations_company", cast.coca_cola.pk),
        ("conversations_persona", cast.guide.pk),
        ("auth_user", cast.member.pk),
    ):
        page = reverse(f"admin:{model}_delete", args=[pk])
        with django_assert_max_num_queries(12):
            assert "20 conversations, which stay on record" in client.get(page).content.decode()
        client.post(page, {"post": "yes"})
    assert Conversation.objects.count() == 20


def test_the_first_page_leads_into_the_review_of_each_company(cast: Cast, operator: Client) -> None:
    settings = reverse("admin:review_settings", args=[cast.coca_cola.pk])
    for who, manages in ((cast.manager, True), (cast.reviewer, False)):
        client = Client()
        client.force_login(who)
        shown = client.get(reverse("admin:index")).content.decode()
        for page in ("queue", "answers", "usage", "exports"):
            assert reverse(f"admin:review_{page}", args=[cast.coca_cola.pk]) in shown
            assert reverse(f"admin:review_{page}", args=[cast.globex.pk]) not in shown
        assert (settings in shown) is manages
    for number in range(10):
        Company.objects.create(name=f"Company {number}")
    shown = operator.get(reverse("admin:index")).content.decode()
    assert reverse("admin:review") in shown
    assert settings not in shown  # of many companies there is a list


def test_a_company_says_how_many_people_it_has_and_where(cast: Cast, operator: Client) -> None:
    shown = operator.get(
        reverse("admin:conversations_company_change", args=[cast.coca_cola.pk])
    ).content.decode()
    assert "2 members, 1 reviewer, 1 manager." in shown
    assert "<select" not in shown.partition('id="company_form"')[2].partition("</form>")[0]
    listed = f"{reverse('admin:conversations_membership_changelist')}?company__id__exact={cast.coca_cola.pk}"
    assert listed in shown
    assert "outsider" not in operator.get(listed).content.decode()
    add = f"{reverse('admin:conversations_membership_add')}?company={cast.coca_cola.pk}"
    assert add in shown
    assert f'<option value="{cast.coca_cola.pk}" selected>' in operator.get(add).content.decode()
    operator.post(
        reverse("admin:conversations_company_add"),
        {"name": "New", "colour": "#123456", "second_reviews": "0"},
    )
    new = Company.objects.get(name="New")
    assert (
        "Nobody yet."
        in operator.get(reverse("admin:conversations_company_change", args=[new.pk])).content.decode()
    )


def test_people_are_taken_out_in_these_words(cast: Cast, operator: Client) -> None:
    client = Client()
    client.force_login(cast.manager)
    people = reverse("admin:conversations_membership_changelist")
    listed = client.get(people).content.decode()
    assert reverse("admin:conversations_invitation_add") in listed
    assert reverse("admin:auth_user_add") not in listed
    assert reverse("admin:auth_user_add") in operator.get(people).content.decode()
    place = Membership.objects.get(user=cast.member)
    row = client.get(reverse("admin:conversations_membership_change", args=[place.pk])).content.decode()
    assert "Take out of the company" in row
    assert ">Delete<" not in row
    out = reverse("admin:conversations_membership_delete", args=[place.pk])
    asked = client.get(out).content.decode()
    assert "stays on record, and so does the account" in asked
    assert "delete" not in asked.partition('<div id="content"')[2].partition("</form>")[0].lower()
    said = client.post(out, {"post": "yes"}, follow=True).content.decode()
    assert "Taken out: member at Coca Cola." in said
    assert not cast.member.memberships.exists()

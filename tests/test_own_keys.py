"""Providers and keys of a company: who sets what, whose key is used, and that no other company hears of either."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import RestrictedError
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from conversations import access, catalogue, endpoints, generation, keys, metrics, personas, posting
from conversations.database import in_database
from conversations.models import Company, Endpoint, Generation, Persona, PersonaVersion, ProviderKey
from conversations.models.persona import EVERYBODY
from conversations.providers import ErrorKind, ProviderError
from conversations.providers.recorded import RecordedUpstream, Script
from tests.conftest import NOWHERE, Cast
from tests.test_admin import address, form
from tests.test_generation import begin, ended

OURS, THEIRS, SITES = "key-of-coca-cola-0001", "key-of-globex-00002", "key-of-the-site-00003"
KeyOf, Status = Generation.KeyOf, Generation.Status


def mistral() -> Endpoint:
    return Endpoint.objects.get(wire="mistral")


def client_of(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def page(company: Company, deed: str = "", endpoint: Endpoint | None = None) -> str:
    name = f"admin:review_key_{deed}" if deed else "admin:review_keys"
    return reverse(name, args=[company.pk, *([endpoint.pk] if endpoint else [])])


def key_sent(upstream: RecordedUpstream) -> list[str]:
    return [seen.headers.get("authorization", "") for seen in upstream.log.requests]


# -- A manager's page -----------------------------------------------------------------------------------------------


def test_a_manager_sets_replaces_and_removes_the_companys_key(cast: Cast) -> None:
    manager, where = client_of(cast.manager), page(cast.coca_cola, "put", mistral())
    assert "Called with the site" in manager.get(page(cast.coca_cola)).content.decode()
    answer = manager.post(where, {"key": f"  {OURS} "})
    assert (answer.status_code, answer["Location"]) == (
        302,
        f"{page(cast.coca_cola)}#provider-{mistral().pk}",
    )
    shown = manager.get(page(cast.coca_cola)).content.decode()
    assert "A key ending in …0001 is set, by manager," in shown
    assert 'autocomplete="new-password"' in shown
    first = ProviderKey.objects.get()
    assert (first.company, keys.opened(first)) == (cast.coca_cola, OURS)
    manager.post(where, {"key": "another-key-of-ours-0009"})
    assert keys.opened(ProviderKey.objects.get(pk=first.pk)) == "another-key-of-ours-0009"
    gone = manager.post(page(cast.coca_cola, "remove", mistral()), follow=True).content.decode()
    assert "Took away the company’s own key for Mistral." in gone.replace("&#x27;", "’")
    assert not ProviderKey.objects.exists()
    again = manager.post(page(cast.coca_cola, "remove", mistral()), follow=True).content.decode()
    assert "There is no key of your own for Mistral." in again
    said = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert said == ["Set the company's own key for Mistral."] * 2 + [
        "Took away the company's own key for Mistral."
    ]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("", "Paste the key first."),
        ("   ", "Paste the key first."),
        ("short", "between 6 and 500 characters"),
        ("k" * 501, "between 6 and 500 characters"),
        ("two words of it", "no spaces and no letters but plain ones"),
        ("key\r\nX-Admin: yes", "no spaces and no letters but plain ones"),
        ("schlüssel-canary", "no spaces and no letters but plain ones"),
        ("key-\u200bcanary", "no spaces and no letters but plain ones"),
    ],
)
def test_what_is_no_key_is_refused_and_not_repeated(cast: Cast, given: str, sentence: str) -> None:
    answer = client_of(cast.manager).post(page(cast.coca_cola, "put", mistral()), {"key": given})
    assert answer.status_code == 400
    shown = answer.content.decode()
    assert sentence in shown
    assert "X-Admin" not in shown
    assert "canary" not in shown
    assert not given.strip() or given not in shown
    assert not ProviderKey.objects.exists()


def test_a_short_key_shows_nothing_of_itself(cast: Cast) -> None:
    assert keys.put(mistral(), cast.coca_cola, "sk-1234", by=cast.manager).last4 == ""


def test_only_managers_of_the_company_reach_its_keys(cast: Cast) -> None:
    keys.put(mistral(), cast.globex, THEIRS, by=cast.admin)
    for person, company, status in (
        (cast.manager, cast.globex, 404),
        (cast.reviewer, cast.coca_cola, 404),
        (cast.member, cast.coca_cola, 403),
        (cast.outsider, cast.coca_cola, 403),
    ):
        client = client_of(person)
        assert client.get(page(company)).status_code == status
        for deed in ("put", "remove"):
            assert client.post(page(company, deed, mistral()), {"key": OURS}).status_code == status
    assert keys.opened(ProviderKey.objects.get()) == THEIRS
    assert "0002" not in client_of(cast.manager).get(page(cast.coca_cola)).content.decode()


# -- An operator's page ---------------------------------------------------------------------------------------------


def provider_form(**changes: Any) -> dict[str, Any]:
    return {"name": "Own server", "wire": "openai", "company": "", "base_url": "", "key": ""} | changes


def test_an_operator_makes_a_provider_of_one_company_with_a_key(cast: Cast, settings: Settings) -> None:
    settings.LOCAL_UPSTREAMS = ["ollama:11434"]
    operator, add = client_of(cast.admin), reverse("admin:conversations_endpoint_add")
    sent = provider_form(company=str(cast.coca_cola.pk), base_url="http://ollama:11434/v1", key=SITES)
    assert operator.post(add, sent).status_code == 302
    made = Endpoint.objects.get(name="Own server")
    assert (made.company, made.base_url, made.whose) == (
        cast.coca_cola,
        "http://ollama:11434/v1",
        cast.coca_cola.pk,
    )
    kept = ProviderKey.objects.get()
    assert (kept.endpoint, kept.company, keys.opened(kept)) == (made, None, SITES)
    change = reverse("admin:conversations_endpoint_change", args=[made.pk])
    shown = operator.get(change).content.decode()
    assert "A key ending in …0003 is set, by admin," in shown
    assert SITES not in shown
    # A key was given for one server: the address stays until the key is gone.
    operator.post(change, provider_form(name="Renamed", base_url="http://elsewhere:1", key=""))
    made.refresh_from_db()
    assert (made.name, made.base_url) == ("Renamed", "http://ollama:11434/v1")
    assert keys.opened(ProviderKey.objects.get()) == SITES
    both = operator.post(change, provider_form(key=OURS, remove_key="on")).content.decode()
    assert "Either give another key, or take the one there is away." in both
    assert OURS not in both
    operator.post(change, provider_form(remove_key="on"))
    assert not ProviderKey.objects.exists()
    history = operator.get(reverse("admin:conversations_endpoint_history", args=[made.pk])).content.decode()
    assert "Take the key away" in history
    assert SITES not in history


@pytest.mark.parametrize(
    ("base_url", "sentence"),
    [
        ("http://127.0.0.1:11434", "http:// is only for"),
        ("http://ollama:11434", "http:// is only for"),
        ("https://unlisted.example.com", "add unlisted.example.com to UPSTREAM_HOSTS"),
        ("https://listed.example.com:8443", "add listed.example.com:8443 to UPSTREAM_HOSTS"),
        ("https://169.254.169.254", "an address in numbers"),
        ("https://localhost", "leads to an address that is not public"),
        ("https://user:pass@listed.example.com", "Give an address such as"),
        ("https://${SECRET_KEY}.example.com", "Give an address such as"),
        ("https://listed.example.com/?key=x", "Give an address such as"),
    ],
)
def test_an_address_that_is_not_allowed_is_not_saved(
    cast: Cast, settings: Settings, base_url: str, sentence: str
) -> None:
    settings.UPSTREAM_HOSTS = ["listed.example.com", "localhost"]
    before = metrics.addresses_refused._value.get()
    answer = client_of(cast.admin).post(
        reverse("admin:conversations_endpoint_add"), provider_form(base_url=base_url, key=SITES)
    )
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert SITES not in answer.content.decode()
    assert not Endpoint.objects.filter(name="Own server").exists()
    assert metrics.addresses_refused._value.get() == before + 1


def test_the_same_name_at_two_companies_is_nobodys_business(cast: Cast) -> None:
    for company in (cast.coca_cola, cast.globex):
        Endpoint.objects.create(name="Mistral", wire="mistral", company=company)
    with pytest.raises(IntegrityError), transaction.atomic():
        Endpoint.objects.create(name="Mistral", wire="mistral", company=cast.globex)
    with pytest.raises(IntegrityError), transaction.atomic():
        Endpoint.objects.create(name="Mistral", wire="mistral")


# -- Whose key is used ----------------------------------------------------------------------------------------------


async def test_each_company_is_asked_for_by_its_own_key(live_cast: Cast, running: RecordedUpstream) -> None:
    """The company's before the one for all, that before the environment's; the record says whose it was."""
    expected = []
    for company, key, whose in (
        (None, "", KeyOf.ENVIRONMENT),
        (None, SITES, KeyOf.PROVIDER),
        (live_cast.globex, THEIRS, KeyOf.PROVIDER),
        (live_cast.coca_cola, OURS, KeyOf.COMPANY),
    ):
        if key:
            await in_database(keys.put, mistral_of(live_cast), company, key, by=live_cast.admin)
        answer = await ended(await begin(live_cast))
        assert (answer.status, answer.key_of) == (Status.DONE, whose)
        used = {KeyOf.ENVIRONMENT: "key-of-the-tests", KeyOf.PROVIDER: SITES, KeyOf.COMPANY: OURS}[whose]
        expected.append(f"Bearer {used}")
    assert key_sent(running) == expected


def mistral_of(cast: Cast) -> Endpoint:
    assert cast.guide.current is not None
    return cast.guide.current.endpoint


async def test_a_key_of_ones_own_is_live_where_the_site_has_none(
    live_cast: Cast, running: RecordedUpstream, settings: Settings
) -> None:
    settings.MISTRAL_API_KEY = ""
    endpoint = mistral_of(live_cast)
    assert await in_database(endpoints.notice, endpoint, live_cast.coca_cola.pk) == endpoints.RECORDED_NOTICE
    answer = await ended(await begin(live_cast))
    assert (answer.recorded, answer.key_of) == (True, None)
    await in_database(keys.put, endpoint, live_cast.coca_cola, OURS, by=live_cast.manager)
    assert await in_database(endpoints.notice, endpoint, live_cast.coca_cola.pk) == ""
    assert await in_database(endpoints.notice, endpoint, live_cast.globex.pk) == endpoints.RECORDED_NOTICE
    answer = await ended(await begin(live_cast))
    assert (answer.recorded, answer.key_of) == (False, KeyOf.COMPANY)
    assert key_sent(running) == [f"Bearer {OURS}"]  # the recorded upstream of the process is another


async def test_a_wrong_key_leads_to_the_sentence_and_nothing_of_it_is_shown(
    live_cast: Cast, running: RecordedUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    await in_database(keys.put, mistral_of(live_cast), live_cast.coca_cola, OURS, by=live_cast.manager)
    echo = f'{{"message": "Unauthorized: {OURS} is no key", "request_id": "{OURS[:3]}"}}'
    running.scripts.append(Script(status=401, raw=echo.encode()))
    answer = await ended(await begin(live_cast))
    assert (answer.status, answer.error_kind, answer.key_of) == (Status.FAILED, ErrorKind.AUTH, KeyOf.COMPANY)
    assert answer.sentence.startswith("The API key was refused. Please ask your administrator")
    assert OURS not in str(await in_database(Generation.objects.filter(pk=answer.pk).values().get))
    assert OURS not in caplog.text


async def test_a_key_that_cannot_be_opened_ends_the_answer_and_nothing_is_sent(
    live_cast: Cast, running: RecordedUpstream, settings: Settings
) -> None:
    await in_database(keys.put, mistral_of(live_cast), live_cast.coca_cola, OURS, by=live_cast.manager)
    settings.ENCRYPTION_KEYS = ["another-" + "x" * 40]
    before = metrics.upstream_errors.labels("key")._value.get()
    answer = await ended(await begin(live_cast))
    assert (answer.status, answer.error_kind) == (Status.FAILED, ErrorKind.KEY)
    assert answer.sentence.startswith("The key for Mistral cannot be opened. Nothing was sent.")
    assert metrics.upstream_errors.labels("key")._value.get() == before + 1
    assert (
        running.log.requests == []
    )  # also not by the key of the environment: who pays is not ours to change


def test_the_start_page_asks_for_keys_once(
    cast: Cast, settings: Settings, django_assert_num_queries: Any
) -> None:
    settings.MISTRAL_API_KEY = settings.CO_API_KEY = ""
    versions = [cast.guide.current, cast.historian.current]
    asked = [(version.endpoint, cast.coca_cola.pk) for version in versions if version] * 5
    with django_assert_num_queries(1):
        assert set(endpoints.notices(asked)) == {endpoints.RECORDED_NOTICE}
    settings.MISTRAL_API_KEY = settings.CO_API_KEY = "live"
    with django_assert_num_queries(0):
        assert set(endpoints.notices(asked)) == {""}


# -- Of which company a provider is ---------------------------------------------------------------------------------


def server_of(company: Company | None, base_url: str = "http://127.0.0.1:9") -> Endpoint:
    return Endpoint.objects.create(name="zqforeign", wire="openai", base_url=base_url, company=company)


def test_a_foreign_provider_is_chosen_by_nobody(cast: Cast) -> None:
    foreign, manager = server_of(cast.globex), client_of(cast.manager)
    for shown in (manager.get(address(cast.guide)), manager.get(reverse("admin:conversations_persona_add"))):
        offered = shown.context["adminform"].form.fields["endpoint"].queryset
        assert foreign not in offered
        assert mistral() in offered
        assert "zqforeign" not in shown.content.decode()
    refused, absent = (
        manager.post(address(cast.guide), form(cast, endpoint=number))
        .context["adminform"]
        .form.errors["endpoint"]
        for number in (foreign.pk, 987654)
    )
    assert refused == absent
    operator = client_of(cast.admin).post(address(cast.guide), form(cast, endpoint=foreign.pk))
    assert "endpoint" in operator.context["adminform"].form.errors
    assert Persona.objects.get(pk=cast.guide.pk).current == cast.guide.current


def test_who_manages_two_companies_keeps_their_providers_apart(cast: Cast) -> None:
    cast.manager.memberships.create(company=cast.globex, role="manager")
    foreign, manager = server_of(cast.globex), client_of(cast.manager)
    add = reverse("admin:conversations_persona_add")
    sent = form(
        cast, name="New one", company=str(cast.coca_cola.pk), endpoint=foreign.pk, safe_prompt="unknown"
    )
    answer = manager.post(add, sent)
    assert personas.FOREIGN in answer.context["adminform"].form.errors["endpoint"]
    assert "zqforeign (Globex)" in answer.content.decode()
    assert manager.post(add, sent | {"company": str(cast.globex.pk)}).status_code == 302
    made = Persona.objects.get(name="New one")
    assert made.current is not None
    assert (made.current.endpoint, made.current.endpoint_whose) == (foreign, cast.globex.pk)


def test_no_verb_takes_a_foreign_provider(cast: Cast) -> None:
    foreign = server_of(cast.globex)
    for verb in (personas.publish, personas.save_draft):
        with pytest.raises(ValidationError) as refused:
            verb(cast.guide, PersonaVersion(endpoint=foreign, model="m"), by=None)
        assert refused.value.message_dict == {"endpoint": [str(personas.FOREIGN)]}
    own = server_of(cast.coca_cola)
    assert personas.publish(cast.guide, PersonaVersion(endpoint=own, model="m"), by=None).endpoint == own


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lie", ["as it is", "everybody's", "ours", "another company's version"])
def test_the_database_takes_no_version_with_a_foreign_provider(live_cast: Cast, lie: str) -> None:
    """Whatever writes the row, and whatever it says of itself."""
    cast, foreign = live_cast, server_of(live_cast.globex)
    said = {
        "as it is": (cast.coca_cola, cast.globex.pk),
        "everybody's": (cast.coca_cola, EVERYBODY),
        "ours": (cast.coca_cola, cast.coca_cola.pk),
        "another company's version": (cast.globex, cast.globex.pk),
    }[lie]
    version = PersonaVersion(
        persona=cast.guide, company=said[0], endpoint=foreign, endpoint_whose=said[1], model="m"
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        version.save()
    assert cast.guide.versions.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_provider_in_use_is_not_given_to_another_company(live_cast: Cast) -> None:
    own = server_of(live_cast.coca_cola)
    personas.publish(live_cast.guide, PersonaVersion(endpoint=own, model="m"), by=None)
    for company in (live_cast.globex, None):
        with pytest.raises(IntegrityError), transaction.atomic():
            Endpoint.objects.filter(pk=own.pk).update(company=company)
    with pytest.raises(IntegrityError), transaction.atomic():
        Persona.objects.filter(pk=live_cast.guide.pk).update(company=live_cast.globex)
    with pytest.raises(RestrictedError):
        own.delete()


def test_a_company_goes_with_its_providers_and_keys(cast: Cast) -> None:
    company = Company.objects.create(name="Short-lived")
    persona = Persona.objects.create(company=company, name="One")
    own = server_of(company)
    keys.put(own, company, OURS, by=cast.admin)
    personas.publish(persona, PersonaVersion(endpoint=own, model="m"), by=None)
    Persona.objects.filter(pk=persona.pk).update(current=None)
    company.delete()
    connection.check_constraints()
    assert not Endpoint.objects.filter(pk=own.pk).exists()
    assert not ProviderKey.objects.exists()


def test_a_foreign_provider_is_not_used(cast: Cast) -> None:
    """Asked again at each use, whatever was true when it was chosen."""
    foreign = server_of(cast.globex)
    for company_id in (cast.coca_cola.pk, None, uuid.uuid4()):
        with pytest.raises(ProviderError) as refused:
            endpoints.resolve(foreign, company_id)
        assert refused.value.kind is ErrorKind.ENDPOINT
        assert "zqforeign" not in str(refused.value)
    assert catalogue.models(foreign, cast.coca_cola.pk) is None


def test_models_of_a_foreign_provider_are_listed_for_nobody(cast: Cast) -> None:
    foreign, listed = server_of(cast.globex), reverse("admin:conversations_persona_models")
    manager = client_of(cast.manager)
    queries: list[dict[str, Any]] = [
        {"endpoint": foreign.pk},
        {"endpoint": foreign.pk, "company": str(cast.coca_cola.pk)},
        {"endpoint": foreign.pk, "company": str(cast.globex.pk)},
        {"endpoint": mistral().pk, "company": str(cast.globex.pk)},
        {"endpoint": mistral().pk, "company": "x"},
        {"endpoint": 987654},
    ]
    for query in queries:
        answer = manager.get(listed, query)
        assert answer.status_code == 404
        assert "zqforeign" not in answer.content.decode()
    own = server_of(cast.coca_cola)
    ours = {"endpoint": str(own.pk), "company": str(cast.coca_cola.pk)}
    assert manager.get(listed, ours).json() == {"models": None}
    assert set(access.managed_endpoints(cast.manager)) & {own, foreign} == {own}
    assert not access.managed_endpoints(cast.reviewer).exists()


def test_models_are_listed_by_the_companys_own_key(cast: Cast, upstream: RecordedUpstream) -> None:
    assert catalogue.models(mistral(), cast.coca_cola.pk)
    keys.put(mistral(), cast.coca_cola, OURS, by=cast.manager)
    assert catalogue.models(mistral(), cast.coca_cola.pk)
    assert catalogue.models(mistral(), cast.globex.pk)  # kept
    assert key_sent(upstream) == ["Bearer key-of-the-tests", f"Bearer {OURS}"]


# -- Addresses at use -----------------------------------------------------------------------------------------------


async def own_server(cast: Cast, base_url: str) -> Endpoint:
    """A persona of Coca Cola's that is answered by an address that was typed."""

    def make() -> Endpoint:
        made = server_of(cast.coca_cola, base_url)
        keys.put(made, cast.coca_cola, OURS, by=cast.manager)
        personas.publish(cast.guide, PersonaVersion(endpoint=made, model="m"), by=None)
        return made

    return await in_database(make)


async def test_an_address_that_is_not_allowed_any_more_is_not_called(
    live_cast: Cast, running: RecordedUpstream, settings: Settings
) -> None:
    base_url, settings.OPENAI_BASE_URL = settings.OPENAI_BASE_URL, ""
    settings.MISTRAL_BASE_URL = settings.COHERE_BASE_URL = NOWHERE  # the same server, so it would be opted in
    place = base_url.removeprefix("http://").partition("/")[0]
    await own_server(live_cast, base_url)
    settings.LOCAL_UPSTREAMS = [place]
    answer = await ended(await begin(live_cast))
    assert (answer.status, answer.key_of) == (Status.DONE, KeyOf.COMPANY)
    assert key_sent(running) == [f"Bearer {OURS}"]
    settings.LOCAL_UPSTREAMS = []
    before = metrics.upstream_errors.labels("address")._value.get()
    answer = await ended(await begin(live_cast))
    assert (answer.status, answer.error_kind) == (Status.FAILED, ErrorKind.ADDRESS)
    assert answer.sentence == (
        "This site does not call the address of zqforeign. Nothing was sent there. Please tell your administrator."
    )
    assert metrics.upstream_errors.labels("address")._value.get() == before + 1
    assert len(running.log.requests) == 1


async def test_a_listed_name_that_leads_within_is_not_called(
    live_cast: Cast, running: RecordedUpstream, settings: Settings
) -> None:
    settings.UPSTREAM_HOSTS = [f"localhost:{running_port(settings)}"]
    await own_server(live_cast, f"https://localhost:{running_port(settings)}")
    answer = await ended(await begin(live_cast))
    assert (answer.status, answer.error_kind) == (Status.FAILED, ErrorKind.ADDRESS)
    assert running.log.requests == []


def running_port(settings: Settings) -> int:
    return int(str(settings.MISTRAL_BASE_URL).split(":")[2].partition("/")[0])


async def test_what_was_inherited_stays_when_nobody_can_be_asked(
    live_cast: Cast, running: RecordedUpstream, settings: Settings
) -> None:
    """An answer that is carried on and then not, keeps what it began with."""
    first = await ended(await begin(live_cast))
    await in_database(keys.put, mistral_of(live_cast), live_cast.coca_cola, OURS, by=live_cast.manager)
    settings.ENCRYPTION_KEYS = ["another-" + "x" * 40]

    def carry_on() -> posting.Turn:
        message = type(first.message).objects.select_related(
            "generation__version", "parent", "conversation__persona"
        )
        return posting.continue_(live_cast.member, message.get(pk=first.message_id), client_id=uuid.uuid4())

    again = await in_database(carry_on)
    await generation.start(again.generation)
    answer = await ended(again)
    assert (answer.error_kind, answer.message.text) == (ErrorKind.KEY, first.message.text)


def test_the_environments_own_addresses_are_called_as_they_are(settings: Settings) -> None:
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = "http://127.0.0.1:11434/v1", ""
    settings.MISTRAL_BASE_URL = "https://api.mistral.ai"
    allowed = endpoints.allowed()
    assert allowed.is_local("http://127.0.0.1:11434")
    assert allowed.is_local("https://api.mistral.ai/v1")
    local = Endpoint(name="Local", wire="openai")
    called = endpoints.resolve(local, None).called
    assert (called.base_url, called.local, called.api_key) == ("http://127.0.0.1:11434/v1", True, "")


def test_an_address_that_is_not_allowed_any_more_is_reported(cast: Cast, settings: Settings) -> None:
    from django.core.checks import run_checks

    def reported() -> list[str]:
        return [found.msg for found in run_checks(databases=["default"]) if found.id == "conversations.W003"]

    settings.LOCAL_UPSTREAMS = ["127.0.0.1:9"]
    server_of(cast.globex)
    assert reported() == []
    settings.LOCAL_UPSTREAMS = []
    settings.MISTRAL_BASE_URL = settings.COHERE_BASE_URL = "https://api.example.com"
    assert len(reported()) == 1
    assert "zqforeign" in reported()[0]

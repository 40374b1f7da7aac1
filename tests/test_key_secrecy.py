"""A canary for a key: it goes to its provider, and stands nowhere else that anybody could look."""

from __future__ import annotations

import io
import json
import logging
import pickle
import traceback
import urllib.parse
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import reverse
from django.views.debug import ExceptionReporter, get_exception_reporter_filter
from pytest_django import Settings

from conversations import endpoints, filing, keys, metrics, sealing, trace
from conversations.admin.key_forms import EndpointForm, KeyForm
from conversations.database import in_database
from conversations.models import Endpoint, Export, ProviderKey
from conversations.providers import stream
from conversations.providers.recorded import RecordedUpstream, Script
from tests.conftest import NOWHERE, Cast
from tests.exporting import export_of, lines_of
from tests.test_generation import begin, ended
from tests.test_own_keys import client_of, mistral, mistral_of, page
from tests.test_trace import Collector, collector

__all__ = ["collector"]  # the fixture

CANARY = "sk-zqcanary-3c4fcf098815f7ab"
FORMS = (CANARY, CANARY.upper(), urllib.parse.quote(CANARY), json.dumps(CANARY), CANARY[:-4], CANARY[3:-4])


def tells(text: str) -> bool:
    return any(form in text for form in FORMS)


def test_no_page_repeats_it(cast: Cast) -> None:
    manager, operator = client_of(cast.manager), client_of(cast.admin)
    change = reverse("admin:conversations_endpoint_change", args=[mistral().pk])
    shown = [
        manager.post(page(cast.coca_cola, "put", mistral()), {"key": CANARY}, follow=True),
        manager.post(page(cast.coca_cola, "put", mistral()), {"key": f"{CANARY} {CANARY}"}),
        operator.post(change, {"name": "Mistral", "key": CANARY}, follow=True),
        operator.post(change, {"name": "", "key": CANARY}),
        operator.post(change, {"name": "Mistral", "key": f"{CANARY}\u00e9"}),
        operator.post(reverse("admin:conversations_endpoint_add"), {"wire": "x", "key": CANARY}),
    ]
    assert ProviderKey.objects.count() == 2
    for client in (manager, operator):
        settled = reverse("admin:review_settings", args=[cast.coca_cola.pk])
        form = reverse("admin:conversations_persona_change", args=[cast.guide.pk])
        shown += [
            client.get(each) for each in (page(cast.coca_cola), settled, form, reverse("admin:index"), "/")
        ]
    for model, pk in (("endpoint", mistral().pk), ("company", cast.coca_cola.pk)):
        shown += [
            operator.get(reverse(f"admin:conversations_{model}_{name}", args=[pk]))
            for name in ("change", "history", "delete")
        ]
    for answer in shown:
        assert not tells(answer.content.decode()), answer.request["PATH_INFO"]
        assert not tells(str(answer.headers))


def test_no_record_holds_it(cast: Cast) -> None:
    """Neither a row, nor what Django writes of rows: histories, dumps, representations."""
    client_of(cast.admin).post(
        reverse("admin:conversations_endpoint_change", args=[mistral().pk]),
        {"name": "Mistral", "key": CANARY},
    )
    client_of(cast.manager).post(page(cast.coca_cola, "put", mistral()), {"key": CANARY})
    dump = io.StringIO()
    call_command("dumpdata", stdout=dump)
    assert json.loads(dump.getvalue())
    assert '"sealed": "1:' in dump.getvalue()
    assert not tells(dump.getvalue())
    assert LogEntry.objects.count() == 2
    for entry in LogEntry.objects.all():
        assert not tells(f"{entry} {entry.change_message} {entry.get_change_message()} {entry.object_repr}")
    for key in ProviderKey.objects.all():
        assert not tells(f"{key} {key!r} {vars(key)} {key.sealing_context}")
        assert keys.opened(key) == CANARY
    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            assert not tells(str(cursor.fetchall())), table


def test_no_value_on_its_way_shows_it(cast: Cast) -> None:
    keys.put(mistral(), cast.coca_cola, CANARY, by=cast.manager)
    server = endpoints.resolve(mistral(), cast.coca_cola.pk)
    assert server.called.api_key == CANARY
    call = stream._chat_call(server.called, _question())
    assert call.headers["Authorization"] == f"Bearer {CANARY}"
    for value in (server, server.called, call, KeyForm(mistral()), EndpointForm(instance=mistral())):
        assert not tells(f"{value!r} {value!s}")


def _question() -> Any:
    from tests.providers.support import question

    return question()


async def test_no_answer_tells_it(
    live_cast: Cast,
    running: RecordedUpstream,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    collector: Collector,
    settings: Settings,
) -> None:
    """However it ends: logs of all libraries, spans, metrics, the record and what is exported of it."""
    caplog.set_level(logging.DEBUG)
    await in_database(keys.put, mistral_of(live_cast), live_cast.coca_cola, CANARY, by=live_cast.manager)
    echo = json.dumps({"message": f"No such key: Bearer {CANARY}", "detail": CANARY}).encode()
    for script in (
        None,
        Script(status=401, raw=echo),
        Script(status=422, raw=echo),
        Script(status=500, raw=echo, headers={"x-request-id": "r"}),
        Script(error={"message": f"{CANARY} is refused", "code": "1"}, error_after=2),
        Script(cut_after=10),
        Script(raw=b"nonsense"),
        Script(status=302, headers={"location": "http://127.0.0.1:9/"}),
    ):
        running.scripts.append(script or Script())
        with trace.span("request"):
            turn = await begin(live_cast)
        assert (await ended(turn)).key_of == "company"
    settings.MISTRAL_BASE_URL = NOWHERE
    assert (await ended(await begin(live_cast))).error_kind == "network"
    assert f"Bearer {CANARY}" in {seen.headers.get("authorization") for seen in running.log.requests}
    trace._tracer.span_processor.force_flush()
    assert collector.spans
    assert not tells(str(collector.spans))
    assert not tells(metrics.text().decode())
    assert not tells(caplog.text)
    assert not tells("".join(capfd.readouterr()))
    for record in caplog.records:
        assert not tells(str(vars(record)))

    def exported() -> str:
        filing.file_ended()
        kinds = [Export.Kind.CSV, Export.Kind.CONVERSATIONS, *Export.TUNING]
        return "".join(lines_of(export_of(live_cast, Export.Kind(kind))).decode() for kind in kinds)

    written = await in_database(exported)
    assert "What is Coca Cola?" in written
    assert not tells(written)
    shown = Client()
    await in_database(shown.force_login, live_cast.member)
    assert not tells((await in_database(shown.get, f"/c/{turn.conversation.pk}/")).content.decode())


def _broken(*given: Any, **named: Any) -> None:
    raise RuntimeError("it breaks here, with what it was given")


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("where", ["sealing", "encryption", "the list of models", "before any view"])
def test_no_page_about_an_error_shows_it(
    cast: Cast, settings: Settings, monkeypatch: pytest.MonkeyPatch, debug: bool, where: str
) -> None:
    """Django shows the values of all frames while DEBUG is on, and mails them where it is off."""
    settings.DEBUG = debug
    client, address = client_of(cast.manager), page(cast.coca_cola, "put", mistral())
    answer: Any
    client.raise_request_exception = False
    match where:
        case "sealing":
            monkeypatch.setattr("os.urandom", _broken)
        case "encryption":
            monkeypatch.setattr(sealing, "_cipher", _broken)
        case "the list of models":
            keys.put(mistral(), cast.coca_cola, CANARY, by=cast.manager)
            monkeypatch.setattr(stream, "open_response", _broken)
            address = reverse("admin:conversations_persona_models")
        case _:
            monkeypatch.setattr(
                "django.contrib.sessions.middleware.SessionMiddleware.process_request", _broken
            )
    if where == "the list of models":
        answer = client.get(address, {"endpoint": str(mistral().pk), "company": str(cast.coca_cola.pk)})
    else:
        answer = client.post(address, {"key": CANARY, "other": "shown"})
    assert answer.status_code == 500
    assert answer.exc_info
    assert not tells(answer.content.decode())
    if debug:
        assert "it breaks here" in answer.content.decode()
    reporter = ExceptionReporter(answer.wsgi_request, *answer.exc_info)  # what is mailed, logged by others
    assert not tells(reporter.get_traceback_text())
    assert not tells(reporter.get_traceback_html())


def test_what_is_no_secret_is_still_shown_where_it_helps(settings: Settings) -> None:
    settings.DEBUG = True
    request = RequestFactory().post("/", {"key": CANARY, "text": "what was sent"})
    shown = get_exception_reporter_filter(request).get_post_parameters(request)
    assert shown["text"] == "what was sent"
    assert not tells(str(shown))
    assert request.POST["key"] == CANARY


def test_an_error_that_is_kept_holds_nothing_of_it(cast: Cast) -> None:
    """Nor do its chain, its notes and its frames, when somebody prints all of their values."""
    key = keys.put(mistral(), cast.coca_cola, CANARY, by=cast.manager)
    key.company = cast.globex
    for break_it in (
        lambda: keys.opened(key),
        lambda: endpoints.resolve(Endpoint(pk=1, name="x", wire="openai", base_url="https://x"), None),
    ):
        with pytest.raises(Exception, match=r"cannot be opened|x: address") as caught:
            break_it()
        assert caught.value.__cause__ is None
        shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        assert not tells("".join(shown.format()))
        assert not tells(repr(caught.value))
        assert not tells(str(pickle.dumps(str(caught.value))))

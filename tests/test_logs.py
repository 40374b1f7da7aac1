"""Lines of the log: one each, for machines or a terminal, without what people wrote."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.urls import reverse

from chatsite.logs import Brief, JsonFormatter, Numbered, TerminalFormatter
from conversations import trace
from conversations.providers import ErrorKind, ProviderError

WRITTEN = "what somebody wrote"
HOSTILE = "one\r\ntwo \x1b[31mred\x1b[0m \u202ereversed\u2028end"


def record(message: str, *arguments: object, name: str = "conversations.x", failed: bool = False) -> Any:
    made = logging.LogRecord(
        name, logging.ERROR, __file__, 1, message, arguments, sys.exc_info() if failed else None
    )
    Numbered().filter(made)
    return made


def raised(fault: Callable[[], object]) -> Any:
    try:
        fault()
    except Exception:
        return record("failed", failed=True)
    raise AssertionError("nothing was raised")


def test_a_line_is_one_object_of_ascii() -> None:
    trace.request_id.set("number-of-a-request")
    line = JsonFormatter().format(record("said %s", HOSTILE))
    assert line.isascii()
    assert "\n" not in line
    found = json.loads(line)
    assert found.pop("time").endswith("+00:00")
    assert found == {
        "level": "ERROR",
        "logger": "conversations.x",
        "request": "number-of-a-request",
        "message": f"said {HOSTILE}",
    }


@pytest.mark.parametrize("name", ["django.request", "django.security.csrf", "conversations.views.guards"])
@pytest.mark.parametrize("formatter", [JsonFormatter(), TerminalFormatter()])
def test_a_link_that_lets_somebody_in_is_in_no_line(name: str, formatter: logging.Formatter) -> None:
    for path in (reverse("invitation", args=["zq-secret_1"]), reverse("new_password", args=["zq-secret_1"])):
        line = formatter.format(record("Service Unavailable: %s", path, name=name))
        assert "zq" not in line
        assert path.replace("zq-secret_1", "-") in line


def test_a_terminal_is_told_nothing_that_it_would_act_on() -> None:
    line = TerminalFormatter().format(record("said %s", HOSTILE))
    assert line.isprintable()
    assert "\\u001b[31mred" in line


@pytest.mark.parametrize("formatter", [JsonFormatter(), TerminalFormatter()])
def test_an_exception_tells_the_way_and_not_the_words(formatter: logging.Formatter) -> None:
    def inner() -> None:
        raise KeyError(WRITTEN)

    def outer() -> None:
        try:
            inner()
        except KeyError as error:
            raise ValueError(WRITTEN) from error

    line = formatter.format(raised(outer))
    assert WRITTEN not in line
    for part in ("KeyError", "ValueError", "test_logs.py", "inner", "outer", "then:"):
        assert part in line


def test_our_own_exceptions_speak_but_do_not_quote() -> None:
    def refused() -> None:
        raise ProviderError(ErrorKind.AUTH, "Mistral\x1b", WRITTEN, status=401)

    exception = json.loads(JsonFormatter().format(raised(refused)))["exception"]
    assert "Mistral\\u001b: auth (HTTP 401)" in exception
    assert WRITTEN not in exception


def test_a_loop_of_causes_has_an_end() -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first

    def fault() -> None:
        raise first

    assert "KeyError" in JsonFormatter().format(raised(fault))


def test_a_database_says_which_rule_and_not_which_row(db: None) -> None:
    def doubled() -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE once (word text UNIQUE)")
            cursor.executemany("INSERT INTO once VALUES (%s)", [(WRITTEN,), (WRITTEN,)])

    try:
        doubled()
    except IntegrityError:
        line = JsonFormatter().format(record("failed", failed=True))
    assert "IntegrityError" in line
    assert WRITTEN not in line


def test_what_others_add_below_their_line_is_left_out() -> None:
    message = f"Task exception was never retrieved\nfuture: <Task exception=ValueError('{WRITTEN}')>"
    assert WRITTEN not in JsonFormatter().format(record(message, name="asyncio"))
    assert WRITTEN in JsonFormatter().format(record(message, name="conversations.x"))


def test_a_malformed_request_is_worth_no_traceback() -> None:
    def fault() -> None:
        raise ValueError

    found = raised(fault)
    Brief().filter(found)
    assert "exception" not in json.loads(JsonFormatter().format(found))


@pytest.mark.parametrize("place", ["/s/", "/accounts/invitation/", "/accounts/new-password/"])
def test_the_secret_of_a_link_is_in_no_line(place: str) -> None:
    line = JsonFormatter().format(
        record("Internal Server Error: %s", f"{place}aB3_-x/", name="django.request")
    )
    assert json.loads(line)["message"] == f"Internal Server Error: {place}-/"

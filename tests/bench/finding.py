"""How long the ledger of answers takes, by the real page: list, filters and search, on SQLite and PostgreSQL.

`python -m tests.bench.finding` fills a database of each size with `demo_history` on a throw-away SQLite file and a
throw-away PostgreSQL database, asks each page several times as a reviewer in a sitting, whose readings are recorded,
and prints a table in milliseconds. `--at` measures databases that are filled already; `--write` keeps the table.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from tests.bench import results
from tests.bench.databases import postgresql
from tests.bench.processes import ROOT

HEADING = "Finding answers"
ROUNDS = 9
GOAL = 100  # milliseconds

Result = dict[str, Any]  # the database's facts, and by case: rows, median, worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="*", help="messages; 10000 100000 1000000 where --at is not used"
    )
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("--at", action="append", default=[], help="the address of a database that is filled")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {results.FILE.name}")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure()))  # noqa: T201
        return
    sizes = options.sizes or ([] if options.at else [10_000, 100_000, 1_000_000])
    kinds = [options.only] if options.only else ["sqlite", "postgresql"]
    found = [_filled(kind, size) for kind in kinds for size in sizes]
    found += [_measured(address) for address in options.at]
    text = "\n\n".join([_facts(found), *(_table(kind, found) for kind in ("SQLite", "PostgreSQL"))])
    print(text)  # noqa: T201
    if options.write:
        results.write(HEADING, text)


# -- Databases ------------------------------------------------------------------------------------------------


def _filled(kind: str, size: int) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        if kind == "sqlite":
            return _fill(f"sqlite:///{folder}/bench.sqlite3", size)
        with postgresql() as address:
            return _fill(address, size)


def _fill(address: str, size: int) -> Result:
    began = time.monotonic()
    for command in (["migrate", "-v0"], ["demo"], ["demo_history", "--messages", str(size)]):
        _run(address, str(ROOT / "manage.py"), *command)
    filled = time.monotonic() - began
    return _measured(address) | {"filled": filled}


def _measured(address: str) -> Result:
    found: Result = json.loads(_run(address, "-m", "tests.bench.finding", "--measure"))
    return found


def _run(address: str, *arguments: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, "DATABASE_URL": address, "DATA_DIR": folder},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return done.stdout


# -- Measuring, in a process of its own: settings are read once -------------------------------------------------


def measure() -> Result:
    """Every case on the database of the environment."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import setup_test_environment
    from django.urls import reverse

    from conversations.models import Company, Message

    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    setup_test_environment()
    company = Company.objects.get(name="Coca Cola")
    client = Client()
    client.force_login(User.objects.get(username="reviewer"))
    client.post(reverse("admin:review_sitting", args=[company.pk]), {"reason": "Benchmark"})
    address = reverse("admin:review_answers", args=[company.pk])
    client.get(address)  # templates are read once
    measured = {name: _timed(client, address, query) for name, query in _cases(company).items()}
    with connection.cursor() as cursor:
        cursor.execute("SELECT sqlite_version()" if connection.vendor == "sqlite" else "SHOW server_version")
        version = str(cursor.fetchone()[0]).split()[0]
    return {
        "kind": connection.display_name,
        "version": version,
        "messages": Message.objects.count(),
        "cases": measured,
    }


def _timed(client: Any, address: str, query: dict[str, Any]) -> dict[str, float]:
    times = []
    for _ in range(ROUNDS):
        gc.collect()  # the test client keeps what templates were given, which no server does
        began = time.perf_counter()
        response = client.get(address, query)
        times.append((time.perf_counter() - began) * 1_000)
        assert response.status_code == 200, response.status_code
    rows = len(response.context["rows"])
    return {"rows": rows, "median": statistics.median(times), "worst": max(times)}


def _cases(company: Any) -> dict[str, dict[str, Any]]:
    from conversations.models import AnswerRecord, Grade, Label, Persona, PersonaVersion, Rule

    guide = Persona.objects.get(name="Coca Cola guide").pk
    historian = Persona.objects.get(name="Coca Cola historian")
    old = PersonaVersion.objects.filter(persona=guide).order_by("number")[1]
    foreign = PersonaVersion.objects.filter(persona=historian).order_by("number")[0]
    grade = Grade.objects.filter(rubric__company=company).order_by("position")[0].pk
    label = Label.objects.filter(company=company).order_by("name")[0].pk
    bad = Rule.objects.get(company=company, kind="bad").pk
    ids = AnswerRecord.objects.filter(company=company).order_by("pk")
    far = list(ids.values_list("pk", flat=True)[: ids.count() // 50 + 60])[-1]
    rare = "badoke"
    return {
        "list": {},
        "list, far back": {"before": far},
        "list, far back, newer": {"after": far},
        "persona": {"persona": guide},
        "version": {"version": old.pk},
        "model": {"model": old.model},
        "rating: good": {"rating": "good"},
        "rating: bad": {"rating": "bad"},
        "rating: none": {"rating": "none"},
        "verdict": {"verdict": grade},
        "label": {"label": label},
        "rule": {"rule": bad},
        "finish: complete": {"finish": "complete"},
        "finish: filtered": {"finish": "filtered"},
        "error: any": {"error": "any"},
        "error: auth": {"error": "auth"},
        "a day": {"since": "2026-01-05", "until": "2026-01-05"},
        "until a year ago": {"until": "2025-07-01"},
        "finish: tool (none)": {"finish": "tool"},
        "persona + bad": {"persona": guide, "rating": "bad"},
        "filtered + bad": {"finish": "filtered", "rating": "bad"},
        "complete + any error (none)": {"finish": "complete", "error": "any"},
        "length + old version": {"finish": "length", "version": old.pk},
        "persona + other's model (none)": {"persona": guide, "model": foreign.model},
        "good + rule: bad (none)": {"rating": "good", "rule": bad},
        "not rated + complete + persona": {"rating": "none", "finish": "complete", "persona": historian.pk},
        "bad + verdict + label": {"rating": "bad", "verdict": grade, "label": label},
        "verdict + rule + early days": {"verdict": grade, "rule": bad, "until": "2025-07-15"},
        "filtered + persona + label": {"finish": "filtered", "persona": historian.pk, "label": label},
        "common word": {"text": "the"},
        "common word, far back": {"text": "the", "before": far},
        "four words, often together": {"text": "recipe kept secret founded"},
        "six words, seldom together": {"text": "millilitres botellas Zucker refund working plant"},
        "rare word": {"text": rare},
        "absent word": {"text": "absentword"},
        "a code": {"text": "C48213"},
        "phrase": {"text": '"recipe is kept secret"'},
        "phrase of common words (none)": {"text": '"the is company"'},
        "identifier": {"text": "getUserName"},
        "part of an identifier": {"text": "tokens"},
        "beginning": {"text": "refun*"},
        "beginning, short": {"text": "com*"},
        "CJK": {"text": "自動販売機"},
        "CJK, one character": {"text": "京"},
        "CJK, common pairs (none)": {"text": "機自動販"},
        "common word + persona": {"text": "the", "persona": historian.pk},
        "common word + error: auth": {"text": "the", "error": "auth"},
        "common word + bad": {"text": "the", "rating": "bad"},
        "common word + label": {"text": "the", "label": label},
        "common word + early month": {"text": "the", "since": "2025-07-01", "until": "2025-07-31"},
        "phrase + verdict": {"text": '"recipe is kept secret"', "verdict": grade},
        "rare word + bad": {"text": rare, "rating": "bad"},
        "two words + not rated (few)": {"text": f"regional {rare}", "rating": "none"},
        "common word + good + filtered": {"text": "the", "rating": "good", "finish": "filtered"},
    }


# -- The tables -----------------------------------------------------------------------------------------------


def _facts(found: list[Result]) -> str:
    lines = [
        results.facts(*sorted({f"{result['kind']} {result['version']}" for result in found})),
        f"Milliseconds of a whole page, its readings recorded: median / worst of {ROUNDS}. "
        f"Above {GOAL} ms in bold; rows are those of the largest database.",
    ]
    lines += [
        f"{result['kind']}: {result['messages']:,} messages filled in {result['filled']:.0f} s."
        for result in found
        if "filled" in result
    ]
    return "\n".join(lines)


def _table(kind: str, found: list[Result]) -> str:
    shown = sorted((r for r in found if r["kind"] == kind), key=lambda result: int(result["messages"]))
    if not shown:
        return ""
    sizes = [f"{result['messages']:,}" for result in shown]
    lines = [f"### {kind}", "", f"| page | rows | {' | '.join(sizes)} |", f"|---|--:|{'--:|' * len(sizes)}"]
    for name, last in shown[-1]["cases"].items():
        cells = [_cell(result["cases"][name]) for result in shown]
        lines.append(f"| {name} | {last['rows']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(case: dict[str, float]) -> str:
    def said(value: float) -> str:
        return f"**{value:.0f}**" if value > GOAL else f"{value:.0f}"

    return f"{said(case['median'])} / {said(case['worst'])}"


if __name__ == "__main__":
    main()

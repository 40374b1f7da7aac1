"""`python -m tests.bench`: the product measured as its people use it, beside a bare relay in the same run.

Only ratios within a run say something: the machine is shared by the server, the upstream and the people.
"""

from __future__ import annotations

import argparse
import resource
import signal
import sys
from collections.abc import Callable

from tests.bench import history, results, tables
from tests.bench.answers import Rows, many
from tests.bench.cases import Case, cases
from tests.bench.figures import over_runs
from tests.bench.processes import Child
from tests.bench.product import Setting, installed

HISTORY, SIZES = "history", [100, 10_000, 100_000]
SMALL = {"answers": 8, "tokens": 60, "ramp": 0.5, "runs": 1, "cases": ["answers"]}
Say = Callable[[str], None]


def main() -> int:
    """Measure what the arguments ask for, and print it. Gives back how many tokens were lost or shown wrongly."""
    options = _options()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # a socket is a file, here and at the server
    load = many(options.answers, options.tokens, options.rate, options.ramp, drivers=options.drivers)
    known = cases(load)
    chosen = {name: case for name, case in known.items() if options.cases is None or name in options.cases}
    said: list[str] = []

    def say(text: str) -> None:
        print(text, flush=True)  # noqa: T201
        said.append(text)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends with us
    say(f"{results.facts()} {_how(options)}; medians of {options.runs}.")
    measured = _measure(options, chosen, say)
    if options.cases is None or HISTORY in options.cases:
        say(
            f"### Pages as history grows\n\n{history.NOTE}\n\n{history.table(options.database, options.sizes)}"
        )
    if options.write:
        of_these = f" ({', '.join(options.cases)})" if options.cases else ""
        results.write(f"Answers and pages: {_how(options)}{of_these}", "\n\n".join(said))
    return sum(_wrong(rows) for rows in measured)


def _measure(options: argparse.Namespace, chosen: dict[str, Case], say: Say) -> list[Rows]:
    measured: list[Rows] = []
    if not chosen:
        return measured
    with Child("tests.bench.upstream") as child:
        upstream = f"http://127.0.0.1:{child.hear(30)['port']}"
        with installed(database=options.database, redis=options.redis, upstream=upstream) as product:
            setting = Setting(product, upstream, child.pid, options.processes, options.crossed)
            for case in chosen.values():
                rows = _over_runs([case.measure(setting) for _ in range(options.runs)])
                note = f"{case.note}\n\n" if case.note else ""
                say(f"### {case.title}\n\n{note}{tables.table(case.columns, rows)}")
                measured.append(rows)
            lines = product.log.read_text().splitlines()
            if said := "\n".join(line for line in lines if " INFO " not in line):
                print(f"The server said:\n{said[-1_500:]}", file=sys.stderr)  # noqa: T201
    return measured


def _over_runs(runs: list[Rows]) -> Rows:
    return {name: over_runs([run[name] for run in runs]) for name in runs[0]}


def _wrong(rows: Rows) -> int:
    """Of the product the tokens that were lost, frames that showed something else, and answers not kept whole."""
    row = rows.get("product", {})
    return round(row["lost"] + row["faults"] + row["answers"] - row["whole"]) if "lost" in row else 0


def _how(options: argparse.Namespace) -> str:
    """How the product was set up."""
    database = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[options.database]
    parts = [database] + ["Redis"] * options.redis
    parts.append("one process" if options.processes == 1 else f"{options.processes} processes")
    parts += ["sockets at another process than forms"] * options.crossed
    return ", ".join(parts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    names = [*cases(many(1, 1, 1, 0)), HISTORY]
    parser.add_argument("--cases", nargs="+", choices=names, metavar="CASE", help=", ".join(names))
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--redis", action="store_true", help="give the product a REDIS_URL")
    parser.add_argument("--processes", type=int, default=1, help="of the product")
    parser.add_argument("--crossed", action="store_true", help="sockets at another process than forms")
    parser.add_argument("--answers", type=int, default=200, help="of the cases answers and first")
    parser.add_argument("--tokens", type=int, default=1000, help="an answer of these")
    parser.add_argument(
        "--rate", type=float, default=50, help="tokens a second and answer; 0 for all at once"
    )
    parser.add_argument("--ramp", type=float, default=15, help="seconds over which the questions are sent")
    parser.add_argument("--drivers", type=int, default=1, help="processes that play the people")
    parser.add_argument("--runs", type=int, default=3, help="medians of so many")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help=f"chats, of the case {HISTORY}")
    parser.add_argument(
        "--small", action="store_true", help="a few short answers, for continuous integration"
    )
    parser.add_argument("--write", action="store_true", help=f"put the tables into {results.FILE.name}")
    options = parser.parse_args()
    if options.small and options.write:
        parser.error("what the small form measures is not worth keeping")
    if options.small:
        vars(options).update(SMALL)
    return options


if __name__ == "__main__":
    sys.exit(1 if main() else 0)

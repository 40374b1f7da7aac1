"""`python -m tests.bench`: the product measured as its people use it, beside the bare relay in the same run.

Only ratios within a run say something: the machine is shared by the server, the upstream and the people.
"""

from __future__ import annotations

import argparse

from tests.bench import answers, tables
from tests.bench.answers import Load
from tests.bench.figures import medians
from tests.bench.processes import Child
from tests.bench.product import Product, installed


def main() -> None:
    """Measure what the arguments ask for, and print it."""
    options = _parser().parse_args()
    with Child("tests.bench.upstream") as child:
        upstream = f"http://127.0.0.1:{child.hear(30)['port']}"
        with installed(database=options.database, redis=options.redis, upstream=upstream) as product:
            _answers(options, product, upstream)
            log = product.log.read_text()
    if log:
        print(f"The server said:\n{log[-5_000:]}")  # noqa: T201


def _answers(options: argparse.Namespace, product: Product, upstream: str) -> None:
    load = Load(
        options.answers,
        options.tokens,
        options.rate,
        options.ramp,
        mode=options.mode,
        drivers=options.drivers,
    )
    runs: dict[str, list[dict[str, float]]] = {"direct": [], "relay": [], "product": []}
    for _ in range(options.runs):
        runs["direct"].append(answers.direct(load, upstream))
        runs["relay"].append(answers.relay(load, upstream))
        runs["product"].append(
            answers.through(product, load, upstream, processes=options.processes, crossed=options.crossed)
        )
    print(tables.answers({name: medians(each) for name, each in runs.items()}))  # noqa: T201


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--redis", action="store_true", help="give the product a REDIS_URL")
    parser.add_argument("--processes", type=int, default=1, help="of the product")
    parser.add_argument("--crossed", action="store_true", help="sockets at another process than forms")
    parser.add_argument("--answers", type=int, default=200)
    parser.add_argument("--tokens", type=int, default=300, help="an answer")
    parser.add_argument(
        "--rate", type=float, default=50, help="tokens a second and answer; 0 for all at once"
    )
    parser.add_argument("--ramp", type=float, default=2, help="seconds over which the questions are sent")
    parser.add_argument("--mode", choices=["next", "first"], default="next", help="which question of a chat")
    parser.add_argument("--drivers", type=int, default=1, help="processes that play the people")
    parser.add_argument("--runs", type=int, default=1, help="medians of so many")
    return parser


if __name__ == "__main__":
    main()

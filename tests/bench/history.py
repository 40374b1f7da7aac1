"""How the pages of a member's chats take to a growing history: milliseconds and numbers of queries.

Each size is filled with `demo_history` on a throw-away database and asked in a process of its own, in which
`inside.py` calls `measure`: Django's test client, so the server's own time without a network, as the member who has
most chats.
"""

from __future__ import annotations

import gc
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench.databases import postgresql
from tests.bench.figures import percentile
from tests.bench.product import Product

ROUNDS = 15
NOTE = (
    f"The member who has most chats. The server's own time, median / 95th percentile of {ROUNDS}, and its queries "
    "to the database."
)
ABSENT, RARE, COMMON = "absentword", "refund", "the"


def table(database: str, sizes: Sequence[int]) -> str:
    """Fill and measure `database` ("sqlite" or "postgresql") with so many messages each; a Markdown table."""
    found = {size: _filled(database, size) for size in sizes}
    heads = [
        f"{size:,} messages ({each['chats']:,} chats, {each['own']:,} own)" for size, each in found.items()
    ]
    lines = [f"| page | {' | '.join(heads)} |", f"|---|{'--:|' * len(heads)}"]
    for name in found[sizes[0]]["pages"]:
        cells = (_cell(each["pages"][name]) for each in found.values())
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(page: dict[str, float]) -> str:
    return f"{page['median_ms']:.0f} / {page['p95_ms']:.0f} ms, {page['queries']:.0f} queries"


def _filled(database: str, size: int) -> dict[str, Any]:
    with TemporaryDirectory() as folder, postgresql(wanted=database == "postgresql") as address:
        product = Product(Path(folder), **({"DATABASE_URL": address} if address else {}))
        product.install()
        product.manage("demo_history", "--messages", str(size))
        found: dict[str, Any] = json.loads(product.inside("history"))
    return found


# -- With the product's settings, in a process of its own -----------------------------------------------------


def measure() -> dict[str, Any]:
    """Every page on the database of the environment, for the member who has most chats."""
    from django.contrib.auth.models import User
    from django.db.models import Count
    from django.test import Client
    from django.test.utils import setup_test_environment

    from conversations.models import Conversation

    setup_test_environment()
    counted = Conversation.objects.filter(trial=None).values("owner").annotate(chats=Count("pk"))
    most = counted.order_by("-chats")[0]
    client = Client()
    client.force_login(User.objects.get(pk=most["owner"]))
    addresses = _addresses(most["owner"])
    client.get("/")  # templates are read once
    return {
        "chats": Conversation.objects.count(),
        "own": most["chats"],
        "pages": {name: _timed(client, address, query) for name, (address, query) in addresses.items()},
    }


def _addresses(owner: int) -> dict[str, tuple[str, dict[str, str]]]:
    """By name: an address and its query."""
    from django.db.models import Count

    from conversations.models import Conversation

    own = Conversation.objects.filter(owner=owner, trial=None)
    by_time = list(own.order_by("-active_at").values_list("active_at", "pk"))
    far = by_time[len(by_time) * 9 // 10]
    by_length = list(
        own.annotate(length=Count("messages")).order_by("length", "pk").values_list("pk", flat=True)
    )
    return {
        "start page, with the list of chats": ("/", {}),
        "list of chats, far back": ("/chats/", {"after": f"{far[0].isoformat()}~{far[1]}"}),
        "conversation of the usual length": (f"/c/{by_length[len(by_length) // 2]}/", {}),
        "longest conversation": (f"/c/{by_length[-1]}/", {}),
        f"search: a common word ({COMMON})": ("/chats/", {"q": COMMON}),
        f"search: a less common word ({RARE})": ("/chats/", {"q": RARE}),
        "search: a word that nobody wrote": ("/chats/", {"q": ABSENT}),
    }


def _timed(client: Any, address: str, query: dict[str, str]) -> dict[str, float]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as asked:
        assert client.get(address, query).status_code == 200, address
    queries, times = len(asked), []
    for _ in range(ROUNDS):
        gc.collect()  # the test client keeps what templates were given, which no server does
        began = time.perf_counter()
        client.get(address, query)
        times.append((time.perf_counter() - began) * 1e3)
    return {"median_ms": statistics.median(times), "p95_ms": percentile(times, 95), "queries": queries}

"""How the pages of a person take to their growing history: milliseconds and numbers of queries.

Each size is filled with `demo_history` on a throw-away database and asked in a process of its own, in which
`inside.py` calls `measure`: Django's test client, so the server's own time without a network, as the member who has
all those chats, and one of 2,000 messages besides.
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
FLAT = 2  # how many times as long as with the fewest chats a page may take with the most
LONG, GOAL = 2_000, 150  # messages, and the milliseconds in which so many are opened
MESSAGES = 8 * 100 / 95  # that `demo_history` makes for a chat of Coca Cola's
NOTE = (
    "One member has them all: half of them archived, the others in a folder, ten of these pinned. The server's own "
    f"time, median / 95th percentile of {ROUNDS}, its queries to the database, and how many times as long the page "
    f"takes with the most chats as with the fewest: in bold above {FLAT}, and where {LONG:,} messages take more than "
    f"{GOAL} ms to open."
)
ABSENT, RARE, COMMON = "absentword", "refund", "the"


def table(database: str, sizes: Sequence[int]) -> str:
    """Fill and measure `database` ("sqlite" or "postgresql") with so many chats each; a Markdown table."""
    found = {size: _filled(database, size) for size in sizes}
    heads = [f"{each['own']:,} chats" for each in found.values()]
    lines = [f"| page | {' | '.join(heads)} | most : fewest |", f"|---|{'--:|' * (len(heads) + 1)}"]
    for name in found[sizes[0]]["pages"]:
        pages = [each["pages"][name] for each in found.values()]
        lines.append(f"| {name} | {' | '.join(map(_cell, pages))} | {_growth(pages)} |")
    return "\n".join(lines)


def _cell(page: dict[str, float]) -> str:
    median = f"{page['median_ms']:.0f}"
    if page["long"] and page["median_ms"] > GOAL:
        median = f"**{median}**"
    return f"{median} / {page['p95_ms']:.0f} ms, {page['queries']:.0f} queries"


def _growth(pages: list[dict[str, float]]) -> str:
    times = pages[-1]["median_ms"] / pages[0]["median_ms"]
    return f"**{times:.1f}**" if times > FLAT else f"{times:.1f}"


def _filled(database: str, size: int) -> dict[str, Any]:
    with TemporaryDirectory() as folder, postgresql(wanted=database == "postgresql") as address:
        product = Product(Path(folder), **({"DATABASE_URL": address} if address else {}))
        product.install()
        product.manage("demo_history", "--messages", str(round(size * MESSAGES)), "--people", "1")
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
    person = User.objects.get(pk=most["owner"])
    addresses = _arranged(person)
    client = Client()
    client.force_login(person)
    client.get("/")  # templates are read once
    pages = {
        name: _timed(client, *asked) | {"long": name.startswith("2,000")} for name, asked in addresses.items()
    }
    return {"own": most["chats"], "pages": pages}


def _arranged(person: Any) -> dict[str, tuple[str, dict[str, str]]]:
    """Put the person's chats in order, and give by name an address and its query."""
    from django.urls import reverse
    from django.utils import timezone

    from conversations.models import Conversation, Folder
    from conversations.views.history import PAGE_SIZE
    from tests.lengthy import lengthy

    own = Conversation.objects.filter(owner=person, trial=None).order_by("-active_at", "-pk")
    ids, now = list(own.values_list("pk", flat=True)), timezone.now()
    folder = Folder.objects.create(owner=person, name="Half of them")
    for at in range(0, len(ids), 1_000):
        Conversation.objects.filter(pk__in=ids[at : at + 1_000 : 2]).update(archived_at=now)
        Conversation.objects.filter(pk__in=ids[at + 1 : at + 1_000 : 2]).update(folder=folder)
    Conversation.objects.filter(pk__in=ids[1:20:2]).update(pinned_at=now)
    long = lengthy(person, own[0].persona, LONG // 2)
    far = long.messages.get(depth=LONG // 4)

    def last(rows: Any) -> dict[str, str]:
        """The query for a list's last page."""
        at = list(rows.values_list("active_at", "pk"))[-PAGE_SIZE - 1 :][0]
        return {"after": f"{at[0].isoformat()}~{at[1]}"}

    archived, inside = {"archived": ""}, {"folder": str(folder.pk)}
    usual = str(ids[len(ids) // 2])
    return {
        "start page, with the list of chats": ("/", {}),
        "list of chats, its end": ("/chats/", last(own.listed())),
        "a folder": ("/chats/", inside),
        "a folder, its end": ("/chats/", inside | last(own.filter(folder=folder))),
        "archived": ("/chats/", archived),
        "archived, its end": ("/chats/", archived | last(own.filter(archived_at__isnull=False))),
        "a conversation": (f"/c/{usual}/", {}),
        "2,000 messages": (f"/c/{long.pk}/", {}),
        "2,000 messages, at one far up": (f"/c/{long.pk}/", {"to": str(far.pk)}),
        "2,000 messages, earlier ones": (reverse("earlier", args=[long.pk, far.pk]), {}),
        **{
            f"search: {what} ({text})": ("/chats/", {"q": text})
            for what, text in (
                ("a common word", COMMON),
                ("a less common word", RARE),
                ("a word that nobody wrote", ABSENT),
                ("two words", "secret recipe"),
                ("a beginning", "com"),
                ("a phrase", '"recipe is kept secret"'),
                ("CJK", "自動販売機"),
            )
        },
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

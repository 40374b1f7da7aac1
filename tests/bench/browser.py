"""What an answer costs the page: a Markdown answer that arrives at 200 tokens a second, in headless Chromium.

`python -m tests.bench.browser` starts the product as an operator does, before a provider of its own
(`markdown_upstream`), asks through the composer and measures the page's main thread while the answer comes.
`--history` does so once more below that many earlier turns; `--write` keeps the table in `RESULTS.md`.

The main thread's time is Chromium's own account of it (`TaskDuration`, wall time within tasks; `ThreadTime`, processor
time). The same page at rest, with the same meter running, is measured just before each question; what it takes in as
long a time is subtracted. Frame gaps are those between the frames that requestAnimationFrame announces.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, CDPSession, Page

from tests.bench import results
from tests.bench.markdown_upstream import LAST
from tests.e2e.acts import ask
from tests.e2e.site import Site, launch, sign_in
from tests.servers import ROOT

METER = Path(__file__).with_name("meter.js")
SIZES = [500, 1_000, 2_000, 4_000]
RATE = 200  # tokens a second
IDLE_SECONDS = 4.0
PATIENCE = 120_000  # milliseconds beyond which an answer is taken for lost

Sample = dict[str, float]


@dataclass(frozen=True, slots=True)
class Row:
    """The median of some runs of one size, below some earlier turns."""

    tokens: int
    turns: int
    values: Sample
    version: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="tokens of an answer")
    parser.add_argument("--runs", type=int, default=3, help="of which the medians are shown")
    parser.add_argument(
        "--history", type=int, default=0, help="earlier turns below which sizes are measured too"
    )
    parser.add_argument("--write", action="store_true", help=f"put the table into {results.FILE.name}")
    options = parser.parse_args()
    rows = asyncio.run(_measured(options.sizes, options.runs, options.history))
    text = f"{_facts(rows, options.runs)}\n\n{_table(rows)}"
    print(text)  # noqa: T201
    if options.write:
        results.write("The page", text)


# -- What is measured --------------------------------------------------------------------------------------------


@asynccontextmanager
async def stage() -> AsyncIterator[tuple[Site, Browser, asyncio.StreamReader]]:
    """The product before the provider, a browser, and what the provider says."""
    upstream = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.markdown_upstream", cwd=ROOT, stdout=subprocess.PIPE
    )
    assert upstream.stdout is not None
    port = json.loads(await upstream.stdout.readline())["port"]
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "Chromium is missing"
    with tempfile.TemporaryDirectory() as folder:
        site = Site(
            Path(folder), MISTRAL_API_KEY="key", MISTRAL_BASE_URL=f"http://127.0.0.1:{port}"
        ).install()
        playwright, browser = await launch(chromium)
        try:
            yield site.start(), browser, upstream.stdout
        finally:
            await browser.close()
            await playwright.stop()
            site.close()
            upstream.terminate()
            await upstream.wait()


async def _measured(sizes: list[int], runs: int, history: int) -> list[Row]:
    async with stage() as (site, browser, said):
        context = await browser.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(PATIENCE)
        start = await sign_in(context, site, "member")
        await start.close()
        rows = []
        for size in sizes:
            samples = []
            for _ in range(runs):
                page = await conversation(context, site, said, turns=1)
                samples.append(await measure(page, said, size))
                await page.close()
            rows.append(_row(size, 1, samples, browser))
        if history:
            page = await conversation(context, site, said, turns=history)
            for size in (sizes[0], sizes[-1]):
                samples = [await measure(await reopened(page), said, size) for _ in range(runs)]
                rows.append(_row(size, history, samples, browser))
        return rows


def _row(size: int, turns: int, samples: list[Sample], browser: Browser) -> Row:
    values = {name: statistics.median(sample[name] for sample in samples) for name in samples[0]}
    return Row(size, turns, values, browser.version)


async def conversation(
    context: BrowserContext, site: Site, said: asyncio.StreamReader, *, turns: int
) -> Page:
    """The page of a conversation with some turns, as it is when it is opened, with the meter running."""
    page = await context.new_page()
    await page.goto(site.url)
    await page.get_by_role("radio", name="Coca Cola guide").check()
    for number in range(1, turns + 1):
        await ask(page, "60 tokens, at once")
        await said.readline()
        done = page.locator('article[data-role="assistant"][data-status="done"]')
        await done.nth(number - 1).wait_for()
        await page.locator("#composer-button [type=submit]").wait_for()
    return await reopened(page)


async def reopened(page: Page) -> Page:
    await page.reload()
    await page.evaluate(METER.read_text("utf-8"), LAST)
    return page


async def measure(page: Page, said: asyncio.StreamReader, size: int) -> Sample:
    """Ask for an answer of `size` tokens, and give back what it cost this page."""
    session = await page.context.new_cdp_session(page)
    await session.send("Performance.enable")
    await asyncio.sleep(1)  # what the page still does after it was opened
    idle = await _idle(page, session)
    await page.get_by_role("textbox", name="Message").fill(f"{size} tokens, {RATE} a second")
    before = await _metrics(session)
    began = await page.evaluate("seconds => meter.reset(seconds)", size / RATE)
    await page.keyboard.press("Enter")
    sent = json.loads(await asyncio.wait_for(said.readline(), PATIENCE / 1_000))["sent"]
    await asyncio.wait_for(page.evaluate("meter.over()"), PATIENCE / 1_000)
    after, seen = await _metrics(session), await page.evaluate("meter.read()")
    await session.send("HeapProfiler.collectGarbage")
    kept = await _metrics(session)
    await session.detach()
    seconds = (seen["now"] - began) / 1_000
    spent = {name: after[name] - before[name] for name in idle}
    net = {name: spent[name] - idle[name] * seconds for name in idle}
    gaps = sorted(seen["gaps"])
    return {
        "main": spent["TaskDuration"],
        "net": net["TaskDuration"] * 1_000 / size,
        "cpu": net["ThreadTime"] * 1_000 / size,
        "script": net["ScriptDuration"] * 1_000 / size,
        "style": net["RecalcStyleDuration"] * 1_000 / size,
        "layout": net["LayoutDuration"] * 1_000 / size,
        "gap50": gaps[len(gaps) // 2],
        "gap95": gaps[len(gaps) * 95 // 100],
        "gapmax": gaps[-1],
        "long": len(seen["tasks"]),
        "longest": max(seen["tasks"], default=0),
        "last": (seen["painted"] - sent) * 1_000,
        "nodes": seen["nodes"],
        "heap": kept["JSHeapUsedSize"] / 1e6,
        "idle": idle["TaskDuration"] * 1_000,
    }


async def _idle(page: Page, session: CDPSession) -> Sample:
    """Seconds of each account that the page takes in a second when nothing happens."""
    before, began = await _metrics(session), await page.evaluate("meter.reset(Infinity)")
    await asyncio.sleep(IDLE_SECONDS)
    after, ended = await _metrics(session), await page.evaluate("performance.now()")
    names = ("TaskDuration", "ThreadTime", "ScriptDuration", "RecalcStyleDuration", "LayoutDuration")
    return {name: (after[name] - before[name]) / (ended - began) * 1_000 for name in names}


async def _metrics(session: CDPSession) -> Sample:
    reply: dict[str, Any] = await session.send("Performance.getMetrics")
    return {metric["name"]: metric["value"] for metric in reply["metrics"]}


# -- What is shown -----------------------------------------------------------------------------------------------


def _facts(rows: list[Row], runs: int) -> str:
    lines = [
        results.facts(f"Chromium {rows[0].version}"),
        f"A Markdown answer at {RATE} tokens of 4 characters a second, medians of {runs}. Per token: milliseconds of "
        "the main thread beyond those of the page at rest, by the clock and of the processor, and of these in scripts, "
        "styles and layout.",
    ]
    short = {row.turns: row for row in reversed(rows)}
    for row in rows:
        if row.tokens != short[row.turns].tokens:
            ratio = row.values["net"] / short[row.turns].values["net"]
            lines.append(
                f"A token of {row.tokens:,} takes {ratio:.2f} times one of {short[row.turns].tokens:,}"
                + (f" below {row.turns} turns." if row.turns > 1 else ".")
            )
    return "\n".join(lines)


def _table(rows: list[Row]) -> str:
    columns = (
        ("main thread, s", "{main:.2f}"),
        ("ms a token", "{net:.2f}"),
        ("processor", "{cpu:.2f}"),
        ("script", "{script:.2f}"),
        ("style", "{style:.2f}"),
        ("layout", "{layout:.2f}"),
        ("frame gap p50 / p95 / max, ms", "{gap50:.0f} / {gap95:.0f} / {gapmax:.0f}"),
        ("tasks over 50 ms", "{long:.0f} ({longest:.0f})"),
        ("last word, ms", "{last:.0f}"),
        ("DOM nodes", "{nodes:,.0f}"),
        ("heap, MB", "{heap:.1f}"),
        ("at rest, ms a s", "{idle:.0f}"),
    )
    lines = [
        f"| tokens | turns above | {' | '.join(name for name, _ in columns)} |",
        f"|--:|--:|{'--:|' * len(columns)}",
    ]
    for row in rows:
        cells = " | ".join(form.format(**row.values) for _, form in columns)
        lines.append(f"| {row.tokens:,} | {row.turns} | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

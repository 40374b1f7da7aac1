"""How much goes to the browser for an answer of so many characters, by what the answer is made of."""

from __future__ import annotations

from tests.bench.answers import Load, Rows, through_product
from tests.bench.product import Setting
from tests.bench.script import Ask

LENGTHS = (500, 1_000, 2_000, 4_000)  # tokens of four characters
RATE = 200.0
SLOW_RATE, SLOW_LENGTHS = 50.0, (500, 1_000)
KINDS = {"plain": "paragraphs of 80 words", "long": "one long paragraph", "code": "an open code block"}
COLUMNS = (
    ("characters", "{characters:,.0f}"),
    ("bytes", "{bytes:,.0f}"),
    ("bytes a character", "{bytes_per_character:.2f}"),
    ("bytes a token", "{bytes_per_token:.1f}"),
    ("frames", "{frames:.0f}"),
    ("whole", "{whole:.0f}"),
)


def measure(setting: Setting) -> Rows:
    """All answers at once, which are too few to be a load; each is compared with its page loaded anew."""
    wanted = [(kind, RATE, length) for kind in KINDS for length in LENGTHS]
    wanted += [("plain", SLOW_RATE, length) for length in SLOW_LENGTHS]
    asks = tuple(Ask(key, kind, tokens, rate) for key, (kind, rate, tokens) in enumerate(wanted, start=1))
    seen = through_product(setting, Load(asks, ramp=1.0), reload=True)
    answers = {answer["key"]: answer for answer in seen.answers}
    rows: Rows = {}
    for ask in asks:
        answer, characters = answers[ask.key], len(ask.text())
        rows[f"{KINDS[ask.kind]}, {ask.rate:g} tokens/s, {ask.tokens:,} tokens"] = {
            "characters": characters,
            "bytes": answer["bytes"],
            "bytes_per_character": answer["bytes"] / characters,
            "bytes_per_token": answer["bytes"] / ask.tokens,
            "frames": answer["frames"],
            "whole": answer["whole"] and answer["status"] == "done",
        }
    return rows

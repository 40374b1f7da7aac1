"""How much goes to the browser for an answer of so many characters, by what the answer is made of."""

from __future__ import annotations

from tests.bench.answers import Load, Rows, through_product
from tests.bench.product import Setting
from tests.bench.script import Ask

LENGTHS = (500, 1_000, 2_000, 4_000)  # tokens of four characters
RATE = 200.0
SLOW_RATE, SLOW_LENGTHS = 50.0, (500, 1_000)
KINDS = {"plain": "paragraphs of 80 words", "long": "one long paragraph", "code": "an open code block"}
NOTE = (
    "Text is what the socket brought for the words of the answer; all is everything from the question to the end, the "
    "bubbles, buttons and the reply to the form included."
)
COLUMNS = (
    ("characters", "{characters:,.0f}"),
    ("text", "{text_bytes:,.0f}"),
    ("text by its characters", "{text_ratio:.2f}"),
    ("all", "{bytes:,.0f}"),
    ("all by its characters", "{ratio:.2f}"),
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
            "ratio": answer["bytes"] / characters,
            "text_bytes": answer["text_bytes"],
            "text_ratio": answer["text_bytes"] / characters,
            "frames": answer["frames"],
            "whole": answer["whole"] and answer["status"] == "done",
        }
    return rows

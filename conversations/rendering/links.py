"""Where a link may lead, and what its reader is told about that.

What lives here: the judgement of one address. Markup is made in `writer`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import quote, urlsplit

LONGEST: Final = 2_048

# An address is allowed by its whole shape, never refused by a list of bad ones: a scheme hidden
# behind a tab, an entity or a letter in another case does not match, and so is no link.
_WEB: Final = re.compile(
    r"(?i:https?)://(?P<host>[\w\-]+(?:\.[\w\-]+)*\.?|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?(?:[/?#]\S*)?"
)
_MAIL: Final = re.compile(r"(?i:mailto):(?P<address>[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)*)(?:\?\S*)?")

# Kept as they are written; everything else in an address is percent-encoded, quotes and angle
# brackets above all, so that an address cannot look like markup in any attribute.
_KEPT: Final = "%/:?#[]@!$&'()*+,;=-._~"

_BARE: Final = re.compile(r"(?<![\w/@.])https?://[^\s<>\"`\u3000-\u303f\uff00-\uffef]+")
_TRAILING: Final = ".,;:!?'*_~"


@dataclass(frozen=True, slots=True)
class Destination:
    """An allowed address: what goes into `href`, and the part of it that says whose it is."""

    href: str
    owner: str


@lru_cache(maxsize=1_024)
def destination(address: str) -> Destination | None:
    """The judged address, or None where it may not be a link."""
    if len(address) > LONGEST:
        return None
    if match := _WEB.fullmatch(address):
        return _web(address, match["host"])
    if match := _MAIL.fullmatch(address):
        if not address.isascii():
            return None
        return Destination(quote(address, safe=_KEPT), match["address"])
    return None


def _web(address: str, host: str) -> Destination | None:
    try:
        plain = host.lower() if host.isascii() else host.encode("idna").decode("ascii")
        href = quote(address.replace(host, plain, 1), safe=_KEPT)
        if urlsplit(href).hostname != plain.strip("[]"):
            return None
    except (UnicodeError, ValueError):
        return None
    return Destination(href, plain)


def speaks_for_itself(text: str, target: Destination) -> bool:
    """Whether the words of a link already say where it goes: its address, its host, a part of both."""
    said = _bare_form(text)
    real = _bare_form(target.href)
    owner = _bare_form(target.owner)
    return said == owner or (said.startswith(owner) and real.startswith(said.rstrip("…")))


def _bare_form(address: str) -> str:
    lowered = address.strip().lower()
    for prefix in ("https://", "http://", "mailto:", "www."):
        lowered = lowered.removeprefix(prefix)
    return lowered.rstrip("/")


def bare_addresses(text: str) -> list[tuple[int, int, Destination]]:
    """The addresses that stand in running text without any markup, as (start, end, destination)."""
    if "://" not in text:
        return []
    found = []
    for match in _BARE.finditer(text):
        address = match.group().rstrip(_TRAILING)
        if len(address) > LONGEST:
            continue
        while address.endswith(")") and address.count("(") < address.count(")"):
            address = address[:-1].rstrip(_TRAILING)
        if target := destination(address):
            found.append((match.start(), match.start() + len(address), target))
    return found

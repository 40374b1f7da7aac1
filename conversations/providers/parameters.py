"""A person's choices for the model: under which names they are sent, and which a provider would refuse.

The tables of names and ranges are in the wire modules; here is what the three do alike with them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from conversations.providers.events import Parameters
from conversations.providers.marking import gettext_noop

_LONGEST_STOP = 200
UNNAMED = gettext_noop("This kind of server")  # where a sentence cannot name the provider
LONGEST = 2_000_000  # tokens: more than any model writes or reads, and far from what a database can add up
_ENDLESS = 2**53  # nobody types so much, so it is no end worth naming


@dataclass(frozen=True, slots=True)
class Range:
    """The numbers that a provider takes, both ends included unless `above` says otherwise."""

    low: float
    high: float | None = None
    above: bool = False
    whole: bool = False

    def complaint(self, value: object) -> str:
        """Return what is wrong with a value, or nothing."""
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            return _("Enter a whole number.") if self.whole else _("Enter a number.")
        # Written so that NaN, which compares false with everything, is refused.
        fits = (value > self.low if self.above else value >= self.low) and (
            self.high is None or value <= self.high
        )
        if self.high == LONGEST and value > self.high:
            return _("Enter at most %(most)s.") % {"most": number_format(LONGEST, force_grouping=True)}
        return "" if fits else self._wanted()

    def __str__(self) -> str:
        """The range as a help text names it."""
        if self.high is None or self.high == LONGEST or self.high >= _ENDLESS:
            return _("%(low)s or more") % self._ends()
        said = _("above %(low)s, up to %(high)s") if self.above else _("%(low)s to %(high)s")
        return said % {name: end.replace("-", "−") for name, end in self._ends().items()}

    def _wanted(self) -> str:
        if self.high is None or self.high == LONGEST:
            return _("Enter %(low)s or more.") % self._ends()
        if self.above:
            return _("Enter a number above %(low)s and up to %(high)s.") % self._ends()
        return _("Enter a number from %(low)s to %(high)s.") % self._ends()

    def _ends(self) -> dict[str, str]:
        ends = {"low": self.low, "high": self.high}
        return {name: "" if end is None else number_format(f"{end:g}") for name, end in ends.items()}


@dataclass(frozen=True, slots=True)
class Accepted:
    """What one provider takes: numbers by field, the efforts of thinking, the count of stop texts."""

    provider: str
    numbers: Mapping[str, Range]
    efforts: tuple[str, ...] = ()
    safe_prompt: bool = False
    stops: int | None = None

    def takes(self, name: str) -> str:
        """What can be chosen for a field; empty where this provider does not know it."""
        if name == "stop":
            return _("any number") if self.stops is None else _("at most %(most)s") % {"most": self.stops}
        if name == "reasoning_effort":
            return ", ".join(self.efforts)
        if name == "safe_prompt":
            return _("yes or no") if self.safe_prompt else ""
        return str(self.numbers[name]) if name in self.numbers else ""


def named(parameters: Parameters, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the choices that are set, under the names of one wire; what it has no name for stays out."""
    chosen = ((wire_name, getattr(parameters, name)) for name, wire_name in names.items())
    return {
        wire_name: list(value) if isinstance(value, tuple) else value
        for wire_name, value in chosen
        if value is not None and value != ()
    }


def check(parameters: Parameters, accepted: Accepted) -> dict[str, str]:
    """Return a message for each field whose value this provider would refuse or does not know."""
    complaints = {}
    for name in (each.name for each in fields(Parameters)):
        value = getattr(parameters, name)
        if value is not None and value != ():
            complaint = _complaint(name, value, accepted)
            if complaint:
                complaints[name] = complaint
    return complaints


def _complaint(name: str, value: object, accepted: Accepted) -> str:
    if name == "stop":
        return _stop_complaint(value, accepted)
    if name == "safe_prompt" and accepted.safe_prompt:
        return "" if isinstance(value, bool) else _("Choose yes or no.")
    if name == "reasoning_effort" and accepted.efforts:
        offered = {"efforts": ", ".join(accepted.efforts)}
        return "" if value in accepted.efforts else _("Choose one of: %(efforts)s.") % offered
    if name in accepted.numbers:
        return accepted.numbers[name].complaint(value)
    unknown = _("%(provider)s does not know this setting. Leave it empty.")
    return unknown % {"provider": _(accepted.provider)}


def _stop_complaint(value: object, accepted: Accepted) -> str:
    texts = value if isinstance(value, tuple) else ()
    if not all(isinstance(text, str) and 0 < len(text) <= _LONGEST_STOP for text in texts) or not texts:
        return _("Enter texts of 1 to %(most)s characters.") % {"most": _LONGEST_STOP}
    if accepted.stops is not None and len(texts) > accepted.stops:
        return _("Enter at most %(most)s texts.") % {"most": accepted.stops}
    return ""

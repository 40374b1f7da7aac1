"""Parts of the persona form: texts, the choice of a provider, and what is said beside the parameters.

What providers take is asked of their wires, so that the form says what the check refuses.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import capfirst, get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations import posting, providers
from conversations.endpoints import wire_of
from conversations.models.persona import Wire

# What a parameter does, before what can be chosen for it.
EXPLAINED = {
    "temperature": gettext_lazy("Low keeps to the likeliest words, high varies more."),
    "top_p": gettext_lazy(
        "Chooses among the likeliest words that have this share together. "
        "Change this or the temperature, not both."
    ),
    "max_tokens": gettext_lazy("The longest answer, in tokens; a longer one is cut there."),
    "stop": gettext_lazy("An answer ends before any of these. One a line; \\n is a line break."),
    "seed": gettext_lazy("The same seed and the same question tend to give the same answer."),
    "presence_penalty": gettext_lazy("Above 0, what was said once is less likely to be said again."),
    "frequency_penalty": gettext_lazy("Above 0, what was said often is less likely to be said again."),
    "safe_prompt": gettext_lazy("Puts the provider's own words on safety before the system prompt."),
    "k": gettext_lazy("Chooses among this many of the likeliest words."),
    "reasoning_effort": gettext_lazy("How long a model that reasons thinks before it answers."),
}
UNSET = gettext_lazy("not sent")


class PlainText(forms.CharField):
    """A text with the line ends that are kept, whichever the browser sends."""

    def to_python(self, value: Any) -> str:
        return posting.clean(super().to_python(value) or "").strip()

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(initial) != self.to_python(data)


class ProviderSelect(forms.Select):
    """The providers; each names the parameters that it does not take, which the style sheet leaves out by that."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        endpoint = getattr(value, "instance", None)
        if endpoint is not None:
            accepted = providers.WIRES[wire_of(endpoint)].ACCEPTED
            if endpoint.company is not None:
                option["label"] = f"{endpoint.name} ({endpoint.company})"
            option["attrs"]["data-leaves"] = " ".join(each for each in EXPLAINED if not accepted.takes(each))
        return option


class YesNoUnset(forms.NullBooleanSelect):
    """Yes, no, or nothing at all, which is what a provider is told then."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.choices = [
            ("unknown", capfirst(UNSET)),
            ("true", gettext_lazy("Yes")),
            ("false", gettext_lazy("No")),
        ]


def explain(fields: dict[str, forms.Field]) -> None:
    """Say beside each parameter what it does and what each provider takes."""
    for name, does in EXPLAINED.items():
        field = fields[name]
        field.help_text = f"{does} {ranges(name)}".strip()
        if not isinstance(field.widget, forms.Select):
            field.widget.attrs["placeholder"] = UNSET


def ranges(name: str) -> str:
    """What can be chosen, by provider where they differ."""
    by_range: dict[str, list[str]] = {}
    for wire, module in providers.WIRES.items():
        by_range.setdefault(module.ACCEPTED.takes(name), []).append(str(Wire(wire).label))
    left = by_range.pop("", [])
    if len(by_range) == 1 and not left:
        return f"{capfirst(next(iter(by_range)))}."
    said = [
        _("%(providers)s: %(values)s.") % {"providers": get_text_list(who, _("and")), "values": what}
        for what, who in by_range.items()
    ]
    if left:
        unknown = _("%(providers)s: not known, leave it empty.")
        said.append(unknown % {"providers": get_text_list(left, _("and"))})
    return " ".join(said)

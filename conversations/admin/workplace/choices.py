"""What the filters of the ledger offer. Everything comes from small tables: the ledger itself is not asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.utils.translation import gettext

from conversations import reviewing
from conversations.admin.workplace import wording
from conversations.models import Company, Grade, Persona, PersonaVersion, Rule

Options = list[tuple[str, str]]  # value and label


@dataclass(frozen=True, slots=True)
class Field:
    """One select. What the address asks for and is not offered stands there as unknown, so that it can be seen."""

    name: str
    label: str
    any: str
    value: str
    groups: list[tuple[str, Options]]

    @property
    def unknown(self) -> bool:
        offered = {value for _, options in self.groups for value, _ in options}
        return bool(self.value) and self.value not in offered


def fields(company: Company, reader: User, query: Mapping[str, str]) -> list[Field]:
    """The selects for `reader`, as `query` has them set."""
    versions = list(
        PersonaVersion.objects.filter(persona__company=company, number__isnull=False)
        .order_by("persona__name", "-number")
        .values_list("pk", "number", "persona__name", "model")
    )
    offered: list[tuple[str, str, str, list[tuple[str, Options]]]] = [
        (
            "persona",
            gettext("Persona"),
            gettext("All"),
            _plain(Persona.objects.filter(company=company).values_list("pk", "name")),
        ),
        (
            "version",
            gettext("Version"),
            gettext("All"),
            _grouped(
                (name, pk, gettext("Version %(number)s") % {"number": n}) for pk, n, name, _ in versions
            ),
        ),
        (
            "model",
            gettext("Model"),
            gettext("All"),
            _plain((model, model) for model in sorted({v[3] for v in versions})),
        ),
        (
            "rating",
            gettext("Rating"),
            gettext("All"),
            _plain([("good", gettext("Good")), ("bad", gettext("Bad")), ("none", gettext("Not rated"))]),
        ),
        ("verdict", gettext("Grade"), gettext("All"), _verdicts(company)),
        (
            "label",
            gettext("Label"),
            gettext("All"),
            _plain(reviewing.known_labels(company, reader).values_list("pk", "name")),
        ),
        ("rule", gettext("In the queue for"), gettext("Any reason"), _rules(company)),
        ("finish", gettext("Ended"), gettext("In any way"), _plain(wording.finishes())),
        ("error", gettext("Error"), gettext("With and without"), _errors()),
    ]
    return [
        Field(name, label, every, query.get(name, "").strip(), groups)
        for name, label, every, groups in offered
    ]


def _rules(company: Company) -> list[tuple[str, Options]]:
    return _plain((rule.pk, str(rule)) for rule in Rule.objects.filter(company=company))


def _verdicts(company: Company) -> list[tuple[str, Options]]:
    grades = Grade.objects.filter(rubric__company=company).order_by("-rubric__in_use", "-rubric", "position")
    found = list(grades.values_list("rubric__name", "pk", "name"))
    return (
        _grouped(found)
        if len({name for name, *_ in found}) > 1
        else _plain((pk, name) for _, pk, name in found)
    )


def _errors() -> list[tuple[str, Options]]:
    return _plain([("any", gettext("Any error")), *wording.errors()])


def _plain(options: Iterable[tuple[object, str]]) -> list[tuple[str, Options]]:
    return [("", [(str(value), label) for value, label in options])]


def _grouped(options: Iterable[tuple[str, object, str]]) -> list[tuple[str, Options]]:
    groups: dict[str, Options] = {}
    for name, value, label in options:
        groups.setdefault(name, []).append((str(value), label))
    return list(groups.items())

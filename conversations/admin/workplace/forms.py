"""The forms of a company's settings: what is typed, and sentences beside it where it will not do."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.formats import number_format
from django.utils.text import format_lazy
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from conversations import access, rubrics, rules
from conversations.models import Company, Label, Persona, Rubric, Rule
from conversations.rubrics import Wording

Kind = Rule.Kind

KINDS = {  # what each kind of rule looks for
    Kind.BAD: gettext_noop("Answers that the person who asked calls bad."),
    Kind.FLAG: gettext_noop("Answers that the person who asked flags for review."),
    Kind.TROUBLE: gettext_noop("Answers that failed, broke off, or were cut at their length limit."),
    Kind.SAMPLE: gettext_noop("So many of a hundred answers, drawn at random."),
    Kind.WORDS: gettext_noop("Questions and answers in which one of your words stands."),
    Kind.PATTERN: gettext_noop("Questions and answers in which a pattern is found."),
}
_TEXT = {"autocomplete": "off", "spellcheck": "false"}
_LONG = {"max_length": _("Shorten it to %(limit_value)d characters; it has %(show_value)d.")}


def _value_field(kind: Rule.Kind) -> forms.CharField:
    """The field for what a rule of `kind` looks for, with its explanation."""
    widget: forms.Widget = forms.TextInput(_TEXT)
    if kind == Kind.SAMPLE:
        widget = forms.TextInput({**_TEXT, "inputmode": "numeric", "size": 6})
        label = gettext("Of a hundred answers")
        help_text = gettext("A whole number from 1 to 100. Each answer is drawn once.")
    elif kind == Kind.WORDS:
        widget = forms.Textarea({**_TEXT, "rows": 8})
        label = gettext("Words")
        help_text = gettext(
            "One word or phrase a line, at most %(most)s. Capitals and accents do not matter. "
            "Only whole words are found: “sue” does not find “issue”."
        ) % {"most": rules.WORDS}
    else:
        label = gettext("Pattern")
        help_text = gettext(
            "A regular expression of at most %(most)s characters, as RE2 reads it: "
            "without looking ahead or behind and without references back. "
            "Begin it with (?i) where capitals do not matter."
        ) % {"most": number_format(rules.PATTERN_CHARS, force_grouping=True)}
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=False,  # `rules.check` says what is missing
        max_length=2_000,
        widget=widget,
        error_messages=_LONG,
    )


def refuse_twin(rule: Rule) -> None:
    """Raise ValidationError where the company has a rule already that finds the same."""
    others = Rule.objects.filter(company=rule.company_id, kind=rule.kind, persona=rule.persona)
    for other in others.exclude(pk=rule.pk):
        if _meaning(other) == _meaning(rule):
            raise forms.ValidationError(
                gettext("There is a rule that finds the same already.")
                if other.active
                else gettext(
                    "There is a rule that finds the same already. It is switched off; switch it on instead."
                )
            )


def _meaning(rule: Rule) -> object:
    """What two rules of a kind that find the same have in common."""
    return frozenset(rule.value.casefold().splitlines()) if rule.kind == Kind.WORDS else rule.value


class RuleForm(forms.Form):
    """One rule, of a kind that is settled. A persona of another company is a 404."""

    def __init__(self, rule: Rule, data: Any = None) -> None:
        super().__init__(data, initial={"persona": rule.persona, "value": rule.value}, label_suffix="")
        self.rule = rule
        self.fields["persona"] = forms.ModelChoiceField(
            Persona.objects.filter(company=rule.company_id),
            label=_("Persona"),
            required=False,
            empty_label=gettext("All personas"),
        )
        if rule.kind in rules.NEEDS_VALUE:
            self.fields["value"] = _value_field(Kind(rule.kind))

    def clean(self) -> None:
        if "persona" in self.errors:
            raise access.NotVisible
        if "value" in self.errors:
            return
        self.rule.persona = self.cleaned_data["persona"]
        self.rule.value = self.cleaned_data.get("value", "")
        rules.check(self.rule)  # its ValidationError names the fields
        refuse_twin(self.rule)


class LabelForm(forms.Form):
    """The name of a label, once in a company whatever its capitals."""

    name = forms.CharField(
        label=_("Name"),
        max_length=40,
        widget=forms.TextInput(_TEXT),
        error_messages=_LONG | {"required": _("Give the label a name.")},
    )

    def __init__(self, label: Label, data: Any = None) -> None:
        auto_id = f"label-{label.pk or 'new'}-%s"
        super().__init__(data, initial={"name": label.name}, auto_id=auto_id, label_suffix="")
        self.label = label

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        others = Label.objects.filter(company=self.label.company_id).exclude(pk=self.label.pk)
        if self.label._state.adding:  # it takes the place of one that was only made up in a review
            others = others.filter(invented_in=None)
        for other in others:
            if other.name.casefold() == name.casefold():
                said = (
                    gettext("There is a label “%(label)s” already. It is retired; bring it back instead.")
                    if other.retired
                    else gettext("There is a label “%(label)s” already.")
                )
                raise forms.ValidationError(said % {"label": other.name})
        return name


_PERCENT = _("Give a whole number from 0 to 100.")


class SecondReviewsForm(forms.Form):
    """How many reviews are repeated."""

    second_reviews = forms.IntegerField(
        label=_("Of a hundred reviews"),
        min_value=0,
        max_value=100,
        widget=forms.TextInput({**_TEXT, "inputmode": "numeric", "size": 6}),
        help_text=format_lazy("{} {}", Company._meta.get_field("second_reviews").help_text, _("0 for none.")),
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), _PERCENT),
    )


class RubricForm(forms.Form):
    """A rubric's name and its grades, a row each; a row without a name is left out.

    Of a frozen rubric, it is the form for the next.
    """

    name = forms.CharField(
        label=_("Name of these grades"),
        max_length=80,
        widget=forms.TextInput(_TEXT),
        error_messages=_LONG | {"required": _("Give these grades a name.")},
    )

    def __init__(self, rubric: Rubric, data: Any = None) -> None:
        name = rubrics.next_name(rubric.name) if rubric.frozen_at else rubric.name
        initial: dict[str, Any] = {"name": name}
        for number, grade in enumerate(rubric.grades.all(), 1):
            for fact in ("name", "meaning", "passes"):
                initial[f"{fact}_{number}"] = getattr(grade, fact)
        super().__init__(data, initial=initial, label_suffix="")
        for number in range(1, rubrics.MOST + 1):
            for fact, field in _grade_fields().items():
                self.fields[f"{fact}_{number}"] = field

    def rows(self) -> list[tuple[int, list[forms.BoundField]]]:
        """The fields of each grade."""
        return [
            (number, [self[f"{fact}_{number}"] for fact in ("name", "meaning", "passes")])
            for number in range(1, rubrics.MOST + 1)
        ]

    def wording(self) -> list[Wording]:
        """What was typed."""
        given = self.cleaned_data
        return [
            Wording(given[f"name_{number}"], given[f"meaning_{number}"], given[f"passes_{number}"])
            for number in range(1, rubrics.MOST + 1)
        ]

    def clean(self) -> None:
        if not self.errors:
            rubrics.check(self.wording())


def _grade_fields() -> dict[str, forms.Field]:
    return {
        "name": forms.CharField(
            label=_("Name"),
            required=False,
            max_length=40,
            widget=forms.TextInput(_TEXT),
            error_messages=_LONG,
        ),
        "meaning": forms.CharField(
            label=_("When to give it"),
            required=False,
            max_length=200,
            widget=forms.TextInput({"autocomplete": "off"}),
            error_messages=_LONG,
        ),
        "passes": forms.BooleanField(label=_("Passes"), required=False),
    }

"""The persona form: one form over two rows, the persona and the version that is being written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.db.models import QuerySet
from django.forms.models import model_to_dict
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations import personas
from conversations.admin import compare
from conversations.admin.persona_fields import PlainText, ProviderSelect, YesNoUnset, explain
from conversations.models import Company, Endpoint, Persona, PersonaVersion

if TYPE_CHECKING:
    PersonaFormBase = forms.ModelForm[Persona]
    VersionFormBase = forms.ModelForm[PersonaVersion]
else:
    PersonaFormBase = VersionFormBase = forms.ModelForm


class LinesField(forms.CharField):
    """A list of texts, one a line. Spaces count, and a line break inside a text is written as \\n."""

    widget = forms.Textarea(attrs={"rows": 3})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(text.replace("\n", "\\n") for text in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        lines = (super().to_python(value) or "").replace("\r\n", "\n").split("\n")
        return [line.replace("\\n", "\n") for line in lines if line]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


class VersionForm(VersionFormBase):
    """The half of the persona form that becomes a version."""

    stop = LinesField(required=False, label=gettext_lazy("Stop sequences"))

    class Meta:
        model = PersonaVersion
        fields = personas.VERSIONED
        field_classes = {"system_prompt": PlainText}
        widgets = {
            "endpoint": ProviderSelect,
            "safe_prompt": YesNoUnset,
            # The script of the page fills the list that the field names.
            "model": forms.TextInput(
                attrs={
                    "list": "models",
                    "autocomplete": "off",
                    "spellcheck": "false",
                    "data-models": reverse_lazy("admin:conversations_persona_models"),
                }
            ),
            "system_prompt": forms.Textarea(attrs={"rows": 14, "spellcheck": "true"}),
        }

    def __init__(self, *args: Any, offered: QuerySet[Endpoint], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        explain(self.fields)
        cast("forms.ModelChoiceField[Endpoint]", self.fields["endpoint"]).queryset = offered
        self.fields["context_length"].widget.attrs["placeholder"] = compare.default_context()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "system_prompt" in cleaned and "system_prompt" not in self.changed_data:
            cleaned["system_prompt"] = self.initial.get(
                "system_prompt", ""
            )  # as it was kept, by other line ends maybe
        # An emptied box means "not sent", which is told from an empty text by None.
        cleaned["reasoning_effort"] = cleaned.get("reasoning_effort") or None
        return cleaned

    def _post_clean(self) -> None:
        # Django's own hook, called once the instance has its values.
        super()._post_clean()  # type: ignore[misc]
        if "endpoint" in self.errors or "stop" in self.errors:
            return  # without them nothing can be said of the ranges
        for name, problem in personas.problems(self.instance).items():
            if name not in self.errors:
                self.add_error(name, problem)


class PersonaForm(PersonaFormBase):
    """One form over two rows: the persona and its draft, or what the next draft begins with.

    `seen` says which version the page was opened with. It is compared under the lock that the saving needs, which
    is why a form is checked within its transaction.
    """

    offered = Endpoint.objects.none()
    """The providers that can be chosen; the page sets those of who asks for it."""

    seen = forms.CharField(required=False, label="", widget=forms.HiddenInput)
    starters = LinesField(
        required=False,
        label=gettext_lazy("Starters"),
        help_text=gettext_lazy("Questions to begin with, one a line."),
    )

    class Meta:
        model = Persona
        fields = ["company", "name", "tagline", "greeting", "starters", "avatar", "published"]
        field_classes = {"greeting": PlainText}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown = self.instance.draft or self.instance.current
        self.version = VersionForm(
            self.data if self.is_bound else None,
            initial=model_to_dict(shown, fields=personas.VERSIONED) if shown else None,
            offered=self.offered,
        )
        self.fields.update(self.version.fields)
        if self.instance.company_id is not None:
            self.fields["model"].widget.attrs["data-company"] = str(self.instance.company_id)
        self.initial = {**self.initial, **self.version.initial, "seen": personas.state(self.instance)}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name, errors in self.version.errors.items():
            if name in self.errors:
                continue  # this form has found the same
            self.add_error(None if name == "__all__" else name, errors)
        if self.instance._state.adding:
            cleaned["seen"] = None  # nothing was there to be seen
        else:
            self._take(cleaned.get("seen", ""))
        self._check_name(cleaned)
        self._check_provider(cleaned)
        return cleaned

    def _take(self, seen: str) -> None:
        """Have the persona to ourselves until it is saved, as it was `seen`, or say that it is another by now."""
        try:
            personas.take(self.instance, None if self.version.errors else self.version.instance, seen)
        except personas.Overtaken:
            self.add_error(
                None,
                _(
                    "Somebody saved, published or discarded meanwhile what you began with. Nothing of yours is saved "
                    "yet, and your text is kept below: compare it with theirs in another tab, then open this page "
                    "anew and put it in."
                ),
            )

    def _check_provider(self, cleaned: dict[str, Any]) -> None:
        """One of the company's own or of everybody's: who makes a persona may look after several companies."""
        endpoint, company = cleaned.get("endpoint"), cleaned.get("company", self.instance)
        company_id = company.pk if isinstance(company, Company) else self.instance.company_id
        if endpoint is not None and endpoint.company_id not in {None, company_id}:
            self.add_error("endpoint", personas.FOREIGN)

    def _check_name(self, cleaned: dict[str, Any]) -> None:
        """One name once a company. Django asks only where the company is a field of the form, which it is once."""
        if self.instance.pk and not self.instance._state.adding and "company" not in cleaned:
            others = Persona.objects.filter(company_id=self.instance.company_id).exclude(pk=self.instance.pk)
            if others.filter(name=cleaned.get("name", "")).exists():
                self.add_error("name", _("Your company has a persona of this name already."))

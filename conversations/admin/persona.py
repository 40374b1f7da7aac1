"""Personas: what people see of them on top, what the model is told below.

Saving a change of the lower half makes a new version and puts it in force; old versions stay readable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.forms.models import model_to_dict
from django.http import HttpRequest

from conversations import personas
from conversations.admin.scope import ManagersAdmin
from conversations.models import Persona, PersonaVersion

if TYPE_CHECKING:
    PersonaFormBase = forms.ModelForm[Persona]
    VersionFormBase = forms.ModelForm[PersonaVersion]
    VersionInlineBase = admin.TabularInline[PersonaVersion, Persona]
    PersonaAdminBase = ManagersAdmin[Persona]
else:
    PersonaFormBase = VersionFormBase = forms.ModelForm
    VersionInlineBase = admin.TabularInline
    PersonaAdminBase = ManagersAdmin


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

    stop = LinesField(required=False, label="Stop sequences", help_text=r"One a line; \n is a line break.")

    class Meta:
        model = PersonaVersion
        fields = personas.VERSIONED

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
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
    """One form over two rows: the persona and the version that is to be in force."""

    starters = LinesField(required=False, help_text="Questions to begin with, one a line.")

    class Meta:
        model = Persona
        fields = ["company", "name", "tagline", "greeting", "starters", "avatar", "published"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        current = self.instance.current
        self.version = VersionForm(
            self.data if self.is_bound else None,
            initial=model_to_dict(current, fields=personas.VERSIONED) if current else None,
        )
        self.fields.update(self.version.fields)
        self.initial = {**self.initial, **self.version.initial}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name, errors in self.version.errors.items():
            if name in self.errors:
                continue  # this form has found the same
            self.add_error(None if name == "__all__" else name, errors)
        return cleaned


class VersionInline(VersionInlineBase):
    """The versions so far, to read."""

    model = PersonaVersion
    fk_name = "persona"
    fields = readonly_fields = ("number", "created_at", "created_by", "endpoint", "model", "system_prompt")
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[PersonaVersion]:
        return super().get_queryset(request).select_related("endpoint", "created_by")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Persona)
class PersonaAdmin(PersonaAdminBase):
    form = PersonaForm
    list_display = ["name", "company", "published", "current"]
    list_filter = ["published", ("company", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["company", "current"]
    search_fields = ["name"]
    inlines = [VersionInline]
    fieldsets = [
        (None, {"fields": ["company", "name", "published"]}),
        ("What people see", {"fields": ["tagline", "greeting", "starters", "avatar"]}),
        (
            "What the model is told",
            {
                "fields": ["system_prompt", "endpoint", "model", "context_length"],
                "description": "Saving a change here makes a new version. "
                "Answers stay tied to the version that made them.",
            },
        ),
        (
            "Parameters",
            {
                "fields": [name for name in personas.VERSIONED[3:] if name != "context_length"],
                "description": "What is left empty is not sent: the provider's own default holds.",
            },
        ),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request)

    def get_form(
        self, request: HttpRequest, obj: Persona | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The form brings the fields of the version itself; only the persona's come from the model."""
        return super().get_form(request, obj, change, **{**kwargs, "fields": PersonaForm.Meta.fields})

    def get_readonly_fields(self, request: HttpRequest, obj: Persona | None = None) -> list[str]:
        """A persona stays in its company: its conversations would move to another tenant with it."""
        return ["company"] if obj else []

    def save_model(self, request: HttpRequest, obj: Persona, form: PersonaForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.version.has_changed() or obj.current is None:
            personas.publish(obj, form.version.instance, by=cast(User, request.user))
        if not obj.published:
            self.message_user(request, f"{obj} is not published yet: nobody can choose it.", messages.WARNING)

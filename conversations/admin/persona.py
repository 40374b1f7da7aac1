"""Personas: what people see of them on top, what the model is told below.

The upper half is in force once it is saved. A change of the lower half makes a draft, which nobody is answered by
until it is published as the next version; old versions stay readable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from csp.constants import SELF
from csp.decorators import csp_update
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override, pgettext_lazy

from conversations import access, personas
from conversations.admin import problems, versions
from conversations.admin.persona_form import PersonaForm
from conversations.admin.scope import ManagersAdmin
from conversations.models import Persona

if TYPE_CHECKING:
    PersonaAdminBase = ManagersAdmin[Persona]
else:
    PersonaAdminBase = ManagersAdmin


@admin.register(Persona)
class PersonaAdmin(PersonaAdminBase):
    form = PersonaForm
    conversations_by = "persona"
    list_display = ["name", "company", "published", "current", "draft"]
    list_filter = ["published", ("company", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["company", "current", "draft"]
    search_fields = ["name"]
    fieldsets = [
        (None, {"fields": ["company", "name", "published", "seen"]}),
        (
            gettext_lazy("What people see"),
            {
                "fields": ["tagline", "greeting", "starters", "avatar"],
                "description": gettext_lazy("In force as soon as it is saved, by either button."),
            },
        ),
        (
            gettext_lazy("What the model is told"),
            {
                "fields": ["system_prompt", "endpoint", "model", "context_length"],
                "description": gettext_lazy(
                    "A change here is a draft until it is published as the next version. "
                    "Answers stay tied to the version that made them."
                ),
            },
        ),
        (
            gettext_lazy("Parameters"),
            {
                "fields": [name for name in personas.VERSIONED[3:] if name != "context_length"],
                "description": gettext_lazy(
                    "What is left empty is not sent: the provider's own default holds."
                ),
            },
        ),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request)

    def get_form(
        self, request: HttpRequest, obj: Persona | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The form brings the fields of the version itself; only the persona's come from the model."""
        made: Any = super().get_form(request, obj, change, **{**kwargs, "fields": PersonaForm.Meta.fields})
        made.offered = (
            access.offered_endpoints(obj.company) if obj else access.managed_endpoints(request.user)
        )
        return made

    def get_readonly_fields(self, request: HttpRequest, obj: Persona | None = None) -> list[str]:
        """A persona stays in its company: its conversations would move to another tenant with it."""
        return ["company", "company_name"] if obj else []

    def get_fieldsets(self, request: HttpRequest, obj: Persona | None = None) -> Any:
        """Of a persona that there is, its company's name: Django would link it to a page that managers have not."""
        (title, first), *others = super().get_fieldsets(request, obj)
        company = "company_name" if obj else "company"
        return [(title, {**first, "fields": [company, *list(first["fields"])[1:]]}), *others]

    @admin.display(description=pgettext_lazy("field", "company"))
    def company_name(self, persona: Persona) -> str:
        return persona.company.name

    def get_urls(self) -> list[URLPattern]:
        return versions.urls() + super().get_urls()

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Persona:
        """With all that the form and its head say of it."""
        found = super().get_object(request, object_id, from_field)
        return access.managed_persona(request.user, found.pk)

    @method_decorator(csp_update({"frame-src": [SELF]}))  # for the trial beside the form
    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        persona = self.get_object(request, object_id)
        context = {
            "persona": persona,
            "seen": personas.state(persona),
            "versions": versions.listed(persona),
            "discarded": versions.discarded(request, persona),
        }
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, str | list[str]]:
        """Who looks after one company alone makes personas for that."""
        own = list(access.managed_companies(request.user).values_list("pk", flat=True)[:2])
        alone: dict[str, str | list[str]] = {"company": str(own[0])} if len(own) == 1 else {}
        return alone | super().get_changeform_initial_data(request)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """What is wrong stands above the form with the way to each field, instead of Django's line without one."""
        wrong = problems.found(context["adminform"].form)
        return super().render_change_form(
            request, {**context, "problems": wrong, "errors": None}, *args, **kwargs
        )

    def log_change(self, request: HttpRequest, obj: Persona, message: Any) -> Any:
        """Nothing goes on record where nothing changed: a publishing says so itself."""
        return super().log_change(request, obj, message) if message else None

    def save_model(self, request: HttpRequest, obj: Persona, form: PersonaForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "_publish" in request.POST:
            said = self._publish(request, obj, form)
        elif form.version.has_changed() or not (obj.current or obj.draft):
            said = self._save_draft(request, obj, form)
        else:
            said = _("Saved.")
        self.message_user(request, f"{said} {_missing(obj)}".strip(), messages.SUCCESS)

    def _publish(self, request: HttpRequest, persona: Persona, form: PersonaForm) -> str:
        sent, seen = form.version.instance, form.cleaned_data["seen"]
        version = personas.publish(persona, sent, by=cast(User, request.user), seen=seen)
        if version is not sent:
            said = _("Saved. The model is told what it was told already: %(version)s stays in force.")
            return said % {"version": version}
        with override(None):  # what goes on record is in one language
            self.log_change(request, persona, f"Published {version}.")
        return _("Published: %(version)s is in force from the next answer on.") % {"version": version}

    def _save_draft(self, request: HttpRequest, persona: Persona, form: PersonaForm) -> str:
        sent, seen = form.version.instance, form.cleaned_data["seen"]
        draft = personas.save_draft(persona, sent, by=cast(User, request.user), seen=seen)
        if draft is None:
            said = _("This is what %(version)s says, so there is no draft any more.")
            return said % {"version": persona.current}
        if persona.current:
            said = _("The draft is saved. People get %(version)s until it is published.")
            return said % {"version": persona.current}
        return _("The draft is saved.")

    def response_add(
        self, request: HttpRequest, obj: Persona, post_url_continue: str | None = None
    ) -> HttpResponse:
        return redirect(versions.CHANGE, obj.pk)

    def response_change(self, request: HttpRequest, obj: Persona) -> HttpResponse:
        """Back to the page, which says what came of it: writing a prompt is done in many small steps."""
        return redirect(versions.CHANGE, obj.pk)


def _missing(persona: Persona) -> str:
    """What stands between `persona` and the people, in one sentence."""
    if persona.current:
        return "" if persona.published else _("Nobody can choose the persona until “Offered” is ticked.")
    if persona.published:
        return _("Nobody can choose the persona until it is published.")
    return _("Nobody can choose the persona until it is published and “Offered” is ticked.")

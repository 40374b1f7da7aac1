"""The pages of a persona's versions: one to read, two to compare, an old one to restore; and the list of models.

Each goes through `access.managed_persona`, so what is foreign and what is absent are the same 404.
"""

from __future__ import annotations

import uuid
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.http import require_POST, require_safe

from conversations import access, catalogue, personas
from conversations.admin import compare
from conversations.models import Endpoint, Persona, PersonaVersion
from conversations.rendering import plaintext
from conversations.views import trial
from conversations.views.guards import signed_in

CHANGE = "admin:conversations_persona_change"


def urls() -> list[URLPattern]:
    """The addresses, below those of the personas."""
    wrap = admin.site.admin_view
    one = "<uuid:persona_id>"
    name = "conversations_persona"
    return [
        path("models/", wrap(models_page), name=f"{name}_models"),
        path(f"{one}/versions/<slug:slug>/", wrap(version_page), name=f"{name}_version"),
        path(f"{one}/versions/<slug:slug>/restore/", wrap(restore), name=f"{name}_restore"),
        path(f"{one}/draft/discard/", wrap(discard), name=f"{name}_discard"),
        path(f"{one}/draft/<int:version_id>/bring-back/", wrap(bring_back), name=f"{name}_bring_back"),
        path(f"{one}/compare/", wrap(compare_page), name=f"{name}_compare"),
        # Its form is a chat's: signed out, or refused, it is answered with a sentence.
        path(f"{one}/try/", signed_in(wrap(trial.try_)), name=f"{name}_try"),
    ]


def listed(persona: Persona) -> list[PersonaVersion]:
    """What can be read of `persona`: the draft and the published versions, newest first, without their prompts."""
    published = persona.versions.filter(number__isnull=False).select_related("endpoint", "created_by")
    return ([persona.draft] if persona.draft else []) + list(published.defer("system_prompt"))


def discarded(request: HttpRequest, persona: Persona) -> PersonaVersion | None:
    """The draft that was discarded just now, where the address says so."""
    number = request.GET.get("discarded", "")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    return persona.versions.filter(pk=int(number), number__isnull=True).first()


@require_safe
def version_page(request: HttpRequest, persona_id: uuid.UUID, slug: str) -> HttpResponse:
    """A version to read."""
    persona = access.managed_persona(request.user, persona_id)
    version = access.version(persona, slug)
    facts = [
        (compare.label(name), compare.value(version, name))
        for name in personas.VERSIONED
        if name != "system_prompt"
    ]
    title = _("%(persona)s: %(version)s") % {"persona": persona, "version": version}
    context = {"version": version, "facts": facts, "title": plaintext.clean(title)}
    return _page(request, "version.html", persona, context)


@require_safe
def compare_page(request: HttpRequest, persona_id: uuid.UUID) -> HttpResponse:
    """Two versions side by side: those that are asked for, else what is in force and what came before or is next."""
    persona = access.managed_persona(request.user, persona_id)
    versions = listed(persona)
    if not versions:
        raise access.NotVisible
    right = access.version(persona, request.GET.get("right") or versions[0].slug)
    left = access.version(persona, request.GET.get("left") or versions[min(1, len(versions) - 1)].slug)
    sides = {"persona": persona, "left": left, "right": right}
    context = {
        "versions": versions,
        "left": left,
        "right": right,
        "prompts": compare.prompts(left.system_prompt, right.system_prompt),
        "parameters": compare.parameters(left, right),
        "same": not personas.changed(left, right),
        "title": plaintext.clean(_("%(persona)s: %(left)s and %(right)s") % sides),
    }
    return _page(request, "compare.html", persona, context)


@require_POST
def restore(request: HttpRequest, persona_id: uuid.UUID, slug: str) -> HttpResponse:
    """Make an old version the draft."""
    persona = access.managed_persona(request.user, persona_id)
    version = access.version(persona, slug)
    return _drafted(request, persona, version, version)


@require_POST
def discard(request: HttpRequest, persona_id: uuid.UUID) -> HttpResponse:
    """End the draft; the page that follows can bring it back."""
    persona = access.managed_persona(request.user, persona_id)
    try:
        draft = personas.discard_draft(persona, seen=request.POST.get("seen"))
    except personas.Overtaken:
        return _overtaken(request, persona)
    if draft is None:
        return redirect(CHANGE, persona.pk)
    admin.site.get_model_admin(Persona).log_change(request, persona, "Discarded the draft.")
    return redirect(f"{reverse(CHANGE, args=[persona.pk])}?discarded={draft.pk}")


@require_POST
def bring_back(request: HttpRequest, persona_id: uuid.UUID, version_id: int) -> HttpResponse:
    """Make a draft that was discarded the draft again."""
    persona = access.managed_persona(request.user, persona_id)
    version = access.discarded_draft(persona, version_id)
    return _drafted(request, persona, version, gettext_lazy("the draft that was discarded"))


@require_safe
def models_page(request: HttpRequest) -> HttpResponse:
    """The models of a provider, as JSON for the form: `models` is null where they cannot be had."""
    if not access.managed_companies(request.user).exists() and not access.is_operator(request.user):
        raise PermissionDenied
    endpoint, company_id = _asked(request)
    found = catalogue.models(endpoint, company_id)
    return JsonResponse(
        {
            "models": found
            and [
                {
                    "id": model.id,
                    "context_length": model.context_length,
                    "capabilities": model.capabilities,
                }
                for model in found
            ]
        }
    )


def _asked(request: HttpRequest) -> tuple[Endpoint, uuid.UUID | None]:
    """The provider that is asked, and for which company: by that one's key. Raises NotVisible."""
    number, company_id = request.GET.get("endpoint", ""), request.GET.get("company", "")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise access.NotVisible
    if not company_id:
        endpoint = access.managed_endpoints(request.user).filter(pk=int(number)).first()
        if endpoint is None:
            raise access.NotVisible
        return endpoint, endpoint.company_id
    try:
        company = access.managed_company(request.user, uuid.UUID(company_id))
    except ValueError:
        raise access.NotVisible from None
    return access.offered_endpoint(company, int(number)), company.pk


def _drafted(request: HttpRequest, persona: Persona, version: PersonaVersion, name: object) -> HttpResponse:
    """Make a draft of what `version` says, and go to the form."""
    try:
        restored, seen = personas.copy(version), request.POST.get("seen")
        draft = personas.save_draft(persona, restored, by=cast(User, request.user), seen=seen)
    except personas.Overtaken:
        return _overtaken(request, persona)
    except ValidationError as refused:
        # Its provider accepts less than it did then.
        said = _("%(version)s cannot be restored: %(problems)s")
        messages.error(request, capfirst(said % {"version": name, "problems": " ".join(refused.messages)}))
        return redirect(CHANGE, persona.pk)
    if draft is None:
        messages.info(
            request, capfirst(_("%(version)s is in force, so there is no draft.") % {"version": name})
        )
    else:
        with override(None):  # what goes on record is in one language
            admin.site.get_model_admin(Persona).log_change(request, persona, f"Restored {name} as the draft.")
        said = _("The draft is %(version)s again. People get it once it is published.")
        messages.success(request, said % {"version": name})
    return redirect(CHANGE, persona.pk)


def _overtaken(request: HttpRequest, persona: Persona) -> HttpResponse:
    """To the form, which shows what somebody made of the persona meanwhile."""
    messages.error(
        request,
        _(
            "Somebody saved, published or discarded a draft meanwhile, so nothing was changed. What there is now is "
            "below: look at it, then do it again if you still want to."
        ),
    )
    return redirect(CHANGE, persona.pk)


def _page(request: HttpRequest, template: str, persona: Persona, context: dict[str, Any]) -> HttpResponse:
    shared = {**admin.site.each_context(request), "opts": Persona._meta, "persona": persona}
    shared["seen"] = personas.state(persona)
    return TemplateResponse(request, f"admin/conversations/persona/{template}", shared | context)

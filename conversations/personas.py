"""The verbs that give a persona a draft or a new version, checked against what its provider accepts."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from conversations import providers
from conversations.endpoints import wire_of
from conversations.models import Persona, PersonaVersion

# What a version says to the model. Two versions that agree in these are the same.
VERSIONED = (
    "system_prompt",
    "endpoint",
    "model",
    "temperature",
    "top_p",
    "max_tokens",
    "stop",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "safe_prompt",
    "k",
    "reasoning_effort",
    "context_length",
)


def parameters(version: PersonaVersion) -> providers.Parameters:
    """What `version` sets; None for what is not sent."""
    return providers.Parameters(
        temperature=version.temperature,
        top_p=version.top_p,
        max_tokens=version.max_tokens,
        stop=tuple(version.stop),
        seed=version.seed,
        presence_penalty=version.presence_penalty,
        frequency_penalty=version.frequency_penalty,
        safe_prompt=version.safe_prompt,
        k=version.k,
        reasoning_effort=version.reasoning_effort or None,
    )


def problems(version: PersonaVersion) -> dict[str, str]:
    """By field, what the provider of `version` would refuse."""
    if not isinstance(version.stop, list) or not all(isinstance(item, str) and item for item in version.stop):
        return {"stop": "Stop sequences are a list of texts, none of them empty."}
    return providers.WIRES[wire_of(version.endpoint)].check_parameters(parameters(version))


def publish(persona: Persona, version: PersonaVersion, *, by: User | None) -> PersonaVersion:
    """Store `version` as the next of `persona` and put it in force; a draft ends. Raises ValidationError."""
    _check(persona, version, by)
    with transaction.atomic():
        Persona.objects.select_for_update().get(pk=persona.pk)
        last = persona.versions.aggregate(last=Max("number"))["last"]
        version.number = (last or 0) + 1
        version.save()
        persona.current, persona.draft = version, None
        persona.save(update_fields=["current", "draft"])
    return version


def save_draft(persona: Persona, version: PersonaVersion, *, by: User | None) -> PersonaVersion | None:
    """Store `version` as the draft of `persona`. Raises ValidationError.

    A draft that says what is in force anyway is none: gives back None, and an earlier draft ends.
    """
    _check(persona, version, by)
    with transaction.atomic():
        current = Persona.objects.select_for_update().get(pk=persona.pk).current
        persona.draft = None
        if current is None or changed(current, version):
            version.number = None
            version.save()
            persona.draft = version
        persona.save(update_fields=["draft"])
    return persona.draft


def discard_draft(persona: Persona) -> PersonaVersion | None:
    """End the draft of `persona`, and give it back: what was tried with it stays tied to it."""
    with transaction.atomic():
        draft = Persona.objects.select_for_update().get(pk=persona.pk).draft
        persona.draft = None
        persona.save(update_fields=["draft"])
    return draft


def copy(version: PersonaVersion) -> PersonaVersion:
    """A new version, not stored yet, that says the same."""
    return PersonaVersion(**{name: getattr(version, name) for name in VERSIONED})


def changed(one: PersonaVersion, other: PersonaVersion) -> set[str]:
    """In what two versions differ."""
    return {name for name in VERSIONED if getattr(one, name) != getattr(other, name)}


def _check(persona: Persona, version: PersonaVersion, by: User | None) -> None:
    version.persona, version.created_by = persona, by
    version.full_clean(exclude=["persona", "number"])
    if refused := problems(version):
        raise ValidationError(dict(refused))

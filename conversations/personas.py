"""The verb that gives a persona a new version, checked against what its provider accepts."""

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
    """Store `version` as the next of `persona` and put it in force. Raises ValidationError."""
    version.persona, version.created_by = persona, by
    version.full_clean(exclude=["persona", "number"])
    if refused := problems(version):
        raise ValidationError(dict(refused))
    with transaction.atomic():
        Persona.objects.select_for_update().get(pk=persona.pk)
        last = persona.versions.aggregate(last=Max("number"))["last"]
        version.number = (last or 0) + 1
        version.save()
        persona.current = version
        persona.save(update_fields=["current"])
    return version

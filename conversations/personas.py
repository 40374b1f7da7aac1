"""The verbs that give a persona a draft or a new version, checked against what its provider accepts.

Who writes says what was `seen`, the `state` of the persona that the form began with. Each verb compares it once it
has the persona to itself, so that of two who write at once none overwrites the other's words without knowing.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations import providers
from conversations.endpoints import wire_of
from conversations.models import Persona, PersonaVersion
from conversations.models.persona import EVERYBODY
from conversations.providers.parameters import LONGEST

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


FOREIGN = gettext_lazy("This provider is not one of the persona's company. Choose another.")


class Overtaken(Exception):
    """The persona's draft or its version in force is another one than was seen."""


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
        return {"stop": _("Stop sequences are a list of texts, none of them empty.")}
    if (version.context_length or 0) > LONGEST:
        most = _("No model reads more than %(most)s tokens.")
        return {"context_length": most % {"most": number_format(LONGEST, force_grouping=True)}}
    return providers.WIRES[wire_of(version.endpoint)].check_parameters(parameters(version))


def state(persona: Persona) -> str:
    """What a form of `persona` begins with: its draft, else the version in force; empty where there is neither."""
    return str(persona.draft_id or persona.current_id or "")


def take(persona: Persona, version: PersonaVersion | None, seen: str | None) -> None:
    """Keep `persona` to this transaction, with the draft and the version in force that it has by now.

    Raises Overtaken where they are others than were `seen`, but not where they say what `version` says: then a button
    was pressed twice, and nobody's words are lost. Where no form was opened, `seen` is None and whatever is there goes.
    """
    # Its versions by queries of their own: PostgreSQL would join those of before it waited for the lock.
    now = Persona.objects.select_for_update().get(pk=persona.pk)
    persona.current, persona.draft = now.current, now.draft
    if seen is None or seen == state(now):
        return
    shown = now.draft or now.current
    if shown is None or version is None or changed(shown, version):
        raise Overtaken


def publish(
    persona: Persona, version: PersonaVersion, *, by: User | None, seen: str | None = None
) -> PersonaVersion:
    """Put `version` in force as the next of `persona`, and end a draft; gives back what is in force then.

    Where that says the same already and there is no draft, it stays. Raises ValidationError and Overtaken.
    """
    _check(persona, version, by)
    with transaction.atomic():
        take(persona, version, seen)
        if persona.current and not persona.draft and not changed(persona.current, version):
            return persona.current
        last = persona.versions.aggregate(last=Max("number"))["last"]
        version.number = (last or 0) + 1
        version.save()
        persona.current, persona.draft = version, None
        persona.save(update_fields=["current", "draft"])
    return version


def save_draft(
    persona: Persona, version: PersonaVersion, *, by: User | None, seen: str | None = None
) -> PersonaVersion | None:
    """Store `version` as the draft of `persona`, and give it back. Raises ValidationError and Overtaken.

    A draft that says what is in force anyway is none: gives back None, and an earlier draft ends. One that says what
    the draft says already is that draft.
    """
    _check(persona, version, by)
    with transaction.atomic():
        take(persona, version, seen)
        if persona.draft and not changed(persona.draft, version):
            return persona.draft
        persona.draft = None
        if persona.current is None or changed(persona.current, version):
            version.number = None
            version.save()
            persona.draft = version
        persona.save(update_fields=["draft"])
    return persona.draft


def discard_draft(persona: Persona, *, seen: str | None = None) -> PersonaVersion | None:
    """End the draft of `persona`, and give it back: what was tried with it stays tied to it. Raises Overtaken."""
    with transaction.atomic():
        take(persona, None, None)
        draft = persona.draft
        if draft is not None and seen not in {None, state(persona)}:
            raise Overtaken
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
    version.company_id = persona.company_id
    if version.endpoint_id is not None:
        version.endpoint_whose = version.endpoint.company_id or EVERYBODY
        if version.endpoint_whose not in {EVERYBODY, persona.company_id}:
            raise ValidationError({"endpoint": FOREIGN})
    version.full_clean(exclude=["persona", "number", "company", "endpoint_whose"])
    if refused := problems(version):
        raise ValidationError(dict(refused))

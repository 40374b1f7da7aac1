"""What models and their fields are called where their definitions do not say it, so that these names are translated.

They are given to the classes once those are made, and so are no part of any migration: in English they are the very
words that Django makes of a class or a field by itself.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import pgettext_lazy

from conversations.models.account import CompanySignIn, Invitation, PasswordLink
from conversations.models.company import Company, Membership
from conversations.models.conversation import Conversation, Generation
from conversations.models.export import Export
from conversations.models.folder import Folder
from conversations.models.importing import Import
from conversations.models.keeping import Erasure, Hold
from conversations.models.key import ProviderKey
from conversations.models.ledger import AnswerRecord
from conversations.models.persona import Endpoint, Persona, PersonaVersion
from conversations.models.queue import QueueEntry
from conversations.models.reading import Reading
from conversations.models.review import AnswerLabel, Feedback, Flag, Note, Review
from conversations.models.spending import Budget, Charge, Price

MODELS: dict[type[models.Model], tuple[Any, Any]] = {
    AnswerLabel: (pgettext_lazy("model", "answer label"), pgettext_lazy("model", "answer labels")),
    AnswerRecord: (pgettext_lazy("model", "answer"), pgettext_lazy("model", "answers")),
    Budget: (pgettext_lazy("model", "budget"), pgettext_lazy("model", "budgets")),
    Charge: (pgettext_lazy("model", "charge"), pgettext_lazy("model", "charges")),
    Company: (pgettext_lazy("model", "company"), pgettext_lazy("model", "companies")),
    Conversation: (pgettext_lazy("model", "conversation"), pgettext_lazy("model", "conversations")),
    Endpoint: (pgettext_lazy("model", "provider"), pgettext_lazy("model", "providers")),
    Erasure: (pgettext_lazy("model", "erasure"), pgettext_lazy("model", "erasures")),
    Export: (pgettext_lazy("model", "export"), pgettext_lazy("model", "exports")),
    Feedback: (pgettext_lazy("model", "feedback"), pgettext_lazy("model", "feedback")),
    Flag: (pgettext_lazy("model", "flag"), pgettext_lazy("model", "flags")),
    Folder: (pgettext_lazy("model", "folder"), pgettext_lazy("model", "folders")),
    Generation: (pgettext_lazy("model", "generation"), pgettext_lazy("model", "generations")),
    Hold: (pgettext_lazy("model", "hold"), pgettext_lazy("model", "holds")),
    Import: (pgettext_lazy("model", "import"), pgettext_lazy("model", "imports")),
    Invitation: (pgettext_lazy("model", "invitation"), pgettext_lazy("model", "invitations")),
    Note: (pgettext_lazy("model", "note"), pgettext_lazy("model", "notes")),
    PasswordLink: (pgettext_lazy("model", "password link"), pgettext_lazy("model", "password links")),
    Persona: (pgettext_lazy("model", "persona"), pgettext_lazy("model", "personas")),
    PersonaVersion: (pgettext_lazy("model", "persona version"), pgettext_lazy("model", "persona versions")),
    Price: (pgettext_lazy("model", "price"), pgettext_lazy("model", "prices")),
    ProviderKey: (pgettext_lazy("model", "provider key"), pgettext_lazy("model", "provider keys")),
    QueueEntry: (pgettext_lazy("model", "queue entry"), pgettext_lazy("model", "queue")),
    Reading: (pgettext_lazy("model", "reading"), pgettext_lazy("model", "readings")),
    Review: (pgettext_lazy("model", "review"), pgettext_lazy("model", "reviews")),
}
"""Those with pages in the administration, and those of which a page there says that some stay on record."""

FIELDS: dict[type[models.Model], dict[str, Any]] = {
    Company: {
        "name": pgettext_lazy("field", "name"),
        "colour": pgettext_lazy("field", "colour"),
        "second_reviews": pgettext_lazy("field", "second reviews"),
        "requires_second_factor": pgettext_lazy("field", "requires second factor"),
    },
    Membership: {
        "user": pgettext_lazy("field", "user"),
        "company": pgettext_lazy("field", "company"),
        "role": pgettext_lazy("field", "role"),
    },
    Invitation: {
        "company": pgettext_lazy("field", "company"),
        "role": pgettext_lazy("field", "role"),
        "note": pgettext_lazy("field", "note"),
        "made_by": pgettext_lazy("field", "made by"),
        "created_at": pgettext_lazy("field", "created at"),
        "expires_at": pgettext_lazy("field", "expires at"),
        "used_by": pgettext_lazy("field", "used by"),
    },
    CompanySignIn: {
        "company": pgettext_lazy("field", "company"),
        "enabled": pgettext_lazy("field", "enabled"),
        "issuer": pgettext_lazy("field", "issuer"),
        "client_id": pgettext_lazy("field", "client id"),
        "role_claim": pgettext_lazy("field", "role claim"),
        "manager_values": pgettext_lazy("field", "manager values"),
        "reviewer_values": pgettext_lazy("field", "reviewer values"),
        "member_values": pgettext_lazy("field", "member values"),
        "otherwise": pgettext_lazy("field", "otherwise"),
        "email_domains": pgettext_lazy("field", "email domains"),
    },
    Endpoint: {
        "name": pgettext_lazy("field", "name"),
        "company": pgettext_lazy("field", "company"),
    },
    Persona: {
        "company": pgettext_lazy("field", "company"),
        "name": pgettext_lazy("field", "name"),
        "tagline": pgettext_lazy("field", "tagline"),
        "greeting": pgettext_lazy("field", "greeting"),
        "starters": pgettext_lazy("field", "starters"),
        "avatar": pgettext_lazy("field", "avatar"),
        "current": pgettext_lazy("field", "current"),
        "draft": pgettext_lazy("field", "draft"),
    },
    PersonaVersion: {
        "system_prompt": pgettext_lazy("field", "system prompt"),
        "model": pgettext_lazy("field", "model"),
        "temperature": pgettext_lazy("field", "temperature"),
        "top_p": pgettext_lazy("field", "top p"),
        "max_tokens": pgettext_lazy("field", "max tokens"),
        "seed": pgettext_lazy("field", "seed"),
        "presence_penalty": pgettext_lazy("field", "presence penalty"),
        "frequency_penalty": pgettext_lazy("field", "frequency penalty"),
        "safe_prompt": pgettext_lazy("field", "safe prompt"),
        "k": pgettext_lazy("field", "k"),
        "reasoning_effort": pgettext_lazy("field", "reasoning effort"),
        "context_length": pgettext_lazy("field", "context length"),
    },
    Price: {"model": pgettext_lazy("field", "model")},
}


def name_all() -> None:
    """Give all of them their names."""
    for model, (one, many) in MODELS.items():
        model._meta.verbose_name, model._meta.verbose_name_plural = one, many
    for model, fields in FIELDS.items():
        for name, said in fields.items():
            field: Any = model._meta.get_field(name)
            field.verbose_name = said

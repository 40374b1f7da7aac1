"""Personas, the versions of what they are told, and the endpoints that answer for them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from conversations.models.company import Company, in_order
from conversations.models.composite import References

if TYPE_CHECKING:
    from collections.abc import Iterable


MAX_PROMPT_BYTES = 100 * 1024
EVERYBODY = uuid.UUID(int=0)  # whose a provider is that every company can choose


class Wire(models.TextChoices):
    """The protocols that are spoken upstream."""

    MISTRAL = "mistral", "Mistral"
    COHERE = "cohere", "Cohere"
    OPENAI = "openai", _("OpenAI-compatible")


def check_address(address: str) -> None:
    """Raise ValidationError for what is no http(s) address. Names without a dot are fine: http://ollama:11434."""
    try:
        parts = urlsplit(address)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        sound = False
    if not sound:
        raise ValidationError(
            gettext("Give an address that begins with http:// or https://, such as http://ollama:11434.")
        )


def check_prompt(text: str) -> None:
    """Raise ValidationError for a system prompt of more than 100 KB."""
    size = len(text.encode("utf-8", "replace"))
    if size > MAX_PROMPT_BYTES:
        said = gettext(
            "A system prompt has at most 100 KB; this one has %(size)s KB. Nothing was saved: shorten it."
        )
        raise ValidationError(said % {"size": -(-size // 1024)})


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def open_to(self, *companies: uuid.UUID) -> EndpointQuerySet:
        """What any of these companies can choose: its own, and those that every company can."""
        return self.filter(models.Q(company=None) | models.Q(company__in=companies))


class Endpoint(models.Model):
    """A server that answers. An empty address means the one of the environment. Keys are in `ProviderKey`."""

    name = models.CharField(max_length=100, help_text=_("What people are shown, such as Mistral."))
    company = models.ForeignKey(
        Company,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="endpoints",
        help_text=_("Empty: every company can choose it. Else only this one, and no other hears of it."),
    )
    wire = models.CharField(max_length=10, choices=Wire, verbose_name=pgettext_lazy("field", "protocol"))
    base_url = models.CharField(
        max_length=300,
        blank=True,
        validators=[check_address],
        verbose_name=pgettext_lazy("field", "address"),
        help_text=_("Leave empty to use the address of the environment."),
    )
    # A company or everybody, never null: so that versions can be held to it by the database.
    whose = models.GeneratedField(
        expression=Coalesce("company", models.Value(EVERYBODY, output_field=models.UUIDField())),
        output_field=models.UUIDField(),
        db_persist=True,
    )

    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = pgettext_lazy("model", "provider")
        constraints = [
            models.UniqueConstraint(fields=["company", "name"], name="provider_name_once_a_company"),
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(company=None), name="provider_name_once_for_all"
            ),
            models.UniqueConstraint(fields=["id", "whose"], name="provider_and_whose"),
        ]

    def __str__(self) -> str:
        return in_order(self.name)


class PersonaQuerySet(models.QuerySet["Persona"]):
    def published_for(self, user: User) -> PersonaQuerySet:
        """The personas that `user` may start a chat with."""
        return self.filter(published=True, current__isnull=False, company__memberships__user_id=user.pk)


class Persona(models.Model):
    """An assistant of a company, as its people see it. What the model is told is in its versions."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="personas")
    name = models.CharField(max_length=80)
    tagline = models.CharField(
        max_length=120, blank=True, help_text=_("One line under its name: what it is for.")
    )
    greeting = models.TextField(max_length=500, blank=True, help_text=_("Shown above an empty chat."))
    starters = models.JSONField(default=list, blank=True, help_text=_("Questions to begin with."))
    avatar = models.CharField(
        max_length=2, blank=True, help_text=_("One or two letters; the initials of its name where empty.")
    )
    published = models.BooleanField(
        default=False,
        verbose_name=pgettext_lazy("field", "offered"),
        help_text=_("Until this is ticked nobody can choose it."),
    )
    current = models.ForeignKey(
        "PersonaVersion", on_delete=models.RESTRICT, null=True, blank=True, editable=False, related_name="+"
    )
    draft = models.ForeignKey(
        "PersonaVersion", on_delete=models.RESTRICT, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PersonaQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["company", "name"], name="persona_name_once_a_company"),
            models.UniqueConstraint(fields=["id", "company"], name="persona_and_company"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def initials(self) -> str:
        """What stands in its avatar."""
        words = self.name.split()
        return (self.avatar or "".join(word[0] for word in (words[0], words[-1])[: len(words)])).upper()


class VersionQuerySet(models.QuerySet["PersonaVersion"]):
    """Versions are written once: answers point at them as the record of what was asked of the model."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError("A persona's version never changes; make a new one.")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("A persona's version never changes; make a new one.")


class PersonaVersion(models.Model):
    """What a persona is told and with which parameters. Written once; an empty parameter is not sent.

    Published versions have a number. Without one it is a draft: each saving of a draft is a row of its own, so that
    whatever was tried with it stays tied to its very words, and publishing stores the same words under a number.

    `company` is the persona's, `endpoint_whose` the provider's. The database holds both to their rows and to each
    other, so that no version can have another company's provider.
    """

    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="versions")
    company = models.ForeignKey(Company, on_delete=models.CASCADE, editable=False, related_name="+")
    number = models.PositiveIntegerField(null=True, editable=False)
    system_prompt = models.TextField(
        blank=True,
        validators=[check_prompt],
        help_text=_(
            "What the model is told before every conversation. "
            "Keep secrets out of it: models repeat what they are told."
        ),
    )
    endpoint = models.ForeignKey(
        Endpoint,
        on_delete=models.RESTRICT,
        related_name="versions",
        verbose_name=pgettext_lazy("field", "provider"),
    )
    endpoint_whose = models.UUIDField(editable=False)
    model = models.CharField(max_length=200)
    temperature = models.FloatField(null=True, blank=True)
    top_p = models.FloatField(null=True, blank=True)
    max_tokens = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("The longest answer, in tokens."),
    )
    stop = models.JSONField(default=list, blank=True, verbose_name=pgettext_lazy("field", "stop sequences"))
    seed = models.BigIntegerField(null=True, blank=True)
    presence_penalty = models.FloatField(null=True, blank=True)
    frequency_penalty = models.FloatField(null=True, blank=True)
    safe_prompt = models.BooleanField(null=True, blank=True, help_text=_("Mistral only."))
    k = models.PositiveIntegerField(null=True, blank=True, help_text=_("Cohere only."))
    reasoning_effort = models.CharField(max_length=10, null=True, blank=True)
    context_length = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(512)],
        help_text=_("How many tokens the model reads, question and answer together. 32,768 where empty."),
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )

    objects = VersionQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["persona", "number"], name="version_number_once_a_persona"),
            References(
                name="version_in_its_personas_company",
                columns=["persona_id", "company_id"],
                table="conversations_persona",
                of=["id", "company_id"],
            ),
            References(
                name="version_knows_whose_provider",
                columns=["endpoint_id", "endpoint_whose"],
                table="conversations_endpoint",
                of=["id", "whose"],
            ),
            models.CheckConstraint(
                condition=models.Q(endpoint_whose=EVERYBODY) | models.Q(endpoint_whose=models.F("company")),
                name="version_of_a_provider_of_its_company",
            ),
        ]

    def __str__(self) -> str:
        if self.number is None:
            return gettext("draft")
        return gettext("version %(number)s") % {"number": self.number}

    def save(
        self,
        *,
        force_insert: bool | tuple[models.base.ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Insert. Raises TypeError for a version that is stored already."""
        if not self._state.adding:
            raise TypeError("A persona's version never changes; make a new one.")
        super().save(force_insert=True, using=using)

    @property
    def slug(self) -> str:
        """What it is called in addresses: its number among the versions of its persona, or "draft"."""
        return "draft" if self.number is None else str(self.number)

"""Load the demo companies once, and say how to sign in and what answers."""

from __future__ import annotations

import os
import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.db import transaction

from conversations import endpoints, personas
from conversations.models import Company, Endpoint, Label, Membership, Persona, PersonaVersion, Rule, Wire

Role = Membership.Role
Kind = Rule.Kind

PEOPLE = {  # user name: company and role; the operator belongs to none
    "admin": None,
    "member": ("Coca Cola", Role.MEMBER),
    "member2": ("Coca Cola", Role.MEMBER),
    "reviewer": ("Coca Cola", Role.REVIEWER),
    "manager": ("Coca Cola", Role.MANAGER),
    "outsider": ("Globex", Role.MEMBER),
}
COCA_COLA_PROMPT = "You are an assistant for the company Coca Cola"
PERSONAS: tuple[
    tuple[str, dict[str, Any], dict[str, Any]], ...
] = (  # company, the persona, its first version
    (
        "Coca Cola",
        {
            "name": "Coca Cola guide",
            "tagline": "Answers questions about the company and its drinks",
            "greeting": "Ask me anything about Coca Cola: what it is, where it came from, what is in the bottle.",
            "starters": ["What is Coca Cola?", "Which drinks do you make?", "Show me what you can do"],
        },
        {
            "wire": Wire.MISTRAL,
            "model": "mistral-large-latest",
            "system_prompt": COCA_COLA_PROMPT,
            "temperature": 0.7,
            "top_p": 1,
            "max_tokens": 100,
        },
    ),
    (
        "Coca Cola",
        {
            "name": "Coca Cola historian",
            "tagline": "Tells how it all began",
            "greeting": "I know the story from 1886 on. Where shall we begin?",
            "starters": [
                "What is Coca Cola?",
                "Who was John Pemberton?",
                "How did the bottle get its shape?",
            ],
        },
        {
            "wire": Wire.COHERE,
            "model": "command-r-plus-08-2024",
            "system_prompt": COCA_COLA_PROMPT,
            "temperature": 0.7,
        },
    ),
    (
        "Globex",
        {
            "name": "Globex helpdesk",
            "tagline": "Help with laptops, accounts and the network",
            "greeting": "What is not working?",
            "starters": [
                "My laptop does not start",
                "How do I change my password?",
                "Write a script that lists big files",
            ],
        },
        {
            "wire": Wire.OPENAI,  # at Mistral where there is no such server
            "model": "default",
            "system_prompt": "You are the IT helpdesk of the company Globex. Answer briefly, with steps to follow.",
        },
    ),
)
RULES = ((Kind.BAD, ""), (Kind.FLAG, ""), (Kind.TROUBLE, ""), (Kind.SAMPLE, "5"))
LABELS = ("Made up", "Out of date", "Tone")


def begin_review(company: Company) -> None:
    """Rules and labels, so that there is something to review."""
    for kind, value in RULES:
        Rule.objects.create(company=company, kind=kind, value=value)
    for name in LABELS:
        Label.objects.create(company=company, name=name)


class Command(BaseCommand):
    help = "Load the demo companies, people and personas, once."

    def handle(self, *args: Any, **options: Any) -> None:
        password = ""
        if not (Company.objects.exists() or User.objects.filter(username__in=PEOPLE).exists()):
            password = settings.DEMO_PASSWORD or secrets.token_urlsafe(9)
            with transaction.atomic():
                self._load(password)
            self._remember(password)
        self._report()

    def _load(self, password: str) -> None:
        companies = {
            "Coca Cola": Company.objects.create(name="Coca Cola", colour="#e4002b"),
            "Globex": Company.objects.create(name="Globex", colour="#0f766e"),
        }
        for name, place in PEOPLE.items():
            person = User(username=name, is_staff=place is None, is_superuser=place is None)
            person.set_password(password)
            person.save()
            if place:
                Membership.objects.create(user=person, company=companies[place[0]], role=place[1])
        servers = {
            wire: Endpoint.objects.get_or_create(name=label, defaults={"wire": wire})[0]
            for wire, label in (
                (Wire.MISTRAL, "Mistral"),
                (Wire.COHERE, "Cohere"),
                (Wire.OPENAI, "OpenAI-compatible"),
            )
        }
        self._personas(companies, servers)
        begin_review(companies["Coca Cola"])

    def _personas(self, companies: dict[str, Company], servers: dict[Wire, Endpoint]) -> None:
        for company, facts, told in PERSONAS:
            persona = Persona.objects.create(company=companies[company], published=True, **facts)
            wire = told["wire"]
            if wire == Wire.OPENAI and not settings.OPENAI_BASE_URL:
                wire, told = Wire.MISTRAL, {**told, "model": "mistral-small-latest"}
            words = {name: value for name, value in told.items() if name != "wire"}
            personas.publish(persona, PersonaVersion(endpoint=servers[wire], **words), by=None)

    def _remember(self, password: str) -> None:
        """Keep a password that was made up, readable by the owner alone, so that a second start can say it."""
        if not settings.DEMO_PASSWORD:
            file = settings.DATA_DIR / "demo-password"
            with os.fdopen(os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as stream:
                stream.write(password)

    def _report(self) -> None:
        file = settings.DATA_DIR / "demo-password"
        known = settings.DEMO_PASSWORD or (file.read_text().strip() if file.exists() else "")
        people = [user for user in User.objects.filter(username__in=PEOPLE).order_by("pk") if user.is_active]
        if known and people and people[0].check_password(known):
            says = "as given in DEMO_PASSWORD" if settings.DEMO_PASSWORD else known
        else:
            says = "as it was set (manage.py changepassword NAME sets a new one)"
        self.stdout.write("Accounts:")
        for user in people:
            place = PEOPLE[user.username]
            self.stdout.write(
                f"  {user.username:<10} {f'{place[1].label} of {place[0]}' if place else 'site operator'}"
            )
        self.stdout.write(f"Password:    {says}")
        self.stdout.write("Providers:")
        for endpoint in Endpoint.objects.all():
            live = "recorded answers, no key is set" if endpoints.is_recorded(endpoint) else "live"
            self.stdout.write(f"  {endpoint.name:<18} {live}")

"""List the models of the providers: id, context length, capabilities."""

from __future__ import annotations

import asyncio
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations import endpoints, providers
from conversations.models import Endpoint, Wire
from conversations.providers import http, sentences, stream


class Command(BaseCommand):
    help = "List the models that the providers offer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "provider",
            nargs="?",
            choices=list(Wire),
            help="mistral, cohere or openai; all of them where not given",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        wires = [Wire(options["provider"])] if options["provider"] else list(Wire)
        failed = False
        for wire in wires:
            endpoint = Endpoint(name=str(wire.label), wire=wire)
            note = " (recorded upstream: no key is set)" if endpoints.is_recorded(endpoint) else ""
            self.stdout.write(f"{wire.label}{note}")
            try:
                found = asyncio.run(_listed(endpoint))
            except providers.ProviderError as error:
                failed = True
                self.stderr.write(f"  {sentences.error_sentence(error)}")
                continue
            for model in found:
                context = (
                    f"{model.context_length:,} tokens" if model.context_length else "context length not told"
                )
                self.stdout.write(f"  {model.id:<32} {context:<26} {', '.join(model.capabilities)}".rstrip())
        if failed:
            raise CommandError("Not every provider could be asked.")


async def _listed(endpoint: Endpoint) -> list[providers.ModelInfo]:
    try:
        return await stream.list_models(endpoints.resolve(endpoint, None).called, clocks=endpoints.clocks())
    finally:
        await http.close()

"""What belongs to one request: the number that its log lines bear, and spans of OpenTelemetry where they are wanted.

Spans name what was asked of whom and how it ended, never a word of it.
"""

from __future__ import annotations

import contextvars
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ImproperlyConfigured

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="-")

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_tracer: Any = None  # OpenTelemetry's, where spans are wanted


def begin() -> None:
    """Send spans to where the environment says, as OpenTelemetry names it. Raises ImproperlyConfigured."""
    global _tracer
    if not os.environ.get(ENDPOINT):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ImproperlyConfigured(
            f"{ENDPOINT} is set, and spans need two packages that are not installed: "
            "opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http."
        ) from error
    name = os.environ.get("OTEL_SERVICE_NAME", "chat")
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = provider.get_tracer("conversations")


@contextmanager
def span(name: str, **facts: str) -> Iterator[dict[str, str | int]]:
    """Time what is done within. More facts may be put into what is given; two underscores in a name stand for a dot."""
    further: dict[str, str | int] = {}
    if _tracer is None:
        yield further
        return
    with _tracer.start_as_current_span(name, attributes=_named(facts)) as made:
        try:
            yield further
        finally:
            made.set_attributes(_named(further))


def carry_into(context: contextvars.Context) -> None:
    """Have what is done in `context` belong to the request at hand, and to nothing else of its context."""
    context.run(request_id.set, request_id.get())
    if _tracer is not None:
        from opentelemetry import context as spans

        context.run(spans.attach, spans.get_current())


def _named(facts: Mapping[str, str | int]) -> dict[str, str | int]:
    return {name.replace("__", "."): value for name, value in facts.items()}

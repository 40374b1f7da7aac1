"""Spans, as a collector receives them."""

from __future__ import annotations

import gzip
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from conversations import trace
from conversations.providers.recorded import RecordedUpstream
from tests.conftest import Cast
from tests.test_generation import begin, ended


class Collector(HTTPServer):
    """A collector on loopback. `spans` are what it was sent, by name."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: list[Any] = []

    def named(self, name: str) -> Any:
        (found,) = [span for span in self.spans if span.name == name]
        return found


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.server.spans += scope.spans
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv(trace.ENDPOINT, f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(trace, "_tracer", None)
    trace.begin()
    yield server
    trace._tracer.span_processor.shutdown()
    server.shutdown()
    server.server_close()
    thread.join()


def facts(span: Any) -> dict[str, Any]:
    """The attributes of a span, as plain values."""
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


def test_a_request_is_a_span(db: None, client: Client, collector: Collector) -> None:
    client.get("/accounts/login/", headers={"X-Request-ID": "number-of-the-proxy"})
    trace._tracer.span_processor.force_flush()
    assert facts(collector.named("request")) == {
        "http.request.method": "GET",
        "http.route": "accounts/login/",
        "http.response.status_code": 200,
        "chat.request": "number-of-the-proxy",
    }


async def test_an_answer_is_a_span_within_that_of_its_request(
    live_cast: Cast, running: RecordedUpstream, collector: Collector
) -> None:
    with trace.span("request"):
        turn = await begin(live_cast)
    answer = await ended(turn)
    trace._tracer.span_processor.force_flush()
    span = collector.named("chat")
    assert span.parent_span_id == collector.named("request").span_id
    said = facts(span)
    assert said["gen_ai.request.model"] == "mistral-large-latest"
    assert said["gen_ai.response.id"] == answer.request_id
    assert said["gen_ai.usage.output_tokens"] == 100
    assert said["chat.status"] == "done"
    assert not any("Coca" in str(value) for value in said.values())


def test_spans_that_are_wanted_and_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(trace.ENDPOINT, "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ImproperlyConfigured, match="two packages that are not installed"):
        trace.begin()

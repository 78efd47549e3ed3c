"""The one module that imports OpenTelemetry."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar, Token
from typing import Any, Final

from opentelemetry import context
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

_forced: ContextVar[tuple[int, int] | None] = ContextVar("forced", default=None)
_SEND_AT_MOST_S: Final = 5
_KEPT: Final = 4096
"""Spans that wait to be sent; what comes beyond is dropped, and holds nobody up."""


class _Ids(RandomIdGenerator):
    """Random, but for a turn's root span."""

    def generate_trace_id(self) -> int:
        forced = _forced.get()
        return forced[0] if forced is not None else super().generate_trace_id()

    def generate_span_id(self) -> int:
        forced = _forced.get()
        return forced[1] if forced is not None else super().generate_span_id()


class Exporting:
    """Spans go out in a thread of their own, in batches. The provider is ours alone: no library's spans come along."""

    def __init__(self, endpoint: str, about: Mapping[str, str]) -> None:
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=_SEND_AT_MOST_S)
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": "remixbot", **about}),
            id_generator=_Ids(),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=_KEPT))
        self._tracer = self._provider.get_tracer("remixbot")

    def close(self) -> None:
        self._provider.shutdown()

    def attach(self, trace: int, root: int) -> Token[Context]:
        parent = SpanContext(trace, root, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        return context.attach(set_span_in_context(NonRecordingSpan(parent)))

    def detach(self, token: Token[Context]) -> None:
        context.detach(token)

    def begin(self, name: str, about: Mapping[str, str | int | float]) -> tuple[Span, Token[Context]] | None:
        if not get_current_span().get_span_context().is_valid:
            return None
        span = self._tracer.start_span(name, attributes=_named(about))
        return span, context.attach(set_span_in_context(span))

    def end(self, begun: tuple[Span, Token[Context]], error: str) -> None:
        span, token = begun
        context.detach(token)
        if error:
            span.set_status(Status(StatusCode.ERROR, error))
        span.end()

    def past(self, name: str, began: float, ended: float, about: Mapping[str, str | int | float]) -> None:
        if get_current_span().get_span_context().is_valid:
            span = self._tracer.start_span(name, start_time=_ns(began), attributes=_named(about))
            span.end(_ns(max(began, ended)))

    def root(self, trace: int, id_: int, began: float, ended: float, about: Mapping[str, str | int | float]) -> None:
        token = _forced.set((trace, id_))
        try:
            span = self._tracer.start_span("turn", Context(), start_time=_ns(began), attributes=_named(about))
        finally:
            _forced.reset(token)
        if about.get("state") == "failed":
            span.set_status(Status(StatusCode.ERROR, str(about.get("code", ""))))
        span.end(_ns(max(began, ended)))


def _named(about: Mapping[str, Any]) -> dict[str, Any]:
    return {f"remixbot.{name}": value for name, value in about.items()}


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)

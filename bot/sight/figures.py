"""Figures for Prometheus. Labels are bounded: engines, models, platforms, states, codes; never people, chats or turns.

One registry for the whole process, as loggers are: what counts needs nothing handed to it.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

REGISTRY: Final = CollectorRegistry(auto_describe=True)
CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

for _collector in (ProcessCollector, PlatformCollector, GCCollector):
    _collector(registry=REGISTRY)


def exposed() -> bytes:
    """All figures, in Prometheus' own text format."""
    return generate_latest(REGISTRY)

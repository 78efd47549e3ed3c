"""`/healthz`: the process turns. `/readyz`: it can work, or what is in the way. `/metrics`: figures for Prometheus.

The first two may stand on the page, too; the figures never do: they have a port of their own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import web

from bot.domain.errors import RemixError
from bot.sight import figures
from bot.sight.health import Health

log = structlog.get_logger("sight")

_NOT_KEPT: Final = {"Cache-Control": "no-store"}
_GRACE_S: Final = 1.0
_LOOK_S: Final = 5.0

Look = Callable[[], Awaitable[None]]


def health_routes(health: Health) -> Sequence[web.RouteDef]:
    """Whoever asks is told nothing but names of parts and whether they work."""

    async def lives(_request: web.Request) -> web.Response:
        # That this is answered at all is the answer.
        return web.json_response({"status": "ok"}, headers=_NOT_KEPT)

    async def ready(_request: web.Request) -> web.Response:
        verdict = await health.verdict()
        told = {
            "status": "ready" if verdict.ready else "not ready",
            "parts": {part: trouble or "ok" for part, trouble in verdict.parts.items()},
        }
        status = HTTPStatus.OK if verdict.ready else HTTPStatus.SERVICE_UNAVAILABLE
        return web.json_response(told, status=status, headers=_NOT_KEPT)

    return [web.get("/healthz", lives), web.get("/readyz", ready)]


def _metrics_route(look: Look) -> web.RouteDef:
    async def metrics(_request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(_LOOK_S):
                await look()
        except Exception as error:  # the process's own figures are told all the same
            log.warning("not all figures are told", error=type(error).__name__)
        body = await asyncio.to_thread(figures.exposed)
        return web.Response(body=body, headers={**_NOT_KEPT, "Content-Type": figures.CONTENT_TYPE})

    return web.get("/metrics", metrics)


@contextlib.asynccontextmanager
async def serve_sight(health: Health, *, look: Look, host: str, port: int) -> AsyncGenerator[int]:
    """Answer on a port of its own while the block runs; gives the port. Raises `RemixError` where it is taken. `look`
    brings figures up to date that are read from elsewhere."""
    app = web.Application()
    app.add_routes([*health_routes(health), _metrics_route(look)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GRACE_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host or None, port).start()
        except OSError as error:
            words = f"METRICS_PORT {port} cannot be used ({error.strerror}). Choose another one, or 0 for none."
            raise RemixError(words) from None
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()

"""The page on which an operator compares two models blind. It is for this machine only.

Its address holds a random token, so that neither another person on this machine nor another site can guess it. A
request must name this machine as its host (a rebound name does not) and must not come from another site.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import math
import re
import secrets
from collections.abc import AsyncGenerator
from dataclasses import asdict
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.typedefs import Handler

from adapters.evaluation.ports import Comparison, Place

STATIC: Final = Path(__file__).parent / "static"
_FILES: Final = {"": "index.html", "page.css": "page.css", "page.js": "page.js", "icon.svg": "icon.svg"}
_MOST_BODY_BYTES: Final = 10_000
_MOST_SECONDS: Final = 24 * 3600.0
_TOKEN: Final = web.AppKey("token", str)

_CSP: Final = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _CSP,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def build_app(comparison: Comparison) -> web.Application:
    """The page for one comparison, under a token of its own."""
    app = web.Application(middlewares=[_guard], client_max_size=_MOST_BODY_BYTES)
    app[_TOKEN] = secrets.token_urlsafe(24)
    app.on_response_prepare.append(_add_headers)
    page = _Page(comparison)
    app.add_routes(
        [
            web.get("/{token}/{file:(?:page\\.css|page\\.js|icon\\.svg)?}", _file),
            web.get("/{token}/next", page.next),
            web.get("/{token}/pictures/{pair:[0-9a-f]{40}}/{place:source|left|right}", page.picture),
            web.post("/{token}/verdicts", page.judge),
            web.post("/{token}/back", page.take_back),
            web.post("/{token}/outcome", page.reveal),
        ]
    )
    return app


@contextlib.asynccontextmanager
async def serve(app: web.Application, *, host: str, port: int) -> AsyncGenerator[str]:
    """Listen while the block runs; gives the address to open. Port 0 takes any free one.

    Raises `ValueError` for a host that others can reach, `OSError` when the port is taken.
    """
    if not _is_loopback(host):
        raise ValueError(
            f"The page of an evaluation is for this machine only, and {host or 'every address'} lets others in. "
            "Leave the host at 127.0.0.1."
        )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{runner.addresses[0][1]}/{app[_TOKEN]}/"
    finally:
        await runner.cleanup()


class _Page:
    """What the page's script asks for."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison

    async def next(self, _: web.Request) -> web.Response:
        """GET …/next: the pair to judge, null once there is none."""
        pair = self._comparison.next()
        shown = {"pair": asdict(pair) if pair else None, "can_take_back": self._comparison.can_take_back()}
        return web.json_response(shown)

    async def picture(self, request: web.Request) -> web.Response:
        """GET …/pictures/<pair>/<place>"""
        found = await self._comparison.picture(request.match_info["pair"], Place(request.match_info["place"]))
        if found is None:
            raise web.HTTPNotFound
        data, media_type = found
        headers = {"Content-Security-Policy": "default-src 'none'; sandbox"}
        return web.Response(body=data, content_type=media_type, headers=headers)

    async def judge(self, request: web.Request) -> web.Response:
        """POST …/verdicts {"pair", "choice", "seconds"}"""
        given = await _body(request)
        pair, choice, seconds = given.get("pair"), given.get("choice"), given.get("seconds")
        if not (isinstance(pair, str) and isinstance(choice, str) and isinstance(seconds, int | float)):
            raise web.HTTPBadRequest
        if not (math.isfinite(seconds) and await self._comparison.judge(pair, choice, _within(seconds))):
            raise web.HTTPConflict
        return web.json_response({})

    async def take_back(self, request: web.Request) -> web.Response:
        """POST …/back"""
        await _body(request)
        if not await self._comparison.take_back():
            raise web.HTTPConflict
        return web.json_response({})

    async def reveal(self, request: web.Request) -> web.Response:
        """POST …/outcome: who was who. Only when everything is judged."""
        await _body(request)
        if self._comparison.next() is not None:
            raise web.HTTPConflict
        return web.json_response(asdict(self._comparison.outcome()))


async def _file(request: web.Request) -> web.FileResponse:
    return web.FileResponse(STATIC / _FILES[request.match_info["file"]])


async def _body(request: web.Request) -> dict[str, Any]:
    """A JSON object. Its type must be said: that is what a form of another site cannot do."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        given = json.loads(await request.read())
    except ValueError:
        raise web.HTTPBadRequest from None
    if not isinstance(given, dict):
        raise web.HTTPBadRequest
    return cast("dict[str, Any]", given)


def _within(seconds: float) -> float:
    return min(max(float(seconds), 0.0), _MOST_SECONDS)


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    host = request.headers.get("Host", "")
    origin = request.headers.get("Origin")
    if not _is_loopback(_hostname(host)) or (origin is not None and origin != f"http://{host}"):
        raise web.HTTPForbidden
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        raise web.HTTPForbidden
    token = request.match_info.get("token", "").encode()
    if not hmac.compare_digest(token, request.app[_TOKEN].encode()):
        raise web.HTTPNotFound
    return await handler(request)


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """An answer's own headers go first."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.popall("Server", None)


def _hostname(host: str) -> str:
    """The name in a Host header, without port and brackets; "" where it is malformed."""
    found = re.fullmatch(r"(?:\[([0-9a-f:.]+)\]|([^\[\]:]+))(?::[0-9]{1,5})?", host.lower(), re.ASCII)
    return found[1] or found[2] if found else ""


def _is_loopback(name: str) -> bool:
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False

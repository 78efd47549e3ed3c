"""Which requests are let in at all: the address they were sent to, the site they come from, where the page listens.

A page on this machine is within reach of every web site that its owner visits. So a request must name a host that is
ours (a rebound name does not), and must not have been made by another site (browsers say so in `Sec-Fetch-Site` and
`Origin`; a program that sends neither is no browser). There are no CORS headers: nobody else may read an answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from adapters.web.problems import foreign_host, foreign_site

_PAGE_CSP: Final = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)

_HEADERS: Final = {
    "Content-Security-Policy": _PAGE_CSP,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_SHARED: Final = ("/s/", "/static/")
_OPEN: Final = frozenset({"/verify"})
_SAFE_METHODS = frozenset({"GET", "HEAD"})


def check_bind(host: str, password: str) -> None:
    """Raises `ValueError` (in words for the operator) when the page would stand open to others without a password."""
    if password or _is_loopback(host):
        return
    raise ValueError(
        f"Listening on {host or 'every address'} lets others on the network open the page, so it needs a password. "
        "Set WEB_PASSWORD to one, or leave the host at 127.0.0.1 to use the page on this machine only."
    )


class Guard:
    """Checks host and site of every request. `bound_host` is set when the page starts to listen. Under `public_host`
    what is shared can be seen, and pictures can be checked; nothing else."""

    def __init__(self, allowed_hosts: Iterable[str], public_host: str = "") -> None:
        self._public = public_host.lower()
        self._allowed = frozenset(host.strip().lower() for host in allowed_hosts)
        self.bound_host = "127.0.0.1"

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.headers.get("Host", "").lower()
        is_shared = bool(self._public) and host == self._public and _is_open(request.path)
        if not is_shared and not self._knows(host):
            raise foreign_host()
        is_read = request.method in _SAFE_METHODS
        if (request.path.startswith("/api/") or not is_read) and not _is_ours(request, host, is_read=is_read):
            raise foreign_site()
        return await handler(request)

    def _knows(self, host: str) -> bool:
        """A loopback name is ours under any port: behind a forwarded port the browser names another than ours."""
        name = _hostname(host)
        if _is_loopback(name) or name == self.bound_host.lower() or self._allowed & {host, name}:
            return bool(name)
        # Bound to every address, the page may be reached by any of its numbers. Only a name can be rebound.
        return self.bound_host in {"", "0.0.0.0", "::"} and _is_ip(name)  # noqa: S104


def _is_open(path: str) -> bool:
    return path in _OPEN or path.startswith(_SHARED)


def _is_ours(request: web.Request, host: str, *, is_read: bool) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site not in ({None, "same-origin", "none"} if is_read else {None, "same-origin"}):
        return False
    origin = request.headers.get("Origin")
    return origin is None or origin.lower().partition("://")[2] == host


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`: what every answer says to the browser. An answer's own headers go first."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.popall("Server", None)  # versions are nobody's business


def _hostname(host: str) -> str:
    """The name in a Host header, without port and brackets; "" where it is malformed."""
    if host.startswith("["):
        name, bracket, rest = host[1:].partition("]")
        return name if bracket and (not rest or _is_port(rest)) else ""
    name, colon, port = host.partition(":")
    return name if not colon or _is_port(colon + port) else ""


def _is_port(text: str) -> bool:
    return text[:1] == ":" and text[1:].isascii() and text[1:].isdigit()


def _is_ip(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    return name == "localhost" or (_is_ip(name) and ip_address(name).is_loopback)

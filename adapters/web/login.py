"""Who is asking. Without a password everybody at this machine is its one owner; with one, people sign in."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from adapters.web.inbound import json_object
from adapters.web.ports import PageStore
from adapters.web.problems import sign_in_first, too_many_guests, too_many_tries, wrong_password
from adapters.web.speech import headers_of_speech
from bot.domain.language import tr

COOKIE: Final = "remixbot"
COOKIE_S: Final = 30 * 24 * 3600
TRIES_PER_ADDRESS: Final = 5
TRIES_IN_TOTAL: Final = 50
TRIES_WINDOW_S: Final = 15 * 60
NAME_CHARS: Final = 40
GUESTS_PER_ADDRESS: Final = 5
GUESTS_WINDOW_S: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever sends a request."""

    id: str
    name: str


OWNER_ID: Final = "owner"
PROGRAM: Final = Person("api", "API")
"""Whoever sends the password with each request. One person for all: an id made of a password could give it away."""

PERSON: Final = web.RequestKey("person", Person)


def owner() -> Person:
    """Everybody, where there is no password."""
    # TRANSLATORS: the name of the one person who uses this page
    return Person(OWNER_ID, tr("You"))


class Login:
    """Passwords, cookies and tries. `behind_https` where a proxy of ours ends TLS: then cookies are for https only.
    `limits` and `abilities` are told to the page, so that it can say at once what would be refused."""

    def __init__(
        self,
        store: PageStore,
        *,
        password: str,
        behind_https: bool,
        limits: Mapping[str, int] | None = None,
        abilities: Mapping[str, bool] | None = None,
    ) -> None:
        self._store = store
        self._told_to_all = {"limits": dict(limits or {}), "abilities": dict(abilities or {})}
        self._behind_https = behind_https
        self.password = password

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        is_guarded = request.path.startswith("/api/") and request.path != "/api/session"
        if is_guarded:
            person = await self.person(request)
            if person is None:
                raise sign_in_first()
            request[PERSON] = person
        return await handler(request)

    async def person(self, request: web.Request) -> Person | None:
        if not self.password:
            return owner()
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer":
            await self._check(request, given.strip())
            return PROGRAM
        if token := request.cookies.get(COOKIE):
            session = await self._store.session(self._session_id(token))
            return Person(session["person"], session["name"]) if session else None
        return None

    async def show(self, request: web.Request) -> web.Response:
        """GET /api/session"""
        return self._told(await self.person(request))

    async def enter(self, request: web.Request) -> web.Response:
        """POST /api/session"""
        given = await json_object(request)
        if not self.password:
            return self._told(owner())
        await self._check(request, str(given.get("password", "")))
        person = await self._who(request, _display_name(given.get("name")))
        token = secrets.token_urlsafe(32)
        await self._store.open_session(self._session_id(token), {"person": person.id, "name": person.name})
        response = self._told(person)
        is_secure = request.secure or self._behind_https
        response.set_cookie(
            COOKIE, token, max_age=COOKIE_S, path="/", httponly=True, samesite="Strict", secure=is_secure
        )
        return response

    async def _who(self, request: web.Request, name: str) -> Person:
        """The same name is the same person, so that coming in once more gives nobody another daily budget."""
        if name:
            salt = await self._store.salt()
            plain = unicodedata.normalize("NFKC", name).casefold()
            return Person("p" + hmac.new(salt.encode(), plain.encode(), hashlib.sha256).hexdigest()[:16], name)
        address = address_of(request.remote)
        if wait_s := await self._store.count_guest(address, limit=GUESTS_PER_ADDRESS, window_s=GUESTS_WINDOW_S):
            raise too_many_guests(wait_s)
        return Person("p" + secrets.token_hex(8), tr("Guest"))

    async def leave(self, request: web.Request) -> web.Response:
        """DELETE /api/session"""
        if token := request.cookies.get(COOKIE):
            await self._store.close_session(self._session_id(token))
        response = self._told(None if self.password else owner())
        response.del_cookie(COOKIE, path="/")
        return response

    async def _check(self, request: web.Request, given: str) -> None:
        is_right = hmac.compare_digest(_digest(given), _digest(self.password))
        wait_s = await self._store.count_try(
            address_of(request.remote),
            right=is_right,
            per_address=TRIES_PER_ADDRESS,
            total=TRIES_IN_TOTAL,
            window_s=TRIES_WINDOW_S,
        )
        if wait_s:
            raise too_many_tries(wait_s)
        if not is_right:
            raise wrong_password()

    def _session_id(self, token: str) -> str:
        """What a session is kept under. Stolen from the store it opens nothing, and another password ends them all."""
        return hmac.new(_digest(self.password), token.encode(), hashlib.sha256).hexdigest()

    def _told(self, person: Person | None) -> web.Response:
        who = {"id": person.id, "name": person.name} if person else None
        told = {"needs_password": bool(self.password), "person": who} | self._told_to_all
        return web.json_response(told, headers=headers_of_speech())


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def address_of(remote: str | None) -> str:
    """What tries are counted by. Whoever has one IPv6 address has 2**64 of them."""
    address = ip_address((remote or "::").partition("%")[0])
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Network((address, 64), strict=False))
    return str(address)


def _display_name(given: object) -> str:
    """As others see it; "" where none was given."""
    name = "".join(c for c in str(given or "") if c.isprintable())
    return " ".join(name.split())[:NAME_CHARS].strip()

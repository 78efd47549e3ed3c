"""The server: REST under /api/v10, the gateway under /gateway, files under /attachments and /avatars."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import discord
import yarl
from aiohttp import web

from tests.fakes.discord import bodies, schema
from tests.fakes.discord.bodies import Body
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.interactions import Interactions
from tests.fakes.discord.people import Person
from tests.fakes.discord.ratelimits import RateLimits, too_many
from tests.fakes.discord.refusals import Refused, invalid
from tests.fakes.discord.rest import ApiCall, Operation, found_route
from tests.fakes.discord.state import Json, World

_API = "/api/v10"
_OPEN = ("/interactions/", "/webhooks/")
_TOKEN = re.compile(r"(/(?:interactions|webhooks)/\d+/)[^/]+")


@dataclass(frozen=True)
class Request:
    """What arrived, without any token. `at` by the loop's clock (monotonic, seconds); `status` of the answer."""

    method: str
    path: str
    json: Any = field(repr=False)
    files: tuple[tuple[str, bytes], ...] = field(repr=False)
    at: float
    status: int
    query: str = ""
    answer: Any = field(default=None, repr=False)


@dataclass
class Fault:
    method: str
    path: re.Pattern[str]
    status: int
    code: int
    times: int
    after_effect: bool
    headers: dict[str, str]


class FakeDiscord(World):
    """The server. `requests` holds all that arrived, `invalid_requests` those that count towards Discord's ban."""

    def __init__(
        self,
        port: int = 0,
        *,
        content_intent: bool = True,
        bot_name: str = "Remixbot",
        check_schema: bool = True,
        rate_limits: bool = True,
    ) -> None:
        super().__init__(bot_name=bot_name, content_intent=content_intent)
        self.gateway = Gateway(self)
        self.interactions = Interactions(self)
        self.limits = RateLimits() if rate_limits else RateLimits(routes={}, globally=0)
        self.requests: list[Request] = []
        self.max_request_bytes = bodies.MAX_REQUEST_BYTES
        self.latency_s = 0.0
        self.downloads: list[str] = []
        self.urls: list[str] = []
        """The same, with what was asked behind the path."""
        """Paths of files that were fetched, with what they answered."""
        self._check_schema = check_schema
        self._faults: list[Fault] = []
        self._port = port

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=256 * 2**20)
        app.router.add_route("*", _API + "/{path:.*}", self._api)
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_get("/gateway/", self.gateway.serve)
        app.router.add_get("/{kind:attachments|ephemeral-attachments}/{channel}/{id}/{name}", self._file)
        app.router.add_get("/avatars/{user}/{name}", self._avatar)
        self.add_routes(app)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self.port: int = self._runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.api_base = self.base_url + _API
        self.gateway_url = self.gateway.url = f"ws://127.0.0.1:{self.port}/gateway"
        return self

    def add_routes(self, app: web.Application) -> None:
        """For who serves more beside it."""

    async def __aexit__(self, *_: object) -> None:
        self.gateway.drop()
        await self._runner.cleanup()

    # --- for tests

    def user(self, name: str, *, bot: bool = False, avatar: bytes | None = None) -> Person:
        made = Person(self, self.snowflake(), name, bot=bot, avatar_bytes=avatar)
        self.users[made.id] = made
        return made

    @contextlib.contextmanager
    def install(self) -> Iterator[Self]:
        """Point discord.py at this server."""
        before = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
        discord.http.Route.BASE = self.api_base
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(self.gateway_url)
        try:
            yield self
        finally:
            discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = before

    def fail(
        self,
        method: str,
        path: str,
        *,
        status: int = 500,
        code: int = 0,
        times: int = 1,
        after_effect: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:
        """The next `times` requests whose path matches whole (a pattern) fail; `after_effect` does first what was
        asked. Status 0 cuts the connection."""
        given = Fault(method, re.compile(path), status, code, times, after_effect, headers or {})
        self._faults.append(given)

    def faults(self) -> list[str]:
        """Where our own answers differ from what is published for them. Empty, if all is well."""
        found: list[str] = []
        for each in self.requests:
            known = found_route(each.method, each.path)
            wrong = known and schema.response_fault(each.method, known[0], each.status, each.answer)
            if wrong:
                found.append(f"{each.method} {each.path}: {wrong[0]}: {wrong[1]}")
        return found

    def drop_gateway(self) -> None:
        self.gateway.drop()

    def zombie(self) -> None:
        self.gateway.zombie()

    @property
    def invalid_requests(self) -> list[Request]:
        return [each for each in self.requests if each.status in (401, 403, 429)]

    def asked(self, method: str, path: str) -> list[Request]:
        """The requests that arrived, by a pattern for the whole path."""
        return [each for each in self.requests if each.method == method and re.fullmatch(path, each.path)]

    # --- REST

    async def _api(self, request: web.Request) -> web.StreamResponse:
        path = request.raw_path.partition("?")[0].removeprefix(_API)
        at, body = asyncio.get_running_loop().time(), Body()
        status, answer, headers = 500, None, dict[str, str]()
        try:
            if self.latency_s:
                await asyncio.sleep(self.latency_s)
            body = await bodies.read(request, max_bytes=self.max_request_bytes)
            status, answer, headers = self._answer(request, path, body)
        except Refused as refused:
            status, answer = refused.status, refused.body()
        finally:
            files = tuple(body.files[key] for key in sorted(body.files))
            shown = _TOKEN.sub(r"\1…", path)
            self.requests.append(
                Request(request.method, shown, body.json, files, at, status, request.query_string, answer)
            )
            self.changed()
        if status == 0:
            if request.transport:
                request.transport.abort()
            return web.Response()
        if status == 204:
            return web.Response(status=204, headers=headers)
        told = json.dumps(answer).encode()
        return web.Response(status=status, body=told, headers=headers | {"Content-Type": "application/json"})

    def _answer(self, request: web.Request, path: str, body: Body) -> tuple[int, Any, dict[str, str]]:
        method = request.method
        if not path.startswith(_OPEN):
            if request.headers.get("Authorization") != f"Bot {self.token}":
                raise Refused(0)
            if wait_s := self.limits.over_all():
                answer, headers = too_many(wait_s, everywhere=True)
                return 429, answer, headers
        found = found_route(method, path)
        if found is None:
            return 404, {"message": "404: Not Found", "code": 0}, {}
        template, params, operation = found
        major = params.get("channel_id") or params.get("webhook_token") or ""
        route = f"{method} {template}"
        headers, wait_s = self.limits.take(route, major)
        if wait_s:
            answer, more = too_many(wait_s, everywhere=False)
            return 429, answer, headers | more
        try:
            call = ApiCall(self, params, request.query, body)
            status, answer = self._done(method, path, template, operation, call)
        except Refused as refused:
            status, answer = refused.status, refused.body()
        fault = self._fault(method, path, after_effect=True)
        if fault:
            status, answer, headers = self._failed(fault, headers)
        elif isinstance(answer, Fault):
            status, answer, headers = self._failed(answer, headers)
        return status, answer, headers

    def _done(self, method: str, path: str, template: str, operation: Operation, call: ApiCall) -> tuple[int, Any]:
        if fault := self._fault(method, path, after_effect=False):
            return 599, fault
        if self._check_schema and call.body.json is not None:
            published = (
                template.replace("/messages/{message_id}", "/messages/@original") if "@original" in path else template
            )
            if wrong := schema.request_fault(method, published, call.body.json):
                raise invalid(wrong[0], wrong[1])
        answer = operation(call)
        return (204, None) if answer is None else (200, answer)

    def _fault(self, method: str, path: str, *, after_effect: bool) -> Fault | None:
        for each in self._faults:
            fits = each.method in (method, "*") and each.path.fullmatch(path) and each.after_effect == after_effect
            if fits and each.times > 0:
                each.times -= 1
                return each
        return None

    def _failed(self, fault: Fault, headers: dict[str, str]) -> tuple[int, Json, dict[str, str]]:
        if fault.status == 429:
            answer, more = too_many(1.0, everywhere=False)
            return 429, answer, headers | more | fault.headers
        refused = Refused(fault.code, status=fault.status)
        words = str(refused) if fault.code else f"{fault.status}: the fake was told to fail"
        return fault.status, {"message": words, "code": fault.code}, headers | fault.headers

    # --- files

    async def _file(self, request: web.Request) -> web.StreamResponse:
        path = request.raw_path.partition("?")[0]
        found = self.open_link(path, request.query)
        self.downloads.append(path)
        self.urls.append(request.raw_path)
        self.changed()
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        if fault := self._fault("GET", path, after_effect=False):
            return web.Response(status=fault.status, text="")
        if found is None:
            return web.Response(status=404, text="This content is no longer available.")
        kind = found.content_type or "application/octet-stream"
        return web.Response(body=found.data, headers={"Content-Type": kind})

    async def _avatar(self, request: web.Request) -> web.StreamResponse:
        user = self.users.get(request.match_info["user"])
        if user is None or not user.avatar_bytes or not request.match_info["name"].startswith(str(user.avatar)):
            return web.Response(status=404)
        return web.Response(body=user.avatar_bytes, headers={"Content-Type": "image/png"})

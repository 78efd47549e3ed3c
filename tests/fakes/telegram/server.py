"""The server: methods under /bot<token>/, files under /file/bot<token>/, and what tests make happen."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from aiohttp import web

from tests.fakes.telegram import bodies, schema
from tests.fakes.telegram.calls import Call
from tests.fakes.telegram.floods import Floods
from tests.fakes.telegram.happenings import Happenings
from tests.fakes.telegram.media import DOWNLOAD_BYTES, UPLOAD_BYTES
from tests.fakes.telegram.methods import BY_LOWER, METHODS
from tests.fakes.telegram.refusals import Cut, Json, Refused, too_many

_PATH = re.compile(r"/bot([^/]+)/(\w+)/?")
_UNTIMED = ("getupdates",)


@dataclass
class Request:
    """What arrived. `at` by the loop's clock (monotonic, seconds); `files` as (name, bytes); `status` of the answer, 0
    as long as none was given."""

    method: str
    arguments: Json
    at: float
    files: tuple[tuple[str, bytes], ...] = field(repr=False)
    status: int = 0
    answer: Any = field(default=None, repr=False)


@dataclass
class Fault:
    """`sort`: an error instead (0 cuts the connection), the same after the effect, or no answer after it."""

    method: str
    sort: Literal["before", "after", "hang"]
    code: int
    description: str
    parameters: dict[str, int]
    times: int


class FakeTelegram(Happenings):
    """`floods`: the published limits hold. `mentions_delivered`: a mention reaches the bot in groups, although it does
    not read all. `requests` holds all that arrived, in order."""

    def __init__(
        self,
        port: int = 0,
        *,
        reads_all: bool = False,
        floods: bool = True,
        mentions_delivered: bool = False,
        bot_name: str = "Remixbot",
        bot_username: str = "remix_test_bot",
    ) -> None:
        super().__init__(
            reads_all=reads_all, mentions_delivered=mentions_delivered, bot_name=bot_name, bot_username=bot_username
        )
        self.token = f"{self.bot_user.id}:AAFakeFakeFakeFakeFakeFakeFakeFake000"
        self.limits = Floods(floods)
        self.requests: list[Request] = []
        self.downloads: list[str] = []
        self.upload_limit_bytes = UPLOAD_BYTES
        self.download_limit_bytes = DOWNLOAD_BYTES
        self.latency_s = 0.0
        """What every answer takes, getUpdates excepted."""
        self._faults: list[Fault] = []
        self._slow: dict[str, float] = {}
        self._port = port

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=256 * 2**20)
        app.router.add_get("/file/bot{token}/{path:.+}", self._file)
        app.router.add_route("*", "/bot{rest:.*}", self._api)
        self.add_routes(app)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self.port: int = self._runner.addresses[0][1]
        self.api_base = f"http://127.0.0.1:{self.port}"
        return self

    def add_routes(self, app: web.Application) -> None:
        """For who serves more beside it."""

    async def __aexit__(self, *_: object) -> None:
        await self.updates.close()
        await self._runner.cleanup()

    # --- for tests

    @property
    def floods_caused(self) -> int:
        """How many 429 the published limits gave."""
        return self.limits.caused

    def asked(self, method: str) -> list[Request]:
        return [each for each in self.requests if each.method == method]

    def fail(
        self,
        method: str,
        *,
        code: int = 500,
        description: str = "Internal Server Error",
        times: int = 1,
        after_effect: bool = False,
        parameters: dict[str, int] | None = None,
    ) -> None:
        """The next so many calls fail; with `after_effect`, it is done before. Code 0 cuts the connection."""
        sort: Literal["before", "after"] = "after" if after_effect else "before"
        self._faults.append(Fault(method, sort, code, description, parameters or {}, times))

    def hang_after_delivery(self, method: str, *, times: int = 1) -> None:
        """What was asked is done, and no answer ever comes."""
        self._faults.append(Fault(method, "hang", 0, "", {}, times))

    def flood(self, method: str, *, retry_after: int = 2, times: int = 1) -> None:
        """The next so many calls are too many. They are not in `floods_caused`."""
        said = f"Too Many Requests: retry after {retry_after}"
        self._faults.append(Fault(method, "before", 429, said, {"retry_after": retry_after}, times))

    def slow(self, method: str, seconds: float) -> None:
        """From now on it takes so long before it begins."""
        self._slow[method] = seconds

    def faults(self) -> list[str]:
        """Where our own answers and updates differ from what is published for them. Empty, if all is well."""
        found = [
            f"{each.method}: {wrong}"
            for each in self.requests
            if each.status == 200
            and each.method != "getUpdates"
            and (wrong := schema.response_fault(each.method, each.answer["result"]))
        ]
        return found + [wrong for each in self.told if (wrong := schema.update_fault(each.raw))]

    # --- requests

    async def _api(self, request: web.Request) -> web.StreamResponse:
        noted = Request("", {}, asyncio.get_running_loop().time(), ())
        try:
            result = await self._answer(request, noted)
            noted.status, noted.answer = 200, {"ok": True, "result": result}
        except Refused as refused:
            noted.status, noted.answer = refused.code, refused.body()
        except Cut:
            if request.transport:
                request.transport.abort()
        finally:
            self.changed()
        return web.json_response(noted.answer, status=noted.status or 500)

    async def _answer(self, request: web.Request, noted: Request) -> Any:
        token, noted.method = self._named(request)
        body = await bodies.read(request)
        noted.arguments, noted.files = body.fields, tuple(body.files.values())
        self.requests.append(noted)
        if token != self.token:
            raise Refused(401)
        noted.method = self._known(noted.method)
        noted.arguments = schema.arguments(noted.method, body.fields, bodies.names(body.files))
        self.changed()
        return await self._done(Call(self, noted.method, noted.arguments, body))

    def _named(self, request: web.Request) -> tuple[str, str]:
        found = _PATH.fullmatch(request.path)
        if found is None:
            raise Refused(404)
        return found[1], found[2]

    def _known(self, method: str) -> str:
        known = BY_LOWER.get(method.lower())
        if known:
            return known
        if method.lower() in schema.shapes().names:
            raise Refused(501, f"{method} does not stand here yet")
        raise Refused(404)

    async def _done(self, call: Call) -> Any:
        method = call.method
        if wait_s := self._slow.get(method, 0.0) or (self.latency_s if method.lower() not in _UNTIMED else 0.0):
            await asyncio.sleep(wait_s)
        self._strike(self._fault(method, "before"))
        chat = call.get("chat_id")
        if wait_s := self.limits.take(method, chat if isinstance(chat, int) else hash(chat)):
            raise too_many(wait_s)
        result = await METHODS[method](call)
        if self._fault(method, "hang"):
            self.hanging += 1
            self.changed()
            await asyncio.Event().wait()
        self._strike(self._fault(method, "after"))
        return result

    def _strike(self, fault: Fault | None) -> None:
        if fault is None:
            return
        if not fault.code:
            raise Cut
        refused = Refused(fault.code)
        refused.description, refused.parameters = fault.description, fault.parameters
        raise refused

    def _fault(self, method: str, sort: str) -> Fault | None:
        for each in self._faults:
            if each.sort == sort and each.method.lower() == method.lower() and each.times > 0:
                each.times -= 1
                return each
        return None

    async def _file(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        found = next((each for each in self.files.by_id.values() if each.path == path and each.asked_for), None)
        token_fits = request.match_info["token"] == self.token
        self.downloads.append(path)
        try:
            if wait_s := self._slow.get("file", 0.0):
                await asyncio.sleep(wait_s)
            self._strike(self._fault("file", "before"))
            if not token_fits or found is None:
                raise Refused(404 if token_fits else 401)
        except Refused as refused:
            return web.json_response(refused.body(), status=refused.code)
        except Cut:
            if request.transport:
                request.transport.abort()
            return web.Response()
        return web.Response(body=found.data, content_type="application/octet-stream")

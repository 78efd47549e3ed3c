"""The server: the doors of the Developer API and of Vertex, and two of its own, `/_calls` and `/_script`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from aiohttp import web

from tests.fakes.gemini.behaviours import (
    BEHAVIOURS,
    Behaviour,
    Wire,
    does_its_part,
    model_status,
    overloaded,
    usage_for,
)
from tests.fakes.gemini.calls import Call, Memory, Refused, call_from, invalid
from tests.fakes.gemini.models import MODELS, Model
from tests.fakes.gemini.schemas import fault

_DROPPED = web.RequestKey("dropped", bool)
_JSON = {"Content-Type": "application/json; charset=UTF-8"}
_DEVELOPER = "/{version:v1|v1beta}/models/{model:[^/:]+}"
_VERTEX = "/{version:v1|v1beta1}/{project:(?:projects/[^/]+/locations/[^/]+/)?}publishers/google/models/{model:[^/:]+}"


class FakeGemini:
    """The server. `posts` counts every request for an answer that arrived, `calls` are the well-formed ones.

    `refused` are the messages of requests that the real API would not take; `abandoned` counts requests whose client
    went away before it was answered. With `api_key` set, another key (or, on Vertex, token) is refused as the real one
    does. Models in `overloaded` answer 503 and those in `gone` 404, always; `retiring` maps models to the date of
    their end, announced with every answer. `sounds` says what is to be heard in a file, by its SHA-256, and `lettered`
    what stands on a picture.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        default: Behaviour | None = None,
        delay_s: float = 0.0,
        api_key: str | None = None,
        models: Mapping[str, Model] = MODELS,
    ) -> None:
        self.calls: list[Call] = []
        self.refused: list[str] = []
        self.posts = 0
        self.abandoned = 0
        self.url = ""
        self.overloaded: set[str] = set()
        self.gone: set[str] = set()
        self.retiring: dict[str, str] = {}
        self._memory = Memory()
        self.sounds, self.lettered = self._memory.sounds, self._memory.lettered
        self._port = port
        self._default = default or does_its_part()
        self._delay_s = delay_s
        self._api_key = api_key
        self._models = models
        self._script: list[Behaviour] = []
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> FakeGemini:
        app = web.Application(client_max_size=256 * 1024 * 1024, middlewares=[_google_errors])
        for door in (_DEVELOPER, _VERTEX):
            app.router.add_post(f"{door}:generateContent", self._generate)
            app.router.add_get(door, self._model)
        app.router.add_get("/_calls", self._report)
        app.router.add_post("/_script", self._take_script)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def then(self, *behaviours: Behaviour) -> None:
        """What the next requests get, one each, each the first that is meant for it. After them, the default."""
        self._script.extend(behaviours)

    async def until(self, condition: Callable[[], bool], *, timeout_s: float = 10.0) -> None:
        """Wait for something to have arrived, or been abandoned."""
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(condition)

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._answer(request)
        except asyncio.CancelledError:
            self.abandoned += _DROPPED not in request
            await asyncio.shield(self._notify())
            raise
        except Refused as refused:
            self.refused.append(str(refused))
            raise

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.posts += 1
        self._admit(request)
        raw = await request.read()
        call = await asyncio.to_thread(
            call_from, request.match_info["model"], raw, self._there(), vertex=_is_vertex(request), memory=self._memory
        )
        self.calls.append(replace(call, pixels=()))
        await self._notify()
        behaviour = self._next(call)
        await asyncio.sleep(behaviour.delay_s + self._delay_s)
        return await _send(request, await asyncio.to_thread(_wire, behaviour, call, self.retiring.get(call.model)))

    def _next(self, call: Call) -> Behaviour:
        if call.model in self.overloaded:
            return overloaded()
        meant = next((number for number, each in enumerate(self._script) if each.meant(call)), None)
        return self._default if meant is None else self._script.pop(meant)

    def _there(self) -> Mapping[str, Model]:
        return {name: model for name, model in self._models.items() if name not in self.gone}

    def _admit(self, request: web.Request) -> None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") if _is_vertex(request) else ""
        key = request.headers.get("x-goog-api-key") or request.query.get("key") or token
        if not key:
            raise Refused(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.")
        if self._api_key in (None, key):
            return
        if token:
            raise Refused(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        details = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
        raise invalid("API key not valid. Please pass a valid API key.", details)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _model(self, request: web.Request) -> web.Response:
        self._admit(request)
        name = request.match_info["model"]
        model = self._there().get(name)
        if model is None:
            raise Refused(404, "NOT_FOUND", f"Model is not found: models/{name} for api version v1")
        if _is_vertex(request):
            return web.json_response({"name": f"publishers/google/models/{name}", "versionId": "default"})
        methods = ["generateContent", "countTokens", "batchGenerateContent"]
        limits = {"inputTokenLimit": 65_536 if model.draws else 1_048_576, "outputTokenLimit": 65_536}
        known = {"name": f"models/{name}", "displayName": name, "supportedGenerationMethods": methods}
        return web.json_response({**known, **limits, "thinking": bool(model.thinking_levels)})

    async def _report(self, _: web.Request) -> web.Response:
        ours = ("pixels", "takes", "memory")
        calls = [
            {**asdict(replace(call, takes=Model(ratios=frozenset()), memory=Memory())), "instruction": call.instruction}
            for call in self.calls
        ]
        told = [{key: value for key, value in call.items() if key not in ours} for call in calls]
        counted = {"posts": self.posts, "abandoned": self.abandoned, "refused": self.refused}
        return web.json_response({**counted, "calls": told})

    async def _take_script(self, request: web.Request) -> web.Response:
        """A list of {"do": name of a behaviour, its arguments…, "delay_s": seconds, "on": model}. Or an object with
        such a list as "then", and what else is to hold from now on: "overloaded", "gone", "retiring", "sounds"."""
        asked = await request.json()
        if isinstance(asked, list):
            asked = {"then": asked}
        try:
            self.then(*[_behaviour(step) for step in asked.get("then", [])])
        except (KeyError, TypeError) as error:
            possible = {"error": str(error), "possible": sorted(BEHAVIOURS)}
            return web.json_response(possible, status=400)
        self.overloaded = set(asked.get("overloaded", self.overloaded))
        self.gone = set(asked.get("gone", self.gone))
        self.retiring = dict(asked.get("retiring", self.retiring))
        self.sounds.update(asked.get("sounds", {}))
        return web.json_response({"waiting": len(self._script)})


def _behaviour(step: Mapping[str, Any]) -> Behaviour:
    arguments = {key: value for key, value in step.items() if key not in ("do", "delay_s", "on", "args")}
    made = BEHAVIOURS[step["do"]](*step.get("args", []), **arguments).slow(step.get("delay_s", 0.0))
    return made.on(step["on"]) if "on" in step else made


def _is_vertex(request: web.Request) -> bool:
    return "/publishers/google/" in request.path


def _wire(behaviour: Behaviour, call: Call, retiring: str | None) -> Wire:
    body = behaviour.answer(call)
    if isinstance(body, Wire):
        return body
    full = {**body, "usageMetadata": usage_for(call, body), "modelVersion": call.model, "responseId": "r-1"}
    if behaviour.checked and (wrong := fault("GenerateContentResponse", full, vertex=call.vertex)):
        raise invalid(wrong)
    if behaviour.usage is not None:
        full["usageMetadata"] = behaviour.usage
    if retiring is not None and not call.vertex:
        full["modelStatus"] = model_status(retiring)
    return Wire(json.dumps(full).encode())


async def _send(request: web.Request, wire: Wire) -> web.StreamResponse:
    if wire.hang:
        await asyncio.Event().wait()
    if wire.drop_after_bytes is None and not wire.drip_bytes:
        return web.Response(body=wire.body, status=wire.status, headers={**_JSON, **wire.headers})
    response = web.StreamResponse(headers={**_JSON, "Content-Length": str(len(wire.body))})
    sent = wire.body[: wire.drop_after_bytes]
    if sent:
        await response.prepare(request)
    step = wire.drip_bytes or max(1, len(sent))
    for start in range(0, len(sent), step):
        await asyncio.sleep(wire.drip_s)
        await response.write(sent[start : start + step])
    if wire.drop_after_bytes is None:
        return response
    assert request.transport is not None
    request[_DROPPED] = True
    request.transport.close()
    await asyncio.Event().wait()
    return response


@web.middleware
async def _google_errors(request: web.Request, handler: Callable[..., Any]) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
    except Refused as refused:
        return web.json_response(refused.body, status=refused.status)
    return response

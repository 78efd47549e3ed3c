"""The page as a web application: its routes, and the server that listens. docs/page-api.md describes the interface."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
import traceback
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from adapters.web import problems
from adapters.web.decisions import Decisions
from adapters.web.events import Streams
from adapters.web.guard import Guard, add_headers, check_bind
from adapters.web.inbound import (
    IMAGES,
    TEXT_CHARS,
    VOICE_BYTES,
    Form,
    chat_of,
    drain,
    drop,
    idempotency_key,
    read_form,
)
from adapters.web.login import OWNER_ID, PERSON, Login
from adapters.web.ports import PageStore, Record, UploadSpool
from adapters.web.records import PLATFORM, answer_id_of, chat_ref, inbound_of, message_id_of, person_record, public
from adapters.web.shared import SharedPages
from adapters.web.speech import language_of_request, speak
from adapters.web.verify import Check, VerifyPage
from adapters.web.words import Words
from bot.domain.errors import RemixError
from bot.domain.images import EXTENSIONS
from bot.domain.invitations import NO_OPERATOR, secret_command
from bot.domain.language import tr
from bot.domain.messages import InboundMessage
from bot.domain.people import is_theirs_to_decide
from bot.domain.recipes import is_recipe_file
from bot.domain.refs import MessageRef, Sha256, ThreadId, TurnId, UserRef
from bot.ports import Clock, ImageStore, Rooms

STATIC: Final = Path(__file__).parent / "static"
MAX_IMAGE_BYTES: Final = 40 * 2**20
PAGE_MESSAGES: Final = 50
MOST_MESSAGES: Final = 200

_SHA256 = re.compile(r"[0-9a-f]{64}")
_GUARD: Final = web.AppKey("guard", Guard)
_LOGIN: Final = web.AppKey("login", Login)
_log = structlog.get_logger()


def build_app(
    *,
    rooms: Rooms,
    store: PageStore,
    spool: UploadSpool,
    images: ImageStore,
    password: str = "",
    allowed_hosts: Iterable[str] = (),
    public_url: str = "",
    behind_https: bool = False,
    max_image_bytes: int = MAX_IMAGE_BYTES,
    draws: bool = True,
    hears: bool = True,
    check: Check | None = None,
    calls: Sequence[web.RouteDef] = (),
    now: Clock = time.time,
) -> web.Application:
    """The page. `allowed_hosts` are names it may be reached under beside this machine's own, with or without a port;
    under the name in `public_url` only what is shared can be seen, and pictures can be checked; `behind_https` when a
    proxy of ours ends TLS in front of it. What the page offers depends on whether the core `draws` pictures from words
    and `hears` voice messages. `check` says what is known of a file; without it there is no page for that.

    `calls` are for programs elsewhere that call us and show by themselves who they are: past login, hosts and origins,
    and what goes wrong there is a number without words."""
    guard = Guard(allowed_hosts, urlsplit(public_url).netloc)
    shared = SharedPages(rooms=rooms, images=images, behind_https=behind_https)
    limits = {"text_chars": TEXT_CHARS, "images": IMAGES, "image_bytes": max_image_bytes, "voice_bytes": VOICE_BYTES}
    abilities = {"draws": draws, "hears": hears}
    login = Login(store, password=password, behind_https=behind_https, limits=limits, abilities=abilities)
    streams = Streams(store)
    chats = Chats(rooms=rooms, store=store, spool=spool, images=images, max_image_bytes=max_image_bytes, now=now)
    decisions = Decisions(rooms=rooms, store=store)
    words = Words()
    app = web.Application(
        middlewares=[_straight_to(calls), speak, _say_what_is_wrong, guard.middleware, login.middleware]
    )
    app[_GUARD], app[_LOGIN] = guard, login
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(streams.close)
    app.cleanup_ctx.append(streams.follow)
    chat = "/api/chats/{chat}"
    app.add_routes(
        [
            web.get("/", words.front),
            web.get("/words.json", words.catalog),
            web.static("/static", STATIC),
            web.get("/s/{token}", shared.page),
            web.get("/s/{token}/picture", shared.picture),
            web.get("/api/session", login.show),
            web.post("/api/session", login.enter),
            web.delete("/api/session", login.leave),
            web.post("/api/join", decisions.join),
            web.get(f"{chat}/messages", chats.messages),
            web.post(f"{chat}/messages", chats.post),
            web.get(f"{chat}/messages/{{message}}", chats.message),
            web.get(f"{chat}/threads/{{thread}}", chats.thread),
            web.get(f"{chat}/events", streams.stream),
            web.get(f"{chat}/images/{{sha256}}", chats.image),
            web.post(f"{chat}/turns/{{turn}}/cancel", chats.cancel),
            web.post(f"{chat}/turns/{{turn}}/consent", decisions.allow),
            web.post(f"{chat}/turns/{{turn}}/vote", decisions.vote),
            web.get(f"{chat}/messages/{{message}}/info", decisions.info),
            web.delete(f"{chat}/messages/{{message}}", decisions.delete),
            web.get(f"{chat}/door", decisions.door),
            web.get(f"{chat}/standing", decisions.standing),
            web.put(f"{chat}/standing", decisions.stand),
        ]
    )
    if check is not None:
        page = VerifyPage(check, max_bytes=max_image_bytes, behind_https=behind_https)
        app.add_routes([web.get("/verify", page.show), web.post("/verify", page.answer)])
    app.add_routes(calls)
    return app


@contextlib.asynccontextmanager
async def serve(app: web.Application, *, host: str, port: int, grace_s: float = 5.0) -> AsyncGenerator[str, None]:
    """Listen while the block runs; gives the address to open. Port 0 takes any free one.

    Raises `ValueError` when the page would stand open to others without a password, `OSError` when the port is taken.
    """
    check_bind(host, app[_LOGIN].password)
    app[_GUARD].bound_host = host
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=grace_s)
    await runner.setup()
    try:
        await web.TCPSite(runner, host or None, port).start()
        shown = "127.0.0.1" if host in {"", "0.0.0.0", "::"} else f"[{host}]" if ":" in host else host  # noqa: S104
        yield f"http://{shown}:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chats:
    """What can be done in a chat."""

    rooms: Rooms
    store: PageStore
    spool: UploadSpool
    images: ImageStore
    max_image_bytes: int
    now: Clock

    async def post(self, request: web.Request) -> web.Response:
        """POST …/messages. Each step can be repeated: the same key finds what an earlier try has left."""
        chat, person = chat_of(request), request[PERSON]
        key = idempotency_key(request)
        message = message_id_of(chat, person.id, key)
        (record,) = await self.store.find(chat, [message])
        if record is None:
            record = await self._keep(request, chat, message, key)
        else:
            await drain(request)
        if "asked" not in record:
            record = await self._hand_in(chat, record)
        ids = {"message_id": message, "turn_id": record["asked"], "answer_id": record["answer_id"]}
        return web.json_response(ids, status=202)

    async def _keep(self, request: web.Request, chat: str, message: str, key: str) -> Record:
        form = await read_form(request, self.spool, message=message, max_image_bytes=self.max_image_bytes)
        try:
            await self._check(chat, form)
            said = self._inbound(request, chat, message, form)
            await self._check_author(said)
            ours = person_record(said, key=key)
            record = await self.store.append(chat, message, ours)
        except BaseException:
            await drop(self.spool, form)
            raise
        if any(record.get(each) != ours[each] for each in ("uploads", "voice", "file")):
            await drop(self.spool, form)  # another try of the same message came first
        if "gone" in record:
            raise problems.deleted()
        return record

    async def _check_author(self, message: InboundMessage) -> None:
        """Who is kept out may still decide about what is theirs. What opens the door, and what an operator says, is
        done at once, and nothing of it is kept. Behind a password a name is whoever gives it: so only the owner of a
        page without one operates here."""
        match secret_command(message.text):
            case ("join", code):
                raise problems.told(await self.rooms.enter(message.author, code))
            case (_, words):
                is_owner = message.author.user == OWNER_ID
                raise problems.told(await self.rooms.operate(message.author, words) if is_owner else tr(NO_OPERATOR))
            case None:
                pass
        if is_theirs_to_decide(message):
            return
        if words := await self.rooms.kept_out(message.author, message.ref.chat):
            raise problems.kept_out(words)

    async def _check(self, chat: str, form: Form) -> None:
        if not (form.text or form.uploads or form.voice or form.act):
            raise problems.nothing_said()
        if not form.reply_to and (form.act or form.reply_index is not None):
            raise problems.nothing_pressed()
        if form.reply_to and (await self.store.find(chat, [form.reply_to])) == [None]:
            raise problems.no_such_reply()

    def _inbound(self, request: web.Request, chat: str, message: str, form: Form) -> InboundMessage:
        person, place = request[PERSON], chat_ref(chat)
        file = next((each for each in form.uploads if is_recipe_file(each.filename)), None)
        return InboundMessage(
            ref=MessageRef(place, message),
            author=UserRef(PLATFORM, person.id),
            author_name=person.name,
            text=form.text or (form.act.value if form.act else ""),
            created_at=self.now(),
            attachments=tuple(each for each in form.uploads if each != file),
            reply_to=MessageRef(place, form.reply_to) if form.reply_to else None,
            reply_index=form.reply_index,
            press=form.press,
            voice=form.voice,
            file=file,
            language=language_of_request(request),
        )

    async def _hand_in(self, chat: str, record: Record) -> Record:
        message = inbound_of(chat, record)
        received = await self.rooms.receive(message)
        taken = {"asked": received.turn, "answer_id": received.reply.message}
        await self.store.replace(chat, message.ref.message, taken, quiet=True)
        return {**record, **taken}

    async def messages(self, request: web.Request) -> web.Response:
        chat = chat_of(request)
        limit = min(_whole_number(request, "limit", PAGE_MESSAGES), MOST_MESSAGES)
        before = request.query.get("before")
        if before is not None and (await self.store.find(chat, [before])) == [None]:
            raise problems.no_such_message()
        last_event, records = await self.store.page(chat, before=before, limit=limit + 1)
        shown = [public(chat, record) for record in records[-limit:]]
        return web.json_response({"messages": shown, "more": len(records) > limit, "last_event_id": last_event})

    async def message(self, request: web.Request) -> web.Response:
        chat = chat_of(request)
        (record,) = await self.store.find(chat, [request.match_info["message"]])
        if record is None:
            raise problems.no_such_message()
        return web.json_response(public(chat, record))

    async def thread(self, request: web.Request) -> web.Response:
        """GET …/threads/…: the answers of a thread, the messages they answer and the pictures it began with."""
        chat = chat_of(request)
        found = {r["id"]: r for r in await self.store.thread(chat, ThreadId(request.match_info["thread"]))}
        for _ in range(2):
            missing = sorted({r["reply_to"] for r in found.values()} - found.keys() - {""})
            found |= {r["id"]: r for r in await self.store.find(chat, missing) if r} if missing else {}
        shown = sorted((public(chat, record) for record in found.values()), key=lambda message: message["number"])
        return web.json_response({"messages": shown})

    async def image(self, request: web.Request) -> web.Response:
        chat, sha256 = chat_of(request), request.match_info["sha256"]
        media_type = await self.store.image(chat, Sha256(sha256)) if _SHA256.fullmatch(sha256) else None
        if media_type not in EXTENSIONS:
            raise problems.no_such_image()
        headers = {
            "Cache-Control": "private, max-age=31536000, immutable",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "ETag": f'"{sha256}"',
        }
        if request.query.get("download"):
            name = f"remixbot-{sha256[:8]}.{EXTENSIONS[media_type]}"
            headers["Content-Disposition"] = f'attachment; filename="{name}"'
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        try:
            data = await self.images.get(Sha256(sha256))
        except KeyError:
            raise problems.no_such_image() from None
        return web.Response(body=data, content_type=media_type, headers=headers)

    async def cancel(self, request: web.Request) -> web.Response:
        chat, turn = chat_of(request), TurnId(request.match_info["turn"])
        if (await self.store.find(chat, [answer_id_of(turn)])) == [None]:
            raise problems.no_such_turn()
        by = UserRef(PLATFORM, request[PERSON].id)
        was_cancelled = await self.rooms.cancel(turn, chat=chat_ref(chat), by=by)
        return web.json_response({"cancelled": was_cancelled})


def _whole_number(request: web.Request, name: str, default: int) -> int:
    given = request.query.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and int(given[:9]) > 0):
        raise problems.bad_number(name)
    return int(given[:9])


def _straight_to(calls: Sequence[web.RouteDef]) -> Middleware:
    paths = frozenset(call.path for call in calls)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in paths:
            return await handler(request)
        try:
            return await request.match_info.handler(request)
        except web.HTTPException as error:
            return web.Response(status=error.status)
        except (asyncio.CancelledError, ConnectionResetError):
            raise
        except Exception as error:
            _log.error("a call failed", route=_route(request), error=type(error).__name__, at=_where(error))
            return web.Response(status=500)

    return middleware


@web.middleware
async def _say_what_is_wrong(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error is JSON with a sentence. Nothing of a failure's inside reaches a browser."""
    try:
        return await handler(request)
    except problems.Problem as problem:
        return problem.response()
    except RemixError as error:
        return problems.of_error(error).response()
    except web.HTTPNotFound:
        return problems.no_such_page().response()
    except web.HTTPException as error:
        return problems.not_possible(error.status, error.reason).response()
    except (asyncio.CancelledError, ConnectionResetError):
        raise
    except Exception as error:
        _log.error("the page could not answer", route=_route(request), error=type(error).__name__, at=_where(error))
        return problems.out_of_order().response()


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else ""


def _where(error: Exception) -> list[str]:
    """The way to a failure, without its message and without any value: those may hold what people wrote."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames[-5:]]

"""The gateway: sessions that outlive their sockets, heartbeats, RESUME with all that was missed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.discord.payloads import guild_json, member_json, user_json
from tests.fakes.discord.state import (
    GUILD_MEMBERS,
    GUILD_PRESENCES,
    GUILDS,
    MESSAGE_CONTENT,
    Build,
    Guild,
    Json,
    Listener,
    World,
)

_KEPT_EVENTS = 20_000
_PRIVILEGED = GUILD_MEMBERS | GUILD_PRESENCES | MESSAGE_CONTENT


@dataclass(eq=False)
class Session:
    """One IDENTIFY. `events` are kept as (sequence, frame) for RESUME."""

    id: str
    intents: int
    shard: tuple[int, int]
    seq: int = 0
    events: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=_KEPT_EVENTS))
    connection: Connection | None = None
    names: list[str] = field(default_factory=list)
    """The names of all events that were made for it."""


class Connection:
    """A socket. Frames go out in order, by a task of its own; a zombie takes all and says nothing."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.socket, self.request = socket, request
        self.zombie = False
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._writing = asyncio.create_task(self._write())

    def put(self, frame: str) -> None:
        if not self.zombie:
            self._queue.put_nowait(frame)

    def say(self, op: int, d: Any = None) -> None:
        self.put(json.dumps({"op": op, "d": d, "s": None, "t": None}))

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await self.socket.send_str(await self._queue.get())

    def drop(self) -> None:
        """Cut it without a word."""
        if self.request.transport:
            self.request.transport.abort()

    async def end(self) -> None:
        self._writing.cancel()
        await asyncio.gather(self._writing, return_exceptions=True)


class Gateway:
    """`identifies`, `resumes` and `heartbeats` count what arrived; `sessions` are those that can be resumed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.heartbeat_s = 41.25
        self.max_concurrency = 1
        self.shards = 1
        self.identifies: list[Json] = []
        self.resumes = 0
        self.heartbeats = 0
        self.refuses_resume = False
        self.url = ""
        self.sessions: dict[str, Session] = {}
        self._connections: set[Connection] = set()
        world.listeners.append(Listener(self._send))

    @property
    def connected(self) -> list[Session]:
        return [each for each in self.sessions.values() if each.connection]

    # --- what a test may do to it

    def drop(self) -> None:
        """Cut every socket. What happens until they come back is replayed."""
        for each in list(self._connections):
            each.drop()

    def zombie(self) -> None:
        """The sockets stay open, but nothing comes any more: no acknowledgement, no event."""
        for each in self._connections:
            each.zombie = True

    def reconnect(self) -> None:
        for each in self._connections:
            each.say(7)

    def invalidate(self, *, resumable: bool = False) -> None:
        """INVALID_SESSION: unless resumable, what the session missed is lost."""
        for session in self.connected:
            assert session.connection
            session.connection.say(9, resumable)
            if not resumable:
                del self.sessions[session.id]

    def forget_sessions(self) -> None:
        """No session can be resumed any more, as after a long absence."""
        self.sessions = {key: each for key, each in self.sessions.items() if each.connection}

    # --- events

    def _send(self, event: str, build: Build, guild: Guild | None, needs: int) -> None:
        for session in self.sessions.values():
            shard, count = session.shard
            if (int(guild.id) >> 22) % count != shard if guild else shard != 0:
                continue
            if needs and not session.intents & needs:
                continue
            self.dispatch(session, event, build(session.intents))

    def dispatch(self, session: Session, event: str, payload: Json) -> None:
        session.seq += 1
        session.names.append(event)
        frame = json.dumps({"op": 0, "s": session.seq, "t": event, "d": payload})
        session.events.append((session.seq, frame))
        if session.connection:
            session.connection.put(frame)

    # --- sockets

    async def serve(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        connection = Connection(socket, request)
        self._connections.add(connection)
        connection.say(10, {"heartbeat_interval": int(self.heartbeat_s * 1000), "_trace": ["fake"]})
        session: Session | None = None
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    session = await self._take(json.loads(message.data), connection, session)
        finally:
            self._connections.discard(connection)
            if session and session.connection is connection:
                session.connection = None
                if socket.close_code in (1000, 1001):
                    self.sessions.pop(session.id, None)
            self.world.changed()
            await connection.end()
        return socket

    async def _take(self, frame: Json, connection: Connection, session: Session | None) -> Session | None:
        data = frame.get("d")
        match frame.get("op"):
            case 1:
                self.heartbeats += 1
                connection.say(11)
                self.world.changed()
            case 2:
                return await self._identify(data or {}, connection)
            case 6:
                return await self._resume(data or {}, connection)
            case 8 if session:
                self._members(session, data or {})
            case 3 | 4:
                pass
            case _:
                await connection.socket.close(code=4001, message=b"Unknown opcode.")
        return session

    async def _identify(self, data: Json, connection: Connection) -> Session | None:
        self.identifies.append({key: value for key, value in data.items() if key != "token"})
        shard = tuple(data.get("shard") or (0, 1))
        intents = int(data.get("intents") or 0)
        approved = self.world.privileged | (MESSAGE_CONTENT if self.world.content_intent else 0)
        close = None
        if data.get("token", "").removeprefix("Bot ") != self.world.token:
            close = (4004, b"Authentication failed.")
        elif intents & _PRIVILEGED & ~approved:
            close = (4014, b"Disallowed intent(s).")
        elif intents >> 33:
            close = (4013, b"Invalid intent(s).")
        elif len(shard) != 2 or not 0 <= shard[0] < shard[1]:
            close = (4010, b"Invalid shard.")
        if close:
            await connection.socket.close(code=close[0], message=close[1])
            self.world.changed()
            return None
        session = Session(secrets.token_hex(16), intents, (int(shard[0]), int(shard[1])), connection=connection)
        self.sessions[session.id] = session
        self._greet(session)
        self.world.changed()
        return session

    def _greet(self, session: Session) -> None:
        mine = [
            each
            for each in self.world.guilds.values()
            if each.has_bot and (int(each.id) >> 22) % session.shard[1] == session.shard[0]
        ]
        ready: Json = {
            "v": 10,
            "user": user_json(self.world.bot) | {"verified": True, "email": None, "mfa_enabled": True},
            "guilds": [{"id": each.id, "unavailable": True} for each in mine],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.url,
            "shard": list(session.shard),
            "application": {"id": self.world.application_id, "flags": self.world.application_flags},
            "private_channels": [],
            "relationships": [],
        }
        self.dispatch(session, "READY", ready)
        for guild in mine if session.intents & GUILDS else ():
            self.dispatch(session, "GUILD_CREATE", guild_json(guild))

    async def _resume(self, data: Json, connection: Connection) -> Session | None:
        self.resumes += 1
        session = self.sessions.get(data.get("session_id", ""))
        if data.get("token", "").removeprefix("Bot ") != self.world.token:
            await connection.socket.close(code=4004, message=b"Authentication failed.")
            return None
        seen = int(data.get("seq") or 0)
        lost = session is not None and session.events and session.events[0][0] > seen + 1
        if session is None or self.refuses_resume or lost:
            connection.say(9, False)
            return None
        if session.connection:
            session.connection.drop()
        session.connection = connection
        for number, frame in session.events:
            if number > seen:
                connection.put(frame)
        self.dispatch(session, "RESUMED", {"_trace": ["fake"]})
        self.world.changed()
        return session

    def _members(self, session: Session, data: Json) -> None:
        guild = self.world.guilds.get(str(data.get("guild_id", "")))
        if guild is None:
            return
        wanted = data.get("user_ids")
        wanted = [wanted] if isinstance(wanted, str) else wanted
        found = [each for key, each in guild.members.items() if wanted is None or key in wanted]
        payload: Json = {"guild_id": guild.id, "members": [member_json(each) for each in found], "chunk_index": 0}
        payload |= {"chunk_count": 1, "not_found": []}
        self.dispatch(session, "GUILD_MEMBERS_CHUNK", payload | ({"nonce": data["nonce"]} if "nonce" in data else {}))

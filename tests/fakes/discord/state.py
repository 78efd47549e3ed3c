"""The world behind the fake: users, guilds, channels, messages, and the clock. Every change is announced.

Ids are text: snowflakes, ordered by time, beyond 2**53. Nothing here knows HTTP or sockets.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import io
import mimetypes
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote

from PIL import Image

from tests.fakes.discord import permissions
from tests.fakes.discord.permissions import EVERYONE, NOTHING, Permission

Json = dict[str, Any]
Build = Callable[[int], Json]

EPOCH_MS = 1_420_070_400_000
LINK_LIFE_S = 24 * 3600
TIER_BYTES = (10 * 2**20, 10 * 2**20, 50 * 2**20, 100 * 2**20)
GUILDS, GUILD_MEMBERS, GUILD_PRESENCES = 1 << 0, 1 << 1, 1 << 8
GUILD_MESSAGES, GUILD_REACTIONS, DM_MESSAGES, DM_REACTIONS = 1 << 9, 1 << 10, 1 << 12, 1 << 13
MESSAGE_CONTENT = 1 << 15
TEXT, DM, CATEGORY, THREAD, FORUM = 0, 1, 4, 11, 15
EPHEMERAL, LOADING, VOICE, COMPONENTS_V2, HAS_SNAPSHOT = 1 << 6, 1 << 7, 1 << 13, 1 << 15, 1 << 14
_MENTION = re.compile(r"<@!?(\d+)>")
_ROLE_MENTION = re.compile(r"<@&(\d+)>")


class Clock:
    """Seconds since the epoch. A test moves it forward."""

    def __init__(self) -> None:
        self.offset_s = 0.0

    def now(self) -> float:
        return time.time() + self.offset_s

    def move(self, seconds: float) -> None:
        self.offset_s += seconds

    def iso(self) -> str:
        return datetime.fromtimestamp(self.now(), UTC).isoformat()


@dataclass(eq=False)
class Role:
    id: str
    name: str
    permissions: Permission
    position: int = 1
    managed: bool = False
    bot_id: str = ""
    """The bot that Discord made it for."""


@dataclass(eq=False)
class Overwrite:
    kind: Literal[0, 1]
    allow: Permission = NOTHING
    deny: Permission = NOTHING


@dataclass(eq=False)
class User:
    world: World = field(repr=False)
    id: str
    name: str
    bot: bool = False
    avatar_bytes: bytes | None = field(default=None, repr=False)
    locale: str = "en-US"
    """The language that they have set in their client."""

    @property
    def avatar(self) -> str | None:
        return hashlib.md5(self.avatar_bytes).hexdigest() if self.avatar_bytes else None

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"

    @property
    def is_the_bot(self) -> bool:
        return self is self.world.bot


@dataclass(eq=False)
class Member:
    user: User
    roles: list[Role] = field(default_factory=list)
    joined_at: str = ""
    nick: str | None = None


@dataclass(eq=False)
class Attachment:
    id: str
    filename: str
    data: bytes = field(repr=False)
    description: str | None = None
    spoiler: bool = False
    duration_s: float | None = None
    waveform: str | None = None
    ephemeral: bool = False
    content_type: str | None = None
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        self.content_type = mimetypes.guess_type(self.filename)[0]
        if self.filename.lower().endswith(".webp"):
            self.content_type = "image/webp"
        if (self.content_type or "").startswith("image/") and len(self.data) < 64 * 2**20:
            try:
                with Image.open(io.BytesIO(self.data)) as opened:
                    self.size = opened.size
            except (OSError, ValueError, Image.DecompressionBombError):
                self.size = None


@dataclass(eq=False)
class Guild:
    world: World = field(repr=False)
    id: str
    name: str
    tier: int
    everyone: Role
    owner: User
    roles: dict[str, Role] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict, repr=False)
    channels: dict[str, Channel] = field(default_factory=dict, repr=False)
    left: bool = False
    preferred_locale: str = "en-US"

    @property
    def file_limit_bytes(self) -> int:
        return TIER_BYTES[self.tier]

    @property
    def has_bot(self) -> bool:
        return self.world.bot.id in self.members

    def channel(
        self, name: str = "general", *, nsfw: bool = False, forum: bool = False, category: Channel | None = None
    ) -> Channel:
        made = Channel(self.world, self.world.snowflake(), FORUM if forum else TEXT, name, self, nsfw=nsfw)
        made.parent = category
        self.world.add_channel(made)
        return made

    def category(self, name: str) -> Channel:
        made = Channel(self.world, self.world.snowflake(), CATEGORY, name, self)
        self.world.add_channel(made)
        return made

    def role(self, name: str, permissions: Permission = NOTHING) -> Role:
        made = Role(self.world.snowflake(), name, permissions, position=len(self.roles) + 1)
        self.roles[made.id] = made
        self.world.emit("GUILD_ROLE_CREATE", self.world.role_event(self, made), guild=self, needs=GUILDS)
        return made

    def grant(self, role: Role, permissions: Permission) -> None:
        """Give a role exactly these permissions."""
        role.permissions = permissions
        self.world.emit("GUILD_ROLE_UPDATE", self.world.role_event(self, role), guild=self, needs=GUILDS)

    def join(self, user: User, *roles: Role) -> Member:
        known = self.members.get(user.id)
        if known is None:
            known = self.members[user.id] = Member(user, joined_at=self.world.clock.iso())
        known.roles.extend(role for role in roles if role not in known.roles)
        if user.is_the_bot:
            known.roles.append(self.world.bot_role(self))
            self.world.guild_created(self)
        return known

    def kicks(self, user: User) -> None:
        del self.members[user.id]
        if user.is_the_bot:
            self.world.emit_to_all("GUILD_DELETE", {"id": self.id}, guild=self)


@dataclass(eq=False)
class Channel:
    world: World = field(repr=False)
    id: str
    type: int
    name: str
    guild: Guild | None
    nsfw: bool = False
    parent: Channel | None = None
    recipients: list[User] = field(default_factory=list)
    overwrites: dict[str, Overwrite] = field(default_factory=dict)
    archived: bool = False
    locked: bool = False
    owner_id: str = ""
    gone: bool = False
    log: dict[str, Message] = field(default_factory=dict, repr=False)
    typed: list[float] = field(default_factory=list, repr=False)
    """When somebody typed here."""
    created_at: str = ""

    @property
    def is_thread(self) -> bool:
        return self.type == THREAD

    @property
    def is_dm(self) -> bool:
        return self.type == DM

    @property
    def file_limit_bytes(self) -> int:
        return self.guild.file_limit_bytes if self.guild else TIER_BYTES[0]

    def messages(self) -> list[Message]:
        """What stands there, oldest first. Ephemeral messages stand nowhere."""
        return list(self.log.values())

    def last(self) -> Message:
        return next(reversed(self.log.values()))

    def thread(self, name: str = "thread", *, archived: bool = False, locked: bool = False) -> Channel:
        """In a forum: a post, to be begun with `says` (its first message has the thread's id)."""
        assert self.guild
        made = Channel(self.world, self.world.snowflake(), THREAD, name, self.guild, parent=self)
        made.archived, made.locked, made.owner_id = archived, locked, self.guild.owner.id
        self.world.add_channel(made)
        return made

    def changes(self, **changed: Any) -> None:
        """Set fields (name, nsfw, archived, locked …) and announce it."""
        for name, value in changed.items():
            setattr(self, name, value)
        event = "THREAD_UPDATE" if self.is_thread else "CHANNEL_UPDATE"
        self.world.emit_channel(event, self)

    def allow(self, target: User | Role, allowed: Permission) -> None:
        self._overwrite(target, lambda over: (over.allow | allowed, over.deny & ~allowed))

    def deny(self, target: User | Role, denied: Permission) -> None:
        self._overwrite(target, lambda over: (over.allow & ~denied, over.deny | denied))

    def _overwrite(self, target: User | Role, change: Callable[[Overwrite], tuple[Permission, Permission]]) -> None:
        over = self.overwrites.setdefault(target.id, Overwrite(1 if isinstance(target, User) else 0))
        over.allow, over.deny = change(over)
        self.world.emit_channel("CHANNEL_UPDATE", self)

    def delete(self) -> None:
        self.gone = True
        self.world.channels.pop(self.id, None)
        if self.guild:
            self.guild.channels.pop(self.id, None)
        self.world.emit_channel("THREAD_DELETE" if self.is_thread else "CHANNEL_DELETE", self)


@dataclass(eq=False)
class Message:
    world: World = field(repr=False)
    id: str
    channel: Channel
    author: User
    content: str = ""
    type: int = 0
    attachments: list[Attachment] = field(default_factory=list)
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    flags: int = 0
    reference: Json | None = None
    mentions: list[User] = field(default_factory=list)
    pings_by_text: bool = False
    """The bot is mentioned in the words themselves."""
    pings_by_reply: bool = False
    mention_roles: list[str] = field(default_factory=list)
    mention_everyone: bool = False
    allowed_mentions: Json | None = None
    edited_at: str | None = None
    created_at: str = ""
    nonce: str | int | None = None
    webhook_id: str | None = None
    interaction: Json | None = None
    snapshots: list[Json] = field(default_factory=list)
    reactions: dict[str, list[User]] = field(default_factory=dict)
    seen_by: User | None = None
    """Set on an ephemeral message: the only one who sees it."""
    deleted: bool = False
    tts: bool = False
    pinned: bool = False
    edits: int = 0

    @property
    def reply_to(self) -> str:
        """The id of the message that this one is a reply to; empty for none."""
        return str(self.reference["message_id"]) if self.reference and self.type == 19 else ""

    @property
    def regular(self) -> bool:
        return self.webhook_id is None

    @property
    def jump_url(self) -> str:
        where = self.channel.guild.id if self.channel.guild else "@me"
        return f"https://discord.com/channels/{where}/{self.channel.id}/{self.id}"

    @property
    def files(self) -> list[tuple[str, bytes]]:
        return [(each.filename, each.data) for each in self.attachments]

    def controls(self) -> list[Json]:
        """Buttons and selects, in the order in which they stand."""
        return [each for each in flat(self.components) if each["type"] in (2, 3, 5, 6, 7, 8)]

    def labels(self) -> list[str]:
        return [str(each.get("label") or each.get("placeholder") or "") for each in self.controls()]

    def texts(self) -> str:
        """The words, with those in Components v2 and embeds."""
        shown = [self.content, *(str(each["content"]) for each in flat(self.components) if each["type"] == 10)]
        for embed in self.embeds:
            shown += [str(embed.get(key) or "") for key in ("title", "description")]
            shown += [f"{each['name']}\n{each['value']}" for each in embed.get("fields", ())]
            shown.append(str((embed.get("footer") or {}).get("text", "")))
        return "\n".join(each for each in shown if each)


def flat(components: Iterable[Json]) -> list[Json]:
    """All components, those within others after them."""
    found: list[Json] = []
    for each in components:
        found.append(each)
        inner = list(each.get("components") or ())
        inner += [each[key] for key in ("component", "accessory") if isinstance(each.get(key), dict)]
        found += flat(inner)
    return found


@dataclass
class Listener:
    """Where events go: the gateway."""

    send: Callable[[str, Build, Guild | None, int], None]


class World:
    """Everything there is. `changed()` is called after each change."""

    def __init__(self, *, bot_name: str = "Remixbot", content_intent: bool = True) -> None:
        self.clock = Clock()
        self.base_url = ""
        self.content_intent = content_intent
        self.privileged = 0
        """Privileged intents approved beside message content: GUILD_MEMBERS, GUILD_PRESENCES."""
        self.users: dict[str, User] = {}
        self.guilds: dict[str, Guild] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[str, Message] = {}
        self.attachments: dict[str, Attachment] = {}
        self.dms: dict[str, Channel] = {}
        self.commands: list[Json] = []
        self.syncs = 0
        self.listeners: list[Listener] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._sequence = 0
        self._last_ms = 0
        self._nonces: dict[tuple[str, str], Message] = {}
        self._secret = b"a secret of the fake"
        self.bot = User(self, self.snowflake(), bot_name, bot=True)
        self.users[self.bot.id] = self.bot
        self.application_id = self.bot.id
        self._host = User(self, self.snowflake(), "The host")
        self.users[self._host.id] = self._host

    # --- ids and time

    def snowflake(self) -> str:
        now = int(self.clock.now() * 1000)
        self._sequence = self._sequence + 1 if now <= self._last_ms else 0
        self._last_ms = max(now, self._last_ms)
        if self._sequence > 4000:
            self._last_ms, self._sequence = self._last_ms + 1, 0
        return str(((self._last_ms - EPOCH_MS) << 22) | (1 << 17) | self._sequence)

    @property
    def token(self) -> str:
        head = base64.urlsafe_b64encode(self.bot.id.encode()).decode().rstrip("=")
        return f"{head}.fake00.{hashlib.sha256(self.bot.id.encode()).hexdigest()[:27]}"

    @property
    def application_flags(self) -> int:
        flags = (1 << 18) if self.content_intent else 0
        flags |= (1 << 14) if self.privileged & GUILD_MEMBERS else 0
        return flags | ((1 << 12) if self.privileged & GUILD_PRESENCES else 0)

    @property
    def owner(self) -> User:
        return self._host

    # --- waiting

    def changed(self) -> None:
        waiters, self._waiters = self._waiters, []
        for each in waiters:
            if not each.done():
                each.set_result(None)

    async def until(self, condition: Callable[[], Any], *, within_s: float = 10.0) -> Any:
        """Wait until the condition holds, and give what it gave. It is asked anew after every change here, and now and
        then for the sake of what changes elsewhere. TimeoutError after `within_s`."""
        async with asyncio.timeout(within_s):
            while not (found := condition()):
                waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._waiters.append(waiter)
                await asyncio.wait([waiter], timeout=0.02)
            return found

    # --- making things

    def guild(self, name: str = "A guild", *, tier: int = 0, with_bot: bool = True) -> Guild:
        guild_id = self.snowflake()
        everyone = Role(guild_id, "@everyone", EVERYONE, position=0)
        made = Guild(self, guild_id, name, tier, everyone, self._host)
        made.roles[everyone.id] = everyone
        self.guilds[made.id] = made
        made.join(self._host)
        if with_bot:
            made.join(self.bot)
        self.changed()
        return made

    def bot_role(self, guild: Guild) -> Role:
        made = Role(self.snowflake(), self.bot.name, EVERYONE, position=1, managed=True, bot_id=self.bot.id)
        guild.roles[made.id] = made
        return made

    def dm(self, user: User) -> Channel:
        if user.id not in self.dms:
            made = Channel(self, self.snowflake(), DM, "", None, recipients=[user])
            self.dms[user.id] = self.channels[made.id] = made
        return self.dms[user.id]

    def add_channel(self, channel: Channel) -> None:
        self.channels[channel.id] = channel
        channel.created_at = self.clock.iso()
        assert channel.guild
        channel.guild.channels[channel.id] = channel
        self.emit_channel("THREAD_CREATE" if channel.is_thread else "CHANNEL_CREATE", channel)

    def attachment(self, filename: str, data: bytes, **more: Any) -> Attachment:
        """Bytes as they are; the name as Discord makes it (no spaces or brackets in it)."""
        kept = re.sub(r"[^\w.\-]", "_", filename.rpartition("/")[2]) or "unknown"
        made = Attachment(self.snowflake(), kept, data, **more)
        made.spoiler = made.spoiler or kept.startswith("SPOILER_")
        self.attachments[made.id] = made
        return made

    # --- messages

    def post(self, message: Message, *, announce: bool = True) -> Message:
        message.created_at = message.created_at or self.clock.iso()
        self._read_mentions(message)
        self.messages[message.id] = message
        if message.seen_by is None:
            message.channel.log[message.id] = message
            if announce:
                self.emit_message("MESSAGE_CREATE", message)
        self.changed()
        return message

    def edited(self, message: Message, *, by_user: bool = True) -> None:
        if by_user:
            message.edited_at, message.edits = self.clock.iso(), message.edits + 1
            self._read_mentions(message)
        if message.seen_by is None:
            self.emit_message("MESSAGE_UPDATE", message)
        self.changed()

    def delete(self, message: Message) -> None:
        message.deleted = True
        self.messages.pop(message.id, None)
        if message.channel.log.pop(message.id, None):
            gone: Json = {"id": message.id, "channel_id": message.channel.id}
            if message.channel.guild:
                gone["guild_id"] = message.channel.guild.id
            needs = GUILD_MESSAGES if message.channel.guild else DM_MESSAGES
            self.emit("MESSAGE_DELETE", lambda _: gone, guild=message.channel.guild, needs=needs)
        self.changed()

    def once(self, author: User, nonce: str, *, life_s: float = 300.0) -> Message | None:
        """The message that this author sent with this nonce within minutes."""
        found = self._nonces.get((author.id, nonce))
        if found is None or found.deleted:
            return None
        made_s = ((int(found.id) >> 22) + EPOCH_MS) / 1000
        return found if self.clock.now() - made_s < life_s else None

    def note_nonce(self, message: Message) -> None:
        self._nonces[(message.author.id, str(message.nonce))] = message

    def _read_mentions(self, message: Message) -> None:
        allowed = message.allowed_mentions
        parse: Sequence[str] = ("users", "roles", "everyone") if allowed is None else allowed.get("parse") or ()
        named = [self.users[each] for each in _MENTION.findall(message.content) if each in self.users]
        some = [str(each) for each in (allowed or {}).get("users") or ()]
        found = [each for each in named if "users" in parse or each.id in some]
        message.pings_by_text = any(each.is_the_bot for each in named)
        replied = self.messages.get(message.reply_to)
        if replied and message.pings_by_reply:
            found.append(replied.author)
        message.mentions = list(dict.fromkeys(found))
        message.mention_everyone = "everyone" in parse and (
            "@everyone" in message.content or "@here" in message.content
        )
        roles = _ROLE_MENTION.findall(message.content)
        message.mention_roles = [each for each in roles if "roles" in parse]

    # --- events

    def emit(self, event: str, build: Build, *, guild: Guild | None, needs: int) -> None:
        """`needs`: any of these intents lets the event through; 0 for an event that needs none."""
        if guild is None or guild.has_bot or event.startswith("INTERACTION") or event == "GUILD_DELETE":
            for listener in self.listeners:
                listener.send(event, build, guild, needs)
        self.changed()

    def emit_to_all(self, event: str, payload: Json, *, guild: Guild | None) -> None:
        self.emit(event, lambda _: payload, guild=guild, needs=0)

    def emit_channel(self, event: str, channel: Channel) -> None:
        from tests.fakes.discord.payloads import channel_json

        if channel.guild and self.sees(channel):
            self.emit(event, lambda _: channel_json(channel), guild=channel.guild, needs=GUILDS)
        self.changed()

    def emit_message(self, event: str, message: Message) -> None:
        from tests.fakes.discord.gating import gated_event

        guild = message.channel.guild
        if guild and not self.sees(message.channel):
            return
        needs = GUILD_MESSAGES if guild else DM_MESSAGES
        self.emit(event, lambda intents: gated_event(message, intents), guild=guild, needs=needs)

    def sees(self, channel: Channel) -> bool:
        return bool(permissions.in_channel(channel, self.bot) & Permission.VIEW_CHANNEL)

    def guild_created(self, guild: Guild) -> None:
        from tests.fakes.discord.payloads import guild_json

        self.emit("GUILD_CREATE", lambda _: guild_json(guild), guild=guild, needs=GUILDS)

    def role_event(self, guild: Guild, role: Role) -> Build:
        from tests.fakes.discord.payloads import role_json

        return lambda _: {"guild_id": guild.id, "role": role_json(role)}

    # --- links

    def link(self, channel_id: str, attachment: Attachment, *, ephemeral: bool = False) -> str:
        """A signed address, good for a day."""
        kind = "ephemeral-attachments" if ephemeral else "attachments"
        path = f"/{kind}/{channel_id}/{attachment.id}/{quote(attachment.filename)}"
        issued = int(self.clock.now())
        ends = issued + LINK_LIFE_S
        return f"{self.base_url}{path}?ex={ends:x}&is={issued:x}&hm={self.signature(path, ends, issued)}&"

    def signature(self, path: str, ends: int, issued: int) -> str:
        return hmac.new(self._secret, f"{path}|{ends:x}|{issued:x}".encode(), hashlib.sha256).hexdigest()

    def open_link(self, path: str, query: Mapping[str, str]) -> Attachment | None:
        """What lies under a link, or None where it has ended or was made up."""
        try:
            ends, issued = int(query.get("ex", ""), 16), int(query.get("is", ""), 16)
        except ValueError:
            return None
        if ends <= self.clock.now() or not hmac.compare_digest(query.get("hm", ""), self.signature(path, ends, issued)):
            return None
        return self.attachments.get(path.split("/")[3])

"""Names of things on a platform, and the ids that are derived from them.

Ids are text everywhere: a Discord snowflake exceeds 2**53. Every ref has a `key`, a text without spaces that is
unique per ref and safe inside a database key; a part may hold any character, so each is percent-encoded first.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import NewType
from urllib.parse import quote, unquote

TurnId = NewType("TurnId", str)
"""`<thread>-<own>`: 16 + 1 + 16 characters of [a-z2-7]. The first part says which thread the turn stands in."""

ThreadId = NewType("ThreadId", str)
"""16 characters of [a-z2-7]: the hash of the message that a thread began with."""

Sha256 = NewType("Sha256", str)
"""64 hexadecimal characters, lower case: the name of pixels in the image store."""


def _join(*parts: str) -> str:
    return ":".join(map(_quoted, parts))


@lru_cache(maxsize=4096)
def _quoted(part: str) -> str:
    return quote(part, safe="-_.~@")


@dataclass(frozen=True, slots=True)
class UserRef:
    """A person on a platform."""

    platform: str
    user: str

    @property
    def key(self) -> str:
        return _join(self.platform, self.user)


@dataclass(frozen=True, slots=True)
class ChatRef:
    """Where messages stand: a Discord channel, thread or DM, a Telegram chat or topic, a chat of the page."""

    platform: str
    account: str
    chat: str

    @property
    def key(self) -> str:
        return _join(self.platform, self.account, self.chat)


@dataclass(frozen=True, slots=True)
class ServerRef:
    """What chats belong to, where a platform has such a thing: a Discord server."""

    platform: str
    account: str
    server: str

    @property
    def key(self) -> str:
        return _join(self.platform, self.account, self.server)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, with the name that others read."""

    user: UserRef
    name: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):  # pyright: ignore[reportUnnecessaryIsInstance] a platform's, unchecked
            raise TypeError("a name of another shape than its platform's are")


@dataclass(frozen=True, slots=True)
class MessageRef:
    """One message of a platform, as the bot's `account` sees it. The key to everything."""

    chat: ChatRef
    message: str

    @property
    def key(self) -> str:
        return _join(self.chat.platform, self.chat.account, self.chat.chat, self.message)


def message_ref_of(key: str) -> MessageRef:
    """The inverse of `MessageRef.key`."""
    platform, account, chat, message = (unquote(part) for part in key.split(":"))
    return MessageRef(ChatRef(platform, account, chat), message)


def user_ref_of(key: str) -> UserRef:
    """The inverse of `UserRef.key`."""
    platform, user = (unquote(part) for part in key.split(":"))
    return UserRef(platform, user)


def short_hash(*parts: str) -> str:
    """80 bits of SHA-256 over the parts (each length-prefixed), as 16 characters of [a-z2-7]."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode()
        digest.update(len(raw).to_bytes(4, "big"))
        digest.update(raw)
    return base64.b32encode(digest.digest()[:10]).decode().lower()


def thread_id_of(beginning: MessageRef) -> ThreadId:
    """The thread that begins with this message."""
    return ThreadId(short_hash("thread", beginning.key))


def turn_id_of(thread: ThreadId, origin: str, ordinal: int = 0) -> TurnId:
    """The turn that this origin asks for. The same origin is the same turn, however often it is delivered.

    `origin` names what caused the turn: a message and its edit version, an interaction, a button press, an album.
    """
    return TurnId(f"{thread}-{short_hash('turn', origin, str(ordinal))}")


def thread_of(turn: TurnId) -> ThreadId:
    """The thread that a turn stands in."""
    return ThreadId(turn.partition("-")[0])


def sha256_of(data: bytes | bytearray | memoryview) -> Sha256:
    """The name of these bytes in the image store."""
    return Sha256(hashlib.sha256(data).hexdigest())

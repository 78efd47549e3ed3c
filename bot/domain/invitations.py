"""Codes that let people in where the door is not open to everybody. Whoever keeps one keeps only its hash."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from bot.domain.language import N_, tr
from bot.domain.messages import InboundMessage

CODE_BYTES: Final = 13
"""104 bits of chance, 21 characters."""
START: Final = "join-"
"""How the argument of /start begins that brings a code along."""
MOST_TRIES: Final = 5
TRIES_WINDOW_S: Final = 15 * 60
"""So many wrong codes of one person within that time; then even a right one waits."""
_SECRET: Final = re.compile(r"\s*/(join|operator)(?:@\w{1,64})?(?:\s+(.*))?", re.IGNORECASE | re.DOTALL)
_START: Final = re.compile(rf"\s*/start(?:@\w{{1,64}})?\s+({START}.*)", re.IGNORECASE | re.DOTALL)


class Joined(StrEnum):
    """What became of a code."""

    IN = "in"
    ALREADY = "already"
    WRONG = "wrong"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Invitation:
    """`id` is the beginning of its hash. `left` people can still use it, until `until` (seconds since the epoch)."""

    id: str
    left: int
    until: float
    at: float
    by: str = ""
    v: int = 1


def new_code(chance: bytes) -> str:
    """As people read and type it: a code of `CODE_BYTES` random bytes."""
    plain = base64.b32encode(chance).decode().rstrip("=").lower()
    return "-".join(plain[first : first + 7] for first in range(0, len(plain), 7))


def digest_of(code: str) -> str:
    """What is kept of a code. It has so much chance in it that nothing slower than a hash is needed."""
    typed = code.strip().lower().removeprefix(START)
    plain = "".join(char for char in typed if char.isalnum())
    return hashlib.sha256(f"remixbot invitation {plain}".encode()).hexdigest()


def without_secrets(message: InboundMessage) -> InboundMessage:
    """A code, or what an operator says, that was sent as any message is: it is neither kept nor done, and only its
    command is left."""
    match = _SECRET.fullmatch(message.text) or _START.fullmatch(message.text)
    if match is None:
        return message
    name = "join" if match[1].lower().startswith("join") else "operator"
    return replace(message, text=f"/{name}")


def secret_command(text: str) -> tuple[str, str] | None:
    """`("join", code)` or `("operator", words)`, where a text is one of these; None for all others."""
    if match := _SECRET.fullmatch(text):
        return match[1].lower(), (match[2] or "").strip()
    if match := _START.fullmatch(text):
        return "join", match[1].strip()
    return None


_JOINED: Final = {
    Joined.IN: N_("You are in. Send me a picture with what you want changed, or /help."),
    Joined.ALREADY: N_("You can use me already. Your invitation is still good for somebody else."),
    Joined.WRONG: N_("That code does not open anything. Perhaps it was used up, or has ended."),
    Joined.SLOW: N_("Those were too many tries. Please wait a quarter of an hour."),
}
ASKS_CODE: Final = N_("Send /join and your code, in a private chat with me.")
ONLY_IN_PRIVATE: Final = N_("Say that where only the two of us read it, in a private chat with me.")
NO_OPERATOR: Final = N_("That is only for whoever runs me.")


def joined_words(joined: Joined) -> str:
    return tr(_JOINED[joined])

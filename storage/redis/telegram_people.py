"""Who stands in what Telegram sends, as far as it must be known to forget them. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, cast

from bot.domain.refs import UserRef

PLATFORM: Final = "telegram"
_ORIGIN = ("sender_user", "sender_chat", "chat")
_ABOUT_OTHERS = ("reply_to_message", "external_reply")
"""The parts of a message that show another one."""


def sender_of(message: Any) -> str:
    """The id of who sent it: a chat, where somebody writes as one. Empty where there is none."""
    return _id_in(message, ("sender_chat", "from", "user", "actor_chat"))


def owner_of(message: Any) -> str:
    """The id of whoever a forwarded message comes from, or what one is shown of elsewhere."""
    return _id_in(_part(_part(message).get("forward_origin") or _part(message).get("origin")), _ORIGIN)


def people_of(message: Any) -> frozenset[str]:
    """Everyone in a message: who sent it, whose it was, and those of the message that it replies to."""
    shown = [_part(_part(message).get(name)) for name in _ABOUT_OTHERS]
    found = (who(part) for part in (message, *shown) for who in (sender_of, owner_of))
    return frozenset(found) - {""}


def message_without(user: str, message: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What is left of a message when this person is forgotten. None where it was theirs, or shows what was."""
    if user in (sender_of(message), owner_of(message)):
        return None
    return {
        name: part
        for name, part in message.items()
        if name not in _ABOUT_OTHERS or user not in (sender_of(part), owner_of(part))
    }


def is_from(user: UserRef, raw: str) -> bool:
    """Whether an update is theirs; and where it cannot be read, whether it may be."""
    try:
        update = json.loads(raw)
    except (ValueError, RecursionError):
        return names(user, raw)
    return any(sender_of(part) == user.user for part in _part(update).values())


def names(user: UserRef, text: str) -> bool:
    """Whether their id stands anywhere in this text."""
    return re.search(rf"(?<![\d-]){re.escape(user.user)}(?!\d)", text) is not None


def _id_in(part: Any, names_: tuple[str, ...]) -> str:
    for name in names_:
        id_ = _part(_part(part).get(name)).get("id")
        if isinstance(id_, int):
            return str(id_)
    return ""


def _part(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}

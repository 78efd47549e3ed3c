"""Telegram's ids as refs of ours, and back.

The account is the bot's id, which its token begins with. A chat is `<chat id>`, a topic of it `<chat id>/<topic id>`;
message ids are unique within the whole chat. What was pressed is named "q" + its id, since no message of that name
stands in the chat. A person is a user's id; who writes as a chat (an anonymous admin, a channel) is that chat's id,
which is below zero.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bot.domain.refs import ChatRef, MessageRef, ServerRef, UserRef

PLATFORM: Final = "telegram"
_PRESS = "q"
_TOKEN = re.compile(r"(\d{1,20}):[A-Za-z0-9_-]{1,200}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message is to be sent. `topic` is None where it is to be left out: everywhere but in topics."""

    chat: int
    topic: int | None = None


def chat_ref(account: str, chat_id: int, topic: int | None = None) -> ChatRef:
    return ChatRef(PLATFORM, account, str(chat_id) if topic is None else f"{chat_id}/{topic}")


def message_ref(account: str, chat_id: int, message_id: int, topic: int | None = None) -> MessageRef:
    return MessageRef(chat_ref(account, chat_id, topic), str(message_id))


def press_ref(chat: ChatRef, press_id: str) -> MessageRef:
    return MessageRef(chat, f"{_PRESS}{press_id}")


def user_ref(id_: int) -> UserRef:
    """A person, or a chat that somebody writes as."""
    return UserRef(PLATFORM, str(id_))


def server_ref(account: str, chat_id: int) -> ServerRef:
    """A group, which its topics belong to."""
    return ServerRef(PLATFORM, account, str(chat_id))


def place_of(chat: ChatRef) -> Place:
    id_, _, topic = chat.chat.partition("/")
    return Place(int(id_), int(topic) if topic else None)


def is_group(chat: ChatRef) -> bool:
    """Groups, supergroups and channels have ids below zero."""
    return chat.chat.startswith("-")


def group_of(chat: ChatRef) -> ChatRef:
    """The chat that a topic lies in; a chat without topics itself."""
    return ChatRef(chat.platform, chat.account, chat.chat.partition("/")[0])


def message_id_of(message: MessageRef) -> int | None:
    """The id of a message that stands in its chat; None for a press."""
    return int(message.message) if message.message.isascii() and message.message.isdigit() else None


def account_of(token: str) -> str:
    """The bot's id. Raises `ValueError` in words for the operator."""
    match = _TOKEN.fullmatch(token.strip())
    if match is None:
        raise ValueError("TELEGRAM_TOKEN is not a bot token. Copy it from what @BotFather wrote: 123456:ABC-DEF…")
    return match[1]

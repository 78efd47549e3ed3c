"""Discord's ids as refs of ours, and back.

The account is the bot user's id. A chat is a channel, a thread or a DM, by its own id. What came by an interaction (a
command, a button, a form) is named "i" + its id, since no message of that name stands in the chat.
"""

from __future__ import annotations

import base64
import binascii

from bot.domain.refs import ChatRef, MessageRef, ServerRef, TurnId, UserRef, short_hash

PLATFORM = "discord"
_INTERACTION = "i"


def chat_ref(account: str, channel_id: int | str) -> ChatRef:
    return ChatRef(PLATFORM, account, str(channel_id))


def message_ref(account: str, channel_id: int | str, message_id: int | str) -> MessageRef:
    return MessageRef(chat_ref(account, channel_id), str(message_id))


def interaction_ref(account: str, channel_id: int | str, interaction_id: int | str) -> MessageRef:
    return MessageRef(chat_ref(account, channel_id), f"{_INTERACTION}{interaction_id}")


def user_ref(user_id: int | str) -> UserRef:
    return UserRef(PLATFORM, str(user_id))


def server_ref(account: str, guild_id: int | str) -> ServerRef:
    return ServerRef(PLATFORM, account, str(guild_id))


def snowflake_of(message: MessageRef) -> int | None:
    """The id of a message that stands in its chat; None for an interaction."""
    return int(message.message) if message.message.isascii() and message.message.isdigit() else None


def nonce_of(turn: TurnId | str) -> str:
    """At most 25 characters; Discord gives the message that stands already for a nonce it saw in the last minutes."""
    return short_hash("nonce", turn)


def account_of(token: str) -> str:
    """The bot user's id, which a token begins with. Raises `ValueError` in words for the operator."""
    head = token.strip().partition(".")[0]
    try:
        account = base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        account = ""
    if token.count(".") < 2 or not account.isdigit():
        raise ValueError("DISCORD_TOKEN is not a bot token. Copy it from the page “Bot” of your Discord application.")
    return account


def link_to(message: MessageRef, server: ServerRef | None) -> str:
    """Opens a message of a server for those who are in it. Empty for a direct message: it is nobody else's."""
    return f"https://discord.com/channels/{server.server}/{message.chat.chat}/{message.message}" if server else ""

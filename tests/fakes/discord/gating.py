"""What the bot may read of a message. Source: Discord's documentation on the message content intent (facts 1.1)."""

from __future__ import annotations

from tests.fakes.discord.payloads import message_json
from tests.fakes.discord.state import MESSAGE_CONTENT, Json, Message

_EMPTY: Json = {"content": "", "embeds": [], "attachments": [], "components": []}


def readable(message: Message) -> bool:
    """Whether the bot may read it without the intent."""
    if message.author.is_the_bot or message.channel.is_dm or message.pings_by_text:
        return True
    replied = message.world.messages.get(message.reply_to)
    return bool(message.pings_by_reply and replied and replied.author.is_the_bot and replied.regular)


def gated(message: Message, *, content: bool, nested: bool = True) -> Json:
    """The message as the bot gets it. `content`: it has the intent, by its application or by its session."""
    found = message_json(message)
    if not (content or readable(message)):
        found |= _EMPTY
        found.pop("poll", None)
        for snapshot in found.get("message_snapshots", ()):
            snapshot["message"] |= _EMPTY
    if nested and message.reply_to and message.reference:
        replied = message.world.messages.get(message.reply_to)
        found["referenced_message"] = gated(replied, content=content, nested=False) if replied else None
    return found


def gated_rest(message: Message) -> Json:
    return gated(message, content=message.world.content_intent)


def gated_event(message: Message, intents: int) -> Json:
    found = gated(message, content=bool(intents & MESSAGE_CONTENT))
    guild = message.channel.guild
    if guild:
        from tests.fakes.discord.payloads import member_json

        found["guild_id"] = guild.id
        if (member := guild.members.get(message.author.id)) and message.webhook_id is None:
            found["member"] = member_json(member, with_user=False)
    return found

"""Where an interaction happened, who stands there, and what the bot may do there. Pure, of what Discord sent along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import discord

from adapters.discord.door import CHAT_DENIED, PERSON_DENIED
from adapters.discord.ports import ChatFacts
from adapters.discord.refs import chat_ref, server_ref, user_ref
from bot.domain.chats import ChatSettings, ServerSettings
from bot.domain.language import N_, listed, ngettext, pgettext, tr
from bot.domain.refs import ChatRef, ServerRef, UserRef

_USUAL_LIMIT_BYTES = 10 * 2**20
"""The largest file where nobody pays for more. Discord's documentation, 2026-11."""


@dataclass(frozen=True, slots=True)
class Where:
    """`around` are the ids of the chat and of what it lies in: a thread's channel, its category; `parent` is a thread's
    channel, which has settings of its own. `roles` are the person's. `can_post` where the bot may send messages of its
    own; `missing` are the permissions that it lacks for that, as Discord's own settings call them in English.
    `can_refer` where such a message may be a reply."""

    chat: ChatRef
    user: UserRef
    server: ServerRef | None
    around: tuple[str, ...]
    parent: ChatRef | None
    roles: tuple[str, ...]
    can_post: bool
    can_refer: bool
    missing: tuple[str, ...]
    facts: ChatFacts
    manages_chat: bool
    manages_server: bool
    moderates: bool


def where_of(interaction: discord.Interaction[Any], account: str) -> Where | None:
    """None in a kind of chat that is not known."""
    channel = interaction.channel
    if channel is None:
        return None
    guild, permissions = interaction.guild_id, interaction.permissions
    missing = _missing(interaction)
    alone_with_us = guild is None and _is_our_dm(interaction)
    return Where(
        chat=chat_ref(account, channel.id),
        user=user_ref(interaction.user.id),
        server=None if guild is None else server_ref(account, guild),
        around=_around(channel),
        parent=chat_ref(account, channel.parent_id) if isinstance(channel, discord.Thread) else None,
        roles=_roles(interaction),
        can_post=alone_with_us or (_is_member(interaction) and not missing),
        can_refer=alone_with_us or interaction.app_permissions.read_message_history,
        missing=missing,
        facts=ChatFacts(_limit_bytes(interaction), _is_age_limited(channel), "" if guild is None else str(guild)),
        manages_chat=alone_with_us or (guild is not None and permissions.manage_channels),
        manages_server=guild is not None and permissions.manage_guild,
        moderates=guild is not None and permissions.manage_messages,
    )


def denied_words(where: Where, server: ServerSettings, chats: Sequence[ChatSettings]) -> str:
    """Why this person may not use the bot there; empty where they may. The server must let them in, the chat, and the
    channel that a thread lies in."""
    if where.server is None:
        return ""
    if not server.access.admits_chat(*where.around):
        return tr(CHAT_DENIED)
    lists = [server.access, *(each.access for each in chats)]
    admitted = all(each.admits_person(where.user.user, where.roles) for each in lists)
    return "" if admitted else tr(PERSON_DENIED)


def closed_words(missing: Sequence[str]) -> str:
    """Why nothing could be posted, for whoever asked."""
    if not missing:
        return tr("I can't post here at the moment. Perhaps this thread is locked, or my permissions have changed.")
    # TRANSLATORS: a name between quotation marks
    names = listed([pgettext("quotation", "“{words}”").format(words=tr(each)) for each in missing])
    return ngettext(
        "I can't post here: I need the permission {names} in this channel. Somebody who runs the server can give it to "
        "me.",
        "I can't post here: I need the permissions {names} in this channel. Somebody who runs the server can give it "
        "to me.",
        len(missing),
    ).format(names=names)


def _is_member(interaction: discord.Interaction[Any]) -> bool:
    """Whether the bot itself is in that server. Who brought it along for themselves alone has not brought it in."""
    guild = interaction.guild_id
    return guild is not None and (interaction.is_guild_integration() or interaction.client.get_guild(guild) is not None)


def _is_our_dm(interaction: discord.Interaction[Any]) -> bool:
    context = interaction.context
    if context.guild or context.dm_channel or context.private_channel:
        return context.dm_channel
    return isinstance(interaction.channel, discord.DMChannel)


def _missing(interaction: discord.Interaction[Any]) -> tuple[str, ...]:
    granted = interaction.app_permissions
    in_thread = isinstance(interaction.channel, discord.Thread)
    needed = (
        # TRANSLATORS: a permission, by the name that Discord's own settings have for it in that language
        (N_("View Channel"), granted.view_channel),
        # TRANSLATORS: a permission, by the name that Discord's own settings have for it in that language
        (N_("Send Messages in Threads"), granted.send_messages_in_threads)
        if in_thread
        # TRANSLATORS: a permission, by the name that Discord's own settings have for it in that language
        else (N_("Send Messages"), granted.send_messages),
        # TRANSLATORS: a permission, by the name that Discord's own settings have for it in that language
        (N_("Embed Links"), granted.embed_links),
        # TRANSLATORS: a permission, by the name that Discord's own settings have for it in that language
        (N_("Attach Files"), granted.attach_files),
    )
    return tuple(name for name, has in needed if not has)


def _around(channel: Any) -> tuple[str, ...]:
    inside = (channel.id, getattr(channel, "parent_id", None), getattr(channel, "category_id", None))
    parent = getattr(channel, "parent", None)
    ids = (*inside, getattr(parent, "category_id", None))
    return tuple(dict.fromkeys(str(each) for each in ids if each))


def _roles(interaction: discord.Interaction[Any]) -> tuple[str, ...]:
    user = interaction.user
    if not isinstance(user, discord.Member):
        return ()
    # Where the bot is not a member, the library knows no roles of the server and `roles` stays empty.
    ids = (*(role.id for role in user.roles), *getattr(user, "_roles", ()))
    # Everybody's role has the server's id. The gateway does not name it either, so no list can go by it.
    return tuple(dict.fromkeys(str(each) for each in ids if each != interaction.guild_id))


def _limit_bytes(interaction: discord.Interaction[Any]) -> int:
    guild = interaction.client.get_guild(interaction.guild_id) if interaction.guild_id else None
    return _USUAL_LIMIT_BYTES if guild is None else guild.filesize_limit


def _is_age_limited(channel: Any) -> bool:
    """A thread is as its channel is."""
    is_nsfw = getattr(channel, "is_nsfw", None)
    return bool(is_nsfw()) if callable(is_nsfw) else False

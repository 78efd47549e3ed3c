"""What a member may do in a channel, computed as Discord does: roles, then the channel's overwrites."""

from __future__ import annotations

from enum import IntFlag
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.discord.state import Channel, Guild, User


class Permission(IntFlag):
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    SEND_MESSAGES_IN_THREADS = 1 << 38
    USE_EXTERNAL_APPS = 1 << 50


ALL = Permission(~0 & sum(Permission))
NOTHING = Permission(0)
P = Permission
EVERYONE = (
    P.VIEW_CHANNEL
    | P.SEND_MESSAGES
    | P.SEND_MESSAGES_IN_THREADS
    | P.ATTACH_FILES
    | P.EMBED_LINKS
    | P.READ_MESSAGE_HISTORY
    | P.ADD_REACTIONS
    | P.USE_APPLICATION_COMMANDS
    | P.USE_EXTERNAL_APPS
)
IN_A_DM = EVERYONE


def in_guild(guild: Guild, user: User) -> Permission:
    member = guild.members.get(user.id)
    if guild.owner is user:
        return ALL
    found = guild.everyone.permissions
    for role in member.roles if member else ():
        found |= role.permissions
    return ALL if found & P.ADMINISTRATOR else found


def in_channel(channel: Channel, user: User) -> Permission:
    """None at all where the user is not a member. Threads have their parent's overwrites."""
    if channel.guild is None:
        return IN_A_DM if user in channel.recipients or user.is_the_bot else Permission(0)
    if user.id not in channel.guild.members:
        return Permission(0)
    found = in_guild(channel.guild, user)
    if found & P.ADMINISTRATOR:
        return ALL
    found = _overwritten((channel.parent if channel.is_thread and channel.parent else channel), user, found)
    return found if found & P.VIEW_CHANNEL else Permission(0)


def _overwritten(channel: Channel, user: User, found: Permission) -> Permission:
    assert channel.guild
    everyone = channel.overwrites.get(channel.guild.everyone.id)
    if everyone:
        found = (found & ~everyone.deny) | everyone.allow
    allow, deny = Permission(0), Permission(0)
    for role in channel.guild.members[user.id].roles:
        if over := channel.overwrites.get(role.id):
            allow, deny = allow | over.allow, deny | over.deny
    found = (found & ~deny) | allow
    if over := channel.overwrites.get(user.id):
        found = (found & ~over.deny) | over.allow
    return found

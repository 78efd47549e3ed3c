"""How often Telegram may be asked for what. Pure.

Published (core.telegram.org/bots/faq, "My bot is hitting limits", read 2026-11): a message a second in one chat, with
short bursts; twenty a minute in a group; thirty a second in all. Each with a margin, since what leaves at some distance
may arrive closer together. Edits are not named there, but are refused as well: they have lanes of their own.
"""

from __future__ import annotations

from typing import Final

from adapters.telegram.ports import Lane
from adapters.telegram.refs import group_of, is_group
from bot.domain.refs import ChatRef

ALL_MOST: Final = 20
ALL_WINDOW_S: Final = 1.05
CHAT_MOST: Final = 3
CHAT_WINDOW_S: Final = 3.4
GROUP_MOST: Final = 18
GROUP_WINDOW_S: Final = 61.0
EDITS_MOST: Final = 5
EDITS_WINDOW_S: Final = 5.6
GROUP_EDITS_MOST: Final = 30
"""Not published: more than one for each message that a group may be sent."""
GROUP_PROGRESS_MOST: Final = 8
"""So that what may be left out takes no places of results."""
BUSY_MOST: Final = 5
BUSY_WINDOW_S: Final = 12.0
OTHERS_MOST: Final = 20
OTHERS_WINDOW_S: Final = 10.5
SPARE: Final = 2
"""How much room what may be left out leaves for what may not."""


def all_of(account: str) -> Lane:
    return Lane(f"{account}:all", ALL_MOST, ALL_WINDOW_S, shared=True)


def sends(chat: ChatRef) -> tuple[Lane, ...]:
    """For a new message. Topics are of their group. The shared lane is the last."""
    name = group_of(chat).key
    own = Lane(f"{name}:sends", CHAT_MOST, CHAT_WINDOW_S)
    group = [Lane(f"{name}:group", GROUP_MOST, GROUP_WINDOW_S)] if is_group(chat) else []
    return (own, *group, all_of(chat.account))


def more(chat: ChatRef) -> tuple[Lane, ...]:
    """For each further picture of an album, which is one call and several messages."""
    return sends(chat)[1:-1]


def edits(chat: ChatRef, *, progress: bool = False) -> tuple[Lane, ...]:
    """`progress` is what may be left out."""
    name = group_of(chat).key
    own = Lane(f"{name}:edits", EDITS_MOST, EDITS_WINDOW_S)
    group = [Lane(f"{name}:group-edits", GROUP_EDITS_MOST, GROUP_WINDOW_S)] if is_group(chat) else []
    few = [Lane(f"{name}:progress", GROUP_PROGRESS_MOST, GROUP_WINDOW_S)] if is_group(chat) and progress else []
    return (own, *group, *few, all_of(chat.account))


def busy(chat: ChatRef) -> tuple[Lane, ...]:
    return (Lane(f"{group_of(chat).key}:busy", BUSY_MOST, BUSY_WINDOW_S), all_of(chat.account))


def others(chat: ChatRef) -> tuple[Lane, ...]:
    """For what posts nothing. Not published, either; refused where it is too much, and then this chat alone waits."""
    return (Lane(f"{group_of(chat).key}:others", OTHERS_MOST, OTHERS_WINDOW_S), all_of(chat.account))

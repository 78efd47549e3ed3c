"""Albums: when one is taken to be whole, and what is kept of it. Pure functions."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from telegram import Message

from adapters.telegram.limits import ALBUM
from adapters.telegram.ports import Album, Json

QUIET_S: Final = 0.9
"""After the last item of an album whose items came at once."""
LONE_S: Final = 2.0
"""After the only item so far: nobody sends an album of one."""
GAPS: Final = 2.5
"""So many times the longest gap is waited for one more."""
LONGEST_QUIET_S: Final = 4.0
"""After the last item, however slowly they came."""
LONGEST_S: Final = 10.0
"""After the first item."""

_KEPT = (
    "message_id", "message_thread_id", "is_topic_message", "date", "edit_date", "media_group_id", "from", "sender_chat",
    "via_bot", "chat", "forward_origin", "is_automatic_forward", "has_media_spoiler", "photo",
    "live_photo", "document", "video", "animation", "audio",
)  # fmt: skip
"""Where a message stands, whose it is, and its files."""
_FILES = ("document", "video", "animation", "audio")
"""Those that have names."""
_STRIPPED = "remixbot_stripped"
"""A field that Telegram never sends."""


def closes_at(album: Album, *, now: float) -> float:
    """When it is taken to be whole, in seconds since the epoch: `now` where that time has come.

    Telegram never says how many there will be, only that there are at most ten. How long the next may take is told by
    how far those that came were apart."""
    if len(album.items) >= ALBUM:
        return now
    least = QUIET_S if len(album.items) > 1 else LONE_S
    quiet = min(max(least, GAPS * album.gap_s), LONGEST_QUIET_S)
    return max(now, min(album.last_at + quiet, album.began_at + LONGEST_S))


def ordered(album: Album) -> list[Message]:
    """Its messages as they stand in the chat, however they came."""
    return [Message.de_json(dict(album.items[id_])) for id_ in sorted(album.items)]


def anchor_of(album: Album) -> int:
    """The message that stands for all of them: the one that did when it was closed, else the first."""
    return min(album.items) if album.anchor is None else album.anchor


def stripped(raw: Json) -> Json:
    """What is remembered of an item of an album that is not meant for the bot: ids, files and who sent it, so that a
    reply to it finds all of them. Nothing that anybody said, in a file's name either: its ending alone is of use."""
    kept = {name: raw[name] for name in _KEPT if name in raw}
    for name in _FILES:
        if name in kept and "file_name" in kept[name]:
            kept[name] = {**kept[name], "file_name": "picture" + PurePath(str(kept[name]["file_name"])).suffix[:6]}
    return kept | {_STRIPPED: True}


def is_stripped(message: Message) -> bool:
    """Whether it was kept for its files alone."""
    return _STRIPPED in message.api_kwargs

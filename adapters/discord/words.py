"""Words of people and of models, made harmless for Discord. Pure."""

from __future__ import annotations

import re

from bot.domain.language import tr
from bot.domain.refs import UserRef

_SPECIAL = re.compile(
    r"(?P<link>https?://[^\s<>]*[^\s<>.,:;!?'\")\]}*_~|`])"
    r"|(?P<mark>[\\*_~`|\[\]<])"
    r"|^(?P<start>[ \t]*)(?:(?P<sign>[#>+-])|(?P<number>\d{1,9})(?P<dot>[.)]))"
    r"|@(?=everyone|here)",
    re.MULTILINE,
)


def escape(text: str) -> str:
    """The same words to whoever reads them: no markup, no mention, no masked link. Links stay links without a preview.

    The library's own function escapes only the first of two masked links in a line, leaves mentions of chats, times
    and emoji alone, and its time grows with the cube of the length.
    """
    return _SPECIAL.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    if link := match["link"]:
        return f"<{link}>"
    if mark := match["mark"]:
        return f"\\{mark}"
    if match["sign"]:
        return f"{match['start']}\\{match['sign']}"
    if match["number"]:
        return f"{match['start']}{match['number']}\\{match['dot']}"
    return "@\u200b"


def mention(user: UserRef, name: str = "") -> str:
    """A person, as Discord shows them; by name where they are not from there."""
    if user.platform == "discord" and user.user.isascii() and user.user.isdigit():
        return f"<@{user.user}>"
    # TRANSLATORS: in place of a person's name that is not known, as in "Asked by somebody"
    return escape(name) or tr("somebody")

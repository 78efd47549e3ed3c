"""What /start and /help show: a picture before and after, and one to try things on with a tap."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path
from typing import Final

from adapters.telegram.limits import CAPTION
from adapters.telegram.ports import Key, Keyboard
from adapters.telegram.refs import is_group
from adapters.telegram.saying import Saying
from bot.domain.buttons import ButtonId, Verb
from bot.domain.commands import HELP
from bot.domain.language import N_, tr
from bot.domain.refs import MessageRef
from bot.domain.utf16 import units

_PICTURES = Path(__file__).with_name("pictures")
BEFORE_AFTER: Final = "before-after.jpg"
COFFEE: Final = "coffee.jpg"

WELCOME: Final = N_(
    "Send me a photo with what you want changed, like “crop to a square and make it black and white”. Then reply to my "
    "answer to go on from there, or to an older one to try something else."
)
TRY_IT: Final = N_("This photo is for trying things. Press one, or reply to it with your own words.")
EXAMPLES: Final = (
    # TRANSLATORS: a key, at most 48 characters, and the order that is then given in these very words
    N_("crop to a circle"),
    # TRANSLATORS: a key, at most 48 characters, and the order that is then given in these very words
    N_("make it black and white"),
    # TRANSLATORS: a key, at most 48 characters, and the order that is then given in these very words
    N_("write “Good morning” at the bottom"),
)
"""All of them are done exactly, so that they cost nothing and work without a key."""


def try_keys() -> Keyboard:
    """One tap each: the label is said as a reply to the picture."""
    return tuple((Key(tr(words), str(ButtonId(Verb.SAY, None, str(number)))),) for number, words in enumerate(EXAMPLES))


@cache
def _read(name: str) -> bytes:
    return (_PICTURES / name).read_bytes()


async def picture(name: str) -> bytes:
    """A JPEG that ships with the bot."""
    return await asyncio.to_thread(_read, name)


class Examples:
    """In a group it is one message: others read there, too."""

    def __init__(self, saying: Saying) -> None:
        self._saying = saying

    async def welcome(self, to: MessageRef) -> None:
        await self._show(to, tr(WELCOME))

    async def help(self, to: MessageRef) -> None:
        await self._show(to, "\n".join(tr(each) for each in HELP))

    async def _show(self, to: MessageRef, words: str) -> None:
        fits = units(words) <= CAPTION
        if not fits:
            await self._saying.once(f"help:{to.key}", to, words)
        before_after = await picture(BEFORE_AFTER)
        await self._saying.once(f"before:{to.key}", to, words if fits else "", picture=before_after)
        if not is_group(to.chat):
            coffee = await picture(COFFEE)
            await self._saying.once(f"try:{to.key}", to, tr(TRY_IT), keyboard=try_keys(), picture=coffee)

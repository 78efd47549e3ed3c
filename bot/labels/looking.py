"""Whether a file that somebody asks about looks like one that this bot made (`bot.verifying.Recognition`)."""

from __future__ import annotations

from bot.domain.errors import BadPicture
from bot.domain.recognition import Tier
from bot.domain.verifying import Likeness, Match
from bot.labels.recogniser import Recogniser
from bot.ports import PictureReader

_LIKENESSES = {
    Tier.MATCH: Likeness.MATCH,
    Tier.POSSIBLE: Likeness.POSSIBLE,
    Tier.UNKNOWN: Likeness.UNKNOWN,
}


class Looking:
    """`reader` makes a picture of it that is safe to decode. Nothing of the file stays."""

    def __init__(self, recogniser: Recogniser, reader: PictureReader) -> None:
        self._recogniser = recogniser
        self._reader = reader

    async def look_up(self, data: bytes) -> Match | None:
        try:
            picture = await self._reader.read(data, filename="")
        except BadPicture:
            return Match(Likeness.UNKNOWN)
        found = await self._recogniser.recognise(picture)
        return Match(_LIKENESSES[found.tier], found.turn, found.index)

"""What carries out that somebody is saved in a chat's cast, and how a cast is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PIL import Image, ImageDraw, ImageOps

from bot.domain.cast import ENGINE, Saving, in_cast_now, read_cast
from bot.domain.commands import read_command
from bot.domain.errors import BadRequest
from bot.domain.images import Picture
from bot.domain.language import tr
from bot.domain.wishes import PLAIN_WISH, Wish
from bot.engines.pixels import decode, to_picture
from bot.fonts import Fonts
from bot.ports import EditRequest, EngineAnswer, EngineProfile, Reading

COLUMNS: Final = 3
TILE_PX: Final = 340
_GAP_PX, _NAME_PX, _NAME_ROOM_PX = 15, 34, 56
_PAPER, _INK, _GONE = "#ffffff", "#15181d", "#e5e7eb"
_MOST_SHOWN: Final = 4


class CastEngine:
    """Says that somebody is in the cast: it runs once everybody who is to be asked has agreed. It reads no words, so
    that nothing but the command leads to it."""

    profile = EngineProfile(ENGINE, "Cast", generative=False, max_inputs=64)

    def read(self, instruction: str, *, images: int, wish: Wish = PLAIN_WISH) -> Reading:  # noqa: ARG002
        return Reading(whole=False, unclear=instruction)

    def estimate_microusd(self, *, images: int, wish: Wish = PLAIN_WISH) -> int:  # noqa: ARG002
        return 0

    async def edit(self, request: EditRequest) -> EngineAnswer:
        command = read_command(request.instruction)
        saving = read_cast(command.rest) if command is not None else None
        if not isinstance(saving, Saving):
            raise BadRequest(tr("There is nobody to save in that."))
        pictures = {picture.data for picture in request.images}
        return EngineAnswer((), remark=in_cast_now(saving.name, len(pictures)))


def draw(cast: Sequence[tuple[str, Sequence[bytes]]]) -> Picture:
    """The contact sheet: names, each below up to four of its pictures. To be read on a phone."""
    columns = min(COLUMNS, max(1, len(cast)))
    rows = -(-len(cast) // columns)
    step = TILE_PX + _GAP_PX
    high = TILE_PX + _NAME_ROOM_PX + _GAP_PX
    image = Image.new("RGB", (columns * step + _GAP_PX, rows * high + _GAP_PX), _PAPER)
    canvas = ImageDraw.Draw(image)
    fonts = Fonts("".join(name for name, _ in cast) + "…", bold=True)
    for number, (name, files) in enumerate(cast):
        left, top = _GAP_PX + number % columns * step, _GAP_PX + number // columns * high
        image.paste(_tile(files[:_MOST_SHOWN]), (left, top))
        at = float(left)
        for run in fonts.runs(_cut(name, fonts), _NAME_PX):
            canvas.text((at, top + TILE_PX + _NAME_PX + 6), run.text, font=run.font, fill=_INK, anchor="ls")
            at += run.font.getlength(run.text)
    return to_picture(image, media_type="image/jpeg", quality=88)


def _tile(files: Sequence[bytes]) -> Image.Image:
    """One picture, two beside each other, or four."""
    tile = Image.new("RGB", (TILE_PX, TILE_PX), _GONE)
    across = 1 if len(files) < 2 else 2
    down = 1 if len(files) < 3 else 2
    wide, high = TILE_PX // across, TILE_PX // down
    for place, data in enumerate(files):
        one = ImageOps.fit(decode(data).convert("RGB"), (wide, high), Image.Resampling.BILINEAR)
        tile.paste(one, (place % across * wide, place // across * high))
    return tile


def _cut(name: str, fonts: Fonts) -> str:
    shown = name
    while shown and fonts.length_px(name if shown == name else f"{shown}…", _NAME_PX) > TILE_PX:
        shown = shown[:-1]
    return name if shown == name else f"{shown}…"

"""Exact words on a picture: wrapped and shrunk until they fit, with an outline so that they can be read anywhere."""

from __future__ import annotations

import re
from dataclasses import dataclass

from PIL import Image, ImageColor, ImageDraw

from bot.domain.errors import BadRequest
from bot.domain.language import tr
from bot.engines.exact.operations import Px, Write
from bot.fonts import Fonts

_SMALLEST_PX = 6
_LONGEST_TEXT_CHARS = 500
_MARGIN = 0.04
_LINE = 1.25
"""Height of a line in letter heights."""

_SHRINK = 0.9
_OUTLINE = 0.07
_BREAKS = re.compile(r"\S+\s*|\s+")
_WIDE = re.compile(
    r"([\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff][、。，．！？：；」』）】〉》ーぁぃぅぇぉっゃゅょ]*)"
)
"""Scripts that may break a line after any character, but not before these."""

_NARROWER = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class _Layout:
    lines: tuple[str, ...]
    size_px: int

    @property
    def line_px(self) -> int:
        return round(self.size_px * _LINE)

    @property
    def height_px(self) -> int:
        return self.line_px * len(self.lines)

    def width_px(self, fonts: Fonts) -> float:
        return max(fonts.length_px(line, self.size_px) for line in self.lines)


def written(image: Image.Image, write: Write) -> Image.Image:
    """The picture with the words on it. `BadRequest` names letters that no font has, or says that there is no room."""
    words = "\n".join("".join(c for c in line if c.isprintable()).strip() for line in write.words.splitlines())
    if not words.strip():
        raise BadRequest(tr("Please tell me which words to write, in quotation marks."))
    if len(words) > _LONGEST_TEXT_CHARS:
        raise BadRequest(
            tr("That is too much text for a picture; {most} characters is the most I write.").format(
                most=_LONGEST_TEXT_CHARS
            )
        )
    fonts = Fonts(words, bold=write.bold)
    if missing := [letter for letter in fonts.missing if not letter.isspace()]:
        raise BadRequest(
            tr("I have no font for {letters}. Without that I can write the rest.").format(letters=" ".join(missing[:8]))
        )
    margin = round(min(image.size) * _MARGIN)
    room = (image.width - 2 * margin, image.height - 2 * margin)
    layout = _fitting(words, fonts, _wished_px(write, image), room)
    result = image.copy()
    _draw(result, layout, fonts, write, margin)
    return result


def _wished_px(write: Write, image: Image.Image) -> int:
    wished = write.height.of(min(image.size))
    if isinstance(write.height, Px) and not _SMALLEST_PX <= wished <= image.height:
        raise BadRequest(
            tr("Please give me a size of letters between {smallest} and {height} pixels.").format(
                smallest=_SMALLEST_PX, height=image.height
            )
        )
    return max(_SMALLEST_PX, wished)


def _fitting(words: str, fonts: Fonts, wished_px: int, room: tuple[int, int]) -> _Layout:
    """The largest size up to the wished one at which the wrapped words fit into the room."""
    size_px = wished_px
    while size_px >= _SMALLEST_PX:
        layout = _Layout(_balanced(words, fonts, room[0] / size_px), size_px)
        if layout.lines and layout.height_px <= room[1] and layout.width_px(fonts) <= room[0]:
            return layout
        size_px = min(size_px - 1, int(size_px * _SHRINK))
    raise BadRequest(tr("These words do not fit on this picture in a size that can be read."))


def _balanced(words: str, fonts: Fonts, most: float) -> tuple[str, ...]:
    """Wrapped into as few lines as may be, of about the same length: no single word left over for the last."""
    lines = _wrapped(words, fonts, most)
    narrower = (_wrapped(words, fonts, most * share) for share in _NARROWER if len(lines) > 1)
    return next((found for found in narrower if len(found) == len(lines)), lines)


def _wrapped(words: str, fonts: Fonts, most: float) -> tuple[str, ...]:
    """Lines no longer than so many letter heights; none at all where a single word is longer."""
    lines: list[str] = []
    for paragraph in words.split("\n"):
        line, length = "", 0.0
        for piece in _pieces(paragraph):
            bare = fonts.length_in_heights(piece.rstrip())
            if bare > most:
                return ()
            if line and length + bare > most:
                lines.append(line.rstrip())
                line, length = "", 0.0
            line, length = line + piece, length + fonts.length_in_heights(piece)
        lines.append(line.rstrip())
    return tuple(lines)


def _pieces(paragraph: str) -> list[str]:
    """What must not be broken: words with the space after them, single characters of scripts without spaces."""
    return [part for word in _BREAKS.findall(paragraph) for part in _WIDE.split(word) if part]


def _draw(image: Image.Image, layout: _Layout, fonts: Fonts, write: Write, margin: int) -> None:
    draw = ImageDraw.Draw(image)
    color = ImageColor.getrgb(write.color)[:3]
    outline = (0, 0, 0) if _is_light(color) else (255, 255, 255)
    stroke = max(1, round(layout.size_px * _OUTLINE))
    top = margin + (image.height - 2 * margin - layout.height_px) * write.place.down
    for number, line in enumerate(layout.lines):
        free = image.width - 2 * margin - fonts.length_px(line, layout.size_px)
        left = margin + free * write.place.across
        baseline = top + layout.line_px * number + layout.size_px
        for stroke_px, fill in ((stroke, outline), (0, color)):
            x = left
            for run in fonts.runs(line, layout.size_px):
                draw.text((x, baseline), run.text, fill, run.font, anchor="ls", stroke_width=stroke_px)
                x += run.font.getlength(run.text)


def _is_light(color: tuple[int, ...]) -> bool:
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2] > 110

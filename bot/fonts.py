"""The fonts that letters are drawn with: Noto Sans, and Noto Sans CJK for what it lacks. Both come as dependencies."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import fontpkg_noto_sans  # type: ignore[import-untyped]
import noto_cjk_sans_otc  # type: ignore[import-untyped]
from PIL import Image, ImageDraw, ImageFont

from bot.recent import Recent

_SANS = Path(fontpkg_noto_sans.ROOT) / "files" / "NotoSans[wdth,wght].ttf"
_CJK = Path(str(noto_cjk_sans_otc.FONT_PATH))
_JAPANESE, _KOREAN, _SIMPLIFIED, _TRADITIONAL = 0, 1, 2, 3
"""The faces in the CJK collection: the same characters in the shapes that each reader expects."""

_REGULAR, _BOLD, _FULL_WIDTH = 500, 700, 100
_PROBE_PX, _MEASURED_PX = 24, 64
_NO_LETTER = "\U0010ffff"
_WITHOUT_LOOKS = frozenset({"Cc", "Cf", "Mn", "Me", "Zs", "Zl", "Zp"})
"""Kinds of characters that need no glyph of their own, or stand on another's."""


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text in one font."""

    text: str
    font: ImageFont.FreeTypeFont


class Fonts:
    """Fonts for one text, in any size. Not shared between threads.

    `missing` are the letters that no font has, each once, in order.
    """

    def __init__(self, text: str, *, bold: bool = False) -> None:
        letters = tuple(dict.fromkeys(text))
        sans = _drawn_by(_SANS, letters)
        others = [letter for letter in letters if letter not in sans]
        self._in_cjk = _drawn_by(_CJK, others)
        self.missing = tuple(letter for letter in others if letter not in self._in_cjk)
        self._cjk_face = _cjk_face_for(text)
        self._weight = _BOLD if bold else _REGULAR
        self._heights: dict[str, float] = {}
        self._loaded: dict[tuple[bool, int], ImageFont.FreeTypeFont] = {}

    def runs(self, line: str, size_px: int) -> list[Run]:
        """The line in pieces, each with the font that has its letters."""
        spans = groupby(line, key=self._in_cjk.__contains__)
        return [Run("".join(letters), self._font(cjk, size_px)) for cjk, letters in spans]

    def length_px(self, line: str, size_px: int) -> float:
        return sum(run.font.getlength(run.text) for run in self.runs(line, size_px))

    def length_in_heights(self, line: str) -> float:
        """About how many letter heights long it is, at any size: small sizes are rounded to pixels."""
        if line not in self._heights:
            self._heights[line] = self.length_px(line, _MEASURED_PX) / _MEASURED_PX
        return self._heights[line]

    def _font(self, cjk: bool, size_px: int) -> ImageFont.FreeTypeFont:
        if (cjk, size_px) not in self._loaded:
            self._loaded[cjk, size_px] = _loaded_here(cjk, self._cjk_face if cjk else self._weight, size_px)
        return self._loaded[cjk, size_px]


class _Loaded(threading.local):
    """The fonts that a thread used last: the first letter that one draws takes some 13 ms. They are not shared between
    threads."""

    def __init__(self) -> None:
        self.fonts: Recent[tuple[bool, int, int], ImageFont.FreeTypeFont] = Recent(16)


_loaded = _Loaded()


def _loaded_here(cjk: bool, looks: int, size_px: int) -> ImageFont.FreeTypeFont:
    """`looks` is which face of the collection it is, or its weight."""
    font = _loaded.fonts.get((cjk, looks, size_px))
    if font is None:
        font = _cjk(looks, size_px) if cjk else _sans(looks, size_px)
    _loaded.fonts[cjk, looks, size_px] = font
    return font


def _cjk(face: int, size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_CJK, size_px, index=face)


def _sans(weight: int, size_px: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(_SANS, size_px)
    font.set_variation_by_axes([weight, _FULL_WIDTH])
    return font


_known: dict[tuple[Path, str], bool] = {}
_MOST_KNOWN = 50_000


def _drawn_by(path: Path, letters: Iterable[str]) -> set[str]:
    """Those of the letters that a font file draws. Each is looked up once in a process: opening a file and drawing its
    first letter takes longer than most texts."""
    known = {letter: _known.get((path, letter)) for letter in letters}
    if None in known.values():
        glyphs = _Glyphs(path)
        known = {letter: glyphs.has(letter) if has is None else has for letter, has in known.items()}
        if len(_known) > _MOST_KNOWN:
            _known.clear()
        _known.update({(path, letter): bool(has) for letter, has in known.items()})
    return {letter for letter, has in known.items() if has}


class _Glyphs:
    """Which letters a font file draws: what it lacks looks like a letter that nobody has."""

    def __init__(self, path: Path) -> None:
        self._font = ImageFont.truetype(path, _PROBE_PX, layout_engine=ImageFont.Layout.BASIC)
        self._lacking = self._looks(_NO_LETTER)

    def has(self, letter: str) -> bool:
        return unicodedata.category(letter) in _WITHOUT_LOOKS or self._looks(letter) != self._lacking

    def _looks(self, letter: str) -> bytes:
        paper = Image.new("1", (_PROBE_PX * 2, _PROBE_PX * 2))
        ImageDraw.Draw(paper).text((_PROBE_PX // 2, 0), letter, fill=1, font=self._font)
        return paper.tobytes()


def _cjk_face_for(text: str) -> int:
    """By the script that gives it away, else by which old national set holds all of it."""
    names = [unicodedata.name(letter, "") for letter in text]
    if any(name.startswith(("HIRAGANA", "KATAKANA")) for name in names):
        return _JAPANESE
    if any(name.startswith("HANGUL") for name in names):
        return _KOREAN
    han = "".join(letter for letter, name in zip(text, names, strict=True) if name.startswith("CJK UNIFIED"))
    for face, charset in ((_SIMPLIFIED, "gb2312"), (_TRADITIONAL, "big5")):
        try:
            han.encode(charset)
        except UnicodeEncodeError:
            continue
        return face
    return _SIMPLIFIED

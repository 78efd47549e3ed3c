"""Ways of saying: blur, sharpen, pixelate."""

from __future__ import annotations

from bot.engines.exact.grammar.rules import Found, length_of, number_of, region_of, rules
from bot.engines.exact.operations import Blur, Length, Operation, Pixelate, Px, Share, Sharpen

_BLUR = {"": Share(0.012), "slightly": Share(0.005), "much": Share(0.035)}
_BLOCK = {"": Share(0.035), "slightly": Share(0.015), "much": Share(0.08)}
_SHARPNESS = {"": 1.0, "slightly": 0.5, "much": 2.0}
_HOW = "<slightly|much:how>"


def _length(found: Found, named: dict[str, Share]) -> Length:
    if found["px"]:
        return Px(number_of(found["px"]))
    if found["length"]:
        return length_of(found["length"])
    return named[found["how"]]


def _blur(found: Found) -> Operation:
    return Blur(_length(found, _BLUR), region_of(found["region"]))


def _pixelate(found: Found) -> Operation:
    return Pixelate(_length(found, _BLOCK), region_of(found["region"]))


def _sharpen(found: Found) -> Operation:
    if found["percent"]:
        return Sharpen(number_of(found["percent"]) / 50, region_of(found["region"]))
    return Sharpen(_SHARPNESS[found["how"]], region_of(found["region"]))


_RADIUS = "(with|by|using|at) [(radius|strength) (of )]<px:px>[ radius]".replace("(of )", "[of ]")
_BLOCKS = "(with|by|using|into|in|to) [(blocks|block size|size|squares) [of ]]<px:px>[ (blocks|block|squares|tiles)]"

_BLURRING = rules(
    (f"blur[ it][ {_HOW}]", _blur),
    (f"[make ][it ][{_HOW} ](blurry|blurred|blurrier|out of focus)", _blur),
    (f"{_HOW} blur[ it]", _blur),
    (f"[(add|apply) ][{_HOW} ][gaussian ]blur[ to it]", _blur),
    (f"[gaussian ]blur [it ]{_RADIUS}", _blur),
    ("[(add|apply) ][gaussian ]blur [of ]<count:px> px[ radius]", _blur),
    ("[(add|apply) ]<count:px> px [gaussian ]blur", _blur),
    (f"blur <region:region>[ {_HOW}]", _blur),
    (f"{_HOW} blur <region:region>", _blur),
    (f"blur <region:region> {_RADIUS}", _blur),
    (f"make <region:region> [{_HOW} ](blurry|blurred|blurrier)", _blur),
)
_SHARPENING = rules(
    (f"sharpen[ it][ {_HOW}]", _sharpen),
    ("sharpen [it ][by ]<percent:percent>", _sharpen),
    (f"{_HOW} sharpen[ it]", _sharpen),
    (f"[make ][it ][{_HOW} ](sharper|crisper)", _sharpen),
    (f"sharpen <region:region>[ {_HOW}]", _sharpen),
    (f"make <region:region> [{_HOW} ]sharper", _sharpen),
)
_PIXELATING = rules(
    (f"pixelate[ it][ {_HOW}]", _pixelate),
    (f"{_HOW} pixelate[ it]", _pixelate),
    (f"[make ][it ][{_HOW} ]pixelated", _pixelate),
    (f"pixelate [it ]{_BLOCKS}", _pixelate),
    (f"pixelate <region:region>[ {_HOW}]", _pixelate),
    (f"pixelate <region:region> {_BLOCKS}", _pixelate),
    (f"make <region:region> [{_HOW} ]pixelated", _pixelate),
)

FOCUSING = (*_BLURRING, *_SHARPENING, *_PIXELATING)

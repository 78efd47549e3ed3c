"""Ways of saying: rotate, flip, resize, shift."""

from __future__ import annotations

from bot.domain.language import N_
from bot.engines.exact.grammar.rules import (
    Found,
    always,
    count_of,
    factor_of,
    length_of,
    number_of,
    rules,
)
from bot.engines.exact.operations import (
    FitWithin,
    Flip,
    Length,
    Measure,
    Operation,
    Px,
    Remark,
    ResizeSide,
    ResizeTo,
    Rotate,
    Scale,
    Share,
    Shift,
)

_TURN = "(rotate|turn|spin)"
_WAY = "<clockwise|right|counterclockwise|left:way>"
_LARGER = "(larger|bigger|as big|as large|the size|size)"

_TWICE = Remark(N_("I made it twice the size; you can also say “3 times bigger” or “resize to 1200 px wide”."))
_HALVED = Remark(N_("I made it half the size; you can also say “shrink to 70%” or “resize to 400 px wide”."))


def _rotation(found: Found) -> Operation:
    degrees = number_of(found["by"])
    return Rotate(-degrees if found["way"] in ("counterclockwise", "left") else degrees)


def _quarter_turn(found: Found) -> Operation:
    return Rotate(-90.0 if found["way"] in ("counterclockwise", "left") else 90.0)


def _bare_rotation(found: Found) -> Operation | None:
    """Without a unit only the angles that nobody means otherwise."""
    return _rotation(found) if abs(number_of(found["by"])) in (45, 90, 180, 270, 360) else None


def _size(found: Found) -> Operation:
    return ResizeTo(count_of(found["width"]), count_of(found["height"]))


def _unmistakable_size(found: Found) -> Operation | None:
    """ "Resize to 16 x 9" may mean a ratio; with a unit, or in numbers beyond any ratio, it is a size."""
    small = max(count_of(found["width"]), count_of(found["height"])) <= 32
    return None if small and "px" not in found["width"] + found["height"] else _size(found)


def _fit(found: Found) -> Operation:
    return FitWithin(count_of(found["width"]), count_of(found["height"]))


_MEASURES = {
    **dict.fromkeys(("width", "wide", "across"), Measure.WIDTH),
    **dict.fromkeys(("height", "high", "tall", "in height"), Measure.HEIGHT),
    **dict.fromkeys(("longest", "longer", "long", "larger", "largest"), Measure.LONGEST),
    **dict.fromkeys(("shortest", "shorter", "short", "smaller", "smallest"), Measure.SHORTEST),
}


def _side(found: Found) -> Operation:
    return ResizeSide(_MEASURES[found["side"]], count_of(found["to"]))


def _scale(found: Found) -> Operation:
    return Scale(number_of(found["to"]) / 100 if found["to"].endswith("%") else factor_of(found["to"]))


def _grown(found: Found) -> Operation | None:
    """Beyond 100 % people do not agree what "bigger by" counts from."""
    percent = number_of(found["by"])
    return Scale(1 + percent / 100) if percent <= 100 else None


def _shrunk(found: Found) -> Operation:
    return Scale(1 - number_of(found["by"]) / 100)


def _divided(found: Found) -> Operation | None:
    by = factor_of(found["by"])
    return Scale(1 / by) if by else None


_NOTHING = Px(0)


def _shift(found: Found) -> Operation:
    return Shift(*_moved(found["by"], found["way"]))


def _shift_both(found: Found) -> Operation:
    first, second = _moved(found["by"], found["way"]), _moved(found["more"], found["other"])
    return Shift(first[0] if first[0] != _NOTHING else second[0], second[1] if first[1] == _NOTHING else first[1])


def _moved(by: str, way: str) -> tuple[Length, Length]:
    length = length_of(by)
    if way in ("left", "up"):
        length = Px(-length.count) if isinstance(length, Px) else Share(-length.fraction)
    return (length, _NOTHING) if way in ("left", "right") else (_NOTHING, length)


_ROTATING = rules(
    (f"{_TURN} [it ][by ]<signed:by> deg[ [to ]{_WAY}]", _rotation),
    (f"{_TURN} [it ]{_WAY} [by ]<number:by> deg", _rotation),
    (f"{_TURN} [it ][by ]<signed:by>[ {_WAY}]", _bare_rotation),
    (f"{_TURN} [it ]{_WAY} [by ]<number:by>", _bare_rotation),
    (f"<number:by> deg[ {_WAY}][ (rotation|turn)]", _rotation),
    (f"{_TURN} [it ][to ](clockwise|right)", always(Rotate(90.0))),
    (f"{_TURN} [it ][to ](counterclockwise|left)", always(Rotate(-90.0))),
    (f"{_TURN} [it ][by ]quarter turn[ [to ]{_WAY}]", _quarter_turn),
    (f"{_TURN} [it ][by ]half turn", always(Rotate(180.0))),
    (f"[({_TURN}|put|make) ][it ]upsidedown", always(Rotate(180.0))),
    ("rotate[ it]", always(Rotate(90.0), Remark(N_("I turned it clockwise by 90°; you can name any angle.")))),
)
_ACROSS = "(horizontally|horizontal|left to right|left right|sideways|from left to right)"
_DOWN = "(vertically|vertical|top to bottom|from top to bottom)"
_FLIPPING = rules(
    (
        "flip [it ]upsidedown",
        always(Flip(vertical=True), Remark(N_("I mirrored it top to bottom; “rotate 180 degrees” turns it instead."))),
    ),
    (f"(flip|mirror|reflect) [it ]{_ACROSS}", always(Flip(vertical=False))),
    (f"(flip|mirror|reflect) [it ]{_DOWN}", always(Flip(vertical=True))),
    (f"{_ACROSS} (flip|mirror)", always(Flip(vertical=False))),
    (f"{_DOWN} (flip|mirror)", always(Flip(vertical=True))),
    ("(mirror[ it]|mirror it|make it mirrored|mirrored|mirror it)", always(Flip(vertical=False))),
    (
        "flip[ it]",
        always(Flip(vertical=False), Remark(N_("I flipped it left to right; “flip vertically” does the other."))),
    ),
)
_RESIZE = "(resize|scale|change|set|make|enlarge|shrink|reduce|upscale|downscale|size)"
_RESIZING = rules(
    (f"{_RESIZE} [it ][size ][of it ]to [be ][exactly ]<px:width> (x|by) <px:height>", _unmistakable_size),
    ("(make|resize) it [exactly ]<px:width> (x|by) <px:height>", _unmistakable_size),
    (f"{_RESIZE} [it ][to ]<count:width> px wide and <count:height> px (high|tall)", _size),
    (
        "(resize|scale|shrink|make|make it|reduce) [it ][to ]fit [it ][(in|into|within|inside) ][box of ]"
        "<px:width> (x|by) <px:height>[ box]",
        _fit,
    ),
    (f"{_RESIZE} [it ][to ][be ]<px:to> <wide|high|tall|across:side>", _side),
    (f"{_RESIZE} [it ][to ][be ]<px:to> in <width|height:side>", _side),
    (f"{_RESIZE} [it ][to ][so [that ]][its ]<width|height:side> [of it ][(to|of|is|=) ]<px:to>", _side),
    (
        f"{_RESIZE} [it ][to ][so [that ][it ]][with ][its ]"
        "<longest|longer|long|larger|largest|shortest|shorter|short|smaller|smallest:side> (side|edge) [of it ]"
        "[(to|of|is|at) ]<px:to>",
        _side,
    ),
    (
        f"{_RESIZE} [it ][to ]<px:to> on [its ]"
        "<longest|longer|long|larger|largest|shortest|shorter|short|smaller|smallest:side> (side|edge)",
        _side,
    ),
    ("<width|height:side> <count:to> px", _side),
    (f"{_RESIZE} [it ][size ][of it ]to <percent:to>[ of (it|its [original ]size|original[ size])]", _scale),
    ("(scale|enlarge|upscale|blow up|resize) [it ][by ][factor of ]<factor:to>", _scale),
    ("(scale|enlarge|upscale) [it ]by [factor of ]<number:to>", _scale),
    (f"make [it ]<factor:to> {_LARGER}", _scale),
    ("<factor:to> (its size|size|as big|as large|bigger|larger)", _scale),
    ("(enlarge|grow|upscale|increase [its ]size[ of]|scale up) [it ][by ]<percent:by>", _grown),
    ("make it <percent:by> (bigger|larger)", _grown),
    ("<percent:by> (bigger|larger)", _grown),
    ("(shrink|downscale|reduce size of|reduce size|scale down|downsize) [it ]by <percent:by>", _shrunk),
    ("[make ][it ]<percent:by> smaller", _shrunk),
    ("make it <percent:to> of (its [original ]size|original size)", _scale),
    ("[make ][it ]<factor:by> smaller", _divided),
    ("double (its size|size of it|size|it in size)", always(Scale(2.0))),
    ("triple (its size|size of it|size|it in size)", always(Scale(3.0))),
    (
        "[(make|scale|resize|shrink|reduce) ][it ][to ][by ]half ([of ][its ][original ]size|as big|as large)",
        always(Scale(0.5)),
    ),
    ("(halve|half) (its size|size of it|size|it in size)", always(Scale(0.5))),
    ("(shrink|scale|reduce|resize) [it ](by|to) half", always(Scale(0.5))),
    ("(shrink|scale|reduce|resize) [it ]to [1 ]quarter[ of its size]", always(Scale(0.25))),
    ("(shrink|scale|reduce|resize) [it ]to [1 ]third[ of its size]", always(Scale(1 / 3))),
    ("(enlarge[ it]|upscale[ it]|make it (bigger|larger)|scale [it ]up)", always(Scale(2.0), _TWICE)),
    ("(shrink[ it]|downscale[ it]|scale [it ]down)", always(Scale(0.5), _HALVED)),
)
_MOVE = "(shift|move|scroll|offset|slide|wrap)"
_TO = "[(to|towards) ]"
_SHIFTING = rules(
    (f"{_MOVE} [it ][by ]<length:by> {_TO}<left|right|up|down:way>", _shift),
    (f"{_MOVE} [it ]{_TO}<left|right|up|down:way> [by ]<length:by>", _shift),
    (f"{_MOVE} [it ][by ]<length:by> {_TO}<left|right:way> and [by ]<length:more> {_TO}<up|down:other>", _shift_both),
    (f"{_MOVE} [it ][by ]<length:by> {_TO}<up|down:way> and [by ]<length:more> {_TO}<left|right:other>", _shift_both),
)

SHAPING = (*_ROTATING, *_FLIPPING, *_RESIZING, *_SHIFTING)

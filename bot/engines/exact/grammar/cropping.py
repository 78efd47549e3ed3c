"""Ways of saying: crop, cut off, keep, trim, square, circle."""

from __future__ import annotations

from bot.domain.language import N_
from bot.engines.exact.grammar.rules import (
    Found,
    always,
    color_of,
    count_of,
    length_of,
    number_of,
    part_of,
    place_of,
    region_of,
    rules,
    side_of,
)
from bot.engines.exact.operations import (
    CENTER,
    CropCircle,
    CropPixels,
    CropRatio,
    CropTo,
    CutOff,
    Operation,
    Part,
    Remark,
    Side,
    TrimBorders,
)

_CROP = "(crop|trim|cut)"
_CUT = "(crop|cut|trim|take|remove|shave|chop)"
_RATIO = "<number:width> (:|/|to) <number:height>"


def _ratio(found: Found) -> Operation | None:
    width, height = number_of(found["width"]), number_of(found["height"])
    return CropRatio(width, height) if width and height else None


def _portrait(found: Found) -> Operation | None:
    width, height = number_of(found["width"]), number_of(found["height"])
    return CropRatio(width, height) if 0 < width < height else None


def _landscape(found: Found) -> Operation | None:
    width, height = number_of(found["width"]), number_of(found["height"])
    return CropRatio(width, height) if width > height > 0 else None


def _window(found: Found) -> Operation | None:
    """Small numbers without a unit are a ratio: "crop to 4 x 5"."""
    width, height = count_of(found["width"]), count_of(found["height"])
    if max(width, height) <= 32 and "px" not in found["width"] + found["height"]:
        return None if found["place"] else _ratio(found)
    return CropPixels(width, height, place_of(found["place"]) if found["place"] else CENTER)


def _square_window(found: Found) -> Operation:
    side_px = count_of(found["side"])
    return CropPixels(side_px, side_px)


def _cut(found: Found) -> Operation:
    """One length off one side, or off two, each with its own or the same."""
    depth = length_of(found["depth"])
    parts = [Part(side_of(found["side"]), depth)]
    if found["other"]:
        parts.append(Part(side_of(found["other"]), length_of(found["more"]) if found["more"] else depth))
    return CutOff(tuple(parts))


def _cut_two(found: Found) -> Operation | None:
    first, second = part_of(found["one"]), part_of(found["two"])
    return CutOff((first, second))


def _cut_all(found: Found) -> Operation:
    depth = length_of(found["depth"])
    return CutOff(tuple(Part(side, depth) for side in Side))


def _cut_part(found: Found) -> Operation:
    return CutOff((part_of(found["part"]),))


def _keep(found: Found) -> Operation | None:
    region = region_of(found["region"])
    return CropTo(region) if region else None


def _trim(found: Found) -> Operation:
    return TrimBorders(color_of(found["color"]) if found["color"] else None)


_OFF = "(off|from|off of|at|away from|on)"
_SIDES = "(side|sides|edge|edges)"
_ALL_SIDES = "(all|each|every|all 4|each of) (sides|side|edges|edge)"
_SHAPES = rules(
    (f"{_CROP} [it ][down ][(to|in|into) ][(ratio|aspect ratio) ][of ]{_RATIO}[ ([aspect ]ratio|format)]", _ratio),
    (f"(make|make it|change it to|give it) [(ratio|aspect ratio) ][of ]{_RATIO}[ [aspect ]ratio]", _ratio),
    (f"{_RATIO} (crop|[aspect ]ratio)", _ratio),
    (f"{_CROP} [it ][(to|in|into) ](portrait|vertical|upright)[ (format|ratio)][ of] {_RATIO}", _portrait),
    (f"{_CROP} [it ][(to|in|into) ]{_RATIO} (portrait|vertical|upright)[ format]", _portrait),
    (f"{_CROP} [it ][(to|in|into) ](landscape|horizontal)[ (format|ratio)][ of] {_RATIO}", _landscape),
    (f"{_CROP} [it ][(to|in|into) ]{_RATIO} (landscape|horizontal)[ format]", _landscape),
    (
        f"{_CROP} [it ](to|in|into) portrait[ (format|orientation)]",
        always(CropRatio(4, 5), Remark(N_("For portrait I took 4:5; you can name any ratio, such as 9:16."))),
    ),
    (
        f"{_CROP} [it ](to|in|into) landscape[ (format|orientation)]",
        always(CropRatio(3, 2), Remark(N_("For landscape I took 3:2; you can name any ratio, such as 16:9."))),
    ),
    (f"{_CROP} [it ][(to|in|into) ]widescreen", always(CropRatio(16, 9))),
    (f"{_CROP} [it ][down ][(to|in|into|as) ](square|square (format|ratio|shape))", always(CropRatio(1, 1))),
    ("(make it|turn it into|make|turn it to) square", always(CropRatio(1, 1))),
    ("(square [it ]crop|square it|square)", always(CropRatio(1, 1))),
    (f"{_CROP} [it ][(to|in|into|as) ](circle|round|circular[ shape]|circle shape|round shape)", always(CropCircle())),
    ("(make it|turn it into|make|cut it into) (circle|round|circular)", always(CropCircle())),
    ("(circle|circular|round) (crop|cutout)", always(CropCircle())),
)
_WINDOWS = rules(
    (
        f"{_CROP} [it ][down ][to ]<px:width> (x|by) <px:height>[ (from|at|in|around) [very ]<place:place>]",
        _window,
    ),
    (f"{_CROP} [it ][to ]<count:side> px square", _square_window),
    (f"{_CROP} [it ][down ][to ]<box:region>", _keep),
    (f"{_CROP} [it ][down ]to [just ]<part:region>[ of it]", _keep),
    ("keep [only ][just ]<region:region>", _keep),
)
_CUTTING = rules(
    (f"{_CUT} <length:depth> {_OFF} <side:side>[ (side|edge)][ of it]", _cut),
    (
        f"{_CUT} <length:depth> {_OFF} [both ]<side:side> and [{_OFF} ]<side:other>[ {_SIDES}][ of it]",
        _cut,
    ),
    (f"{_CUT} <length:depth> {_OFF} <side:side> and <length:more> {_OFF} <side:other>[ side][ of it]", _cut),
    (f"{_CUT} <length:depth> {_OFF} {_ALL_SIDES}[ of it]", _cut_all),
    (f"{_CUT} {_OFF} <length:depth> {_OFF} {_ALL_SIDES}[ of it]", _cut_all),
    (f"{_CUT} {_ALL_SIDES} by <length:depth>", _cut_all),
    (f"{_CUT} <side:side> [side ][of it ]by <length:depth>", _cut),
    ("(cut|crop|trim|chop|take) (off|away) <part:part>[ of it]", _cut_part),
    ("(cut|crop|trim|chop|take) <part:part>[ of it] (off|away|out)", _cut_part),
    ("(remove|delete) <part:part>[ of it]", _cut_part),
    ("(cut|crop|trim|chop|remove) [(off|away) ]<part:one> and <part:two>[ of it]", _cut_two),
)
_EDGES = "(border|borders|edges|margins|frame|bars)"
_TRIMMING = rules(
    (f"trim[ it][ {_EDGES}][ of it]", always(TrimBorders())),
    (f"trim [off ][(empty|plain|uniform|solid) ]{_EDGES}[ of it]", always(TrimBorders())),
    (f"(trim|crop|cut|remove|delete) [(off|away|out) ]<color:color> {_EDGES}[ of it]", _trim),
    (
        "(crop|cut|remove|delete) [(off|away|out) ][(empty|plain|uniform|solid) ](border|borders|margins)[ of it]",
        always(TrimBorders()),
    ),
    (f"(crop|cut|remove|delete) [(off|away|out) ](empty|plain|uniform|solid) {_EDGES}[ of it]", always(TrimBorders())),
    ("(autocrop|auto crop|autotrim)[ it]", always(TrimBorders())),
)

CROPPING = (*_SHAPES, *_WINDOWS, *_CUTTING, *_TRIMMING)

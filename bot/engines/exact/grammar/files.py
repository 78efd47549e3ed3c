"""Ways of saying: as this kind of file, no larger than that."""

from __future__ import annotations

from bot.engines.exact.grammar.rules import Found, Rule, number_of, rules
from bot.engines.exact.operations import MaxBytes, Operation, SaveAs

_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
_KIND = "<png|jpeg|webp:kind>[ (file|it|format|version)]"
_SAVE = "(save|export|send|give|convert|return|deliver|store|make|encode)"
_UNITS = {"kb": 1_000, "mb": 1_000_000, "bytes": 1}


def _save_as(found: Found) -> Operation:
    return SaveAs(_TYPES[found["kind"]])


def _max_bytes(found: Found) -> Operation:
    return MaxBytes(int(number_of(found["limit"]) * _UNITS[found["unit"]]))


def _both(found: Found) -> tuple[Operation, ...]:
    return _save_as(found), _max_bytes(found)


_LIMIT = "<number:limit> <kb|mb|bytes:unit>"
_UNDER = (
    "(under|below|less than|smaller than|at most|no more than|no larger than|no bigger than|max|maximum|up to|within)"
)
_SQUEEZE = "(make|compress|shrink|reduce|keep|get|save|squeeze|bring|resize)"
_SIZE = "(file size|filesize|size of file|size|file)"

FILES: tuple[Rule, ...] = rules(
    (
        f"[{_SAVE} ][it ](as|to|into|in) {_KIND}",
        _save_as,
    ),
    (f"(make|turn|change) [it ][(into|to|in) ]{_KIND}", _save_as),
    (f"{_KIND}", _save_as),
    (f"[{_SQUEEZE} ][it ][{_SIZE} ][(of|to be|is|be|down|to) ]{_UNDER} {_LIMIT}", _max_bytes),
    (f"(compress|shrink|reduce|get|squeeze|bring) [it ][{_SIZE} ][of it ][down ][to ]{_LIMIT}", _max_bytes),
    (f"(max|maximum) {_SIZE} [of ]{_LIMIT}", _max_bytes),
    (f"[with ]{_SIZE} {_UNDER} {_LIMIT}", _max_bytes),
    (f"[{_SAVE} ][it ](as|to|into|in) {_KIND} {_UNDER} {_LIMIT}", _both),
)

"""Ways of saying: several pictures into one."""

from __future__ import annotations

from bot.engines.exact.grammar.rules import Found, always, count_of, rules
from bot.engines.exact.operations import BeforeAfter, Grid, Operation, SideBySide

_PUT = "(put|place|show|arrange|combine|join|merge|lay|set|make|paste|stitch|compare|glue)"
_SAME = "[2 ][it ]"


def _columns(found: Found) -> Operation | None:
    columns = count_of(found["columns"])
    return Grid(columns) if 1 <= columns <= 10 else None


def _square_grid(found: Found) -> Operation | None:
    """ "2 x 2"; for "2 x 3" people do not agree which number is the rows."""
    return _columns(found) if found["columns"] == found["rows"] else None


TOGETHER = rules(
    (
        f"[{_PUT} ]{_SAME}[(in|into) ](sidebyside|(next to|beside) (each other|1 another))[ (comparison|it)]",
        always(SideBySide()),
    ),
    (f"{_PUT} {_SAME}(in|into) row", always(SideBySide())),
    (
        f"[{_PUT} ]{_SAME}(1 (above|below|under) other|(above|below|under) each other|underneath each other)",
        always(SideBySide(stacked=True)),
    ),
    (f"stack {_SAME}[vertically]".replace(" {_SAME}[vertically]", ""), always(SideBySide(stacked=True))),
    (
        "stack( 2)?( it)?( vertically)?".replace("( 2)?( it)?( vertically)?", "[ 2][ it][ vertically]"),
        always(SideBySide(stacked=True)),
    ),
    ("stack [2 ][it ](horizontally|sidebyside)", always(SideBySide())),
    (f"{_PUT} {_SAME}(in|into) column", always(SideBySide(stacked=True))),
    (f"{_PUT} {_SAME}(in|into|as|to) grid[ (of|from|with) it]", always(Grid())),
    ("(make|create|build) [it ][(into|to) ]grid[ (of|from|with|out of) it]", always(Grid())),
    ("grid", always(Grid())),
    (f"[{_PUT} ]{_SAME}[(in|into|as|to) ]<count:columns> (x|by) <count:rows> grid", _square_grid),
    (f"[{_PUT} ]{_SAME}[(in|into|as|to) ]grid (of|with) <count:columns> columns", _columns),
    (f"[{_PUT} ]{_SAME}[(in|into|as|to) ]<count:columns> column grid", _columns),
    (
        "[(make|show|create|put|do|give me) ][it ][(as|in|into) ]beforeafter[ (it|comparison|view|shot)][ of it]",
        always(BeforeAfter()),
    ),
)

"""From words to operations: all of an instruction is understood, or none of it.

The reader walks the plain tokens from left to right. Between two operations stands a separator; before and after an
operation polite words may stand; everything else must be part of an operation. An instruction that can be read in two
ways that differ is not understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.domain.errors import NotUnderstood
from bot.domain.language import N_, tr
from bot.engines.exact.grammar import RULES, Found
from bot.engines.exact.operations import BeforeAfter, Grid, MaxBytes, Operation, SaveAs, SideBySide
from bot.engines.exact.suggestions import as_written, suggestions_for
from bot.engines.exact.words import QUOTE, Wording, wording_of

Way = tuple[Operation, ...]
"""One way to read an instruction."""

LONGEST_CHARS = 1_000
MOST_OPERATIONS = 24
_SHOWN_CHARS = 80

_POLITE = (
    r"(?:(?:can|could|would|will) (?:you|u|we)|please|kindly|just|now|also|hi|hello|hey|ok|okay|thanks|thank you"
    r"|so much|for me|finally|lastly|too|as well|let's|let us|i (?:want|need|would like)(?: you)?(?: to)?"
    r"|i'd (?:like|love)(?: you)?(?: to)?|(?:first|next)(?! it)|at end|in end)(?= |$)"
)
_SEPARATOR = r"(?:,|\.|;|!|\?|\+|and|then|after that|afterwards)(?= |$)"
_GAP = re.compile(rf"(?: ?(?:{_POLITE}|{_SEPARATOR}))+(?: |$)")
_SEPARATES = re.compile(rf"(?:^|.* ){_SEPARATOR}")
_LISTED = re.compile(r"\s*([0-9]{1,2})[.)]\s+(\S.*)")
_ENDS_CLAUSE = re.compile(r" (?:,|\.|;|!|\?|and|then)(?= |$)")
_ASKS_POLITELY = re.compile(r"(?:^|.* )(?:can|could|would|will|may) (?:you|u|we|i)(?: |$)")
_JOINS_ITSELF = re.compile(r"(?:with|as|in|under|below|max|maximum) ")
"""An operation that begins so may follow another without a separator: "rotate it as png"."""


def read(instruction: str, *, images: int) -> tuple[Operation, ...]:
    """What the instruction asks for. Raises `NotUnderstood`, and nothing else, for any text.

    Without any image at hand the words are read as for one.
    """
    if len(instruction) > LONGEST_CHARS:
        raise not_understood(instruction[:_SHOWN_CHARS] + "…", images)
    wording = wording_of(_as_a_chain(as_written(instruction)))
    reader = _Reader(wording)
    ways = reader.ways_from(reader.beginning(), MOST_OPERATIONS)
    if len(ways) != 1 or not ways[0] or _is_question(wording):
        raise not_understood(wording.original.strip() if ways else reader.unclear(), images)
    _check_plural(ways[0], wording, images)
    _check_enough_images(ways[0], images)
    _check_one_file(ways[0], wording, images)
    return ways[0]


def _as_a_chain(instruction: str) -> str:
    """The lines of a list without their numbers: a list is a chain. Each may be what we offer in some language."""
    lines = instruction.strip().split("\n")
    listed = [_LISTED.match(line) for line in lines]
    if len(lines) < 2 or [match and int(match[1]) for match in listed] != list(range(1, len(lines) + 1)):
        return instruction
    return "\n".join(as_written(match[2]) for match in listed if match)


def not_understood(part: str, images: int) -> NotUnderstood:
    """The refusal, with the part in the person's own words."""
    shown = part if len(part) <= _SHOWN_CHARS else part[:_SHOWN_CHARS] + "…"
    if shown:
        words = tr("I could not do this exactly: “{part}”.").format(part=shown)
    else:
        words = tr("Please say in words what should be changed.")
    return NotUnderstood(words, part=shown, suggestions=suggestions_for(part, images))


class _Reader:
    """Finds every way to read one wording, up to two that differ. Remembers how far it came."""

    def __init__(self, wording: Wording) -> None:
        self._wording = wording
        self._plain = wording.plain
        self._known: dict[tuple[int, int], tuple[Way, ...]] = {}
        self._farthest = 0

    def beginning(self) -> int:
        gap = _GAP.match(self._plain)
        return gap.end() if gap else 0

    def ways_from(self, start: int, most: int) -> tuple[Way, ...]:
        """The ways to read what begins at this character, with at most so many operations."""
        if start >= len(self._plain):
            return ((),)
        if not most:
            return ()
        if (start, most) not in self._known:
            self._farthest = max(self._farthest, start)
            self._known[start, most] = self._find_ways(start, most)
        return self._known[start, most]

    def _find_ways(self, start: int, most: int) -> tuple[Way, ...]:
        found: dict[Way, None] = {}
        for end, operations in self._operations_at(start):
            then = self._next_start(end)
            if then is not None:
                found.update(dict.fromkeys(operations + rest for rest in self.ways_from(then, most - 1)))
        return tuple(found)[:2]

    def _operations_at(self, start: int) -> Iterator[tuple[int, Way]]:
        for rule in RULES:
            matched = rule.pattern.match(self._plain, start)
            if matched is None or matched.end() == start:
                continue
            made = rule.make(Found(matched.groupdict(), self._quotes_in(matched)))
            if made is not None:
                yield matched.end(), made if isinstance(made, tuple) else (made,)

    def _quotes_in(self, matched: re.Match[str]) -> tuple[str, ...]:
        before = self._plain.count(QUOTE, 0, matched.start())
        return self._wording.quotes[before : before + matched.group().count(QUOTE)]

    def _next_start(self, end: int) -> int | None:
        """Where the next operation begins after one that ends here; None where nothing separates them."""
        gap = _GAP.match(self._plain, end)
        then = gap.end() if gap else end + 1
        if then >= len(self._plain) or (gap and _SEPARATES.match(gap.group())):
            return then
        return then if _JOINS_ITSELF.match(self._plain, then) else None

    def unclear(self) -> str:
        """The first clause that could not be read, in the person's own words."""
        ends = _ENDS_CLAUSE.search(self._plain, self._farthest)
        first = self._plain.count(" ", 0, self._farthest)
        last = self._plain.count(" ", 0, ends.start() if ends else len(self._plain))
        return self._wording.own_words(first, last + 1)


def _is_question(wording: Wording) -> bool:
    return any(token.text == "?" for token in wording.tokens) and not _ASKS_POLITELY.match(wording.plain)


def _check_plural(operations: Way, wording: Wording, images: int) -> None:
    """With one picture, "blur them" means what is in it."""
    together = any(isinstance(operation, SideBySide | Grid | BeforeAfter) for operation in operations)
    if images < 2 and not together and wording.says_them:
        raise not_understood(wording.original.strip(), images)


_NEEDS = {
    SideBySide: N_("side by side, which needs two pictures"),
    Grid: N_("a grid, which needs two pictures"),
    BeforeAfter: N_("before and after, which needs exactly two pictures"),
}


def _check_enough_images(operations: Way, images: int) -> None:
    count = max(images, 1)
    for operation in operations:
        if isinstance(operation, SideBySide | Grid | BeforeAfter):
            if count < 2 or (count > 2 and isinstance(operation, BeforeAfter)):
                part = tr(_NEEDS[type(operation)])
                # TRANSLATORS: "I cannot do a grid, which needs two pictures. Send them together in one message."
                words = tr("I cannot do {part}. Send them together in one message.").format(part=part)
                raise NotUnderstood(words, part=part, suggestions=suggestions_for("", images))
            count = 1


def _check_one_file(operations: Way, wording: Wording, images: int) -> None:
    """A file is of one type and has one limit."""
    wishes = {operation for operation in operations if isinstance(operation, SaveAs | MaxBytes)}
    if len({type(wish) for wish in wishes}) < len(wishes):
        raise not_understood(wording.original.strip(), images)

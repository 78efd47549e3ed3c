"""What a person wants, beyond their words: said by pressing something, or read from the words themselves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MOST_VARIATIONS = 4
MOST_PANELS = 8


class Kind(StrEnum):
    """What is to come of it."""

    EDIT = "edit"
    """A picture is changed."""
    IMAGINE = "imagine"
    """A picture from words alone. Only where no picture was meant."""
    EXPLAIN = "explain"
    """A question is answered: in words, with a picture where that helps."""


class Form(StrEnum):
    """Whether one picture is wanted, or an album of turns."""

    ONE = "one"
    STORY = "story"
    """Panels in order, with their words and the same characters throughout."""
    VARIATIONS = "variations"
    """Different takes on the same request."""


class Manner(StrEnum):
    """How freely the words are followed."""

    PLAIN = "plain"
    EXACTLY = "exactly"
    """Follow the words and change nothing else."""
    SURPRISE = "surprise"
    """Take liberties."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One turn's request, as far as it is not words.

    `count` is how many turns the album has (1 for `Form.ONE`). `ratio` as "16:9", empty to keep the input's; `size` as
    "2K", empty for the model's own default. `lettering` are the texts that must be legible in the result, exactly so.
    `from_original` where all that was asked on the path is to be done on the thread's original in one go. `drawn`: an
    explanation must have a picture. `look_up`: it may be grounded by a search.
    """

    kind: Kind = Kind.EDIT
    form: Form = Form.ONE
    manner: Manner = Manner.PLAIN
    count: int = 1
    ratio: str = ""
    size: str = ""
    transparent: bool = False
    lettering: tuple[str, ...] = ()
    from_original: bool = False
    drawn: bool = False


PLAIN_WISH = Wish()

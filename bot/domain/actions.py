"""What can be pressed under an answer, on every platform by its own means."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Act(StrEnum):
    """What pressing does. Each makes a turn of its own; the one under which it stands never changes."""

    AGAIN = "again"
    """The same words on the same pictures."""
    EXACTLY = "exactly"
    """Once more, following the words and changing nothing else."""
    SURPRISE = "surprise"
    """Once more, with liberties."""
    ORIGINAL = "original"
    """All that was asked on the way here, on the original in one go."""
    VARIATIONS = "variations"
    """Several takes at once. The argument is how many."""
    LARGER = "larger"
    """The result again, at the size in the argument ("2K")."""
    CANVAS = "canvas"
    """The same words with another picture as the one to edit. The argument is its number, from 1."""
    LATEST = "latest"
    """The words that had no picture, on the last picture of that person in this chat."""
    IMAGINE = "imagine"
    """The words that had no picture, as a picture from words alone."""
    GO = "go"
    """A picture of a tree once more, to go on from. The argument is its number."""
    ONLY = "only"
    """The words for one picture of several. The argument is its number, from 1."""
    ALL = "all"
    """The words for all of them."""
    MINE = "mine"
    """What somebody says of their own pictures: ask, here, never, everywhere."""
    WITHDRAW = "withdraw"
    """Yes, that picture of theirs is to go, with all that grew from it."""
    UNDO = "undo"
    """A step back: what the turn was made from is shown once more, to go on from there."""
    PRESET = "preset"
    """A preset on the picture that the message stands for. The argument is its key."""
    RECIPE = "recipe"
    """A recipe of the chat on that picture. The argument is its id."""
    SHARE = "share"
    """Shares what was asked about. The argument says whether the asker is named ("named", "unnamed")."""
    UNSHARE = "unshare"
    """Ends that."""


@dataclass(frozen=True, slots=True)
class Press:
    """A control that somebody pressed. It comes with the message under which it stood as `reply_to`."""

    act: Act
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Control:
    """A control to show under an answer. `label` is what people read, with the price where it costs noticeably more."""

    act: Act
    label: str
    argument: str = ""

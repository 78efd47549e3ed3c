"""What stands in a button, on every platform: at most 64 ASCII characters where the argument is one of ours (Telegram
takes 64 bytes, Discord 100 characters), no words of anybody, nothing that is kept in memory.

`rb:<verb>:<place>:<argument>`. The place is the picture's number in the message, from 0, or `-` for all of them. What a
button works on is the message under which it stands: a button that is sent from anywhere else finds nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.domain.actions import Act, Press
from bot.domain.consent import Say
from bot.domain.refs import TurnId

PATTERN = re.compile(r"rb:(?P<verb>[a-z]{1,16}):(?P<place>-|[0-9]{1,2}):(?P<argument>[A-Za-z0-9_.-]{0,60})")
"""What Discord's library matches its `DynamicItem` with."""
NOT_THIS_TIME: Final = "no"
"""In an owner's button, where there is no `Say`."""


class Verb(StrEnum):
    """What a button or a choice does."""

    PRESS = "press"
    """A control of the core. The argument is "<act>" or "<act>.<argument>"."""
    SAY = "say"
    """A suggestion: its label is said as a reply."""
    EDIT = "edit"
    """Opens the form."""
    CANCEL = "cancel"
    """The argument is the turn."""
    ALLOW = "allow"
    """An owner's answer. The argument is "<say>.<turn>", with "no" for "not this time"."""
    VOTE = "vote"
    """A vote in an arena. The argument is "<choice>.<turn>", with "end" to end it (`bot.domain.arena.vote_of`)."""
    FILE = "file"
    INFO = "info"
    DELETE = "delete"
    MORE = "more"
    """A list of choices; each choice's value is a custom id of its own."""
    WHOLE = "whole"
    """The words of an album once more, with what came too late for it. The argument is the album's first message."""
    REST = "rest"
    """What belongs to an answer and may not have arrived, once more, knowingly. The argument is the turn."""
    SETTINGS = "settings"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class ButtonId:
    """One of them, taken apart."""

    verb: Verb
    place: int | None = None
    argument: str = ""

    def __str__(self) -> str:
        text = f"rb:{self.verb.value}:{'-' if self.place is None else self.place}:{self.argument}"
        assert PATTERN.fullmatch(text), text
        return text


def read_button_id(text: str) -> ButtonId | None:
    """None for what is not ours."""
    match = PATTERN.fullmatch(text)
    if match is None or match["verb"] not in set(Verb):
        return None
    place = None if match["place"] == "-" else int(match["place"])
    return ButtonId(Verb(match["verb"]), place, match["argument"])


def press_of(argument: str) -> Press | None:
    """The control of the core that "<act>" or "<act>.<argument>" names."""
    act, _, rest = argument.partition(".")
    return Press(Act(act), rest) if act in set(Act) else None


def say_of(argument: str) -> tuple[Say | None, TurnId] | None:
    """The answer to a question, and the turn that waits for it, of "<say>.<turn>"."""
    say, _, turn = argument.partition(".")
    if not turn or (say != NOT_THIS_TIME and say not in set(Say)):
        return None
    return (None if say == NOT_THIS_TIME else Say(say)), TurnId(turn)

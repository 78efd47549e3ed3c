"""Whose picture may be edited by whom: what is decided for a chat, and what each person says of their own pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.domain.refs import short_hash


class Policy(StrEnum):
    """What is decided for a chat. What a person says of their own pictures holds all the same."""

    OFF = "off"
    """Nobody's pictures: only what the bot has drawn itself."""
    OWN = "own"
    """One's own pictures, and the bot's results."""
    ASK = "ask"
    """Others' pictures, too, once their owner has said yes."""
    ALL = "all"
    """Everybody's."""


DEFAULT_POLICY = Policy.ASK


def strictest(*decided: Policy | None) -> Policy:
    """What holds where several have decided; None for who has not."""
    order = list(Policy)
    return min((policy for policy in decided if policy is not None), key=order.index, default=DEFAULT_POLICY)


class Say(StrEnum):
    """What an owner answers when somebody wants to edit their picture."""

    ONCE = "once"
    """This one time."""
    HERE = "here"
    """From now on, everybody in this chat."""
    NEVER = "never"
    """Nobody, anywhere, from now on."""


class Standing(StrEnum):
    """What holds for one person's pictures in one chat, from what they said before."""

    UNSAID = "unsaid"
    HERE = "here"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class LastSaid:
    """When somebody last said each thing of their own pictures (seconds since the epoch, 0.0 for not at all): "never";
    "here", in whatever chat; that they are to be asked in every chat, and in which ones (`mark_of`)."""

    never: float = 0.0
    here: float = 0.0
    everywhere: float = 0.0
    asked: Mapping[str, float] = field(default_factory=dict[str, float])

    @property
    def lifted(self) -> float:
        """Whatever is said later than a "never" takes it back."""
        return max(self.here, self.everywhere, *self.asked.values())

    @property
    def is_never(self) -> bool:
        """Of the same moment "never" counts: it can be taken back once more."""
        return self.never > 0 and self.never >= self.lifted

    def ended(self, chat_mark: str) -> float:
        """What was said "here" up to then does not hold any more."""
        return max(self.never, self.everywhere, self.asked.get(chat_mark, 0.0))


def mark_of(chat_key: str) -> str:
    """By which a chat is known again, and which does not name it."""
    return short_hash("chat", chat_key)

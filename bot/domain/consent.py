"""Whose picture may be edited by whom: what is decided for a chat, and what each person says of their own pictures."""

from __future__ import annotations

from enum import StrEnum


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

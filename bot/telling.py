"""What a command is answered with, and who answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.domain.commands import Command
from bot.domain.images import Picture
from bot.domain.labels import Label
from bot.domain.messages import InboundMessage, MessageRecord
from bot.domain.refs import TurnId, UserRef
from bot.ground import Request


@dataclass(frozen=True, slots=True)
class Told:
    """Words; a picture that was drawn for it, with its label, of the results `nodes` (by their numbers, from 1) by and
    from `owners`; or `instead` an edit that goes on as if somebody had asked for it."""

    words: str = ""
    picture: Picture | None = None
    label: Label | None = None
    nodes: tuple[TurnId, ...] = ()
    owners: tuple[UserRef, ...] = ()
    spoiler: bool = False
    instead: Request | None = None


class Counter(Protocol):
    """Answers one kind of command."""

    async def answer(self, command: Command, message: InboundMessage, target: MessageRecord | None) -> Told:
        """`target` is the message that is replied to, where it is known. Raises `RemixError`."""
        ...

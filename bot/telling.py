"""What a command is answered with, and who answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.domain.commands import Command
from bot.domain.consent import Standing
from bot.domain.files import TextFile
from bot.domain.images import Picture
from bot.domain.labels import Label
from bot.domain.messages import InboundMessage, MessageRecord
from bot.domain.refs import ChatRef, TurnId, UserRef
from bot.domain.turns import Lent
from bot.domain.wishes import Wish
from bot.ground import Request


@dataclass(frozen=True, slots=True)
class Meant:
    """What a command asks for, in full words, to be done on the pictures that its message stands on: those that it
    replies to, and those that come along. Where it stands on none, on the last one of whoever asks; or `from_words`,
    where that is not empty.

    `words_of` are those whose words they are. `brought_only` where what it replies to is no picture to be edited."""

    words: str
    wish: Wish
    words_of: tuple[UserRef, ...] = ()
    from_words: str = ""
    brought_only: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """Words; a picture that was drawn for it, with its label, of the results `nodes` (by their numbers, from 1) by and
    from `owners`, with `lent` in it, of whom `unnamed` are not told; or `instead` an edit that goes on as if somebody
    had asked for it; or `meant`, an edit of whatever the message stands on; or it `goes_on`: what is said is a request
    about pictures, and was only checked here.

    `on_picture` where the answer is chosen from, and keeps the pictures that the message stands on. `code` where it is
    not the command's name. `words_of` are those whose words it tells, `recipes` what can be chosen (id and name)."""

    words: str = ""
    picture: Picture | None = None
    label: Label | None = None
    nodes: tuple[TurnId, ...] = ()
    owners: tuple[UserRef, ...] = ()
    lent: tuple[Lent, ...] = ()
    unnamed: tuple[UserRef, ...] = ()
    spoiler: bool = False
    instead: Request | None = None
    meant: Meant | None = None
    on_picture: bool = False
    code: str = ""
    words_of: tuple[UserRef, ...] = ()
    recipes: tuple[tuple[str, str], ...] = ()
    file: TextFile | None = None
    """Goes along with the words."""
    goes_on: bool = False
    again: bool = False
    """What `instead` stands on is only shown once more, with these words."""

    @property
    def is_all(self) -> bool:
        """Whether nothing has to be looked at for it."""
        return self.instead is None and self.meant is None and not self.on_picture and not self.goes_on


class SayOfMine(Protocol):
    """Takes what somebody says of their own pictures in words, and gives what holds (`bot.asking.Asking.say`)."""

    async def __call__(self, owner: UserRef, chat: ChatRef, standing: Standing, *, at: float) -> Standing: ...


class Counter(Protocol):
    """Answers one kind of command."""

    async def answer(self, command: Command, message: InboundMessage, target: MessageRecord | None) -> Told:
        """`target` is the message that is replied to, where it is known. Raises `RemixError`."""
        ...

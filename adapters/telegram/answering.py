"""A key that was pressed, and the one answer that Telegram wants to every press."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from telegram import CallbackQuery, InlineKeyboardButton, Message

from adapters.telegram.inbound import chat_of
from adapters.telegram.limits import PRESS_ANSWER, TEXT
from adapters.telegram.ports import Keyboard, Me, Telegram
from adapters.telegram.refs import chat_ref, group_of, is_group, server_ref, user_ref
from adapters.telegram.saying import Saying
from adapters.telegram.words import plain
from bot.domain.buttons import ButtonId, Verb, read_button_id
from bot.domain.refs import ChatRef, MessageRef, ServerRef, UserRef
from bot.domain.utf16 import cut, units

PATIENCE_S: Final = 1.5
"""What takes longer is answered with nothing, so that the key does not spin, and said in a message."""
SOON_S: Final = 0.25
"""The same for what usually has nothing to say."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """`under` is the message that the key stands under. `message` is what Telegram shows of it: None where it is too
    old to be shown. `is_vague` where it stands in a topic that Telegram does not name any more. `user` is always the
    person, whoever they write as."""

    id: str
    user: UserRef
    name: str
    under: MessageRef
    button: ButtonId
    data: str
    label: str = ""
    message: Message | None = None
    is_vague: bool = False
    language: str = ""
    """The tag that Telegram gives of `user`'s, empty where it gives none."""

    @property
    def chat(self) -> ChatRef:
        return self.under.chat

    @property
    def group(self) -> ChatRef:
        return group_of(self.chat)

    @property
    def server(self) -> ServerRef | None:
        return server_ref(self.chat.account, int(self.group.chat)) if is_group(self.chat) else None

    @property
    def around(self) -> tuple[ChatRef, ...]:
        return () if self.group == self.chat else (self.group,)


def pressed_of(query: CallbackQuery, me: Me) -> Pressed | None:
    """None where it is no key of ours, or stands in no chat."""
    button = read_button_id(query.data or "")
    if button is None or query.data is None or query.message is None:
        return None
    message = query.message if isinstance(query.message, Message) and query.message.is_accessible else None
    chat = chat_ref(me.id, query.message.chat.id) if message is None else chat_of(message, me)
    return Pressed(
        id=query.id,
        user=user_ref(query.from_user.id),
        name=query.from_user.full_name,
        under=MessageRef(chat, str(query.message.message_id)),
        button=button,
        data=query.data,
        label="" if message is None else label_of(message, query.data),
        message=message,
        is_vague=message is None and bool(query.message.chat.is_forum),
        language=query.from_user.language_code or "",
    )


def label_in(keyboard: Keyboard, data: str) -> str:
    """The same of a keyboard of ours."""
    return next((key.label for row in keyboard for key in row if key.data == data), "")


def label_of(message: Message, data: str) -> str:
    """What stands on the key that carries this. Empty where there is none: somebody's client has made it up, or the
    keys have changed since."""
    return next((key.text for key in _keys_of(message) if key.callback_data == data), "")


def bears(message: Message, verb: Verb) -> bool:
    """Whether one of its keys does this."""
    found = (read_button_id(str(key.callback_data or "")) for key in _keys_of(message))
    return any(button is not None and button.verb is verb for button in found)


def _keys_of(message: Message) -> Iterator[InlineKeyboardButton]:
    for row in message.reply_markup.inline_keyboard if message.reply_markup is not None else ():
        yield from row


_AT_A_GLANCE: Final = 40
"""UTF-16 units that are read before they fade. What is longer waits until it is closed."""


class Answering:
    """Answers one press exactly once, at the latest when it is left. What is said afterwards is a message."""

    def __init__(
        self, telegram: Telegram, saying: Saying, press_id: str, under: MessageRef | None, *, patience_s: float
    ) -> None:
        self._telegram = telegram
        self._saying = saying
        self._press_id = press_id
        self._under = under
        self._patience_s = patience_s
        self._answer: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Answering:
        self._within(self._patience_s)
        return self

    def hasten(self) -> None:
        """The rest is expected to go well."""
        self._within(min(SOON_S, self._patience_s))

    def _within(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.acknowledge)

    async def __aexit__(
        self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.acknowledge()
        if self._answer is not None:
            await self._answer

    def acknowledge(self, words: str = "", *, alert: bool = False) -> None:
        """The answer goes its way, while the work goes on. Only the first is one."""
        if self._answer is None:
            answer = self._telegram.answer_press(self._press_id, words, alert=alert)
            self._answer = asyncio.create_task(answer, name="telegram press")

    async def say(self, words: str) -> None:
        """To the person who pressed; where that can't be any more, or is too long for it, below the message."""
        if self._answer is None and units(words) <= PRESS_ANSWER:
            self.acknowledge(words, alert=units(words) > _AT_A_GLANCE)
            return
        self.acknowledge()
        if self._under is not None:
            await self._saying.once(f"press:{self._press_id}", self._under, cut(plain(words), TEXT))

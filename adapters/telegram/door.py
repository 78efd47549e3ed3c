"""What becomes of one update: a message, an edited one, a pressed key, what is asked in passing, or a change of the
bot's own place in a chat. Whoever did it is spoken to in their language, as Telegram tells it.

Everything here may happen more than once for the same update, and does no harm then.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

import structlog
from telegram import (
    CallbackQuery,
    Chat,
    ChatMember,
    ChatMemberRestricted,
    ChatMemberUpdated,
    InlineQuery,
    Message,
    Update,
)

from adapters.telegram.access import Access
from adapters.telegram.albums import Gathering
from adapters.telegram.commands import brings_code
from adapters.telegram.inbound import (
    Command,
    Snag,
    chat_of,
    command_of,
    concern_of,
    identity_of,
    inbound_of,
    is_ours,
    replied_of,
    says_of,
    tag_of,
    turn_in,
    version_of,
)
from adapters.telegram.inbox import Arrived, understood
from adapters.telegram.ports import ChatState, Json, Me, Orphans, Telegram, TelegramStore
from adapters.telegram.refs import chat_ref, group_of, is_group
from adapters.telegram.saying import Saying
from bot.domain.access import OF_ONES_OWN
from bot.domain.errors import ChatClosed
from bot.domain.language import speaking
from bot.domain.messages import InboundMessage
from bot.domain.refs import ChatRef, MessageRef, UserRef
from bot.ports import Rooms
from bot.recent import Recent

log = structlog.get_logger("telegram")

SILENCED: Final = "silenced"
"""Why a chat is closed, beside what Telegram calls it (left, kicked): the bot may not write there."""
DECIDING: Final = frozenset({"settings", "allow", "deny"})


class Presses(Protocol):
    """What becomes of a pressed key."""

    async def take(self, query: CallbackQuery) -> None: ...


class Commands(Protocol):
    """What becomes of a command."""

    async def take(self, message: Message, command: Command) -> bool:
        """False where it is one that the core understands: then it goes on as any message does."""
        ...


class Asked(Protocol):
    """What becomes of "@bot words" in any chat, while it is written."""

    async def take(self, query: InlineQuery) -> None: ...


class Greeting(Protocol):
    """What a group is told once."""

    async def greet(self, change: ChatMemberUpdated) -> None:
        """Somebody has let the bot in."""
        ...

    async def used(self, message: MessageRef) -> None:
        """The bot was called by this message."""
        ...


class Door:
    """`deal_with` raises `Hopeless` for what can't be understood, and whatever may be gone later."""

    def __init__(
        self,
        rooms: Rooms,
        telegram: Telegram,
        store: TelegramStore,
        *,
        me: Me,
        access: Access,
        saying: Saying,
        gathering: Gathering,
        presses: Presses,
        commands: Commands,
        greeting: Greeting,
        orphans: Orphans,
        inline: Asked | None = None,
    ) -> None:
        self._inline = inline
        self._rooms = rooms
        self._telegram = telegram
        self._store = store
        self._me = me
        self._access = access
        self._saying = saying
        self._gathering = gathering
        self._presses = presses
        self._commands = commands
        self._greeting = greeting
        self._orphans = orphans
        self._changing = asyncio.Lock()
        self._greeted: Recent[ChatRef, None] = Recent()

    async def deal_with(self, arrived: Arrived) -> None:
        try:
            with speaking(tag_of(arrived.update)):
                await self._take(arrived.update, arrived.raw)
        except ChatClosed as error:
            log.info("chat closed", code=error.code)

    async def _take(self, update: Update, raw: Json) -> None:
        if update.callback_query is not None:
            await self._presses.take(update.callback_query)
        elif update.message is not None:
            await self._message(update.message, raw["message"], edited=False)
        elif update.edited_message is not None:
            await self._message(update.edited_message, raw["edited_message"], edited=True)
        elif update.inline_query is not None and self._inline is not None:
            await self._inline.take(update.inline_query)
        elif update.my_chat_member is not None:
            await self._changed(update.my_chat_member, update.update_id)

    # --- messages

    async def _message(self, message: Message, raw: Json, *, edited: bool) -> None:
        if message.migrate_to_chat_id or message.migrate_from_chat_id:
            await self._moved(message)
            return
        concerns = understood(lambda: concern_of(message, self._me))
        if not concerns and not message.media_group_id:
            return
        admitted = concerns and await self._admit(message)
        if message.media_group_id:
            if admitted:
                await self._reopen(self._group(message))
            take = self._gathering.take_edited if edited else self._gathering.take
            await take(message, raw, admitted=admitted)
        elif admitted:
            await self._single(message, edited=edited)
        if admitted:
            await self._used(self._ref_of(message))

    async def _single(self, message: Message, *, edited: bool) -> None:
        """A message by itself. An edit that leaves it as it was is none for us."""
        ref = self._ref_of(message)
        version, group = version_of(message), self._group(message)
        since, state = await self._store.says_in(group, ref, says_of(message), version)
        await self._reopen(group, state)
        if edited and since != version:
            return
        await self._tidy(message)
        command = understood(lambda: command_of(message, self._me))
        if command is not None and await self._commands.take(message, command):
            return
        album = await self._gathering.of_reply(message)
        match understood(lambda: inbound_of(message, self._me, version=since, replied_album=album)):
            case InboundMessage() as inbound:
                await self._rooms.receive(inbound)
            case Snag() as snag:
                await self._saying.once(f"snag:{ref.key}", ref, snag.words)

    async def _admit(self, message: Message) -> bool:
        """Who may not use the bot is told so once a day. The chat of who may is still to be reopened."""
        author, ref = identity_of(message), self._ref_of(message)
        denied = await self._access.denied(ref.chat, author.user) if author is not None else ""
        if author is not None and not denied:
            return True
        await self._reopen(self._group(message))
        if author is None:
            return False
        if await self._may_all_the_same(message, ref.chat, author.user):
            return True
        await self._saying.once_a_day(f"denied:{ref.chat.key}:{author.user.user}", ref, denied)
        return False

    async def _may_all_the_same(self, message: Message, chat: ChatRef, person: UserRef) -> bool:
        """Whoever runs a group can always change what is kept there, and everybody decide about what is theirs."""
        command = understood(lambda: command_of(message, self._me))
        if command is None:
            return False
        if command.name in OF_ONES_OWN or brings_code(command, chat):
            return True
        return command.name in DECIDING and await self._access.runs(chat, person)

    async def _used(self, message: MessageRef) -> None:
        group = group_of(message.chat)
        if is_group(group) and group not in self._greeted:
            await self._greeting.used(message)
            self._greeted[group] = None

    async def _tidy(self, message: Message) -> None:
        """What is replied to may have been left by a crash: nobody has noted that it is a reply."""
        replied = replied_of(message)
        turn = turn_in(replied) if replied is not None and is_ours(replied, self._me) else None
        if replied is not None and turn is not None:
            await self._orphans.found(MessageRef(chat_of(message, self._me), str(replied.message_id)), turn)

    def _group(self, message: Message) -> ChatRef:
        """Its chat, whatever its topic."""
        return chat_ref(self._me.id, message.chat.id)

    def _ref_of(self, message: Message) -> MessageRef:
        return MessageRef(chat_of(message, self._me), str(message.message_id))

    # --- the chat itself

    async def _reopen(self, chat: ChatRef, state: ChatState | None = None) -> None:
        """Where somebody writes to us, we have been let in again, although nobody told us: such a word is kept for a
        day, and may have been missed."""
        why = await self._telegram.closed(chat, state=state)
        if why and why != SILENCED:
            await self._store.open_chat(chat)
            log.info("chat open again", chat=chat.chat)

    async def _moved(self, message: Message) -> None:
        """A group has become a supergroup. It is said in both."""
        old, new = message.migrate_from_chat_id or message.chat.id, message.migrate_to_chat_id or message.chat.id
        before, since = chat_ref(self._me.id, old), chat_ref(self._me.id, new)
        await self._store.note_move(before, since)
        await self._rooms.move(before, since)
        log.info("a group has become a supergroup", old=old, new=new)

    async def _changed(self, change: ChatMemberUpdated, number: int) -> None:
        """Somebody let the bot in, threw it out, blocked it, or took away its word."""
        chat = chat_ref(self._me.id, change.chat.id)
        async with self._changing:
            if not await self._is_newest(chat, (int(change.date.timestamp()), number)):
                return
            await self._opened_or_closed(change, chat)

    async def _opened_or_closed(self, change: ChatMemberUpdated, chat: ChatRef) -> None:
        why = _why_closed(change.new_chat_member)
        if why:
            await self._store.close_chat(chat, why)
            log.info("chat closed", chat=chat.chat, why=why)
            return
        await self._store.open_chat(chat)
        if change.chat.type != Chat.PRIVATE and _why_closed(change.old_chat_member) not in ("", SILENCED):
            await self._greeting.greet(change)

    async def _is_newest(self, chat: ChatRef, change: tuple[int, int]) -> bool:
        """A change that comes once more, after a later one, must not undo that. Numbers of updates alone would not do:
        they begin anew."""
        what = f"member:{chat.key}"
        noted = await self._store.noted(what)
        if noted and change < tuple(int(part) for part in noted.split()):
            return False
        await self._store.note(what, "{} {}".format(*change))
        return True


def _why_closed(member: ChatMember) -> str:
    """Empty where the bot is in, and may write."""
    if member.status in (ChatMember.LEFT, ChatMember.BANNED):
        return str(member.status)
    if isinstance(member, ChatMemberRestricted):
        if not member.is_member:
            return str(ChatMember.LEFT)
        return "" if member.can_send_messages else SILENCED
    return ""

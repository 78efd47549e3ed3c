"""Commands that the adapter answers itself, and the lists of them that people find behind “/”."""

from __future__ import annotations

from typing import Final

from telegram import Message

from adapters.telegram.access import Access
from adapters.telegram.examples import Examples
from adapters.telegram.inbound import Command, chat_of, identity_of, is_ours, replied_of, turn_in, version_of
from adapters.telegram.ports import Key, Me
from adapters.telegram.refs import is_group, place_of, server_ref
from adapters.telegram.saying import Saying
from adapters.telegram.settings import NOT_YOURS, Settings
from adapters.telegram.words import plain
from bot.domain.buttons import ButtonId, Verb
from bot.domain.invitations import ASKS_CODE, ONLY_IN_PRIVATE, START
from bot.domain.language import N_, tr
from bot.domain.refs import ChatRef, MessageRef, Person, TurnId
from bot.domain.sharing import REMIX
from bot.domain.words import CANCELLED, FORGET_ASKS, TOO_LATE
from bot.ports import MessageStore, Rooms

NOTHING_UNDER_WAY: Final = N_("Nothing of yours is being made here.")
NOT_YOURS_TO_SAY: Final = N_("Only those who run this group can say who may use me.")
REPLY_TO_SOMEBODY: Final = N_("Reply to a message of the person with /allow or /deny.")
ONLY_IN_GROUPS: Final = N_("That is for groups. Here there are only the two of us.")
WRITES_AS_CHAT: Final = N_("You write as a chat here. Write to me in private to erase what is yours.")
# TRANSLATORS: a key, at most 24 characters: erases all that is kept of whoever presses it
ERASE_LABEL: Final = N_("Erase everything")
# TRANSLATORS: a key, at most 24 characters: nothing is erased
KEEP_LABEL: Final = N_("Keep it")


def may_use(name: str) -> str:
    return tr("{name} may use me here.").format(name=_named(name))


def may_not_use(name: str) -> str:
    return tr("{name} can't use me here any more. /allow in reply to them changes that.").format(name=_named(name))


def _named(name: str) -> str:
    # TRANSLATORS: in place of a name that is not known: "That person may use me here."
    return plain(name) or tr("That person")


class Commands:
    """`take` says whether the command was answered. Taking it again is harmless."""

    def __init__(
        self,
        rooms: Rooms,
        messages: MessageStore,
        *,
        me: Me,
        saying: Saying,
        access: Access,
        settings: Settings,
    ) -> None:
        self._rooms = rooms
        self._messages = messages
        self._me = me
        self._saying = saying
        self._access = access
        self._settings = settings
        self._examples = Examples(saying)

    async def take(self, message: Message, command: Command) -> bool:
        """False where it is for the core. Raises `ChatClosed` and the errors of `adapters.telegram.errors`."""
        person = identity_of(message)
        if person is None:
            return False
        to = MessageRef(chat_of(message, self._me), str(message.message_id))
        match command.name:
            case "start" if _asks_for_a_picture(command):
                return False
            case "join" | "operator":
                await self._say(message, to, await self._in_private(to.chat, person, command))
            case "start" if brings_code(command, to.chat):
                await self._say(message, to, await self._rooms.enter(person.user, command.arguments))
            case "start":
                # What else a link adds to it means nothing here.
                await self._examples.welcome(to)
            case "help":
                await self._examples.help(to)
            case "settings" if command.arguments.lower() == "log":
                await self._say(message, to, await self._changes(to.chat, person))
            case "settings" if not command.arguments:
                await self._settings.show(to, person.user)
            case "forget":
                await self._forget(to, message, person)
            case "cancel":
                await self._say(message, to, await self._cancel(to.chat, message, person))
            case "allow" | "deny":
                await self._say(message, to, await self._let(to.chat, message, person, allowed=command.name == "allow"))
            case _:
                return False
        return True

    async def _in_private(self, chat: ChatRef, person: Person, command: Command) -> str:
        """What is only between the two of us. Nothing of it is kept."""
        if is_group(chat):
            return tr(ASKS_CODE) if command.name == "join" else tr(ONLY_IN_PRIVATE)
        if command.name == "operator":
            return await self._rooms.operate(person.user, command.arguments)
        return await self._rooms.enter(person.user, command.arguments) if command.arguments else tr(ASKS_CODE)

    async def _changes(self, chat: ChatRef, person: Person) -> str:
        if not is_group(chat):
            return await self._rooms.changes(chat, None)
        if not await self._access.runs(chat, person.user):
            return tr(NOT_YOURS)
        return await self._rooms.changes(chat, server_ref(chat.account, place_of(chat).chat))

    async def _say(self, message: Message, to: MessageRef, words: str) -> None:
        await self._saying.once(f"command:{to.key}:{version_of(message)}", to, words)

    async def _forget(self, to: MessageRef, message: Message, person: Person) -> None:
        if message.sender_chat is not None:
            await self._say(message, to, tr(WRITES_AS_CHAT))
            return
        user = person.user.user
        keys = (
            Key(tr(ERASE_LABEL), str(ButtonId(Verb.FORGET, None, user))),
            Key(tr(KEEP_LABEL), str(ButtonId(Verb.FORGET, None, f"{user}.keep"))),
        )
        await self._saying.once(f"forget:{to.key}", to, tr(FORGET_ASKS), keyboard=(keys,))

    async def _cancel(self, chat: ChatRef, message: Message, person: Person) -> str:
        turn = await self._replied_turn(chat, message)
        if turn is None:
            turn = next(iter(await self._rooms.under_way(chat, by=person.user)), None)
        if turn is None:
            return tr(NOTHING_UNDER_WAY)
        return tr(CANCELLED) if await self._rooms.cancel(turn, chat=chat, by=person.user) else tr(TOO_LATE)

    async def _replied_turn(self, chat: ChatRef, message: Message) -> TurnId | None:
        """The turn of the message of ours that is replied to."""
        replied = replied_of(message)
        if replied is None or not is_ours(replied, self._me):
            return None
        ref, named = MessageRef(chat, str(replied.message_id)), turn_in(replied)
        record = await self._messages.find(ref)
        return record.shows[0].turn if record is not None and record.shows else named

    async def _let(self, chat: ChatRef, message: Message, person: Person, *, allowed: bool) -> str:
        if not is_group(chat):
            return tr(ONLY_IN_GROUPS)
        if not await self._access.runs(chat, person.user):
            return tr(NOT_YOURS_TO_SAY)
        replied = replied_of(message)
        other = identity_of(replied) if replied is not None else None
        if other is None:
            return tr(REPLY_TO_SOMEBODY)
        await self._settings.let(chat, other.user, allowed=allowed, by=person.user)
        return may_use(other.name) if allowed else may_not_use(other.name)


def brings_code(command: Command, chat: ChatRef) -> bool:
    """Whether it opens the door to somebody, where nobody else reads along."""
    is_start = command.name == "start" and command.arguments.lower().startswith(START)
    return (is_start or command.name == "join") and not is_group(chat)


def _asks_for_a_picture(command: Command) -> bool:
    return command.arguments.startswith(REMIX)

"""Commands that are answered in words, at once: help, settings, usage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.budget import Budget
from bot.changing import Changing
from bot.domain.chats import ChatSettings, keeps_mark
from bot.domain.commands import Command, apply_setting, help_words, said_of_mine, settings_words, standing_words
from bot.domain.invitations import ASKS_CODE, ONLY_IN_PRIVATE
from bot.domain.labels import MARKED, Profile, profile_in
from bot.domain.language import N_, tr
from bot.domain.messages import InboundMessage, MessageRecord
from bot.domain.money import said
from bot.ports import ChatStore, ConsentStore, Meter
from bot.telling import Counter, SayOfMine, Told

NO_SUCH_SETTING = N_(
    "I know “suggestions”, “questions” and “mark”, each on or off, “pictures” (ask, own or off), “mine” (ask, here or "
    "never) and “label” (default, visible, eu or cn): /settings suggestions off"
)
STRICTER_ALREADY = N_("Labels are stricter here than that: whoever runs me has set it so.")
MARK_OF_A_RULE = N_("The mark belongs to China's rules for labels. “/settings label default” takes both away.")
BY_MENU = N_("On a server this is set by the command /settings, by those who run it.")


class Desk:
    """Answers commands; those that it does not know itself are answered by `counters`, by their names. What it says of
    money is the asker's own and the chat's, never another person's. `say` takes what people say of their own
    pictures, and gives what holds. `profile` is how the installation labels: a chat's own goes beyond it."""

    def __init__(
        self,
        *,
        chats: ChatStore,
        says: ConsentStore,
        say: SayOfMine,
        meter: Meter,
        budget: Budget,
        counters: Mapping[str, Counter],
        changing: Changing,
        profile: Profile = Profile.DEFAULT,
    ) -> None:
        self._profile = profile
        self._counters = counters
        self._changing = changing
        self._chats = chats
        self._say = say
        self._says = says
        self._meter = meter
        self._budget = budget

    async def answer(self, command: Command, message: InboundMessage, target: MessageRecord | None) -> Told:
        """Raises `RemixError`."""
        counter = self._counters.get(command.name)
        if counter is not None:
            return await counter.answer(command, message, target)
        match command.name:
            case "settings":
                return Told(await self._settings(command, message))
            case "usage":
                return Told(await self._usage(message))
            case "join":
                return Told(tr(ASKS_CODE))
            case "operator":
                return Told(tr(ONLY_IN_PRIVATE))
            case _:
                return Told(help_words())

    async def _settings(self, command: Command, message: InboundMessage) -> str:
        chat = message.ref.chat
        match command.arguments:
            case ("mine",):
                return (await self._counters["mine"].answer(command, message, None)).words
            case ("log",):
                return tr(BY_MENU) if message.server is not None else await self._changing.words(chat, None)
            case _:
                return await self._say_or_set(command, message)

    async def _say_or_set(self, command: Command, message: InboundMessage) -> str:
        chat, asker = message.ref.chat, message.author
        said = said_of_mine(command.arguments)
        if said is not None:
            return standing_words(await self._say(asker, chat, said, at=message.created_at))
        settings = await self._chats.settings(chat)
        if command.arguments:
            changed = apply_setting(settings, command.arguments)
            if changed is None:
                return tr(NO_SUCH_SETTING)
            if message.server is not None:
                return tr(BY_MENU)
            if why := self._cannot_be(settings, changed, command.arguments):
                return why
            await self._changing.chat(chat, changed, was=settings, by=asker)
            settings = changed
        (standing,) = await self._says.standing([asker], chat)
        return settings_words(replace(settings, profile=profile_in(self._profile, settings.profile)), standing)

    def _cannot_be(self, settings: ChatSettings, changed: ChatSettings, asked: tuple[str, ...]) -> str:
        """Why labels cannot be less than they are; empty where they can."""
        if asked == ("mark", "off") and keeps_mark(changed.profile, marks_always=self._profile in MARKED):
            return tr(MARK_OF_A_RULE if self._profile not in MARKED else STRICTER_ALREADY)
        if changed.profile is not None and profile_in(self._profile, changed.profile) is not changed.profile:
            # An earlier choice that the host's has overtaken is nothing that was asked for now.
            return tr(STRICTER_ALREADY) if changed.profile is not settings.profile else ""
        return ""

    async def _usage(self, message: InboundMessage) -> str:
        person, chat, *_ = self._budget.buckets(0, person=message.author, chat=message.ref.chat)
        mine, ours = await self._meter.reserved([person, chat])
        # TRANSLATORS: the amounts are such as "about 4 ¢", "nothing" and "$1.00"
        return tr(
            "Today you have used {mine} of {my_limit} for AI edits, and this chat {ours} of {our_limit}. A new day "
            "begins at midnight UTC. Exact edits are free."
        ).format(mine=said(mine), my_limit=_dollars(person.limit), ours=said(ours), our_limit=_dollars(chat.limit))


def _dollars(microusd: int) -> str:
    return f"${microusd / 1e6:.2f}"

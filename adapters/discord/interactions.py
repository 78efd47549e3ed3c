"""Interactions of Discord: commands, the menu of a message, buttons, forms. Each is acknowledged before anything else.

What it needs stands in its custom id or in the store, so that a button works at any age and after a restart. What asks
for a picture becomes an `InboundMessage` named after the interaction: a repeat is the same turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, assert_never

import discord
import structlog

from adapters.discord.answering import OVER, Answering, How
from adapters.discord.api import Rejected, Unavailable
from adapters.discord.buttons import (
    confirm_delete,
    confirm_forget,
    confirmed_delete,
    dynamic_item,
)
from adapters.discord.commands import (
    CHECK_THIS,
    EDIT_THIS,
    TAKE_BACK,
    Sizes,
    command_payload,
    digest_of,
    read_command,
    resolved,
)
from adapters.discord.forms import edit_form, read_edit_form
from adapters.discord.inbound import Payload, Place, Pointer, attachments_of, pointers_of, quoted_of
from adapters.discord.locales import tags_of
from adapters.discord.ports import DiscordStore, FollowUps, Interaction, KeptBack
from adapters.discord.refs import interaction_ref, message_ref, user_ref
from adapters.discord.settings import NOT_YOURS, Settings
from adapters.discord.settings_panel import Page, read_part
from adapters.discord.where import Where, closed_words, denied_words, where_of
from bot.domain.access import ACTS_OF_ONES_OWN
from bot.domain.actions import Press
from bot.domain.arena import vote_of
from bot.domain.buttons import ButtonId, Verb, press_of, read_button_id, say_of
from bot.domain.commands import is_of_ones_own
from bot.domain.errors import BadPicture, ChatClosed, RemixError
from bot.domain.language import LANGUAGES, N_, speaking, spoken, tr
from bot.domain.messages import Attachment, ChatCapabilities, InboundMessage, Quoted
from bot.domain.refs import MessageRef, TurnId
from bot.domain.words import (
    BROKEN,
    DELETE_ASKS,
    DELETED,
    FORGET_ASKS,
    NOT_YOUR_BUTTON,
    TOO_LATE,
    UNKNOWN_PRESS,
)
from bot.ending import end
from bot.ports import Clock, Rooms

_log = structlog.get_logger()

_TOKEN_S = 15 * 60
"""An interaction's token is worth that long. Discord's documentation, 2026-11."""
_MOST_FOLLOW_UPS = 4
"""Of results kept back, at one interaction: where the bot is not a member, Discord takes five follow-ups in all."""
_SHOWING_S, _HELD_S = 100.0, 120
"""How long that may take, and how long nobody else shows them meanwhile."""
_SIZES_S = 300.0
"""Prices in forms are looked up again after that long."""
_SETUP_S = 60.0
_LOOK_UP_S = 10.0
_LEAVE_S = 5.0
"""How long what was acknowledged may take at the end."""

UNKNOWN_CHAT = N_("I don't know this kind of chat yet, so I can't work here.")
UNKNOWN_COMMAND = N_("I don't know that command any more. /help shows what I can do.")
NO_PICTURE = N_("There is no picture in that message. Add one in the form, or choose a message that has one.")
FORM_TOO_OLD = N_("That form was open for too long. Please open it once more.")
OUT_OF_REACH = N_("Discord does not tell me whose picture that is just now. Please try once more in a moment.")
NO_WORDS = N_("What should I change? Please fill in a few words.")
DELETED_BUT_STANDS = N_("I can't take that message away here, but what it showed is erased.")
KEPT_TOO = N_("There is something for you from earlier, too.")
KEPT = N_("This was done while I could not show it. You asked for it earlier:")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What somebody asks for, whichever way they said it. `under` is the message that it belongs to; `alone` where the
    answer is for that person only."""

    text: str
    attachments: tuple[Attachment, ...] = ()
    size: str | None = None
    under: MessageRef | None = None
    place: int | None = None
    press: Press | None = None
    quoted: Quoted | None = None
    alone: bool = False

    @property
    def is_of_ones_own(self) -> bool:
        """By it people decide about what is theirs, wherever they are kept out."""
        if self.press is not None:
            return self.press.act in ACTS_OF_ONES_OWN
        return is_of_ones_own(self.text)


class Lookups(Protocol):
    """What interactions ask of Discord's API."""

    async def message(self, channel: str, message: str) -> Payload:
        """Raises `ChatClosed`, or what `DiscordApi` raises."""
        ...


class Interactions:
    """All of one bot account's. What they began is ended with `close`."""

    def __init__(
        self,
        rooms: Rooms,
        store: DiscordStore,
        platform: FollowUps,
        lookups: Lookups,
        *,
        account: str,
        now: Clock = time.time,
    ) -> None:
        self._rooms = rooms
        self._store = store
        self._platform = platform
        self._lookups = lookups
        self._account = account
        self._now = now
        self._settings = Settings(rooms)
        self._sizes: Sizes = {}
        self._sizes_at = float("-inf")
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def close(self) -> None:
        """Discord does not send an interaction twice, so what was acknowledged is given a while to reach the core. The
        client that brought it is best closed afterwards: what is said to people goes through its connection."""
        self._closed = True
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=_LEAVE_S)
        await end(*self._tasks)

    async def setup(self, client: discord.Client) -> None:
        """Once, when the client has logged in and before it connects."""
        client.add_dynamic_items(dynamic_item(self._pressed))
        try:
            async with asyncio.timeout(_SETUP_S):
                await self._refresh_sizes()
                await self._register(client)
        except Exception as error:
            # The commands of last time stand, and everything else works.
            _log.error("discord.commands_not_registered", error=type(error).__name__)

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Commands and forms. What is pressed comes by `setup`'s dynamic item."""
        answering = Answering(interaction)
        match interaction.type:
            case discord.InteractionType.application_command:
                self._begin(answering, self._called(answering))
            case discord.InteractionType.modal_submit:
                self._begin(answering, self._filled_in(answering))
            case _:
                return

    async def _pressed(self, interaction: discord.Interaction[Any], custom_id: ButtonId | None, label: str) -> None:
        answering = Answering(interaction)
        # What is to be erased is not noted once more.
        forgets = custom_id is not None and custom_id.verb is Verb.FORGET
        self._begin(answering, self._press(answering, custom_id, label), notes_language=not forgets)

    def _begin(self, answering: Answering, work: Coroutine[Any, Any, None], *, notes_language: bool = True) -> None:
        """In a task of our own: for the library's nobody waits. At the end nothing is acknowledged any more, so that
        Discord says that it did not work. All of it is said in the language of whoever it came from."""
        if self._closed:
            work.close()
            return
        with speaking(*tags_of(answering.interaction)):
            work = self._deal_with(answering, work, notes_language=notes_language)
            task = asyncio.create_task(work, name="discord interaction")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deal_with(self, answering: Answering, work: Awaitable[None], *, notes_language: bool) -> None:
        await self._safely(answering, work)
        if notes_language:
            await self._note_language(answering.interaction)

    async def _note_language(self, interaction: discord.Interaction[Any]) -> None:
        """For messages, which do not say it. Afterwards: nothing may come before the first answer."""
        try:
            await self._rooms.speaks(user_ref(interaction.user.id), str(interaction.locale))
        except Exception as error:
            _log.warning("discord.language_not_noted", error=type(error).__name__)

    async def _safely(self, answering: Answering, work: Awaitable[None]) -> None:
        """A door: whatever goes wrong is said in words, and ends here."""
        try:
            await work
        except discord.HTTPException as error:
            if error.code in OVER:
                _log.info("discord.interaction_over", code=error.code)
                return
            _log.warning("discord.interaction_failed", status=error.status, code=error.code)
            await _try_to_say(answering, tr(BROKEN))
        except RemixError as error:
            await _try_to_say(answering, error.words)
        except Exception as error:
            _log.error("discord.interaction_broke", error=type(error).__name__, exc_info=True)
            await _try_to_say(answering, tr(BROKEN))

    # --- commands

    async def _register(self, client: discord.Client) -> None:
        """Discord takes 200 registrations a day, so that only a change is one."""
        application = client.application_id
        if application is None:
            return
        payload = command_payload(self._sizes)
        digest = digest_of(payload)
        if await self._store.commands(str(application)) == digest:
            return
        await client.http.bulk_upsert_global_commands(application, payload=payload)  # pyright: ignore[reportArgumentType]
        await self._store.note_commands(str(application), digest)

    async def _called(self, answering: Answering) -> None:
        interaction = answering.interaction
        data = _data(interaction)
        if data.get("name") == EDIT_THIS:
            await self._open_on_message(answering, data)
            return
        called = read_command(data)
        where = where_of(interaction, self._account)
        of_message = {TAKE_BACK: self._take_back, CHECK_THIS: self._check}.get(str(data.get("name")))
        if where is not None and of_message is not None:
            await of_message(answering, where, data)
            await self._finish(answering, where)
            return
        if where is None or called is None:
            await answering.say(tr(UNKNOWN_COMMAND) if where else tr(UNKNOWN_CHAT))
            return
        match called.name:
            case "settings" if called.words == "log":
                await answering.acknowledge(How.ALONE)
                await answering.say(await self._changes(where))
            case "settings":
                await answering.acknowledge(How.ALONE)
                await self._settings.show(answering, where, Page.ME)
            case "join":
                await answering.acknowledge(How.ALONE)
                await answering.say(await self._rooms.enter(where.user, called.words))
            case "operator":
                await answering.acknowledge(How.ALONE)
                await answering.say(await self._rooms.operate(where.user, called.words))
            case "forget":
                await answering.acknowledge(How.ALONE)
                await answering.say(tr(FORGET_ASKS), confirm_forget(where.user.user))
            case _:
                asked = _Asked(called.text, self._uploads(interaction, called.files), called.size, alone=called.alone)
                await answering.acknowledge(How.ALONE if where.can_post or called.alone else How.OPENLY)
                await self._ask(answering, where, asked)
        await self._finish(answering, where)

    async def _changes(self, where: Where) -> str:
        """For those who could have changed it."""
        if not (where.manages_chat or where.manages_server):
            return tr(NOT_YOURS[Page.CHAT])
        return await self._rooms.changes(where.chat, where.server)

    async def _open_on_message(self, answering: Answering, data: Mapping[str, Any]) -> None:
        """The form for the message on which the menu was opened."""
        interaction = answering.interaction
        target = str(data.get("target_id", ""))
        payload: dict[str, Any] = resolved(data, "messages").get(target) or {}
        author: dict[str, Any] = payload.get("author") or {}
        ours = str(author.get("id")) == self._account
        name = f"m{target}" if ours else f"t{interaction.id}" if author else "none"
        await answering.open(edit_form(ButtonId(Verb.EDIT, None, name), self._sizes.get(spoken(), ())))
        if name.startswith("t"):
            await self._store.keep_target(str(interaction.id), target_of(payload, _people(data)))

    async def _take_back(self, answering: Answering, where: Where, data: Mapping[str, Any]) -> None:
        """Of the message on which the menu was opened. Whose pictures are in it, the core finds out."""
        target = str(data.get("target_id", ""))
        payload: dict[str, Any] = resolved(data, "messages").get(target) or {}
        author: dict[str, Any] = payload.get("author") or {}
        theirs = bool(author) and str(author.get("id")) != self._account
        await answering.acknowledge(How.ALONE if where.can_post else How.OPENLY)
        quoted = await self._quoted(answering.interaction, target_of(payload, _people(data))) if theirs else None
        under = message_ref(self._account, where.chat.chat, target)
        await self._ask(answering, where, _Asked("/withdraw", under=under, quoted=quoted))

    async def _check(self, answering: Answering, where: Where, data: Mapping[str, Any]) -> None:
        """Of the message on which the menu was opened, for whoever opened it alone. Its files are read as they lie on
        Discord; nothing of the message is kept."""
        target = str(data.get("target_id", ""))
        payload: dict[str, Any] = resolved(data, "messages").get(target) or {}
        if not payload.get("author"):
            await answering.say(tr(NO_PICTURE))
            return
        await answering.acknowledge(How.ALONE)
        quoted = await self._quoted(answering.interaction, target_of(payload, _people(data)))
        under = message_ref(self._account, where.chat.chat, target)
        await self._ask(answering, where, _Asked("/verify", under=under, quoted=quoted, alone=True))

    # --- forms

    async def _filled_in(self, answering: Answering) -> None:
        interaction = answering.interaction
        data = _data(interaction)
        custom_id = read_button_id(str(data.get("custom_id", "")))
        where = where_of(interaction, self._account)
        if custom_id is None or where is None:
            await answering.say(tr(UNKNOWN_PRESS) if where else tr(UNKNOWN_CHAT))
            return
        if custom_id.verb is Verb.SETTINGS:
            await answering.acknowledge(How.QUIETLY)
            await self._settings.set_caps(answering, where, data)
        elif custom_id.verb is Verb.EDIT:
            await answering.acknowledge(How.ALONE if where.can_post else How.OPENLY)
            await self._ask_by_form(answering, where, custom_id, data)
        else:
            await answering.say(tr(UNKNOWN_PRESS))
        await self._finish(answering, where)

    async def _ask_by_form(
        self, answering: Answering, where: Where, custom_id: ButtonId, data: Mapping[str, Any]
    ) -> None:
        interaction, filled, target = answering.interaction, read_edit_form(data), custom_id.argument
        asked = _Asked(filled.words, self._uploads(interaction, filled.files), filled.size, place=custom_id.place)
        if not filled.words:
            await answering.say(tr(NO_WORDS))
            return
        if target.startswith("m") and target[1:].isdigit():
            asked = replace(asked, under=message_ref(self._account, where.chat.chat, target[1:]))
        elif target.startswith("t"):
            payload = await self._store.target(target[1:])
            if payload is None or str(payload["channel_id"]) != where.chat.chat:
                await answering.say(tr(FORM_TOO_OLD))
                return
            quoted = await self._quoted(interaction, payload)
            if quoted is not None:
                asked = replace(asked, under=quoted.ref, quoted=quoted)
        if asked.under is None and not filled.files:
            await answering.say(tr(NO_PICTURE))
            return
        await self._ask(answering, where, asked)

    async def _quoted(self, interaction: discord.Interaction[Any], payload: Payload) -> Quoted | None:
        """The message that the form was opened on, with whose pictures they are. None where it has no picture."""
        known: dict[str, Payload | None] = {}
        while pointers := pointers_of(payload, known):
            for each in pointers:
                known[each.message] = await self._look_up(interaction, each)
        return quoted_of(payload, Place(self._account), known, names={})

    async def _look_up(self, interaction: discord.Interaction[Any], pointer: Pointer) -> Payload | None:
        """None where it is gone, or not for us to see. While Discord can't say, nothing is made of it: somebody's
        picture would pass for another's."""
        if not self._may_look(interaction, pointer):
            return None
        try:
            async with asyncio.timeout(_LOOK_UP_S):
                return await self._lookups.message(pointer.channel, pointer.message)
        except (ChatClosed, Rejected):
            return None
        except (Unavailable, TimeoutError):
            raise BadPicture(tr(OUT_OF_REACH)) from None

    def _may_look(self, interaction: discord.Interaction[Any], pointer: Pointer) -> bool:
        """Where the bot is not, asking would only be refused."""
        if pointer.server:
            return interaction.client.get_guild(int(pointer.server)) is not None
        return pointer.channel == str(interaction.channel_id)

    def _uploads(
        self, interaction: discord.Interaction[Any], files: Sequence[Mapping[str, Any]]
    ) -> tuple[Attachment, ...]:
        """They belong to no message, and can be fetched by their address alone."""
        payload = {"channel_id": str(interaction.channel_id or ""), "id": "", "attachments": files}
        return attachments_of(payload, Place(self._account), {})

    # --- what asks for a picture

    async def _ask(self, answering: Answering, where: Where, asked: _Asked) -> None:
        """Hand it to the core. The reply is a message of its own where the bot can post, or else the response."""
        interaction = answering.interaction
        language, of_server = tags_of(interaction)
        await self._store.note_chat(where.chat, where.facts)
        if not (asked.alone or asked.is_of_ones_own) and (words := await self._denied(where)):
            await answering.say(words)
            return
        ref = interaction_ref(self._account, where.chat.chat, interaction.id)
        await self._store.keep_interaction(ref, self._kept(interaction, where, asked))
        message = InboundMessage(
            ref=ref,
            author=where.user,
            author_name=interaction.user.display_name,
            text=asked.text,
            created_at=interaction.created_at.timestamp(),
            attachments=asked.attachments,
            reply_to=asked.under,
            reply_index=asked.place,
            press=asked.press,
            server=where.server,
            quoted=asked.quoted,
            size=asked.size,
            around=() if where.parent is None else (where.parent,),
            language=language,
            chat_language=of_server,
        )
        try:
            await self._rooms.receive(message)
        except ChatClosed:
            await answering.say(closed_words(where.missing))
            return
        if asked.alone or not where.can_post:
            answering.leave()

    async def _denied(self, where: Where) -> str:
        around = () if where.parent is None else (where.parent,)
        if words := await self._rooms.kept_out(where.user, where.chat, server=where.server, around=around):
            return words
        chat, server = await self._rooms.settings(where.chat, where.server)
        if where.parent is None:
            return denied_words(where, server, [chat])
        parent, _ = await self._rooms.settings(where.parent, where.server)
        return denied_words(where, server, [chat, parent])

    def _kept(self, interaction: discord.Interaction[Any], where: Where, asked: _Asked) -> Interaction:
        refers = asked.under is not None and where.can_refer and not _is_seen_alone(interaction)
        return Interaction(
            application=str(interaction.application_id),
            token=interaction.token,
            user=where.user,
            expires_at=interaction.created_at.timestamp() + _TOKEN_S,
            can_post=where.can_post and not asked.alone,
            reply_to=asked.under.message if asked.under is not None and refers else "",
            limit_bytes=interaction.filesize_limit,
            alone=asked.alone,
        )

    # --- what is pressed

    async def _press(self, answering: Answering, custom_id: ButtonId | None, label: str) -> None:
        interaction = answering.interaction
        if custom_id is None:
            await answering.say(tr(UNKNOWN_PRESS))
            return
        where = where_of(interaction, self._account)
        if where is None or interaction.message is None:
            await answering.say(tr(UNKNOWN_CHAT))
            return
        under = message_ref(self._account, where.chat.chat, interaction.message.id)
        match custom_id.verb:
            case Verb.EDIT:
                name = ButtonId(Verb.EDIT, custom_id.place, f"m{interaction.message.id}")
                await answering.open(edit_form(name, self._sizes.get(spoken(), ())))
                return
            case Verb.SETTINGS if (part := read_part(custom_id.argument)) and part.thing == "caps":
                await self._settings.open_caps(answering, where, part)
                return
            case Verb.PRESS | Verb.SAY:
                # Where the bot cannot post, the reply must be a response that does not replace what was pressed.
                await answering.acknowledge(How.QUIETLY if where.can_post else How.OPENLY)
                await self._say_or_press(answering, where, custom_id, label, under)
            case _:
                await answering.acknowledge(How.QUIETLY)
                await self._do(answering, where, custom_id, under)
        await self._finish(answering, where)

    async def _say_or_press(
        self, answering: Answering, where: Where, custom_id: ButtonId, label: str, under: MessageRef
    ) -> None:
        press = press_of(custom_id.argument) if custom_id.verb is Verb.PRESS else None
        if press is None and (custom_id.verb is Verb.PRESS or not label):
            await answering.say(tr(UNKNOWN_PRESS))
            return
        await self._ask(answering, where, _Asked(label, under=under, place=custom_id.place, press=press))

    async def _do(self, answering: Answering, where: Where, custom_id: ButtonId, under: MessageRef) -> None:
        match custom_id.verb:
            case Verb.CANCEL:
                turn = TurnId(custom_id.argument)
                if not await self._rooms.cancel(turn, chat=where.chat, by=where.user):
                    await answering.say(tr(TOO_LATE))
            case Verb.FILE | Verb.INFO | Verb.VOTE if words := await self._denied(where):
                await answering.say(words)
            case Verb.ALLOW | Verb.VOTE:
                await self._decide(answering, where, custom_id)
            case Verb.FILE:
                await self._send_file(answering, where, custom_id.place, under)
            case Verb.INFO:
                await answering.say(await self._rooms.info(under, by=where.user, index=custom_id.place))
            case Verb.DELETE:
                await self._delete(answering, where, custom_id, under)
            case Verb.SETTINGS:
                part = read_part(custom_id.argument)
                values = [str(each) for each in _data(answering.interaction).get("values") or ()]
                if part is None or not await self._settings.press(answering, where, part, values):
                    await answering.say(tr(UNKNOWN_PRESS))
            case Verb.FORGET:
                await self._forget(answering, where, custom_id.argument)
            case Verb.PRESS | Verb.SAY | Verb.EDIT | Verb.MORE | Verb.WHOLE | Verb.REST:
                await answering.say(tr(UNKNOWN_PRESS))
            case _:
                assert_never(custom_id.verb)

    async def _decide(self, answering: Answering, where: Where, custom_id: ButtonId) -> None:
        decided = self._vote if custom_id.verb is Verb.VOTE else self._allow
        await decided(answering, where, custom_id.argument)

    async def _allow(self, answering: Answering, where: Where, argument: str) -> None:
        answer = say_of(argument)
        if answer is None:
            await answering.say(tr(UNKNOWN_PRESS))
            return
        say, turn = answer
        await answering.say(await self._rooms.allow(turn, chat=where.chat, by=where.user, say=say))

    async def _vote(self, answering: Answering, where: Where, argument: str) -> None:
        vote = vote_of(argument)
        if vote is None:
            await answering.say(tr(UNKNOWN_PRESS))
            return
        choice, turn = vote
        await answering.say(await self._rooms.vote(turn, chat=where.chat, by=where.user, choice=choice))

    async def _send_file(self, answering: Answering, where: Where, place: int | None, under: MessageRef) -> None:
        interaction = answering.interaction
        limit = interaction.filesize_limit
        capabilities = ChatCapabilities(
            max_file_bytes=limit, max_message_bytes=limit, max_images=1, age_limited=where.facts.age_limited
        )
        rendition = await self._rooms.file(under, capabilities, by=where.user, index=place)
        spoiler = interaction.message is not None and any(each.is_spoiler() for each in interaction.message.attachments)
        kept = self._kept(interaction, where, _Asked(""))
        await self._platform.send_file(kept, rendition, spoiler=spoiler)

    async def _delete(self, answering: Answering, where: Where, custom_id: ButtonId, under: MessageRef) -> None:
        confirmed = confirmed_delete(custom_id.argument)
        if confirmed is None:
            if await self._store.interaction(under) is not None:
                # A response whose own token may have ended. To this press, it is the response.
                await self._store.keep_press(under, self._kept(answering.interaction, where, _Asked("")))
            await answering.say(tr(DELETE_ASKS), confirm_delete(under.message, custom_id.place))
            return
        reply = message_ref(self._account, where.chat.chat, confirmed)
        words = await self._rooms.delete(reply, by=where.user, moderates=where.moderates)
        await answering.replace(words or (tr(DELETED_BUT_STANDS) if self._platform.stands(reply) else tr(DELETED)))

    async def _forget(self, answering: Answering, where: Where, user: str) -> None:
        if user != where.user.user:
            await answering.say(tr(NOT_YOUR_BUTTON))
            return
        await answering.replace(await self._rooms.forget(where.user))

    # --- afterwards

    async def _finish(self, answering: Answering, where: Where) -> None:
        """What was asked for is dealt with: nothing that goes wrong here may say otherwise."""
        steps: tuple[Callable[[], Awaitable[None]], ...] = (
            lambda: self._show_kept(answering, where),
            answering.close,
            self._refresh_sizes,
        )
        for step in steps:
            try:
                await step()
            except Exception as error:
                _log.warning("discord.interaction_not_finished", error=type(error).__name__)

    async def _show_kept(self, answering: Answering, where: Where) -> None:
        """What was done for this person when it could not be shown."""
        waiting = await self._store.hold_kept_back(where.user, life_s=_HELD_S)
        if not waiting:
            return
        try:
            async with asyncio.timeout(_SHOWING_S):
                if answering.thinks:
                    await answering.say(tr(KEPT_TOO))
                for kept in waiting[:_MOST_FOLLOW_UPS]:
                    if await self._show_one(answering, where, kept):
                        await self._store.drop_kept_back(where.user, kept)
        finally:
            await self._store.let_go_kept_back(where.user)

    async def _show_one(self, answering: Answering, where: Where, kept: KeptBack) -> bool:
        """False where it has to wait for another time. It is not shown to people of another chat."""
        try:
            answer = await self._rooms.answer_of(kept.turn)
            if answer is not None:
                interaction = self._kept(answering.interaction, where, _Asked(""))
                alone = kept.alone or kept.reply.chat != where.chat
                await self._platform.show_kept(interaction, kept, answer, words=tr(KEPT), alone=alone)
        except (Rejected, KeyError) as error:
            # Not taken as it is, or its pixels are gone: so it would be another time.
            _log.warning("discord.kept_dropped", error=type(error).__name__)
        except Exception as error:
            # Whatever it was, the result must not be lost.
            _log.warning("discord.kept_not_shown", error=type(error).__name__)
            return False
        return True

    async def _refresh_sizes(self) -> None:
        """A form opens before anything can be asked, so what it offers is looked up ahead of time."""
        if self._now() - self._sizes_at < _SIZES_S:
            return
        self._sizes_at = self._now()
        sizes: dict[str, Sequence[tuple[str, str]]] = {}
        for language in LANGUAGES:
            with speaking(language):
                sizes[language] = tuple(await self._rooms.sizes())
        self._sizes = sizes


async def _try_to_say(answering: Answering, words: str) -> None:
    with contextlib.suppress(discord.DiscordException, OSError):
        await answering.say(words)


def _data(interaction: discord.Interaction[Any]) -> dict[str, Any]:
    return dict(interaction.data or {})


def target_of(payload: Payload, names: Mapping[str, str]) -> Payload:
    """Of a message, as Discord describes it, what is needed to edit its pictures: no words. `names` are those under
    which people are known in that server."""
    author = payload["author"]
    kept = {key: author[key] for key in ("id", "username", "global_name", "bot", "system") if key in author}
    if str(author["id"]) in names:
        kept["global_name"] = names[str(author["id"])]
    snapshots = payload.get("message_snapshots") or ()
    forwarded = [{"message": {"attachments": each["message"].get("attachments", [])}} for each in snapshots]
    parts = ("id", "channel_id", "type", "webhook_id", "attachments", "message_reference")
    return {key: payload[key] for key in parts if key in payload} | {"author": kept, "message_snapshots": forwarded}


def _people(data: Mapping[str, Any]) -> dict[str, str]:
    """Names under which people are known in that server, where Discord sends them along."""
    members = resolved(data, "members")
    return {id_: str(member["nick"]) for id_, member in members.items() if member.get("nick")}


def _is_seen_alone(interaction: discord.Interaction[Any]) -> bool:
    """Whether what was pressed stands in a message for one person, to which nothing can be a reply."""
    return interaction.message is not None and interaction.message.flags.ephemeral

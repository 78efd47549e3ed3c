"""Discord's door out: the only place that posts there.

A reply is reserved by a short message and filled by editing it. Where an interaction was the way in and the bot cannot
post by itself, the interaction's response is the reply, for as long as its token lives; what is done later is kept back
for that person's next interaction.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import structlog

from adapters.discord import limits
from adapters.discord.api import (
    Closed,
    DiscordApi,
    DiscordError,
    Payload,
    Rejected,
    TokenExpired,
    TokenRefused,
    TooLarge,
    Upload,
)
from adapters.discord.closings import Closings
from adapters.discord.fetch import Fetcher
from adapters.discord.ports import ChatFacts, DiscordStore, Interaction, KeptBack
from adapters.discord.refs import PLATFORM, message_ref, nonce_of, snowflake_of
from adapters.discord.render import NOBODY, Shown, ShownFile, file_of, show
from adapters.discord.words import escape, mention
from bot.domain import messages
from bot.domain.errors import ChatClosed, ChatGone
from bot.domain.images import ALL
from bot.domain.language import N_, tr
from bot.domain.messages import Answer, Attachment, ChatCapabilities, InboundMessage, Rendition
from bot.domain.refs import ChatRef, MessageRef, TurnId, UserRef, thread_of
from bot.domain.turns import FINAL_STATES, TurnState
from bot.domain.utf16 import cut
from bot.ending import end
from bot.ports import Clock, ImageStore, MessageStore
from bot.recent import Recent

log = structlog.get_logger("discord")

ON_ITS_WAY = N_("On its way.")
FILE_TOO_LARGE = N_("That file is too large to send it here.")
_FACTS_S = 60.0
_MOST = 4096
_TYPING_S = 5.0
_CHATS_AT_ONCE = 8
_TOKEN_MARGIN_S = 5.0
_REQUEST_BYTES = limits.REQUEST_BYTES - 2**17
"""What is left for files beside words and buttons."""
_EPHEMERAL = 1 << 6
_NO_HISTORY = 160002
"""“Cannot reply without permission to read message history.” Discord's documentation, 2026-11."""
_UNREAD_S = 600.0

T = TypeVar("T")
_Send = Callable[[Payload, Sequence[Upload]], Awaitable[Payload]]
_Attached = tuple[tuple[ShownFile, str], ...]


class DiscordPlatform:
    """See `bot.ports.Platform` and `adapters.discord.ports.FollowUps`. `account` is the bot user's id."""

    name: str = PLATFORM

    def __init__(
        self,
        api: DiscordApi,
        store: DiscordStore,
        images: ImageStore,
        *,
        account: str,
        messages: MessageStore | None = None,
        now: Clock = time.time,
    ) -> None:
        self.account = account
        self._api = api
        self._store = store
        self._images = images
        self._messages = messages
        self._now = now
        self._fetcher = Fetcher(api)
        self._closings = Closings(store)
        self._facts: dict[ChatRef, tuple[float, ChatFacts]] = {}
        self._attached: Recent[MessageRef, _Attached] = Recent()
        self._refers_from: dict[ChatRef, float] = {}
        """Since when messages of a chat may be referred to."""
        self._typed: Recent[MessageRef, None] = Recent()
        self._posted: Recent[MessageRef, None] = Recent()
        """Messages of the bot's own, which no interaction is behind."""
        self._final: Recent[MessageRef, None] = Recent()
        self._standing: Recent[MessageRef, None] = Recent()
        """What was to be taken away and could not be."""
        self._said: Recent[MessageRef, Payload] = Recent()
        """What a message of ours said last, as far as this process knows."""
        self._filling: WeakValueDictionary[MessageRef, asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """The connection of `api` stays: it is not ours."""
        await end(*self._tasks)
        await self._fetcher.close()

    # --- what a chat can show, and what people sent there

    async def capabilities(self, chat: ChatRef) -> ChatCapabilities:
        facts = await self._chat(chat)
        return ChatCapabilities(
            media_types=("image/png", "image/jpeg", "image/webp"),
            max_file_bytes=facts.limit_bytes,
            max_message_bytes=max(_REQUEST_BYTES, facts.limit_bytes),
            max_images=limits.FILES,
            counts_seconds_itself=True,
            edits_notify=False,
            age_limited=facts.age_limited,
        )

    async def _chat(self, chat: ChatRef) -> ChatFacts:
        until, facts = self._facts.get(chat, (0.0, ChatFacts()))
        if self._now() < until:
            return facts
        found = await self._store.chat(chat)
        if found is None:
            return ChatFacts()
        if len(self._facts) >= _MOST:
            self._facts.clear()
        self._facts[chat] = (self._now() + _FACTS_S, found)
        return found

    async def fetch(self, attachment: Attachment, *, max_bytes: int) -> bytes:
        return await self._fetcher.fetch(attachment, max_bytes=max_bytes)

    # --- reserving

    async def reserve(self, message: InboundMessage, turn: TurnId) -> MessageRef:
        payload = show(Answer(state=TurnState.ACCEPTED, lines=(tr(ON_ITS_WAY),), turn=turn)).payload
        if snowflake_of(message.ref) is not None:
            return await self._post(message.ref.chat, payload, nonce_of(turn), reply_to=message.ref.message)
        interaction = await self._store.interaction(message.ref)
        if interaction is not None and not interaction.can_post and self._lives(interaction):
            try:
                return await self._respond(message.ref, interaction, payload)
            except TokenExpired:
                pass
        reply_to = interaction.reply_to if interaction else ""
        return await self._post(message.ref.chat, payload, nonce_of(turn), reply_to=reply_to)

    async def _post(self, chat: ChatRef, payload: Payload, nonce: str, *, reply_to: str) -> MessageRef:
        whole = {**payload, "nonce": nonce, "enforce_nonce": True}
        refers = _reference(reply_to) if self._now() >= self._refers_from.get(chat, 0.0) else {}

        async def post() -> Payload:
            try:
                return await self._api.post(chat.chat, {**whole, **refers})
            except Closed as closed:
                if not refers or closed.discord_code != _NO_HISTORY:
                    raise
                self._note_unread(chat)
            except Rejected:  # some messages can't be replied to
                if not refers:
                    raise
            return await self._api.post(chat.chat, whole)

        posted = await self._closings.through(chat, post)
        ref = MessageRef(chat, str(posted["id"]))
        self._posted[ref] = None
        self._said[ref] = payload
        return ref

    def _note_unread(self, chat: ChatRef) -> None:
        """Where the bot may not read what was written, it may not refer to it. Asking each time would be refused each
        time."""
        if len(self._refers_from) >= _MOST:
            self._refers_from.clear()
        self._refers_from[chat] = self._now() + _UNREAD_S

    async def _respond(self, ref: MessageRef, interaction: Interaction, payload: Payload) -> MessageRef:
        """The response becomes the reply. Only the first time do words go in: by the second it may be filled."""
        application, token = interaction.application, interaction.token
        if await self._store.once(f"response:{ref.key}", life_s=3600):
            response = await self._api.edit_response(application, token, payload)
        else:
            response = await self._api.response(application, token)
        reply = MessageRef(ref.chat, str(response["id"]))
        await self._store.keep_interaction(reply, interaction)
        if await self._store.chat(ref.chat) is None:
            await self._store.note_chat(ref.chat, ChatFacts(limit_bytes=interaction.limit_bytes))
        return reply

    async def _behind(self, reply: MessageRef) -> Interaction | None:
        """The interaction that a reply of ours is the response of."""
        return None if reply in self._posted else await self._store.interaction(reply)

    def _lives(self, interaction: Interaction) -> bool:
        return bool(interaction.token) and self._now() < interaction.expires_at - _TOKEN_MARGIN_S

    # --- filling

    async def fill(self, reply: MessageRef, answer: Answer) -> None:
        final = answer.state in FINAL_STATES
        async with self._filling.setdefault(reply, asyncio.Lock()):
            if not final and reply in self._final:
                return  # what comes late says less than what is there
            interaction = await self._behind(reply)
            if interaction is not None:
                await self._fill_response(reply, answer, interaction)
            else:
                edit = partial(self._api.edit, reply.chat.chat, reply.message)
                await self._closings.through(reply.chat, partial(self._show, reply, answer, edit))
            if final:
                self._final[reply] = None
        if answer.state is TurnState.RUNNING and interaction is None:
            self._begin_typing(reply)

    async def _fill_response(self, reply: MessageRef, answer: Answer, interaction: Interaction) -> None:
        if self._lives(interaction):
            edit = partial(self._api.edit_response, interaction.application, interaction.token, message=reply.message)
            try:
                await self._show(reply, answer, edit, alone=interaction.alone)
            except TokenExpired:
                pass
            else:
                return
        if answer.state in FINAL_STATES and answer.turn is not None:
            await self._store.keep_back(interaction.user, KeptBack(reply, answer.turn, alone=interaction.alone))

    async def _show(self, reply: MessageRef, answer: Answer, send: _Send, *, alone: bool = False) -> None:
        shown = show(answer, alone=alone)
        if answer.state not in FINAL_STATES and not shown.files and self._said.get(reply) == shown.payload:
            return  # progress that is none
        await _as_well_as_taken(answer, lambda each: self._send(reply, each, send), alone=alone)

    async def _send(self, reply: MessageRef, shown: Shown, send: _Send) -> None:
        """Files that the message has already are kept and not sent again."""
        kept = _common(self._attached.pop(reply, ()), shown.files)
        self._said.pop(reply, None)
        ids = await self._put(shown, kept, send) if kept else None
        if ids is None or len(ids) != len(shown.files):  # another process may have put others in their place
            ids = await self._put(shown, (), send)
        self._said[reply] = shown.payload
        if ids and len(ids) == len(shown.files):
            self._attached[reply] = tuple(zip(shown.files, ids, strict=True))

    async def _put(self, shown: Shown, kept: _Attached, send: _Send) -> list[str] | None:
        """Gives the ids of the files that the message then has; None where it has not those that were to be kept."""
        new = shown.files[len(kept) :]
        uploads = await self._uploads(new)
        attachments = [*({"id": id_} for _, id_ in kept), *_metadata(new)]
        try:
            sent = await send({**shown.payload, "attachments": attachments}, uploads)
        except Rejected:
            if kept:
                return None
            raise
        return [str(each["id"]) for each in sent.get("attachments", ())]

    async def _uploads(self, files: Sequence[ShownFile]) -> list[Upload]:
        data = await asyncio.gather(*(self._bytes_of(each) for each in files))
        return [Upload(each.filename, bytes_) for each, bytes_ in zip(files, data, strict=True)]

    async def _bytes_of(self, file: ShownFile) -> bytes:
        return file.data if file.data is not None else await self._images.get(file.sha256)

    def _begin_typing(self, reply: MessageRef) -> None:
        if reply not in self._typed:
            self._typed[reply] = None
            task = asyncio.create_task(self._type(reply.chat))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _type(self, chat: ChatRef) -> None:
        """A nicety, tried once."""
        try:
            async with asyncio.timeout(_TYPING_S):
                await self._api.typing(chat.chat)
        except (DiscordError, ChatClosed, TokenRefused, TimeoutError) as error:
            log.debug("discord.typing_failed", error=type(error).__name__)

    # --- follow-ups of interactions

    async def show_kept(
        self, interaction: Interaction, kept: KeptBack, answer: Answer, *, words: str, alone: bool
    ) -> MessageRef:
        whole = replace(answer, lines=(words, *answer.lines))
        sent = await _as_well_as_taken(
            whole, lambda each: self._follow_up(interaction, each.payload, each.files, alone=alone), alone=alone
        )
        ref = message_ref(self.account, str(sent.get("channel_id") or kept.reply.chat.chat), str(sent["id"]))
        await self._store.keep_interaction(ref, replace(interaction, alone=alone))
        if self._messages is not None:
            turns = [panel.turn for panel in answer.panels] or [kept.turn]
            shows = [messages.Shown(turn, ALL) for turn in turns]
            await self._messages.attach(ref, thread_of(kept.turn), shows, asker=interaction.user)
        return ref

    async def send_file(self, interaction: Interaction, rendition: Rendition, *, spoiler: bool) -> None:
        payload: Payload = {"allowed_mentions": NOBODY}
        try:
            await self._follow_up(interaction, payload, [file_of(1, rendition, spoiler=spoiler)], alone=True)
        except TooLarge:
            log.info("discord.too_large", files=1)
            await self._follow_up(interaction, {**payload, "content": tr(FILE_TOO_LARGE)}, (), alone=True)

    async def _follow_up(
        self, interaction: Interaction, payload: Payload, files: Sequence[ShownFile], *, alone: bool
    ) -> Payload:
        flags = int(payload.get("flags", 0)) | (_EPHEMERAL if alone else 0)
        whole = {**payload, "flags": flags, "attachments": _metadata(files)}
        uploads = await self._uploads(files)
        return await self._api.follow_up(interaction.application, interaction.token, whole, uploads)

    # --- calling somebody

    async def call(self, reply: MessageRef, person: UserRef, words: str, *, key: str) -> None:
        try:
            await self._call(reply, person, words, key)
        except Exception as error:  # best effort: whatever goes wrong, the answer itself stands
            log.info("discord.call_failed", error=type(error).__name__)

    async def _call(self, reply: MessageRef, person: UserRef, words: str, key: str) -> None:
        payload: Payload = {
            "content": cut(f"{mention(person)} {escape(words)}", limits.CONTENT),
            "allowed_mentions": {**NOBODY, "users": [person.user]},
        }
        interaction = await self._behind(reply)
        if interaction is None:
            await self._store.keep_call(
                key, await self._post(reply.chat, payload, nonce_of(key), reply_to=reply.message)
            )
        elif self._lives(interaction) and await self._store.once(f"call:{key}", life_s=3600):
            await self._follow_up(interaction, payload, (), alone=False)

    async def call_off(self, reply: MessageRef, *, key: str) -> None:
        try:
            call = await self._store.take_call(key)
            if call is not None and call.chat == reply.chat:
                await self._take_away(call)
        except Exception as error:  # best effort, too: a call that stays does no harm
            log.info("discord.call_stays", error=type(error).__name__)

    # --- the rest

    async def show_sources(self, message: MessageRef, pictures: Sequence[Rendition]) -> None:
        """People's pictures are shown by Discord itself."""

    async def done(self, message: InboundMessage) -> None:
        """Nothing is kept on the way in but an interaction, which fillings still need."""

    async def forget(self, user: UserRef) -> None:
        if user.platform == self.name:
            await self._store.forget(user)

    async def retract(self, ours: Sequence[MessageRef], theirs: Sequence[MessageRef]) -> None:  # noqa: ARG002
        """People's own messages are theirs to delete."""
        chats: dict[ChatRef, list[MessageRef]] = {}
        for ref in ours:
            if snowflake_of(ref) is not None:
                chats.setdefault(ref.chat, []).append(ref)
        at_once = asyncio.Semaphore(_CHATS_AT_ONCE)
        await asyncio.gather(*(self._take_all_away(refs, at_once) for refs in chats.values()))

    async def _take_all_away(self, refs: Sequence[MessageRef], at_once: asyncio.Semaphore) -> None:
        """Of one chat, one by one."""
        async with at_once:
            for ref in refs:
                if not await self._take_away(ref):
                    return

    async def _take_away(self, ref: MessageRef) -> bool:
        """False where the chat is closed, and there is no sense in going on."""
        self._attached.pop(ref, None)
        self._standing[ref] = None
        try:
            interaction = await self._behind(ref)
            if interaction is None:
                await self._closings.through(ref.chat, partial(self._api.delete, ref.chat.chat, ref.message))
            elif not await self._take_response_away(ref, interaction):
                return True
        except ChatGone:
            pass
        except ChatClosed:
            return False
        except (DiscordError, TokenRefused) as error:
            log.info("discord.not_taken_away", error=type(error).__name__)
            return True
        self._standing.pop(ref, None)
        return True

    async def _take_response_away(self, ref: MessageRef, interaction: Interaction) -> bool:
        """By its own token, or by that of a press on it."""
        if self._lives(interaction):
            await self._api.delete_response(interaction.application, interaction.token, ref.message)
            return True
        press = await self._store.press(ref)
        if press is None or not self._lives(press):
            return False
        await self._api.delete_response(press.application, press.token, "@original")
        return True

    def stands(self, message: MessageRef) -> bool:
        return message in self._standing


async def _as_well_as_taken(answer: Answer, send: Callable[[Shown], Awaitable[T]], *, alone: bool = False) -> T:
    """Where Discord does not take all of it, less."""
    shown = show(answer, alone=alone)
    try:
        try:
            return await send(shown)
        except TooLarge:
            log.info("discord.too_large", files=len(answer.images))
            shown = show(answer, without_files=True, alone=alone)
            return await send(shown)
    except Rejected as rejected:
        # Something in it that we do not know of: its words and pictures are worth more than its buttons.
        log.warning("discord.rejected", code=rejected.code)
        return await send(replace(shown, payload={**shown.payload, "components": []}))


def _reference(message: str) -> dict[str, Any]:
    """What it replies to may be deleted by now: the answer is posted all the same."""
    if not message:
        return {}
    return {"message_reference": {"message_id": message, "fail_if_not_exists": False}}


def _metadata(files: Sequence[ShownFile]) -> list[Payload]:
    return [{"id": number, "filename": each.filename, "description": each.alt} for number, each in enumerate(files)]


def _common(attached: _Attached, files: Sequence[ShownFile]) -> _Attached:
    """What the message has already, as long as the order is the same: new files always come last."""
    same = 0
    for (has, _), wanted in zip(attached, files, strict=False):
        if has != wanted:
            break
        same += 1
    return attached[:same]

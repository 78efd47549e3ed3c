"""Telegram's door out: the only place that posts there, beside what the doors in say by themselves.

A reply is reserved by a short message and filled by editing it, which may be repeated. What one message cannot hold is
posted once: each such message has a place in the ledger, and where nobody knows whether it arrived, that is said, with
a key that sends it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

import structlog

from adapters.telegram import lanes, limits
from adapters.telegram.api import TelegramApi
from adapters.telegram.beside import Beside
from adapters.telegram.errors import TelegramError
from adapters.telegram.fetch import Fetcher
from adapters.telegram.meaning import Moved
from adapters.telegram.once import FIRST, Hold, Taken
from adapters.telegram.parts import Parts
from adapters.telegram.ports import Ledger, Send, SendState, TelegramStore
from adapters.telegram.putting import Putting
from adapters.telegram.refs import PLATFORM, is_group, message_id_of
from adapters.telegram.render import (
    NOT_ALLOWED_WORDS,
    ON_ITS_WAY,
    show,
)
from adapters.telegram.transport import CONNECT_S, READ_S
from adapters.telegram.uploads import Uploads
from adapters.telegram.words import Linked, plain, said, shortened
from bot.domain.errors import ChatClosed
from bot.domain.images import ALL
from bot.domain.language import tr
from bot.domain.messages import Answer, Attachment, ChatCapabilities, InboundMessage, Rendition, Shown
from bot.domain.refs import ChatRef, MessageRef, TurnId, UserRef, message_ref_of, thread_of
from bot.domain.turns import FINAL_STATES, TurnState
from bot.ending import end
from bot.ports import Clock, ImageStore, MessageStore
from bot.recent import Recent

log = structlog.get_logger("telegram")

_FINAL_S = 3600
_DELETES_AT_ONCE = 8
_LONGEST_BUSY_S = 120.0


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Times, in seconds. `progress_s`: what is done before that shows no progress. `busy_s` is how often "sending a
    photo…" is said. `asking_s`: so long a few words may be on their way. `stale_s`: whoever began to send anything so
    long ago has not come back."""

    progress_s: float = 0.7
    busy_s: float = 4.0
    asking_s: float = CONNECT_S + READ_S
    stale_s: float = 180.0


class TelegramPlatform:
    """See `bot.ports.Platform`, and `Orphans` and `Resending` of `adapters.telegram.ports`."""

    name: str = PLATFORM

    def __init__(
        self,
        api: TelegramApi,
        store: TelegramStore,
        ledger: Ledger,
        images: ImageStore,
        messages: MessageStore,
        *,
        rhythm: Rhythm | None = None,
        now: Clock = time.time,
    ) -> None:
        self.account = api.account
        self._api = api
        self._store = store
        self._ledger = ledger
        self._beside = Beside(ledger)
        uploads = Uploads(api.account, store, images)
        self._messages = messages
        self._rhythm = rhythm or Rhythm()
        self._now = now
        self._parts = Parts(
            api,
            store,
            ledger,
            messages,
            uploads,
            take_away=self._take_all_away,
            stale_s=self._rhythm.stale_s,
            now=now,
        )
        self._fetcher = Fetcher(api)
        self._final: Recent[MessageRef, None] = Recent()
        self._putting = Putting(api, uploads)
        self._later: dict[MessageRef, Answer] = {}
        """Progress that is to be shown in a moment."""
        self._busy: dict[MessageRef, asyncio.Event] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """The connections of `api` stay: they are not ours."""
        await end(*self._tasks)

    # --- what a chat can show, and what people sent there

    async def capabilities(self, chat: ChatRef) -> ChatCapabilities:  # noqa: ARG002 the same in each
        """Of a document: whether a photo will do is decided here."""
        most = limits.LOCAL_BYTES if self._api.local else limits.DOCUMENT_BYTES
        return ChatCapabilities(max_file_bytes=most, max_images=limits.ALBUM, one_picture_each=True)

    async def fetch(self, attachment: Attachment, *, max_bytes: int) -> bytes:
        return await self._fetcher.fetch(attachment, max_bytes=max_bytes)

    # --- reserving

    async def reserve(self, message: InboundMessage, turn: TurnId) -> MessageRef:
        """The same turn gives the same message, unless nobody knows whether the first arrived: then there is another,
        and the first is an orphan."""
        below = message.ref if message_id_of(message.ref) is not None else message.reply_to
        return await self._placeholder(_reserved(message.ref.chat, turn), message.ref.chat, turn, below=below)

    async def _placeholder(self, key: str, chat: ChatRef, turn: TurnId, *, below: MessageRef | None) -> MessageRef:
        async with self._lock(key):
            known = None if FIRST.get() else await self._ledger.find(key)
            if known is not None and _is_sent(known):
                return await self._found(key, chat, known)
            if known is not None and not await self._may_begin_anew(key, known):
                raise Taken(known)
            try:
                return await self._place(key, chat, turn, below=below)
            except Taken as taken:
                if _is_sent(taken.known):
                    return await self._found(key, chat, taken.known)
                raise

    async def _place(self, key: str, chat: ChatRef, turn: TurnId, *, below: MessageRef | None) -> MessageRef:
        shown = show(Answer(TurnState.ACCEPTED, (tr(ON_ITS_WAY),), turn=turn), group=is_group(chat))
        async with Hold(self._ledger, key, anew=lambda known: self._begin_anew(key, known)) as hold:
            ref = await self._api.send_text(chat, shown.said, reply_to=below, keyboard=shown.keyboard, begun=hold.begin)
        if ref.chat != chat:
            await self._store.note(f"at:{key}", ref.key)
        await self._ledger.sent(key, [message_id_of(ref) or 0])
        self._putting.said[ref] = shown
        return ref

    async def _may_begin_anew(self, key: str, known: Send) -> bool:
        """Once; and once more when it has been left alone for long."""
        if known.state is SendState.SENDING and self._now() - known.at < self._rhythm.asking_s:
            return False
        return not _is_sent(known) and not await self._store.was(f"anew:{key}")

    async def _begin_anew(self, key: str, known: Send) -> bool:
        life_s = max(int(self._rhythm.stale_s), 1)
        return await self._may_begin_anew(key, known) and await self._store.once(f"anew:{key}", life_s=life_s)

    async def _found(self, key: str, chat: ChatRef, known: Send) -> MessageRef:
        """What was sent elsewhere than where it was to be sent (a group had moved) is noted in full."""
        elsewhere = await self._store.noted(f"at:{key}")
        return message_ref_of(elsewhere) if elsewhere else MessageRef(chat, str(known.messages[0]))

    # --- filling

    async def fill(self, reply: MessageRef, answer: Answer) -> None:
        if answer.state in FINAL_STATES:
            await self._fill_finally(reply, answer)
        elif answer.state is TurnState.RUNNING and not answer.asks and not answer.panels:
            self._show_later(reply, answer)
        else:
            self._later.pop(reply, None)
            async with self._lock(reply.key):
                if reply not in self._final and not await self._store.was(_final(reply)):
                    await self._progress(reply, answer, spare=None if answer.asks else lanes.SPARE)
        if answer.state is TurnState.RUNNING and reply not in self._final:
            self._seem_busy(reply)

    async def _fill_finally(self, reply: MessageRef, answer: Answer) -> None:
        """From now on no progress is shown any more: not by this process, and not by others."""
        self._final[reply] = None
        self._later.pop(reply, None)
        if quiet := self._busy.pop(reply, None):
            quiet.set()
        async with self._lock(reply.key):
            if answer.panels or not answer.images:  # progress in words can cover no picture
                await self._store.once(_final(reply), life_s=_FINAL_S)
            try:
                await self._finish(reply, answer)
            except Moved as moved:
                await self._finish(await self._anew(reply, answer, moved.to), answer)

    async def _anew(self, reply: MessageRef, answer: Answer, chat: ChatRef) -> MessageRef:
        """What the group's messages were is out of reach since it is a supergroup. Its answer gets a new one."""
        turn = answer.turn
        if turn is None:
            raise Moved(chat)
        new = await self._placeholder(f"moved:{reply.key}", chat, turn, below=None)
        shows = [Shown(panel.turn, ALL) for panel in answer.panels] or [Shown(turn, ALL)]
        asker = answer.credit.asker.user if answer.credit else None
        await self._messages.attach(new, thread_of(turn), shows, asker=asker)
        return new

    async def _finish(self, reply: MessageRef, answer: Answer) -> None:
        group = is_group(reply.chat)
        shown = show(answer, group=group)
        parts = self._parts.of(reply, answer, shown)
        unsure = await self._parts.any_unsure(parts)
        if unsure:
            shown = show(answer, group=group, unsure=True)
        instead = await self._putting.put(reply, answer, shown, unsure=unsure)
        if instead:
            await self._store.once(_final(reply), life_s=_FINAL_S)
        if instead == tr(NOT_ALLOWED_WORDS):
            parts = []
        missing = [part for part in parts if not await self._parts.send_once(reply, part)]
        if missing and not unsure:
            await self._putting.put(reply, answer, show(answer, group=group, unsure=True), unsure=True)

    # --- progress

    def _show_later(self, reply: MessageRef, answer: Answer) -> None:
        waits = reply in self._later
        self._later[reply] = answer
        if not waits:
            began = answer.started_at if answer.started_at is not None else self._now()
            left_s = began + self._rhythm.progress_s - self._now()
            self._begin(self._show_in(reply, min(max(left_s, 0.0), self._rhythm.progress_s)))

    async def _show_in(self, reply: MessageRef, seconds: float) -> None:
        await asyncio.sleep(seconds)
        async with self._lock(reply.key):
            answer = self._later.pop(reply, None)
            if answer is None or reply in self._final or await self._store.was(_final(reply)):
                return
            try:
                await self._progress(reply, answer, spare=lanes.SPARE)
            except (TelegramError, ChatClosed) as error:
                log.info("telegram.no_progress", error=type(error).__name__)

    async def _progress(self, reply: MessageRef, answer: Answer, *, spare: int | None) -> None:
        shown = show(answer, group=is_group(reply.chat))
        if self._putting.said.get(reply) == shown:
            return
        try:
            await self._putting.put(reply, answer, shown, spare=spare)
        except Moved as moved:  # its answer will be posted anew once it is there, and a question is now
            if answer.asks:
                await self._putting.put(await self._anew(reply, answer, moved.to), answer, shown)

    def _seem_busy(self, reply: MessageRef) -> None:
        if reply not in self._busy:
            self._busy[reply] = asyncio.Event()
            self._begin(self._seem_busy_until(reply, self._busy[reply]))

    async def _seem_busy_until(self, reply: MessageRef, quiet: asyncio.Event) -> None:
        """A nicety. Telegram shows it for five seconds."""
        until = self._now() + _LONGEST_BUSY_S
        pause_s = self._rhythm.progress_s
        try:
            while self._now() < until:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await quiet.wait()
                if quiet.is_set() or await self._store.was(_final(reply)):
                    return
                await self._api.seems_busy(reply.chat)
                pause_s = self._rhythm.busy_s
        except Exception as error:
            log.debug("telegram.not_busy", error=type(error).__name__)
        finally:
            if self._busy.get(reply) is quiet:
                del self._busy[reply]

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def send_again(self, reply: MessageRef, answer: Answer) -> None:
        await self._parts.let_go_unsure(self._parts.of(reply, answer, show(answer, group=is_group(reply.chat))))
        await self.fill(reply, answer)

    # --- calling somebody

    async def call(self, reply: MessageRef, person: UserRef, words: str, *, key: str) -> None:
        try:
            await self._call(reply, person, words, key)
        except Exception as error:  # best effort: whatever goes wrong, the answer itself stands
            log.info("telegram.call_failed", error=type(error).__name__)

    async def _call(self, reply: MessageRef, person: UserRef, words: str, key: str) -> None:
        """The words themselves are the mention, so that no name has to be known."""
        sent = f"call:{key}"
        if await self._ledger.find(sent) is not None:
            return
        user = int(person.user) if person.platform == PLATFORM and person.user.isdigit() else 0
        whole = shortened(said([[Linked(plain(words), user=user)]]), limits.TEXT)
        async with Hold(self._ledger, sent) as hold:
            ref = await self._api.send_text(reply.chat, whole, reply_to=reply, begun=hold.begin)
        await self._ledger.sent(sent, [message_id_of(ref) or 0])
        await self._store.keep_call(key, ref)

    async def call_off(self, reply: MessageRef, *, key: str) -> None:
        try:
            call = await self._store.take_call(key)
            if call is not None and call.chat == reply.chat:
                await self._api.delete(call)
        except Exception as error:  # best effort, too: a call that stays does no harm
            log.info("telegram.call_stays", error=type(error).__name__)

    # --- taking away

    async def show_sources(self, message: MessageRef, pictures: Sequence[Rendition]) -> None:
        """Telegram shows them by itself."""

    async def done(self, message: InboundMessage) -> None:
        """Nothing is kept for it here."""

    async def forget(self, user: UserRef) -> None:
        await self._store.forget(user)

    async def retract(self, ours: Sequence[MessageRef], theirs: Sequence[MessageRef]) -> None:
        """People's messages are not ours to hold; nor is what they said."""
        await self._store.unsay(theirs)
        for reply in ours:  # before looking what belongs to it: more may be on its way
            await self._parts.gone(reply)
        beside = [each for reply in ours for each in await self._beside.of(reply)]
        await self._take_all_away([*ours, *beside])

    async def _take_all_away(self, messages: Sequence[MessageRef]) -> None:
        room = asyncio.Semaphore(_DELETES_AT_ONCE)

        async def take_away(message: MessageRef) -> None:
            async with room:
                try:
                    await self._putting.take_away(message)
                except Exception as error:
                    log.info("telegram.not_retracted", error=type(error).__name__)

        await asyncio.gather(*map(take_away, messages))

    async def found(self, message: MessageRef, turn: TurnId) -> None:
        key = _reserved(message.chat, turn)
        async with self._lock(key):
            known = await self._ledger.find(key)
            if known is None:
                return  # no reply to this turn was ever on its way to this chat
            if known.state is SendState.SENT and known.messages:
                reply = await self._found(key, message.chat, known)
                if reply.message != message.message and await self._is_placeholder(message, turn):
                    await self._api.delete(message)
                return
            if known.state is SendState.SENDING and not self._is_stale(known):
                return  # whoever sends it is about to note it
            if await self._messages.find(message) is None:
                await self._messages.attach(message, thread_of(turn), [Shown(turn, ALL)])
                await self._ledger.sent(key, [message_id_of(message) or 0])

    async def _is_placeholder(self, message: MessageRef, turn: TurnId) -> bool:
        """Not one that shows the turn as well: a part of its answer, or its reply in a group that has moved."""
        record = await self._messages.find(message)
        return record is None or all(shows.turn != turn for shows in record.shows)

    def _is_stale(self, known: Send) -> bool:
        return self._now() - known.at >= self._rhythm.stale_s

    def _lock(self, key: str) -> asyncio.Lock:
        return self._locks.setdefault(key, asyncio.Lock())


def _is_sent(known: Send) -> bool:
    return known.state is SendState.SENT and bool(known.messages)


def _reserved(chat: ChatRef, turn: TurnId) -> str:
    """With the chat, since anybody can name any turn anywhere."""
    return f"reserve:{chat.key}:{turn}"


def _final(reply: MessageRef) -> str:
    return f"final:{reply.key}"

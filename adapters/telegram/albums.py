"""Albums: several pictures sent as one arrive as messages of their own, in any order, and nobody says how many.

Each is stored when it comes. When no more are expected the album is closed, by whichever process comes first, and
handed in as one message. What comes later joins it for as long as the engine has not begun; afterwards it is offered to
do the whole again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Final

import structlog
from telegram import Message

from adapters.telegram.album_reading import anchor_of, closes_at, ordered, stripped
from adapters.telegram.errors import Rejected, TokenRefused
from adapters.telegram.inbound import Snag, chat_of, concern_of, inbound_of, replied_of, says_of, tag_of, version_of
from adapters.telegram.inbox import LEAVE_S, MOST_AT_ONCE, MOST_OF_A_CHAT, understood
from adapters.telegram.ports import Album, Albums, Json, Key, Me, Telegram, TelegramStore
from adapters.telegram.refs import group_of, is_group
from adapters.telegram.saying import Saying
from bot.domain.buttons import ButtonId, Verb
from bot.domain.errors import ChatClosed
from bot.domain.language import N_, ngettext, speaking, spoken, tr
from bot.domain.messages import InboundMessage
from bot.domain.refs import ChatRef, MessageRef
from bot.ending import end, is_ending
from bot.insisting import MOST_BUGS, Hopeless, insist
from bot.places import Places
from bot.ports import Clock, Rooms
from bot.recent import Recent

log = structlog.get_logger("telegram")

LOOK_EVERY_S: Final = 2.0
"""How often one looks for albums whose process died."""
LIFE_S: Final = 30.0

ONE_OF_AN_ALBUM: Final = N_(
    "In this group Telegram shows me only one picture of an album. To have all of them, send the album as a reply to "
    "one of my pictures, or make me an administrator here."
)
LATE_WORDS: Final = N_("This one came after I had begun. Shall I do it again with all of them?")

_Name = tuple[ChatRef, str]


def redo_label(count: int) -> str:
    # TRANSLATORS: a key, at most 36 characters: does it again with all pictures of an album
    return ngettext("Redo with all {count}", "Redo with all {count}", count).format(count=count)


class Gathering:
    """`take` is called with every item; `run` closes what is whole, and lives until it is cancelled. `life_s` is how
    long nobody else is given an album that is being closed."""

    def __init__(
        self,
        rooms: Rooms,
        telegram: Telegram,
        albums: Albums,
        store: TelegramStore,
        saying: Saying,
        *,
        me: Me,
        life_s: float = LIFE_S,
        now: Clock = time.time,
    ) -> None:
        self._rooms = rooms
        self._telegram = telegram
        self._life_s = life_s
        self._albums = albums
        self._store = store
        self._saying = saying
        self._me = me
        self._now = now
        self._deadlines: dict[_Name, float] = {}
        self._sooner = asyncio.Event()
        self._closing: dict[_Name, asyncio.Task[None]] = {}
        self._due_again: set[_Name] = set()
        self._locks: Recent[_Name, asyncio.Lock] = Recent()
        self._places = Places(MOST_AT_ONCE, of_a_chat=MOST_OF_A_CHAT)
        self._seen: Recent[_Name, None] = Recent(1024)

    # --- items

    async def take(self, message: Message, raw: Json, *, admitted: bool = True) -> None:
        """An item came, or came again. What is not meant for the bot, or of nobody who may use it, is remembered
        without its words."""
        name = self._name_of(message)
        album = await self._add(message, raw, admitted=admitted)
        if album.anchor is not None:
            if message.message_id not in album.handed:
                await self._join(name, message.message_id)
        elif self._is_meant(album):
            await self._wake_for(name, album)
            if name not in self._seen:
                self._seen[name] = None
                await self._telegram.seems_busy(name[0])

    async def take_edited(self, message: Message, raw: Json, *, admitted: bool = True) -> None:
        """Other words under an item: the whole album once more, in a version of its own."""
        name = self._name_of(message)
        album = await self._add(message, raw, admitted=admitted)
        if not self._is_meant(album):
            return
        if album.anchor is None:
            await self._wake_for(name, album)
            return
        if message.message_id not in album.handed:
            await self._join(name, message.message_id)
            return
        since = await self._said_since(album)
        if since == _version_of(album):
            async with self._lock(name):
                await self._hand_over(album, since)

    async def of_reply(self, message: Message) -> Album | None:
        """The album of which one picture is replied to, as far as we saw it."""
        replied = replied_of(message)
        if replied is None or not replied.media_group_id:
            return None
        return await self._albums.of_message(chat_of(message, self._me), replied.message_id)

    async def whole(self, anchor: MessageRef) -> InboundMessage | None:
        """The message that an album is by now. None where nothing is known of it any more."""
        album = await self._albums.of_message(anchor.chat, int(anchor.message))
        found = await self._read(album, 0) if album is not None and album.items else None
        return found if isinstance(found, InboundMessage) else None

    async def _add(self, message: Message, raw: Json, *, admitted: bool) -> Album:
        chat, group = self._name_of(message)
        known = await self._albums.of_group(chat, group)
        before = known.items.get(message.message_id) if known is not None else None
        if known is not None and before is not None and _edited_at(before) > _edited_at(raw):
            return known
        kept = raw if admitted and self._concerns(message) else stripped(raw)
        return await self._albums.add(chat, group, message.message_id, kept, at=self._now())

    def _is_meant(self, album: Album) -> bool:
        return any(self._concerns(each) for each in ordered(album))

    def _concerns(self, message: Message) -> bool:
        return understood(lambda: concern_of(message, self._me))

    def _name_of(self, message: Message) -> _Name:
        return chat_of(message, self._me), str(message.media_group_id)

    # --- closing

    async def run(self) -> None:
        try:
            while not is_ending():
                self._sooner.clear()
                await self._close_due()
                if is_ending():
                    break
                try:
                    async with asyncio.timeout(self._until_next_s()):
                        await self._sooner.wait()
                except TimeoutError:
                    pass
        finally:
            self._due_again.clear()  # others will look
            try:
                if self._closing:
                    await asyncio.wait(set(self._closing.values()), timeout=LEAVE_S)
            finally:
                await end(*self._closing.values())

    async def _wake_for(self, name: _Name, album: Album) -> None:
        """One picture alone is waited for longest. Another may have come meanwhile, and have been waited for less: that
        is to hold."""
        await self._wake(name, closes_at(album, now=self._now()))
        if len(album.items) == 1:
            now = await self._albums.of_group(*name)
            if now is not None and now.anchor is None and len(now.items) > 1:
                await self._wake(name, closes_at(now, now=self._now()))

    async def _wake(self, name: _Name, when: float) -> None:
        await self._albums.wake_at(*name, when)
        self._deadlines[name] = when
        self._sooner.set()

    def _until_next_s(self) -> float:
        now = self._now()
        return min([LOOK_EVERY_S, *(max(0.0, when - now) for when in self._deadlines.values())])

    async def _close_due(self) -> None:
        now = self._now()
        self._deadlines = {name: when for name, when in self._deadlines.items() if when > now}
        try:
            due = await self._albums.due(self._me.id, now, life_s=self._life_s)
        except Exception as error:
            log.warning("albums cannot be looked for now", error=type(error).__name__)
            return
        for name in due:
            if name in self._closing:
                self._due_again.add(name)
            else:
                self._begin(name)

    def _begin(self, name: _Name) -> None:
        task = asyncio.create_task(self._look_at(name))
        self._closing[name] = task
        task.add_done_callback(partial(self._closed, name))

    def _closed(self, name: _Name, _: asyncio.Task[None]) -> None:
        """What was due again meanwhile may have been looked at too early, and is given to nobody for a while."""
        del self._closing[name]
        if name in self._due_again:
            self._due_again.discard(name)
            self._begin(name)

    async def _look_at(self, name: _Name) -> None:
        try:
            await insist(
                partial(self._close, name),
                what="album",
                hopeless=(Rejected,),
                much_later=(TokenRefused,),
                bugs=MOST_BUGS,
                room=partial(self._places.of, name[0]),
            )
        except Hopeless as error:
            log.error("album not understood", error=type(error.__cause__ or error).__name__)
            await insist(partial(self._albums.let_go, *name), what="album to be let go")

    async def _close(self, name: _Name) -> None:
        async with self._lock(name):
            album = await self._albums.of_group(*name)
            if album is not None and not album.items:  # whoever sent it was forgotten
                album = None
            if album is not None and album.anchor is None:
                when = closes_at(album, now=self._now())
                if when > self._now():
                    await self._wake(name, when)
                    return
                album = await self._albums.close(*name, anchor=anchor_of(album), handed=sorted(album.items))
            if album is not None:
                await self._hand_over(_as_handed(album), await self._said_since(album))
                await self._join_late(album)
        await self._albums.let_go(*name)

    # --- handing in

    async def _hand_over(self, album: Album, version: int) -> None:
        """It may be long since an update came: whoever sent it is spoken to in the language that came with it."""
        if not album.items:
            return
        with speaking(_tag_of(album), spoken()):
            match await self._read(album, version):
                case InboundMessage() as message:
                    await _unless_closed(lambda: self._rooms.receive(message))
                    await _unless_closed(lambda: self._say_what_is_hidden(album))
                case Snag() as snag:
                    anchor = MessageRef(album.chat, str(anchor_of(album)))
                    words = snag.words
                    await _unless_closed(lambda: self._saying.once(f"snag:{anchor.key}", anchor, words))

    async def _say_what_is_hidden(self, album: Album) -> None:
        """In privacy mode a command below an album brings the picture that it stands under, and none of the others."""
        (first, *others) = ordered(album)
        if others or not is_group(album.chat) or self._me.reads_all or replied_of(first) is not None:
            return
        group = group_of(album.chat)
        if int(self._me.id) not in await self._telegram.admins(group):
            anchor = MessageRef(album.chat, str(first.message_id))
            await self._saying.once_a_day(f"one-of-album:{group.key}", anchor, tr(ONE_OF_AN_ALBUM))

    async def _read(self, album: Album, version: int) -> InboundMessage | Snag:
        items = ordered(album)
        answering = next((each for each in items if replied_of(each) is not None), items[0])
        replied = await self.of_reply(answering)
        return understood(lambda: inbound_of(items[0], self._me, version=version, album=album, replied_album=replied))

    async def _said_since(self, album: Album, version: int | None = None) -> int:
        """Since which version of it, what was handed over says what it says."""
        anchor = MessageRef(album.chat, str(anchor_of(album)))
        says = "\0\0".join(says_of(each) for each in ordered(_as_handed(album)))
        return await self._store.says_since(anchor, says, _version_of(album) if version is None else version)

    # --- stragglers

    async def _join(self, name: _Name, item: int) -> None:
        async with self._lock(name):
            album = await self._albums.of_group(*name)
            if album is not None and item not in album.handed:
                await self._join_late(album)

    async def _join_late(self, album: Album) -> None:
        late = sorted(album.items.keys() - album.handed)
        if not late:
            return
        since = await self._said_since(album)
        message = await self._read(album, since)
        if isinstance(message, Snag):
            return
        with speaking(_tag_of(album), spoken()):
            if not await self._goes_along(message):
                await self._offer(album, MessageRef(album.chat, str(late[-1])), len(message.attachments))
        now = await self._albums.close(album.chat, album.group, anchor=anchor_of(album), handed=late)
        await self._said_since(now, since)  # that more came is no edit

    async def _goes_along(self, message: InboundMessage) -> bool:
        try:
            return await self._rooms.join(message)
        except ChatClosed:
            return True

    async def _offer(self, album: Album, to: MessageRef, count: int) -> None:
        key = Key(redo_label(count), str(ButtonId(Verb.WHOLE, argument=str(anchor_of(album)))))
        what = f"late:{album.chat.key}:{album.group}"
        await _unless_closed(lambda: self._saying.once(what, to, tr(LATE_WORDS), keyboard=((key,),)))

    def _lock(self, name: _Name) -> asyncio.Lock:
        """One hand-over of an album at a time: two at once might both post a reply."""
        if name not in self._locks:
            self._locks[name] = asyncio.Lock()
        return self._locks[name]


async def _unless_closed(action: Callable[[], Awaitable[object]]) -> None:
    """Where nothing can be posted there is nothing to be done."""
    try:
        await action()
    except ChatClosed as error:
        log.info("chat closed", code=error.code)


def _as_handed(album: Album) -> Album:
    """As it was when it was closed."""
    return replace(album, items={id_: raw for id_, raw in album.items.items() if id_ in album.handed})


def _tag_of(album: Album) -> str:
    """The language of whoever sent it."""
    return next((tag for each in ordered(album) if (tag := tag_of(each))), "")


def _version_of(album: Album) -> int:
    return version_of(*ordered(_as_handed(album)))


def _edited_at(raw: Json) -> int:
    return int(raw.get("edit_date") or 0)

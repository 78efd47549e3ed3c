"""What belongs to a reply and needs messages of its own. Each is posted once: it has a place in the ledger, and where
nobody knows whether it arrived, that is said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from adapters.telegram.api import TelegramApi
from adapters.telegram.arguments import Media, Sent
from adapters.telegram.beside import Beside
from adapters.telegram.errors import NotAllowed, OutcomeUnknown, Rejected
from adapters.telegram.meaning import GONE_WORDS
from adapters.telegram.once import Hold, Taken
from adapters.telegram.ports import Ledger, Send, SendState, TelegramStore
from adapters.telegram.refs import is_group, message_id_of
from adapters.telegram.render import Shot, others_said
from adapters.telegram.render import Shown as Rendered
from adapters.telegram.uploads import Uploads
from adapters.telegram.words import Said
from bot.domain.errors import ChatGone
from bot.domain.images import ALL
from bot.domain.language import tr
from bot.domain.messages import Answer, Shown
from bot.domain.refs import MessageRef, message_ref_of, thread_of
from bot.ports import Clock, MessageStore

log = structlog.get_logger("telegram")

_GONE_S: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class Part:
    """What belongs to an answer and needs a message of its own, or several. `shows` are the results, in order."""

    key: str
    send: Callable[[Hold], Awaitable[Sequence[Sent]]]
    shows: Sequence[Shown]


class Parts:
    """`take_away` deletes messages of ours. Whoever began to send one `stale_s` seconds ago has not come back."""

    def __init__(
        self,
        api: TelegramApi,
        store: TelegramStore,
        ledger: Ledger,
        messages: MessageStore,
        uploads: Uploads,
        *,
        take_away: Callable[[Sequence[MessageRef]], Awaitable[None]],
        stale_s: float,
        now: Clock,
    ) -> None:
        self._api = api
        self._store = store
        self._ledger = ledger
        self._messages = messages
        self._uploads = uploads
        self._beside = Beside(ledger)
        self._take_away = take_away
        self._stale_s = stale_s
        self._now = now

    def of(self, reply: MessageRef, answer: Answer, shown: Rendered) -> list[Part]:
        """Photos and documents can't stand in one album."""
        if answer.turn is None:
            return []
        parts: list[Part] = []
        for as_photo, name in ((True, "photos"), (False, "documents")):
            shots = [shot for shot in shown.others if shot.as_photo is as_photo]
            if shots:
                parts.append(self._pictures(f"{answer.turn}:{name}", reply, answer, shots, as_photo=as_photo))
        if shown.rest is not None:
            rest = shown.rest

            async def send_words(hold: Hold) -> Sequence[Sent]:
                return [Sent(await self._api.send_text(reply.chat, rest, reply_to=reply, begun=hold.begin))]

            parts.append(Part(f"{answer.turn}:words", send_words, [Shown(answer.turn, ALL)]))
        return parts

    def _pictures(self, key: str, reply: MessageRef, answer: Answer, shots: Sequence[Shot], *, as_photo: bool) -> Part:
        async def send_pictures(hold: Hold) -> Sequence[Sent]:
            try:
                return await self._send_pictures(reply, answer, shots, hold, as_photo=as_photo)
            except Rejected:
                if not as_photo:
                    raise
            await hold.let_go()
            return await self._send_pictures(reply, answer, shots, hold, as_photo=False)

        return Part(key, send_pictures, [Shown(shot.turn, shot.index) for shot in shots if shot.turn is not None])

    async def _send_pictures(
        self, reply: MessageRef, answer: Answer, shots: Sequence[Shot], hold: Hold, *, as_photo: bool
    ) -> Sequence[Sent]:
        words = others_said(answer, shots)

        async def media(*, anew: bool) -> list[Media]:
            captions = [words, *[Said()] * (len(shots) - 1)]
            found = [
                await self._uploads.media(shot, as_photo=as_photo, caption=caption, spoiler=answer.spoiler, anew=anew)
                for shot, caption in zip(shots, captions, strict=True)
            ]
            return [each for each, _ in found]

        async def send(files: Sequence[Media]) -> Sequence[Sent]:
            if len(files) == 1:
                return [await self._api.send_media(reply.chat, files[0], reply_to=reply, begun=hold.begin)]
            return await self._api.send_album(reply.chat, files, reply_to=reply, begun=hold.begin)

        files = await media(anew=False)
        try:
            sent = await send(files)
        except Rejected as rejected:
            if isinstance(rejected, NotAllowed) or not any(isinstance(each.file, str) for each in files):
                raise
            await hold.let_go()
            sent = await send(await media(anew=True))
        for shot, each in zip(shots, sent, strict=False):
            await self._uploads.note(shot, each, as_photo=as_photo)
        return sent

    async def any_unsure(self, parts: Sequence[Part]) -> bool:
        found = [await self._ledger.find(part.key) for part in parts]
        return any(each is not None and each.state is SendState.UNKNOWN for each in found)

    async def send_once(self, reply: MessageRef, part: Part) -> bool:
        """False where nobody knows whether it arrived. Raises `Unavailable` while somebody else may be at it."""
        known = await self._ledger.find(part.key)
        if known is None:
            try:
                return await self._send_now(reply, part)
            except Taken as taken:
                known = taken.known
        match known.state:
            case SendState.SENT:
                # A crash may have come between.
                await self._attach(reply, await self._stand(reply, part, known), part)
                return True
            case SendState.UNKNOWN:
                return False
            case SendState.SENDING | SendState.NEW:
                if self._now() - known.at < self._stale_s:
                    raise Taken(known)
                await self._ledger.unknown(part.key)
                return False

    async def _send_now(self, reply: MessageRef, part: Part) -> bool:
        async def look() -> None:
            if await self._store.was(_gone(reply)):
                raise ChatGone(tr(GONE_WORDS))

        try:
            async with Hold(self._ledger, part.key, look=look) as hold:
                sent = await part.send(hold)
        except (OutcomeUnknown, Rejected) as error:
            log.warning("telegram.part_not_sent", error=type(error).__name__)
            await self._ledger.unknown(part.key)
            return False
        if is_group(reply.chat) and sent:
            await self._store.note(f"at:{part.key}", sent[0].ref.key)
        await self._ledger.sent(part.key, [message_id_of(each.ref) or 0 for each in sent])
        await self._attach(reply, [each.ref for each in sent], part)
        return True

    async def _stand(self, reply: MessageRef, part: Part, known: Send) -> Sequence[MessageRef]:
        """A group may have moved before or after, and a topic may be gone."""
        first = await self._store.noted(f"at:{part.key}") if is_group(reply.chat) else ""
        chat = message_ref_of(first).chat if first else reply.chat
        return [MessageRef(chat, str(id_)) for id_ in known.messages]

    async def _attach(self, reply: MessageRef, refs: Sequence[MessageRef], part: Part) -> None:
        """A reply to one of them finds what it shows. What was deleted meanwhile takes them along."""
        await self._beside.note(reply, refs)
        if await self._store.was(_gone(reply)):
            await self._take_away(refs)
            raise ChatGone(tr(GONE_WORDS))
        for ref, shows in zip(refs, part.shows, strict=False):
            await self._messages.attach(ref, thread_of(shows.turn), [shows])

    async def let_go_unsure(self, parts: Sequence[Part]) -> None:
        """They are to be sent again knowingly."""
        for part in parts:
            known = await self._ledger.find(part.key)
            if known is not None and known.state is SendState.UNKNOWN:
                await self._ledger.drop(part.key)

    async def gone(self, reply: MessageRef) -> None:
        """Nothing of it is to be sent any more; what is on its way is taken away by who sends it."""
        await self._store.once(_gone(reply), life_s=_GONE_S)


def _gone(reply: MessageRef) -> str:
    return f"gone:{reply.key}"

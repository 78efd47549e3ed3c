"""`/verify`: what is known of where a picture comes from. Open to anybody; nothing of what is asked about is kept.

Whoever asks hears of a result of ours that this bot made it, with its label, model and day. Who asked for it, and whose
pictures it grew from, is told only in the chat where it stands. That somebody sent a picture is never told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol, TypeVar

import structlog

from bot.contests import Contests
from bot.domain.commands import Command
from bot.domain.credit import credit_line, is_step
from bot.domain.errors import BadPicture, BadRequest, RemixError
from bot.domain.images import ImageFacts
from bot.domain.language import speaking, tr
from bot.domain.messages import Attachment, InboundMessage, MessageRecord, sharing
from bot.domain.outcomes import NO_RESULTS
from bot.domain.refs import ChatRef, TurnId, UserRef
from bot.domain.turns import TurnStatus
from bot.domain.verifying import (
    ASKS_FOR_PICTURE,
    TOO_OFTEN,
    Findings,
    Gone,
    Known,
    Likeness,
    Made,
    Match,
    Metadata,
    Report,
    report_of,
    words_of,
)
from bot.lineage import path_to
from bot.ports import Clock, ImageStore, Platform, RenditionMaker, TurnStore
from bot.recent import Recent
from bot.telling import Told

log = structlog.get_logger("verifying")

MOST_PICTURES: Final = 4
"""Of one message."""
MOST: Final = 20
WINDOW_S: Final = 60.0
"""So often one person may ask."""
_AT_ONCE, _HELD = 2, 4
"""So many files are looked at side by side, and so many of chats are in memory."""
LOOKING_S: Final = 20.0
"""Longest look at what a file says, and at what it looks like, each."""


class Recognition(Protocol):
    """Whether a picture looks like one that this bot made."""

    async def look_up(self, data: bytes) -> Match | None:
        """None where no fingerprints are kept. Nothing of the file stays. Its size and pixel count are within bounds;
        it may be broken, and of any kind: then it is unknown."""
        ...


class Verifying:
    """`read` gives what a file says of itself; it blocks, and raises nothing."""

    def __init__(
        self,
        *,
        read: Callable[[bytes], Findings],
        recognition: Recognition,
        platforms: Mapping[str, Platform],
        turns: TurnStore,
        contests: Contests,
        images: ImageStore,
        renditions: RenditionMaker,
        max_bytes: int,
        max_pixels: int,
        now: Clock = time.monotonic,
        looking_s: float = LOOKING_S,
    ) -> None:
        self._read = read
        self.recognition = recognition
        self._platforms = platforms
        self._turns = turns
        self._contests = contests
        self._images = images
        self._renditions = renditions
        self.max_bytes = max_bytes
        self._max_pixels = max_pixels
        self._some = asyncio.Semaphore(_AT_ONCE)
        self._held = asyncio.Semaphore(_HELD)
        self._asked: Recent[UserRef, tuple[float, int]] = Recent()
        self._now = now
        self._looking_s = looking_s

    # --- a file, by whoever has it

    async def check(self, data: bytes, *, chat: ChatRef | None = None) -> Report:
        """What is known of a file. `chat` is where that is asked, None for the page and the command line. Raises
        `BadPicture` where it is too large, or empty."""
        known, _ = await self._known(data, chat)
        return report_of(known)

    async def _known(self, data: bytes, chat: ChatRef | None) -> tuple[Known, Sequence[TurnStatus]]:
        """And the turns that are told of."""
        findings = await self._looked_through(data)
        async with self._some:
            match = await self._matched(data)
        if match is None or match.turn is None or match.likeness is Likeness.UNKNOWN:
            return Known(findings, match=match), ()
        made, path = await self._made(match.turn, chat)
        return Known(findings, match=match, matched=made), path

    async def _looked_through(self, data: bytes) -> Findings:
        if not data:
            raise BadPicture(tr("That file is empty. Please send it once more."))
        if len(data) > self.max_bytes:
            words = tr("That picture is too large for me. I can take up to {megabytes} MB.")
            raise BadPicture(words.format(megabytes=self.max_bytes // 2**20))
        async with self._some:
            findings = await self._read_through(data)
        if findings.pixels > self._max_pixels:
            words = tr("That picture has too many pixels for me. I can take up to {millions} million.")
            raise BadPicture(words.format(millions=self._max_pixels // 1_000_000))
        return findings

    async def _read_through(self, data: bytes) -> Findings:
        """A thread cannot be stopped: it is left behind, and has no more than a place of the two."""
        try:
            async with asyncio.timeout(self._looking_s):
                return await asyncio.to_thread(self._read, data)
        except TimeoutError:
            log.warning("a file took too long to look through", size_bytes=len(data))
            return Findings(slow=True)

    async def _matched(self, data: bytes) -> Match | None:
        try:
            async with asyncio.timeout(self._looking_s):
                return await self.recognition.look_up(data)
        except Exception as error:  # hostile bytes in a decoder: then nobody knows, and the rest is told
            log.warning("a picture could not be looked up", error=type(error).__name__)
            return Match(Likeness.UNKNOWN)

    # --- a message in a chat

    async def answer(self, command: Command, message: InboundMessage, target: MessageRecord | None) -> Told:  # noqa: ARG002
        self._count(message.author)
        if message.attachments:
            return await self._of_files(message, message.attachments)
        if target is not None and target.shows:
            return await self._of_ours(message, target)
        quoted = message.quoted
        if quoted is not None and quoted.attachments:
            return await self._of_files(message, _meant(quoted.attachments, message), posted=quoted.ours)
        if target is not None and target.sources:
            return await self._of_kept(message, _meant(target.sources, message))
        raise BadRequest(tr(ASKS_FOR_PICTURE))

    def _count(self, person: UserRef) -> None:
        now = self._now()
        since, asked = self._asked.get(person, (now, 0))
        if now - since > WINDOW_S:
            since, asked = now, 0
        self._asked[person] = since, asked + 1
        if asked >= MOST:
            raise BadRequest(tr(TOO_OFTEN))

    async def _of_files(self, message: InboundMessage, files: Sequence[Attachment], *, posted: bool = False) -> Told:
        """As they lie on the platform. They are fetched past the door that cleans and keeps."""
        found = [await self._of_file(message, each) for each in files[:MOST_PICTURES]]
        known = [replace(each, stands_here=posted) for each, _ in found]
        return _told(known, [status for _, path in found for status in path], len(files))

    async def _of_file(self, message: InboundMessage, file: Attachment) -> tuple[Known, Sequence[TurnStatus]]:
        platform = self._platforms[message.ref.chat.platform]
        async with self._held:
            data = await platform.fetch(file, max_bytes=self.max_bytes)
            known, path = await self._known(data, message.ref.chat)
        if file.stripped and known.findings is not None:
            known = replace(known, findings=replace(known.findings, gone=Gone.BY_PLATFORM))
        return known, path

    async def _of_ours(self, message: InboundMessage, target: MessageRecord) -> Told:
        """An answer of ours in this very chat: that it is ours is remembered, whatever its file says."""
        show = target.shows[0]
        status = await self._turns.load(show.turn)
        if status is None or status.erased or status.outcome is None or not status.outcome.images:
            raise BadRequest(tr(ASKS_FOR_PICTURE))
        made, path = await self._made(show.turn, message.ref.chat)
        if made is not None and made.hides:
            # What the file says would tell.
            return _told([Known(Findings(), stands_here=True, record=made)], path)
        findings = await self._file_of_ours(message, status, show.index)
        return _told([Known(findings, stands_here=True, record=made)], path)

    async def _file_of_ours(self, message: InboundMessage, status: TurnStatus, index: int) -> Findings | None:
        """What stands in the chat; where the platform does not show it, what we sent."""
        assert status.outcome is not None
        try:
            if message.quoted is not None and message.quoted.attachments:
                known, _ = await self._of_file(message, _meant(message.quoted.attachments, message)[0])
                return known.findings
            images = status.outcome.images[max(index, 0) :][:1] or status.outcome.images[:1]
            shown = await self._platforms[message.ref.chat.platform].capabilities(message.ref.chat)
            capabilities = sharing(shown, len(status.turn.album) or len(status.outcome.images))
            with speaking(status.turn.language):  # as it stands there: a mark says it in a language
                (sent,) = await self._renditions.of(images, status.outcome.label, capabilities)
            return await self._looked_through(await self._images.get(sent.image.sha256))
        except (RemixError, KeyError):
            return None

    async def _of_kept(self, message: InboundMessage, images: Sequence[ImageFacts]) -> Told:
        """Pictures of a message that the platform does not show again: what it said was read when it came in."""
        known: list[Known] = []
        path: list[TurnStatus] = []
        for image in images[:MOST_PICTURES]:
            try:
                found, grown = await self._known(await self._images.get(image.sha256), message.ref.chat)
            except KeyError:
                raise BadRequest(tr(ASKS_FOR_PICTURE)) from None
            path += grown
            said = Metadata(remembered=image.provenance)
            known.append(replace(found, findings=Findings(metadata=said, gone=Gone.BY_US)))
        return _told(known, path, len(images))

    # --- what may be told

    async def _made(self, turn: TurnId, chat: ChatRef | None) -> tuple[Made | None, Sequence[TurnStatus]]:
        """A result of ours, and the branch that it stands on where that may be told: in its own chat."""
        status = await self._turns.load(turn)
        if status is None or status.erased or status.outcome is None:
            return None, ()
        contest = await self._contests.of_turn(status.turn)
        if contest is not None and contest.hides:
            return Made(hides=True), ()
        outcome, here = status.outcome, chat is not None and status.turn.chat == chat
        if outcome.code in NO_RESULTS or not is_step(status):
            return Made(label=outcome.label), ()
        path = await path_to(status, self._turns) if here else ()
        return Made(outcome.label, outcome.finished_at, outcome.usage.model, credit_line(path), here=here), path


_T = TypeVar("_T")


def _meant(of: Sequence[_T], message: InboundMessage) -> Sequence[_T]:
    """The one that was touched, where one was."""
    index = message.reply_index
    return of if index is None else of[index : index + 1] or of[:1]


def _told(known: Sequence[Known], path: Sequence[TurnStatus], asked: int = 1) -> Told:
    """What names people goes when one of them is forgotten."""
    turns = [status.turn for status in path]
    people = (person for turn in turns for person in (turn.author, *turn.owners))
    said = (person for turn in turns for person in (turn.author, turn.words_by, *turn.words_of))
    return Told(
        words_of([report_of(each) for each in known], more=max(0, asked - len(known))),
        owners=tuple(dict.fromkeys(people)),
        words_of=tuple(dict.fromkeys(person for person in said if person is not None)),
    )

"""Showing a result to the world by a link, for as long as everybody in it lets it be seen."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import structlog

from bot.consent import Consent
from bot.domain.commands import Command, help_words
from bot.domain.credit import lent_to
from bot.domain.errors import BadRequest, NotAllowed
from bot.domain.images import ALL, Input, Role
from bot.domain.inputs import results_of
from bot.domain.language import tr
from bot.domain.messages import ChatCapabilities, InboundMessage, MessageRecord, sharing
from bot.domain.outcomes import NO_RESULTS
from bot.domain.refs import TurnId, UserRef
from bot.domain.sharing import (
    A_STEP,
    ASKS_NAME,
    ENDED,
    FOR_ADULTS,
    HERE_IT_IS,
    NAMED,
    NO_ADDRESS,
    NOT_SHARED,
    NOT_YOURS_TO_SHARE,
    NOTHING_TO_SHARE,
    OTHERS_IN_IT,
    REMIX,
    REMIX_GONE,
    REMIX_IT,
    SHARE,
    SHARED,
    Finished,
    Share,
    SharedResult,
    code_of,
    meant_by,
)
from bot.domain.turns import Turn, TurnState, TurnStatus
from bot.domain.wishes import PLAIN_WISH
from bot.domain.words import WHICH_ONE, as_said
from bot.ground import Ground, Request, only
from bot.links import Links
from bot.ports import MessageStore, Platform, RenditionMaker, ShareStore, TurnStore
from bot.telling import Told

log = structlog.get_logger("sharing")

WayBack = Callable[[Turn, str], Awaitable[str]]
"""A turn and the id of a shared result: gives a link by which people come to it to go on, empty where there is none."""

_Known = dict[TurnId, TurnStatus]

_WAY_BACK_S: Final = 2.0
_STEP_CHARS: Final = 280
_LOOKED_AT: Final = 100
"""So many of a person's last turns are looked at for what they may show."""


class Sharing:
    """`/share`, `/unshare`, and /start with what a shared page's link adds to it. `address` is the page's own, empty
    where others cannot reach it. `ways_back` by platform.

    Whether something may be seen is decided whenever somebody looks, and never remembered."""

    def __init__(
        self,
        *,
        turns: TurnStore,
        messages: MessageStore,
        shares: ShareStore,
        consent: Consent,
        renditions: RenditionMaker,
        platforms: Mapping[str, Platform],
        links: Links,
        address: str,
        ways_back: Mapping[str, WayBack],
    ) -> None:
        self._turns = turns
        self._messages = messages
        self._shares = shares
        self._consent = consent
        self._renditions = renditions
        self._platforms = platforms
        self._links = links
        self._address = address.rstrip("/")
        self._ways_back = ways_back

    async def answer(self, command: Command, message: InboundMessage, target: MessageRecord | None) -> Told:
        if command.name == "start":
            return await self._remix(command)
        status, index = await self._meant(message, target)
        if status is None or status.erased:
            raise BadRequest(tr(NOTHING_TO_SHARE))
        if status.turn.author != message.author:
            raise NotAllowed(tr(NOT_YOURS_TO_SHARE))
        if command.name == "unshare":
            return Told(tr(ENDED) if await self._shares.end(status.turn.id) else tr(NOT_SHARED))
        if not self._address:
            raise BadRequest(tr(NO_ADDRESS))
        await self._check(status, index)
        owners = status.turn.owners
        if message.press is None:
            return Told(tr(ASKS_NAME), owners=owners, code=code_of(SHARE, status.turn.id, index))
        share = Share(status.turn.id, index, named=command.arguments == (NAMED,))
        words = tr(HERE_IT_IS).format(link=self._links.mark(await self._link(share)))
        return Told(words, owners=owners, code=code_of(SHARED, status.turn.id, index))

    async def _link(self, share: Share) -> str:
        token = secrets.token_hex(20)
        await self._shares.keep(share, _of_page(token), _of_remix(remix_id_of(token)))
        log.info("result shared", turn=share.turn)
        return f"{self._address}/s/{token}"

    async def _meant(self, message: InboundMessage, target: MessageRecord | None) -> tuple[TurnStatus | None, int]:
        """The result that is replied to, or that an answer of ours is about."""
        if target is None:
            latest = await self._messages.latest(message.ref.chat, message.author)
            target = await self._messages.find(latest) if latest is not None else None
        if target is None or not target.shows:
            return None, 0
        place = message.reply_index
        if len(target.shows) > 1:
            capabilities = await self._capabilities(message.ref.chat.platform, target)
            if place is None and not capabilities.one_picture_each:
                raise BadRequest(tr(WHICH_ONE))
            target = only(target, place or 0)
            place = None
        if not target.shows:
            return None, 0
        shown = target.shows[0]
        status = await self._turns.load(shown.turn)
        about = meant_by(status.outcome.code) if status is not None and status.outcome is not None else None
        if about is not None:
            return await self._turns.load(about[0]), about[1]
        return status, place if place is not None else max(0, shown.index if shown.index != ALL else 0)

    async def _capabilities(self, platform: str, target: MessageRecord) -> ChatCapabilities:
        return await self._platforms[platform].capabilities(target.ref.chat)

    # --- whether

    async def _check(self, status: TurnStatus, index: int, known: _Known | None = None) -> Sequence[TurnStatus]:
        """Gives the way to it, from its beginning. Raises `RemixError` where it is not to be seen by others. `known` is
        what was read before, and grows."""
        outcome, turn = status.outcome, status.turn
        if outcome is None or status.erased or status.state is not TurnState.DONE or outcome.nodes:
            raise BadRequest(tr(NOTHING_TO_SHARE))
        if outcome.code in NO_RESULTS:  # people's own pictures, as they sent them
            raise BadRequest(tr(NOTHING_TO_SHARE))
        if not 0 <= index < len(outcome.images) or outcome.label is None:
            raise BadRequest(tr(NOTHING_TO_SHARE))
        if (await self._platforms[turn.chat.platform].capabilities(turn.chat)).age_limited:
            raise NotAllowed(tr(FOR_ADULTS))
        if turn.unnamed:
            raise NotAllowed(tr(OTHERS_IN_IT))
        ways = await self._ways_to(status, {} if known is None else known)
        if any(each.erased for each in ways):
            await self._shares.end(turn.id)  # whoever went does not come back when the trace of that is gone
            raise BadRequest(tr(NOTHING_TO_SHARE))
        people = [*turn.owners, *(owner for each in ways for owner in _owners_in(each.turn))]
        if not await self._is_free(people, turn):
            raise NotAllowed(tr(OTHERS_IN_IT))
        return ways

    async def _is_free(self, people: Sequence[UserRef | None], turn: Turn) -> bool:
        return await self._consent.is_free(
            tuple(dict.fromkeys(people)), asker=turn.author, chat=turn.chat, server=turn.server, around=turn.around
        )

    async def _ways_to(self, status: TurnStatus, known: _Known) -> Sequence[TurnStatus]:
        """All that it came from, itself among them, in order; also what stands in another thread of its chat. Raises
        `BadRequest` where something of it is not known any more. A thread may be far larger than the way to one of it,
        so it is not read as a whole."""
        found, waiting = {status.turn.id: status}, [status]
        while waiting:
            turn = waiting.pop().turn
            for id_ in (turn.parent, *(each.from_turn for each in turn.inputs)):
                if id_ is None or id_ in found:
                    continue
                above = known.get(id_) or await self._turns.load(id_)
                if above is None or above.turn.chat != status.turn.chat:
                    raise BadRequest(tr(NOTHING_TO_SHARE))
                known[id_] = found[id_] = above
                waiting.append(above)
        return sorted(found.values(), key=lambda each: each.turn.created_at)

    # --- what is seen

    async def shared(self, token: str) -> SharedResult | None:
        """See `bot.ports.Rooms`."""
        found = await self._found(_of_page(token))
        if found is None:
            return None
        share, status, ways = found
        turn, outcome = status.turn, status.outcome
        assert outcome is not None
        try:
            chat = await self._platforms[turn.chat.platform].capabilities(turn.chat)
            place = ChatCapabilities(profile=chat.profile)
            picture, *_ = await self._renditions.of([outcome.images[share.index]], outcome.label, place)
        except KeyError:
            return None
        path = _path(ways, status)
        others = {person for each in path for person in _words_in(each.turn)} | set(turn.owners)
        return SharedResult(
            picture=picture,
            by=turn.author_name if share.named else "",
            friends=len(others - {turn.author}),
            steps=tuple([await self._step(each.turn, turn) for each in path]),
            remix=await self._way_back(turn, remix_id_of(token)),
            spoiler=turn.spoiler,
        )

    async def _found(self, secret: str) -> tuple[Share, TurnStatus, Sequence[TurnStatus]] | None:
        share = await self._shares.find(secret)
        status = await self._turns.load(share.turn) if share is not None else None
        if share is None or status is None:
            return None
        try:
            return share, status, await self._check(status, share.index)
        except (BadRequest, NotAllowed):
            return None

    async def _step(self, step: Turn, shared: Turn) -> str:
        """Others' words are read by strangers only where their pictures may be seen by them."""
        if not await self._is_free(_words_in(step), shared):
            return tr(A_STEP)
        words = " ".join(as_said(step.instruction).split()) or tr(A_STEP)  # where they were taken back
        return words if len(words) <= _STEP_CHARS else f"{words[:_STEP_CHARS]}…"

    async def _way_back(self, turn: Turn, remix_id: str) -> str:
        way = self._ways_back.get(turn.chat.platform)
        if way is None:
            return ""
        try:
            async with asyncio.timeout(_WAY_BACK_S):
                return await way(turn, remix_id)
        except Exception as error:  # the platform is away: the picture is there all the same
            log.warning("no way back", platform=turn.chat.platform, error=type(error).__name__)
            return ""

    # --- going on from it

    async def _remix(self, command: Command) -> Told:
        if not command.rest.startswith(REMIX):
            return Told(help_words())
        found = await self._found(_of_remix(command.rest.removeprefix(REMIX).strip()[:64]))
        if found is None:
            raise BadRequest(tr(REMIX_GONE))
        share, status, _ = found
        # A beginning of its own: what was said before, who said it and what it was made from stay where they are.
        inputs = tuple(replace(each, owner=None) for each in results_of(status, share.index)[0])
        turn = status.turn
        others = tuple(dict.fromkeys([*turn.owners, turn.author]))
        engines = status.outcome.label.engines if status.outcome is not None and status.outcome.label else ()
        ground = Ground(inputs=inputs, owners=others, engines=engines, spoiler=turn.spoiler, unnamed=others)
        ground = replace(ground, lent=tuple(replace(each, name="") for each in lent_to(turn)))
        return Told(tr(REMIX_IT), instead=Request("", PLAIN_WISH, ground), again=True)

    # --- one's own results

    async def finished(self, by: UserRef, *, words: str, most: int) -> Sequence[Finished]:
        """See `bot.ports.Rooms`."""
        wanted = words.casefold().split()
        found: list[Finished] = []
        known: _Known = {}
        for id_ in await self._turns.of_person(by, most=_LOOKED_AT):
            if len(found) >= most:
                break
            status = known.get(id_) or await self._turns.load(id_)
            said = status.turn.instruction.casefold() if status is not None else ""
            if status is not None and status.turn.author == by and all(word in said for word in wanted):
                known[id_] = status
                found += await self._showable(status, known)
        return found[:most]

    async def _showable(self, status: TurnStatus, known: _Known) -> Sequence[Finished]:
        """Where everybody in it is the asker, or said that it may always be. What is hidden in a chat is not shown in
        others."""
        turn, outcome = status.turn, status.outcome
        if outcome is None or turn.spoiler or not outcome.images:
            return ()
        try:
            if not await self._consent.all_said_here(turn.owners, asker=turn.author, chat=turn.chat):
                return ()  # without reading how it came about
            ways = await self._check(status, 0, known)
            people = [owner for each in ways for owner in _owners_in(each.turn)]
            if not await self._consent.all_said_here(people, asker=turn.author, chat=turn.chat):
                return ()
            capabilities = await self._platforms[turn.chat.platform].capabilities(turn.chat)
            fitting = sharing(capabilities, max(len(outcome.images), len(turn.album)))
            made = await self._renditions.of(outcome.images, outcome.label, fitting)
        except (BadRequest, NotAllowed, KeyError):
            return ()
        return [Finished(turn.id, index, each, turn.instruction) for index, each in enumerate(made)]


def remix_id_of(token: str) -> str:
    """Who has a page's link can go on from what it shows; who was only asked to go on learns no link."""
    return hashlib.sha256(f"remix {token}".encode(errors="surrogatepass")).hexdigest()[:40]


def _of_page(token: str) -> str:
    return f"page {token}"


def _of_remix(id_: str) -> str:
    return f"remix {id_}"


def _words_in(turn: Turn) -> list[UserRef]:
    """Whose words its instruction is."""
    return [turn.words_by or turn.author, *turn.words_of]


def _owners_in(turn: Turn) -> list[UserRef | None]:
    """Whose pictures a turn took in; None where nobody knows."""
    return [each.owner for each in turn.inputs if each.role is Role.SOURCE or _is_lost(each)]


def _is_lost(each: Input) -> bool:
    """A result of ours that nobody remembers: it may have been made of anything."""
    return each.from_turn is None and each.owner is None


def _path(ways: Sequence[TurnStatus], last: TurnStatus) -> list[TurnStatus]:
    """From parent to child, those that made a picture."""
    known = {each.turn.id: each for each in ways}
    path: list[TurnStatus] = []
    at: TurnStatus | None = last
    while at is not None:
        if at.outcome is not None and at.outcome.images and not at.outcome.nodes:
            path.append(at)
        at = known.get(at.turn.parent) if at.turn.parent is not None else None
    return path[::-1]

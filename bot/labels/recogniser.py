"""Keeps the fingerprints of what a turn was made from and of what it made, and says of a picture whether it is ours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from bot.domain.images import Picture
from bot.domain.recognition import RADIUS_BITS, UNKNOWN, Kind, Recognition, Tier, judged
from bot.domain.refs import TurnId
from bot.labels.fingerprint import QUALITY_MIN, QUALITY_MIN_KEPT, Fingerprint, fingerprint_of
from bot.labels.ports import FingerprintIndex, Row, TurnRows

SENT_MAX: Final = 32
"""How many codes of people's pictures a turn keeps: its own first, then those of the turns that it stands on."""


class Recogniser:
    """A result is kept together with every picture that people sent for it, along its whole branch: there is no moment,
    and after erasure and expiry no state, in which our picture is known and the original that it looks like is not."""

    def __init__(self, index: FingerprintIndex) -> None:
        self._index = index

    async def remember(
        self,
        turn: TurnId,
        results: Sequence[Sequence[Picture]],
        sent: Sequence[Picture],
        *,
        stands_on: Sequence[TurnId] = (),
        pinned: Callable[[], Awaitable[Sequence[Picture]]] | None = None,
    ) -> None:
        """Keep what this turn made, what people sent for it, and what the turns that it `stands_on` (its parent, and
        those whose results went into it) keep of people's pictures. Harmless to repeat. `pinned` gives what its branch
        began with: looked at where those turns do not keep it.

        Of each result its master, and each copy whose pixels differ by more than their encoding: one with a mark in its
        corner. A copy of one of our results that somebody sends is still our result: it is not kept as theirs.
        """
        rows: list[Row] = []
        for n, copies in enumerate(results):
            made = await asyncio.to_thread(_fingerprints, copies, QUALITY_MIN)
            codes = [code for each in made if each is not None for code in each.codes]
            rows += [Row(Kind.OURS, n, code) for code in dict.fromkeys(codes)]
        earlier = await self._index.rows(list(dict.fromkeys(stands_on)))
        inherited = [row.code for each in earlier for row in each.rows if row.kind is Kind.SENT]
        is_kept = bool(earlier) and len(earlier) == len(set(stands_on)) and len(inherited) < SENT_MAX - len(sent) * 2
        if pinned is not None and not is_kept:
            sent = [*sent, *await pinned()]
        came = await asyncio.to_thread(_fingerprints, sent, QUALITY_MIN_KEPT)
        codes = [code for each in came if each is not None and not await self._is_ours(each) for code in each.codes]
        codes += inherited
        rows += [Row(Kind.SENT, n, code) for n, code in enumerate(dict.fromkeys(codes))][:SENT_MAX]
        await self._index.put([TurnRows(turn, tuple(rows))])

    async def recognise(self, picture: Picture) -> Recognition:
        """What is known of a picture that somebody asks about. Nothing of it is kept."""
        (asked,) = await asyncio.to_thread(_fingerprints, [picture], QUALITY_MIN)
        return await self._judged(asked) if asked is not None else UNKNOWN

    async def _is_ours(self, came: Fingerprint) -> bool:
        return came.quality >= QUALITY_MIN and (await self._judged(came)).tier is Tier.MATCH

    async def _judged(self, asked: Fingerprint) -> Recognition:
        return judged(await self._index.nearest(asked.codes, radius_bits=RADIUS_BITS))


def _fingerprints(pictures: Sequence[Picture], quality_min: int) -> list[Fingerprint | None]:
    return [fingerprint_of(each.data, each.media_type, quality_min=quality_min) for each in pictures]

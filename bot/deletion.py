"""Pixels that nobody holds any more are deleted here and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from bot.domain.refs import Sha256
from bot.ports import ImageLedger, ImageStore

LONGEST_S: Final = 20.0
"""So long a deletion may take. Whoever holds the same pixels anew waits for it, for no more than `DELETION_S`
(`bot.ports`): what is between the two is for a request that is on its way when it is given up."""
AT_ONCE: Final = 20
"""Side by side. Whoever stores one of them anew waits for no more than these."""


async def delete_pixels(
    images: ImageStore, ledger: ImageLedger, gone: Sequence[Sha256], *, longest_s: float = LONGEST_S
) -> int:
    """What the ledger has let go of. What was rendered goes before what it was rendered from, by which it is found
    again after a kill. What was let go of too long ago is left to a sweep: somebody may have stored it since. Gives
    how many went.

    Raises `TimeoutError` where the store takes too long; what is left then is swept as well."""
    deleted = 0
    for first in range(0, len(gone), AT_ONCE):
        some = await ledger.still_going(gone[::-1][first : first + AT_ONCE])
        async with asyncio.timeout(longest_s):
            await asyncio.gather(*map(images.delete, some))
        await ledger.deleted(some)
        deleted += len(some)
    return deleted

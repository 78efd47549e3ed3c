"""A model's allowance: calls wait for it instead of being turned away by its maker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from bot.domain.errors import EngineUnavailable
from bot.domain.language import tr
from bot.domain.spans import span
from bot.domain.words import MODEL_FULL
from bot.ports import Allowance, Bucket, Turnstile

log = structlog.get_logger("gate")

_MINUTE_S, _DAY_S = 60, 24 * 3600
_ASKED_EVERY_S = 2.0
"""Well within the life of a ticket."""


class Gate:
    """Lets calls through to models, as many as their makers allow all processes together."""

    def __init__(self, turnstile: Turnstile) -> None:
        self._turnstile = turnstile

    async def enter(
        self,
        model: str,
        allowance: Allowance,
        *,
        pictures: int,
        ticket: str,
        patience_s: float,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Comes back when the call may be made. Raises `EngineUnavailable` where that takes longer than `patience_s`.
        `ticket` is this one call's; `wait` spends the time."""
        buckets = needed(model, allowance, pictures=pictures)
        until = time.monotonic() + patience_s
        while (wait_s := await self._turnstile.enter(model, ticket, buckets)) > 0:
            try:
                if time.monotonic() + wait_s > until:
                    log.warning("model takes no more for now", model=model, wait_s=round(wait_s))
                    raise EngineUnavailable(tr(MODEL_FULL).format(time=span(wait_s)))
                await wait(min(wait_s, _ASKED_EVERY_S))
            except Exception:
                # Its turn was taken away, or it is too late: whoever stands behind does not wait for it.
                await self._turnstile.leave(model, ticket)
                raise

    async def close(self, model: str, seconds: float) -> None:
        """Its maker has asked for so much patience: no process calls it before."""
        log.warning("model asks for patience", model=model, seconds=round(seconds))
        try:
            await self._turnstile.close(model, seconds)
        except Exception:
            # The others will be told so themselves.
            log.warning("could not tell the others", model=model)


def needed(model: str, allowance: Allowance, *, pictures: int) -> list[Bucket]:
    """What one call takes of an allowance. One that is larger than all of it goes when nothing else does."""
    tokens = allowance.request_tokens + pictures * allowance.picture_tokens
    rows = (
        ("requests", 1, allowance.minute_requests, _MINUTE_S),
        ("images", 1, allowance.minute_images, _MINUTE_S),
        ("tokens", tokens, allowance.minute_tokens, _MINUTE_S),
        ("day", 1, allowance.day_requests, _DAY_S),
    )
    return [
        Bucket(f"{model}:{what}", min(estimate, limit), limit, window_s=window_s)
        for what, estimate, limit, window_s in rows
        if limit
    ]

"""`remixbot run`, made to die by its own hand at one boundary of the path.

    python -m tests.e2e.victim "RedisTurnStore.submit:after" run --port 0 --data FOLDER

The boundary names a method and a side of it: the process sends itself SIGKILL right before the method's first call, or
right after it came back; `#2` for the second call. `-` for no boundary. Leases are shortened, so that recovery is
quick; nothing else differs.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import bot.app
from adapters.discord.api import DiscordApi
from adapters.discord.outbound import DiscordPlatform
from adapters.telegram.api import TelegramApi
from adapters.telegram.outbound import TelegramPlatform
from adapters.web.outbound import WebPlatform
from bot.engines.gemini import GeminiEngine, GeminiTextModel
from storage.docket.queue import DocketTurnQueue
from storage.objects.store import ObstoreImageStore, ObstoreUploads
from storage.redis.images import RedisImageLedger
from storage.redis.messages import RedisMessageStore
from storage.redis.page import RedisPageStore
from storage.redis.telegram_inbox import RedisInbox
from storage.redis.turns import RedisTurnStore

CLASSES = {
    each.__name__: each
    for each in (
        DiscordApi,
        DiscordPlatform,
        TelegramApi,
        TelegramPlatform,
        WebPlatform,
        GeminiEngine,
        GeminiTextModel,
        DocketTurnQueue,
        ObstoreImageStore,
        ObstoreUploads,
        RedisImageLedger,
        RedisInbox,
        RedisMessageStore,
        RedisPageStore,
        RedisTurnStore,
    )
}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(boundary: str) -> None:
    """Put the trap in place."""
    where, _, when = boundary.partition(":")
    side, _, number = when.partition("#")
    left = int(number or 1)
    class_name, _, method = where.partition(".")
    target = CLASSES[class_name]
    original: Callable[..., Any] = getattr(target, method)

    @functools.wraps(original)
    async def trapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        if side == "before" and left == 0:
            die()
        result = await original(*args, **kwargs)
        if left <= 0:
            die()
        return result

    setattr(target, method, trapped)


def shorten_leases() -> None:
    bot.app.EMBEDDED_LEASE_S = 1.5
    bot.app.REMOTE_LEASE_S = 3.0
    bot.app.SHARED_IDLE_S = 3.0
    original = RedisTurnStore.__init__

    @functools.wraps(original)
    def quick(self: RedisTurnStore, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs | {"life_s": 2.5})

    RedisTurnStore.__init__ = quick  # type: ignore[method-assign]


if __name__ == "__main__":
    from bot.cli import cli

    shorten_leases()
    if sys.argv[1] != "-":
        arm(sys.argv[1])
    sys.argv = ["remixbot", *sys.argv[2:]]
    cli()

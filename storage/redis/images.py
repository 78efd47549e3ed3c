"""Who holds which pixels, and which renditions of them exist."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from bot.domain.images import ImageFacts
from bot.domain.refs import Sha256
from bot.ports import DELETION_S, Rendered
from storage.redis.client import Script
from storage.redis.codec import FACTS
from storage.redis.keys import Keys

_LOOK_S = 0.02
_FRESH_S = 24 * 3600
"""What was used so short a while ago is not renewed; less where images live less than a hundred days."""
_MADE = "made:"
"""How the names of fields begin that hold a rendition under its own hash, whatever became of its target."""


class RedisImageLedger:
    """Per image: its facts, the set of its holders, and its renditions by target. All expire together, `retention_s`
    after anybody held or used the image last; what the image store has and nobody holds is swept."""

    def __init__(self, client: Redis, *, retention_s: int, keys: Keys | None = None) -> None:
        self._client = client
        self._keys = keys or Keys()
        self._retention_s = retention_s
        self._release = Script(client, "image_release.lua")
        self._deleted = Script(client, "image_deleted.lua")
        self._renew_used = Script(client, "image_renew.lua")
        self._fresh_s = min(_FRESH_S, retention_s // 100)
        self._lease = Script(client, "lease.lua")

    async def keep(
        self, holder: str, masters: Sequence[Rendered], *, target: str, renew: Sequence[ImageFacts] = ()
    ) -> None:
        kept = [image for pair in masters for image in pair]
        going, used = self._going(kept), list(dict.fromkeys(each.sha256 for each in _with_credentials(renew)))
        async with self._client.pipeline(transaction=False) as pipe:
            self._hold(pipe, holder, [master for master, _ in masters])
            for master, rendition in masters:
                self._remember(pipe, master, target, rendition)
            self._renew(pipe, kept)
            for sha256 in used:
                await self._renew_used(self._all_of(sha256)[:3], [self._retention_s, self._fresh_s], within=pipe)
            for key in going:
                pipe.exists(key)
            answers: list[Any] = await pipe.execute()
        last = len(answers) - len(going)
        renditions = [FACTS.load(text) for texts in answers[last - len(used) : last] for text in texts]
        if renditions:
            async with self._client.pipeline(transaction=False) as pipe:
                self._renew(pipe, renditions)
                await pipe.execute()
        await self._wait_for_deletions([key for key, is_going in zip(going, answers[last:], strict=True) if is_going])

    async def release(self, holder: str, images: Sequence[ImageFacts]) -> Sequence[Sha256]:
        return await self.release_all([(holder, images)])

    async def release_all(self, held: Sequence[tuple[str, Sequence[ImageFacts]]]) -> Sequence[Sha256]:
        return await self._let_go(
            [(holder, each.sha256) for holder, images in held for each in _with_credentials(images)]
        )

    async def take(self, images: Sequence[Sha256]) -> Sequence[Sha256]:
        return await self._let_go([("", sha256) for sha256 in images])

    async def still_going(self, gone: Sequence[Sha256]) -> Sequence[Sha256]:
        async with self._client.pipeline(transaction=False) as pipe:
            for sha256 in gone:
                pipe.expire(self._keys.image_going(sha256), DELETION_S)
            going: list[Any] = await pipe.execute()
        return [sha256 for sha256, is_going in zip(gone, going, strict=True) if is_going]

    async def _let_go(self, held: Sequence[tuple[str, Sha256]]) -> Sequence[Sha256]:
        """By each holder of one image; then by those images that went, of what was made from them."""
        if not held:
            return []
        pairs = list(dict.fromkeys(held))
        async with self._client.pipeline(transaction=False) as pipe:
            for holder, sha256 in pairs:
                await self._release(self._all_of(sha256), [holder, DELETION_S], within=pipe)
            answers: list[Any] = await pipe.execute()
        went = [(sha256, texts) for (_, sha256), texts in zip(pairs, answers, strict=True) if texts is not None]
        made = [
            (f"rendition:{sha256}", each.sha256)
            for sha256, texts in went
            for each in _with_credentials([FACTS.load(text) for text in texts])
            if each.sha256 != sha256
        ]
        return list(dict.fromkeys([*(sha256 for sha256, _ in went), *await self._let_go(made)]))

    def _all_of(self, sha256: Sha256) -> list[str]:
        return [
            self._keys.image(sha256),
            self._keys.image_holders(sha256),
            self._keys.image_renditions(sha256),
            self._keys.image_going(sha256),
        ]

    async def deleted(self, gone: Sequence[Sha256]) -> None:
        if gone:
            async with self._client.pipeline(transaction=False) as pipe:
                for sha256 in gone:
                    image, renditions = self._keys.image(sha256), self._keys.image_renditions(sha256)
                    await self._deleted([image, renditions, self._keys.image_going(sha256)], [], within=pipe)
                await pipe.execute()

    async def collects(self, who: str, *, life_s: float) -> bool:
        return bool(await self._lease([self._keys.collector], [who, max(1, round(life_s * 1000))]))

    def _going(self, images: Sequence[ImageFacts]) -> list[str]:
        return list(dict.fromkeys(self._keys.image_going(each.sha256) for each in _with_credentials(images)))

    async def _wait_for_deletions(self, waiting: Sequence[str]) -> None:
        """Of what is held from now on, and was let go of before by somebody who is deleting it: whoever holds it stores
        it next, and that must come after."""
        while waiting:
            await asyncio.sleep(_LOOK_S)
            async with self._client.pipeline(transaction=False) as pipe:
                for key in waiting:
                    pipe.exists(key)
                going: list[Any] = await pipe.execute()
            waiting = [key for key, is_going in zip(waiting, going, strict=True) if is_going]

    async def remember(self, master: ImageFacts, target: str, rendition: ImageFacts) -> None:
        async with self._client.pipeline(transaction=False) as pipe:
            self._remember(pipe, master, target, rendition)
            self._renew(pipe, [master, rendition])
            going = self._going([rendition])
            for key in going:
                pipe.exists(key)
            answers: list[Any] = await pipe.execute()
        now_going = zip(going, answers[-len(going) :], strict=True)
        await self._wait_for_deletions([key for key, is_going in now_going if is_going])

    def _remember(self, pipe: Pipeline, master: ImageFacts, target: str, rendition: ImageFacts) -> None:
        text = FACTS.dump(rendition)
        if rendition.sha256 != master.sha256:
            self._hold(pipe, f"rendition:{master.sha256}", [rendition])
            # No two signatures are alike: what is made again for a target takes the place of the first, which must
            # still go with its master.
            pipe.hset(self._keys.image_renditions(master.sha256), f"{_MADE}{rendition.sha256}", text)
        pipe.hset(self._keys.image_renditions(master.sha256), target, text)

    def _hold(self, pipe: Pipeline, holder: str, images: Sequence[ImageFacts]) -> None:
        for image in images:
            pipe.hsetnx(self._keys.image(image.sha256), "facts", FACTS.dump(image))
            for each in _with_credentials([image]):
                pipe.sadd(self._keys.image_holders(each.sha256), holder)

    def _renew(self, pipe: Pipeline, images: Sequence[ImageFacts]) -> None:
        for sha256 in {image.sha256 for image in _with_credentials(images)}:
            for key in (self._keys.image(sha256), self._keys.image_holders(sha256)):
                pipe.expire(key, self._retention_s)
            pipe.expire(self._keys.image_renditions(sha256), self._retention_s)

    async def rendition(self, master: Sha256, target: str) -> ImageFacts | None:
        found: Any = await self._client.hget(self._keys.image_renditions(master), target)
        if found is None:
            return None
        rendition = FACTS.load(found)
        # Its own life may be over where the master's was renewed: then it is made anew.
        alive = rendition.sha256 == master or await self._client.exists(self._keys.image(rendition.sha256))
        return rendition if alive else None

    async def facts(self, sha256: Sha256) -> ImageFacts | None:
        found: Any = await self._client.hget(self._keys.image(sha256), "facts")
        return FACTS.load(found) if found else None


def _with_credentials(images: Sequence[ImageFacts]) -> list[ImageFacts]:
    """And the files that keep the credentials that they came with: who holds an image holds its own one."""
    kept = (replace(each, sha256=each.credentials, credentials=None) for each in images if each.credentials)
    return [*images, *kept]

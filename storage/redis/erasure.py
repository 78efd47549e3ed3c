"""Forgetting a person: the one later write that a finished turn sees."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from redis.asyncio import Redis

from bot.domain.images import ImageFacts
from bot.domain.refs import MessageRef, Sha256, TurnId, UserRef, message_ref_of, thread_of, user_ref_of
from bot.domain.turns import FINAL_STATES, Outcome, Story, Turn, TurnState, TurnStatus
from bot.ports import ForgetReceipt, ImageStore, TurnStore
from storage.redis.codec import FACTS, OUTCOME, RECORD, SOURCES, TURN
from storage.redis.keys import Keys

_NOBODY = UserRef("", "")


class RedisErasure:
    """Walks the index of what a person sent, asked and owns, and leaves tombstones: the shape of the tree stays, words
    and pixels go. Each step is harmless to repeat; the index is emptied last, so a crash is continued by repeating."""

    def __init__(self, client: Redis, turns: TurnStore, images: ImageStore, *, keys: Keys | None = None) -> None:
        self._client = client
        self._turns = turns
        self._images = images
        self._keys = keys or Keys()

    async def forget(self, user: UserRef, *, before: float) -> ForgetReceipt:
        await self._client.hset(self._keys.forgotten, user.key, str(before))
        turn_ids = await self._index(self._keys.user_turns(user), before)
        message_keys = await self._index(self._keys.user_messages(user), before)
        messages = [message_ref_of(key) for key in message_keys]
        pixels: list[Sha256] = []

        erased: list[TurnId] = []
        for id_ in (TurnId(text) for text in turn_ids):
            status = await self._stopped(id_)
            if status is None:
                continue
            pixels += await self._erase_turn(status)
            erased.append(id_)
            messages.append(status.turn.reply)
        stories = await self._rewrite_stories(user, erased)
        for ref in map(message_ref_of, message_keys):
            pixels += await self._erase_message(ref)

        await self._empty(self._keys.user_turns(user), turn_ids)
        await self._empty(self._keys.user_messages(user), message_keys)
        return ForgetReceipt(user, len(erased), stories, tuple(messages), tuple(dict.fromkeys(pixels)))

    async def forgotten(self) -> dict[UserRef, float]:
        """Everyone who was forgotten, and up to when: replayed after a restore from back-up."""
        rows: Any = await self._client.hgetall(self._keys.forgotten)
        return {user_ref_of(key): float(before) for key, before in rows.items()}

    async def _index(self, key: str, before: float) -> list[str]:
        members: list[Any] = await self._client.zrange(key, "-inf", before, byscore=True)
        return [str(member) for member in members]

    async def _empty(self, key: str, members: list[str]) -> None:
        if members:
            await self._client.zrem(key, *members)

    async def _stopped(self, id_: TurnId) -> TurnStatus | None:
        status = await self._turns.load(id_)
        if status is not None and status.state not in FINAL_STATES:
            await self._turns.cancel(id_, Outcome(TurnState.CANCELLED, code="forgotten"))
            status = await self._turns.load(id_)
            if status is not None:
                await self._turns.settle(status)
        return status

    async def _erase_turn(self, status: TurnStatus) -> list[Sha256]:
        turn = status.turn
        outcome = status.outcome or Outcome(status.state)
        bare = replace(
            turn,
            author=_NOBODY,
            author_name="",
            instruction="",
            inputs=(),
            pins=(),
            owners=(),
            note="",
            story=Story(),
        )
        gone = replace(outcome, images=(), words="", note="")
        await self._client.hset(
            self._keys.turn(turn.id),
            mapping={"body": TURN.dump(bare), "outcome": OUTCOME.dump(gone), "erased": "1"},
        )
        await self._client.delete(f"{self._keys.admission}:turn:{turn.id}")
        return await self._release(f"turn:{turn.id}", outcome.images)

    async def _erase_message(self, ref: MessageRef) -> list[Sha256]:
        key = self._keys.message(ref)
        fields: Any = await self._client.hgetall(key)
        if "record" not in fields:
            return []
        record = replace(RECORD.load(fields["record"]), author=None, author_name="")
        held = SOURCES.load(fields["sources"]) if "sources" in fields else ()
        inbound = [name for name in fields if name.startswith("inbound:")]
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.hset(key, mapping={"record": RECORD.dump(record), "erased": "1"})
            pipe.hdel(key, "sources", *inbound)
            for name in inbound:
                pipe.zrem(self._keys.inbox, f"{ref.key}#{name.partition(':')[2]}")
            await pipe.execute()
        return await self._release(f"message:{ref.key}", held)

    async def _rewrite_stories(self, user: UserRef, erased: Iterable[TurnId]) -> int:
        """Takes this person's words out of every story in the threads concerned."""
        rewritten = 0
        for thread in {thread_of(id_) for id_ in erased}:
            for status in await self._turns.thread(thread):
                story = status.turn.story
                kept = Story(
                    lines=tuple(line for line in story.lines if line.author != user),
                    pinned=tuple(line for line in story.pinned if line.author != user),
                )
                if kept != story:
                    await self._rewrite(replace(status.turn, story=kept))
                    rewritten += 1
        return rewritten

    async def _rewrite(self, turn: Turn) -> None:
        key = self._keys.turn(turn.id)
        body: Any = await self._client.hget(key, "body")
        if body is not None:
            await self._client.hset(key, "body", TURN.rewrite(body, turn))

    async def _release(self, holder: str, images: Iterable[ImageFacts]) -> list[Sha256]:
        """This holder lets go. Pixels (and their renditions) that nobody holds any more are deleted."""
        gone: list[Sha256] = []
        for sha in dict.fromkeys(image.sha256 for image in images):
            holders = self._keys.image_holders(sha)
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.srem(holders, holder)
                pipe.scard(holders)
                left = (await pipe.execute())[1]
            if left:
                continue
            renditions: Any = await self._client.hvals(self._keys.image_renditions(sha))
            made = [FACTS.load(text) for text in renditions]
            await self._client.delete(self._keys.image(sha), holders, self._keys.image_renditions(sha))
            await self._images.delete(sha)
            gone.append(sha)
            gone += await self._release(f"rendition:{sha}", [image for image in made if image.sha256 != sha])
        return gone

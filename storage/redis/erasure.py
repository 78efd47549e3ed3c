"""Forgetting a person: the one later write that a finished turn sees."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bot.domain.images import ImageFacts
from bot.domain.outcomes import added
from bot.domain.refs import MessageRef, Sha256, TurnId, UserRef, message_ref_of, thread_of, user_ref_of
from bot.domain.turns import FINAL_STATES, Outcome, Story, Turn, TurnState, TurnStatus, Usage
from bot.ports import ForgetReceipt, ImageLedger, ImageStore, Retract, TurnStore
from storage.redis.client import Script
from storage.redis.codec import OUTCOME, RECORD, SOURCES, TURN
from storage.redis.keys import Keys
from storage.redis.messages import latest_entry
from storage.redis.turns import NOBODY


class RedisErasure:
    """Walks the index of what a person sent, asked, owns and is told of in, and leaves tombstones: the shape of the
    tree stays, words and pixels go. What others made with this person's words stays theirs, without the words. Each
    step is harmless to repeat; the index is emptied last, so a crash is continued by repeating."""

    def __init__(
        self, client: Redis, turns: TurnStore, ledger: ImageLedger, images: ImageStore, *, keys: Keys | None = None
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._turns = turns
        self._images = images
        self._keys = keys or Keys()
        self._replace = Script(client, "_turn.lua", "rewrite.lua")

    async def forget(self, user: UserRef, *, before: float, retract: Retract) -> ForgetReceipt:
        turn_ids = [TurnId(text) for text in await self._index(self._keys.user_turns(user), before)]
        message_keys = await self._index(self._keys.user_messages(user), before)
        theirs = [message_ref_of(key) for key in message_keys]
        ours: list[MessageRef] = []
        pixels: list[Sha256] = []

        erased = 0
        for id_ in turn_ids:
            status = await self._turns.load(id_)
            if status is not None and _is_theirs(user, status):
                pixels += await self._erase_turn(await self._stopped(status))
                ours.append(status.turn.reply)
                erased += not status.erased
        rewritten = await self._rewrite_others(user, turn_ids)
        for ref in theirs:
            pixels += await self._erase_message(ref)

        # Only now is it done. Until here a crash leaves the index, and repeating goes on from there.
        await retract(ours, theirs)
        await self._client.hset(self._keys.forgotten, user.key, str(before))
        await self._empty(self._keys.user_turns(user), turn_ids)
        await self._empty(self._keys.user_messages(user), message_keys)
        await self._compact()
        return ForgetReceipt(user, erased, rewritten, (*theirs, *ours), tuple(dict.fromkeys(pixels)))

    async def _compact(self) -> None:
        """Have the server write its append-only file anew: the old one still holds what was deleted. Where the server
        is somebody else's and does not allow it, that is theirs to do."""
        with contextlib.suppress(ResponseError):
            await self._client.bgrewriteaof()

    async def forgotten(self) -> dict[UserRef, float]:
        """Everyone who was forgotten, and up to when: replayed after a restore from back-up."""
        rows: Any = await self._client.hgetall(self._keys.forgotten)
        return {user_ref_of(key): float(before) for key, before in rows.items()}

    async def _index(self, key: str, before: float) -> list[str]:
        members: list[Any] = await self._client.zrange(key, "-inf", before, byscore=True)
        return [str(member) for member in members]

    async def _empty(self, key: str, members: Sequence[str]) -> None:
        if members:
            await self._client.zrem(key, *members)

    async def _stopped(self, under_way: TurnStatus) -> TurnStatus:
        """The turn, ended and settled: whoever ran it loses it, and what waited for it may run."""
        id_ = under_way.turn.id
        drafted = under_way.draft.usage if under_way.draft else Usage()
        # No calls, so that one in flight is charged on top: what it cost will never be known.
        used = replace(added(under_way.turn.spent, drafted), calls=0)
        await self._turns.end(id_, Outcome(TurnState.CANCELLED, code="forgotten", usage=used))
        status = await self._turns.load(id_) or under_way
        await self._turns.settle(status)
        return status

    async def _erase_turn(self, status: TurnStatus) -> Sequence[Sha256]:
        turn = status.turn
        outcome = status.outcome or Outcome(status.state)
        bare = replace(
            turn,
            author=NOBODY,
            author_name="",
            instruction="",
            inputs=(),
            pins=(),
            owners=(),
            note="",
            story=Story(),
            words_by=None,
            wish=replace(turn.wish, lettering=()),
            heard="",
        )
        gone = replace(_unsaid(outcome), images=(), note="", sources=())
        key = self._keys.turn(turn.id)
        text: Any = await self._client.hget(key, "draft")
        drafted = OUTCOME.load(text).images if text else ()
        released = await self._release(f"turn:{turn.id}", (*outcome.images, *drafted))
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.hset(key, mapping={"body": TURN.dump(bare), "outcome": OUTCOME.dump(gone), "erased": "1"})
            pipe.hdel(key, "draft")
            pipe.lrem(self._keys.latest(turn.chat, turn.author), 0, latest_entry(turn.reply, turn.album or (turn.id,)))
            await pipe.execute()
        return released

    async def _erase_message(self, ref: MessageRef) -> Sequence[Sha256]:
        key = self._keys.message(ref)
        fields: Any = await self._client.hgetall(key)
        if "record" not in fields:
            return []
        record = replace(RECORD.load(fields["record"]), author=None, author_name="")
        held = SOURCES.load(fields["sources"]) if "sources" in fields else ()
        inbound = [name for name in fields if name.startswith("inbound:")]
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.hset(key, mapping={"record": RECORD.dump(record), "erased": "1"})
            pipe.hdel(key, "sources", "heard", "listening_call", *inbound)
            for name in inbound:
                pipe.zrem(self._keys.inbox, f"{ref.key}#{name.partition(':')[2]}")
            await pipe.execute()
        return await self._release(f"message:{ref.key}", held)

    async def _rewrite_others(self, user: UserRef, turns: Iterable[TurnId]) -> int:
        """Takes this person's words and name out of every other turn in the threads concerned, parents first: a turn
        that is under way may have read its parent's before, and then loses what it read."""
        threads = {thread_of(id_) for id_ in turns}
        found = [status for thread in threads for status in await self._turns.thread(thread) if not status.erased]
        rewritten = 0
        for status in sorted(found, key=lambda status: status.turn.created_at):
            if status.turn.words_by == user:
                await self._unsay(status)
            rewritten += await self._rewrite(status, lambda turn: _without(user, turn))
        return rewritten

    async def _unsay(self, status: TurnStatus) -> None:
        """Somebody else's turn that follows this person's words: what was said for them goes, the picture stays. One
        without a picture yet is ended: there is nothing left that it could do."""
        if status.state not in FINAL_STATES:
            await self._stopped(status)
        key = self._keys.turn(status.turn.id)
        for field in ("outcome", "draft"):
            text: Any = await self._client.hget(key, field)
            if text is not None:
                await self._client.hset(key, field, OUTCOME.rewrite(text, _unsaid(OUTCOME.load(text))))

    async def _rewrite(self, status: TurnStatus, change: Callable[[Turn], Turn]) -> bool:
        """Whether there was anything to change. Whoever runs the turn cannot write back what it read before."""
        key = self._keys.turn(status.turn.id)
        while True:
            body: Any = await self._client.hget(key, "body")
            if body is None:
                return False
            turn = TURN.load(body)
            changed = change(turn)
            if changed == turn and status.state in FINAL_STATES:
                return False
            if await self._replace([key], [body, TURN.rewrite(body, changed)]):
                return changed != turn

    async def _release(self, holder: str, images: Sequence[ImageFacts]) -> Sequence[Sha256]:
        """This holder lets go. Pixels that nobody holds any more are deleted."""
        gone = await self._ledger.release(holder, images)
        for sha256 in gone:
            await self._images.delete(sha256)
        return gone


def _is_theirs(user: UserRef, status: TurnStatus) -> bool:
    """Whether the turn goes, or only what it has of this person. One that is erased already was begun on before."""
    return status.erased or user in (status.turn.author, *status.turn.owners)


def _without(user: UserRef, turn: Turn) -> Turn:
    """Somebody else's turn, with nothing in it that names this person or was said by them."""
    story = Story(
        lines=tuple(line for line in turn.story.lines if line.author != user),
        pinned=tuple(line for line in turn.story.pinned if line.author != user),
    )
    inputs = tuple(replace(each, owner=None) if each.owner == user else each for each in turn.inputs)
    if turn.words_by == user:
        wish = replace(turn.wish, lettering=())
        turn = replace(turn, words_by=None, instruction="", wish=wish, heard="")
    return replace(turn, story=story, inputs=inputs)


def _unsaid(outcome: Outcome) -> Outcome:
    """Without what was said, told and proposed."""
    return replace(outcome, words="", suggestions=(), plan=())

"""Forgetting a person: the one later write that a finished turn sees."""

from __future__ import annotations

import contextlib
import math
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import quote

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import ResponseError

from bot.deletion import delete_pixels
from bot.domain.cast import Member, without
from bot.domain.credit import is_step, lent_to
from bot.domain.images import ImageFacts
from bot.domain.outcomes import added
from bot.domain.own_pictures import WITHDRAW_ASKS
from bot.domain.refs import MessageRef, Sha256, ThreadId, TurnId, UserRef, message_ref_of, thread_of, user_ref_of
from bot.domain.turns import FINAL_STATES, Outcome, Story, Turn, TurnState, TurnStatus, Usage
from bot.domain.wishes import Form
from bot.ports import (
    Begun,
    ForgetReceipt,
    ImageLedger,
    ImageStore,
    Progress,
    Retract,
    ShowLeft,
    TurnStore,
    WithdrawReceipt,
)
from storage.redis.arena import ArenaErasure
from storage.redis.cast import RedisCastStore
from storage.redis.changes import RedisChangeLog
from storage.redis.client import Script
from storage.redis.codec import OUTCOME, RECIPE, RECORD, SOURCES, TURN, Codec
from storage.redis.consent import EXPLAINED, NEVER
from storage.redis.fingerprints import RedisFingerprintIndex
from storage.redis.keys import Keys
from storage.redis.languages import RedisLanguageStore
from storage.redis.messages import latest_entry
from storage.redis.people import RedisPeopleStore
from storage.redis.shares import RedisShareStore
from storage.redis.taste import RedisTasteStore
from storage.redis.turns import NOBODY, people_in, status_of
from storage.redis.without import (
    asks_them,
    held_in,
    is_named_after,
    is_own_chat,
    message_without,
    message_without_pictures,
    nameless,
    names_in,
    said_by,
    turn_without,
    unsaid,
)

T = TypeVar("T")
_TRIES = 5
_AT_ONCE = 50
"""Turns, or messages, that are dealt with at once: others are served in between."""
_LOOKED_AT = 1000
"""Names of keys that are looked at in one go: about half a millisecond of the server's."""
_NAMED_AFTER_PEOPLE = ("telegram:", "discord:", "message:", "latest:", "chat:", "{adm}:charged:")
"""How the names of keys begin that may be named after somebody's own chat, or after what was sent to them. What is kept
about a person under their own name is dropped one by one, and what must stay is not among these."""


class RedisErasure:
    """Walks the index of what a person sent, asked, owns, is asked for and is told of in, and leaves tombstones: the
    shape of the tree stays, words and pixels go. What others made with this person's words, or sent with their
    pictures, stays theirs without those. Each step is harmless to repeat; the index is emptied last, so a crash is
    continued by repeating."""

    def __init__(
        self, client: Redis, turns: TurnStore, ledger: ImageLedger, images: ImageStore, *, keys: Keys | None = None
    ) -> None:
        self._client = client
        self._cast = RedisCastStore(client, retention_s=None, keys=keys)
        self._prints = RedisFingerprintIndex(client, keys=keys)
        self._languages = RedisLanguageStore(client, keys=keys)
        self._tastes = RedisTasteStore(client, keys=keys)
        self._people, self._changes = RedisPeopleStore(client, keys=keys), RedisChangeLog(client, keys=keys)
        self._ledger = ledger
        self._turns = turns
        self._images = images
        self._keys = keys or Keys()
        self._arenas = ArenaErasure(client, self._keys)
        self._shares = RedisShareStore(client, keys=self._keys)
        self._replace = Script(client, "_turn.lua", "rewrite.lua")
        self._swap = Script(client, "swap.lua")

    async def forget(
        self, user: UserRef, *, before: float, retract: Retract, progress: Progress | None = None
    ) -> ForgetReceipt:
        turn_ids = [TurnId(text) for text in await self._index(self._keys.user_turns(user), before)]
        message_keys = await self._index(self._keys.user_messages(user), before)
        named_keys = await self._index(self._keys.user_named(user), before)
        theirs = [message_ref_of(key) for key in message_keys]
        ours: list[MessageRef] = []
        alone: list[TurnId] = []
        pixels: list[Sha256] = []

        erased = 0
        for ids in _some(turn_ids):
            if progress is not None:
                await progress(erased, len(turn_ids))
            found = await self._load(ids)
            going = [await self._over(each) for each in found if _is_theirs(user, each)]
            for status in found:
                if not _is_theirs(user, status) and status.state not in FINAL_STATES and asks_them(user, status.turn):
                    await self._stopped(status)
            pixels += await self._erase_turns(going)
            ours += [each.turn.reply for each in going]
            alone += [each.turn.id for each in going if is_own_chat(user, each.turn.chat)]
            erased += sum(not each.erased for each in going)
        rewritten = await self._rewrite_others(user, turn_ids)
        for refs in _some(theirs):
            pixels += await self._erase_messages(refs)
        for key in named_keys:
            pixels += await self._take_out(user, key)
        pixels += await self._leave_casts(user, before)
        await self._tastes.forget(user, before)
        await self._languages.forget(user)
        await self._client.hdel(self._keys.weights, user.key)
        await self._people.forget(user.key)
        await self._changes.forget(user)
        await self._drop_agreements(user, before)
        recipes = await self._index(self._keys.user_recipes(user), before)
        await self._drop_recipes(user, recipes)
        await self._arenas.take_back(user)

        # Only now is it done. Until here a crash leaves the index, and repeating goes on from there.
        await retract(ours, theirs)
        await self._drop_own_chat(user, alone)
        known: Any = await self._client.hget(self._keys.forgotten, user.key)
        await self._client.hset(self._keys.forgotten, user.key, str(max(before, float(known or 0))))
        await self._cast.forget(user)
        await self._empty(self._keys.user_turns(user), turn_ids)
        await self._empty(self._keys.user_messages(user), message_keys)
        await self._empty(self._keys.user_named(user), named_keys)
        await self._empty(self._keys.user_recipes(user), recipes)
        await self._compact()
        return ForgetReceipt(user, erased, rewritten, (*theirs, *ours), tuple(dict.fromkeys(pixels)))

    async def begin(self, user: UserRef, *, before: float, number: str) -> str:
        key = self._keys.forgetting
        text: Any = await self._client.hget(key, user.key)
        earlier = _begun(user.key, text) if text else None
        begun = Begun(user, before, earlier.number or number if earlier else number, 0, time.time())
        begun = replace(begun, turns=earlier.turns if earlier else 0)
        await self._client.hset(key, user.key, _BEGUN.rewrite(text, begun) if text else _BEGUN.dump(begun))
        return begun.number

    async def show_life(self, user: UserRef, turns: int) -> None:
        text: Any = await self._client.hget(self._keys.forgetting, user.key)
        if text:
            begun = replace(_begun(user.key, text), turns=turns, seen_at=time.time())
            # Not where it is done since, or asked for once more.
            await self._swap([self._keys.forgetting], [user.key, text, _BEGUN.rewrite(text, begun)])

    async def erased_so_far(self, user: UserRef) -> int:
        text: Any = await self._client.hget(self._keys.forgetting, user.key)
        return _begun(user.key, text).turns if text else 0

    async def finish(self, user: UserRef, *, before: float) -> None:
        text: Any = await self._client.hget(self._keys.forgetting, user.key)
        # Asked for once more since: that is still to be done.
        if text and _begun(user.key, text).before <= before:
            await self._client.hdel(self._keys.forgetting, user.key)

    async def begun(self) -> Sequence[Begun]:
        rows: Any = await self._client.hgetall(self._keys.forgetting)
        return [_begun(key, text) for key, text in rows.items()]

    async def erase(self, turn: TurnId) -> bool:
        status = await self._turns.load(turn)
        if status is None or status.state not in FINAL_STATES:
            return False
        if not status.erased:
            await self._erase_turns([status])
        return True

    async def grown(self, owner: UserRef, pictures: Sequence[Sha256]) -> Sequence[TurnStatus]:
        wanted = frozenset[str](pictures)
        ids: list[Any] = await self._client.zrange(self._keys.user_turns(owner), 0, -1)
        found: list[TurnStatus] = []
        for some in _some(ids):
            found += [
                status
                for status in await self._load([TurnId(str(id_)) for id_ in some])
                if not status.erased
                and not _asks_to_withdraw(status)
                and any(each.owner == owner and each.image in wanted for each in lent_to(status.turn))
            ]
        return found

    async def withdraw(
        self, owner: UserRef, pictures: Sequence[Sha256], *, retract: Retract, show: ShowLeft
    ) -> WithdrawReceipt:
        finals = [each for each in await self.grown(owner, pictures) if each.state in FINAL_STATES]
        shown = [each for each in finals if each.state in (TurnState.DONE, TurnState.ASKING)]
        holding = await self._holding(owner, frozenset(pictures))
        emptied = [ref for ref, (left, author) in holding.items() if author == owner and not left]
        await retract(tuple(dict.fromkeys(each.turn.reply for each in shown)), emptied)
        for ref, (left, _) in holding.items():
            if ref not in emptied:
                await show(ref, left)
        for some in _some(shown):
            await self._erase_turns(some)
        for status in finals:
            if status not in shown:
                await self._take_inputs(status)
        for ref in holding:
            await self._take_pictures(owner, frozenset(pictures), ref.key)
        made = (image.sha256 for each in shown if each.outcome is not None for image in each.outcome.images)
        await self._take_from_casts(owner, frozenset([*pictures, *made]))
        results = sum(map(is_step, shown))
        return WithdrawReceipt(len(finals), results, len(holding))

    async def _holding(
        self, owner: UserRef, pictures: frozenset[str]
    ) -> Mapping[MessageRef, tuple[tuple[ImageFacts, ...], UserRef | None]]:
        """Messages that brought one of these pictures, with what is left of each and who sent it."""
        found: dict[MessageRef, tuple[tuple[ImageFacts, ...], UserRef | None]] = {}
        for index in (self._keys.user_messages(owner), self._keys.user_named(owner)):
            for key in await self._index(index, math.inf):
                fields: Any = await self._client.hgetall(self._keys.message_key(key))
                if "record" in fields:
                    changes, _, left = message_without_pictures(owner, pictures, fields)
                    if changes:
                        found[message_ref_of(key)] = left, RECORD.load(fields["record"]).author
        return found

    async def _take_pictures(self, owner: UserRef, pictures: frozenset[str], ref_key: str) -> None:
        key = self._keys.message_key(ref_key)
        while True:
            fields: Any = await self._client.hgetall(key)
            changes, gone, _ = message_without_pictures(owner, pictures, fields) if fields else ({}, [], ())
            # Before the list of them is shorter: a crash between the two is continued by repeating.
            await self._release(f"message:{ref_key}", gone)
            if not changes or await self._swap(
                [key], [text for name, new in changes.items() for text in (name, str(fields[name]), new)]
            ):
                return

    async def _take_inputs(self, status: TurnStatus) -> None:
        """A turn that came to nothing: its words stay, and it holds no picture any more."""
        key = self._keys.turn(status.turn.id)
        text: Any = await self._client.hget(key, "draft")
        if text:
            await self._release(f"turn:{status.turn.id}", OUTCOME.load(text).images)
            await self._client.hdel(key, "draft")
        await self._rewrite(status, lambda turn: replace(turn, inputs=(), pins=(), pin_owners=(), lent=()))

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
        for some in _some(members, _LOOKED_AT):
            await self._client.zrem(key, *some)

    async def _load(self, ids: Sequence[TurnId]) -> list[TurnStatus]:
        """Those that stand, at once."""
        async with self._client.pipeline(transaction=False) as pipe:
            for id_ in ids:
                pipe.hgetall(self._keys.turn(id_))
            rows: list[Any] = await pipe.execute()
        return [status_of(row) for row in rows if "body" in row]

    async def _over(self, status: TurnStatus) -> TurnStatus:
        """A turn that nobody is at any more. One that was delivered has ended and was settled."""
        return status if status.delivered and status.state in FINAL_STATES else await self._stopped(status)

    async def _stopped(self, under_way: TurnStatus) -> TurnStatus:
        """The turn, ended and settled: whoever ran it loses it, and what waited for it may run."""
        id_ = under_way.turn.id
        drafted = under_way.draft.usage if under_way.draft else Usage()
        # No calls, so that one in flight is charged on top: what it cost will never be known.
        used = replace(added(under_way.turn.spent, drafted), calls=0)
        ours = await self._turns.end(id_, Outcome(TurnState.CANCELLED, code="forgotten", usage=used))
        status = await self._turns.load(id_) or under_way
        await self._turns.settle(status)
        if ours:
            await self._turns.leave_filling(id_)
        return status

    async def _erase_turns(self, found: Sequence[TurnStatus]) -> Sequence[Sha256]:
        """Not more than `_AT_ONCE`. What leads to them and what they hold goes first: a crash on the way is continued
        by repeating."""
        if not found:
            return []
        keys = [self._keys.turn(status.turn.id) for status in found]
        async with self._client.pipeline(transaction=False) as pipe:
            for status, key in zip(found, keys, strict=True):
                pipe.hget(key, "draft")
                pipe.hkeys(key)
                pipe.exists(self._keys.shares(status.turn.id))
            rows: list[Any] = await pipe.execute()
        drafts = [OUTCOME.load(text).images if text else () for text in rows[::3]]
        notes = [_notes_about(people_in(each.turn), row) for each, row in zip(found, rows[1::3], strict=True)]
        for status, is_shared in zip(found, rows[2::3], strict=True):
            if is_shared:
                await self._shares.end(status.turn.id)
        await self._prints.forget([status.turn.id for status in found])
        held = [
            (f"turn:{status.turn.id}", (*(status.outcome.images if status.outcome else ()), *drafted))
            for status, drafted in zip(found, drafts, strict=True)
        ]
        released = await self._release_all(held)
        for turn in (status.turn for status in found):
            if turn.wish.form is Form.ARENA and turn.album:
                await self._arenas.drop(turn.album[0])
        async with self._client.pipeline(transaction=False) as pipe:
            for status, key, noted in zip(found, keys, notes, strict=True):
                turn = status.turn
                pipe.hset(key, mapping=_bare(status))
                pipe.hdel(key, "draft", *noted)
                entry = latest_entry(turn.reply, turn.album or (turn.id,))
                pipe.lrem(self._keys.latest(turn.chat, turn.author), 0, entry)
            await pipe.execute()
        return released

    async def _erase_messages(self, refs: Sequence[MessageRef]) -> Sequence[Sha256]:
        """Not more than `_AT_ONCE`."""
        async with self._client.pipeline(transaction=False) as pipe:
            for ref in refs:
                pipe.hgetall(self._keys.message(ref))
            rows: list[Any] = await pipe.execute()
        held: list[tuple[str, Sequence[ImageFacts]]] = []
        async with self._client.pipeline(transaction=False) as pipe:
            for ref, fields in zip(refs, rows, strict=True):
                if "record" in fields:
                    held.append((f"message:{ref.key}", _pictures_in(fields)))
                    self._empty_message(pipe, ref, fields)
            # Before the list of them is gone: a crash between the two is continued by repeating.
            released = await self._release_all(held)
            await pipe.execute()
        return released

    def _empty_message(self, pipe: Pipeline, ref: MessageRef, fields: Mapping[str, str]) -> None:
        key, known = self._keys.message(ref), RECORD.load(fields["record"])
        record = replace(known, author=None, author_name="", sources=(), owners=())
        gone = [name for name in fields if name.startswith(("held:", "inbound:"))]
        pipe.hset(key, mapping={"record": RECORD.dump(record), "erased": "1"})
        pipe.hdel(key, "sources", "owners", "spoiler", "heard", "listening_call", *gone)
        for name in gone:
            kind, _, version = name.partition(":")
            if kind == "inbound":
                pipe.zrem(self._keys.inbox, f"{ref.key}#{version}")

    async def _take_out(self, user: UserRef, ref_key: str) -> Sequence[Sha256]:
        """Somebody else's message stays, without this person's pictures and name."""
        key = self._keys.message_key(ref_key)
        gone: list[Sha256] = []
        while True:
            fields: Any = await self._client.hgetall(key)
            changes, images = message_without(user, fields)
            # Before the list of them is shorter: a crash between the two is continued by repeating.
            gone += await self._release(f"message:{ref_key}", images)
            if not changes or await self._swap(
                [key], [text for name, new in changes.items() for text in (name, str(fields[name]), new)]
            ):
                return gone

    async def _leave_casts(self, user: UserRef, before: float) -> Sequence[Sha256]:
        """Their pictures go, and whoever they gave a name."""
        return await self._change_casts(user, lambda member: without(member, user, words=True, before=before))

    async def _take_from_casts(self, owner: UserRef, images: frozenset[str]) -> None:
        def left_of(member: Member) -> Member | None:
            left = tuple(each for each in member.pictures if each.image.sha256 not in images)
            return replace(member, pictures=left) if left else None

        await self._change_casts(owner, left_of)

    async def _change_casts(self, person: UserRef, left_of: Callable[[Member], Member | None]) -> Sequence[Sha256]:
        """Again where one of them was changed by somebody else meanwhile."""
        gone: list[Sha256] = []
        for _ in range(_TRIES):
            is_done = True
            for member in await self._cast.of(person):
                left = left_of(member)
                if left == member:
                    continue
                kept = left.images if left is not None else ()
                # Before nobody knows of them any more: a crash between the two is continued by repeating.
                gone += await self._release(member.holder, [each for each in member.images if each not in kept])
                swapped = self._cast.drop(member) if left is None else self._cast.put(left, instead_of=member)
                is_done = await swapped and is_done
            if is_done:
                break
        return gone

    async def _drop_agreements(self, user: UserRef, before: float) -> None:
        """Whoever is forgotten agrees to nothing any more; whoever said "never" still says so."""
        key = self._keys.consent(user)
        said: Any = await self._client.hgetall(key)
        if dropped := [field for field, when in said.items() if field != NEVER and float(when) <= before]:
            await self._client.hdel(key, *dropped)
        await self._client.hdel(self._keys.owners_own(user), EXPLAINED)

    async def _drop_recipes(self, user: UserRef, indexed: Sequence[str]) -> None:
        """Recipes that hold this person's words. One that lost a step would do something else: it goes as a whole. One
        that has taken the name of theirs since stays."""
        for entry in indexed:
            chat, _, id_ = entry.partition(" ")
            text: Any = await self._client.hget(self._keys.recipes_key(chat), id_)
            if text is not None and user in RECIPE.load(text).people:
                await self._client.hdel(self._keys.recipes_key(chat), id_)

    async def _drop_own_chat(self, user: UserRef, turns: Sequence[TurnId]) -> None:
        """Where they were alone with the bot no shape of a tree has to stay for anybody: whatever is named after that
        chat goes, with what platforms noted of messages to them. All names of keys are looked through for it."""
        for first in range(0, len(turns), _AT_ONCE):
            here = turns[first : first + _AT_ONCE]
            names = [each for id_ in here for each in (self._keys.turn(id_), self._keys.thread(thread_of(id_)))]
            await self._delete(names)
        beginnings = tuple(f"{self._keys.prefix}:{each}" for each in _NAMED_AFTER_PEOPLE)
        found: list[str] = []
        client: Any = self._client
        async for key in client.scan_iter(match=f"{self._keys.prefix}:*{_globbed(user)}*", count=_LOOKED_AT):
            name = str(key)
            if name.startswith(beginnings) and is_named_after(user, name):
                found.append(name)
        messages = self._keys.message_key("")
        for name in found:
            if name.startswith(messages) and await self._is_standing(name):
                continue
            await self._delete([name])

    async def _is_standing(self, message_key: str) -> bool:
        """Whether a message came after all that is forgotten."""
        known: Any = await self._client.hmget(message_key, ["record", "erased"])
        author = RECORD.load(known[0]).author if known[0] else None
        return author is not None and not known[1]

    async def _delete(self, names: Sequence[str]) -> None:
        async with self._client.pipeline(transaction=False) as pipe:
            for name in dict.fromkeys(names):
                pipe.unlink(name)
            await pipe.execute()

    async def _rewrite_others(self, user: UserRef, turns: Iterable[TurnId]) -> int:
        """Takes this person's words and name out of every other turn in the threads concerned, parents first: a turn
        that is under way may have read its parent's before, and then loses what it read."""
        rewritten = 0
        for threads in _some(list(dict.fromkeys(map(thread_of, turns)))):
            async for status in self._standing_in(threads):
                if said_by(user, status.turn):
                    await self._unsay(status)
                if names := names_in(user, status.turn):
                    await self._unname(user, status, names)
                if status.state not in FINAL_STATES or turn_without(user, status.turn) != status.turn:
                    rewritten += await self._rewrite(status, lambda turn: turn_without(user, turn))
        return rewritten

    async def _standing_in(self, threads: Sequence[ThreadId]) -> AsyncIterator[TurnStatus]:
        """The turns of these threads that are not erased, of each the oldest first. Of a long one not all are held."""
        async with self._client.pipeline(transaction=False) as pipe:
            for thread in threads:
                pipe.zrange(self._keys.thread(thread), 0, -1)
            rows: list[Any] = await pipe.execute()
        ids = [TurnId(f"{thread}-{own}") for thread, owns in zip(threads, rows, strict=True) for own in owns]
        for some in _some(ids):
            for status in await self._load(some):
                if not status.erased:
                    yield status

    async def _unsay(self, status: TurnStatus) -> None:
        """Somebody else's turn that follows this person's words: what was said for them goes, the picture stays. One
        without a picture yet is ended: there is nothing left that it could do."""
        if status.state not in FINAL_STATES:
            await self._stopped(status)
        await self._retell(status.turn.id, unsaid)

    async def _unname(self, user: UserRef, status: TurnStatus, names: Iterable[str]) -> None:
        """Somebody else's turn that wanted this person's picture: the answer may say by name that they were asked."""
        key = self._keys.turn(status.turn.id)
        fields: Any = await self._client.hkeys(key)
        if notes := _notes_about([user], fields):
            await self._client.hdel(key, *notes)
        if status.state in FINAL_STATES:
            await self._retell(status.turn.id, lambda outcome: nameless(outcome, names))

    async def _retell(self, turn: TurnId, change: Callable[[Outcome], Outcome]) -> None:
        """Change what a turn that ended has told, and what was drafted for it."""
        key = self._keys.turn(turn)
        for field in ("outcome", "draft"):
            text: Any = await self._client.hget(key, field)
            if text is not None:
                left = change(OUTCOME.load(text))
                await self._client.hset(key, field, OUTCOME.rewrite(text, left, erasing=True))

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
            if await self._replace([key], [body, TURN.rewrite(body, changed, erasing=True)]):
                return changed != turn

    async def _release(self, holder: str, images: Sequence[ImageFacts]) -> Sequence[Sha256]:
        return await self._release_all([(holder, images)])

    async def _release_all(self, held: Sequence[tuple[str, Sequence[ImageFacts]]]) -> Sequence[Sha256]:
        """These holders let go. Pixels that nobody holds any more are deleted."""
        gone = await self._ledger.release_all(held)
        if not gone:
            return gone
        # Telegram keeps what it was sent: nothing here is to lead to that any more.
        await self._delete([self._keys.telegram_file(sha256) for sha256 in gone])
        await delete_pixels(self._images, self._ledger, gone)
        return gone


def _some(every: Sequence[T], most: int = _AT_ONCE) -> Iterator[Sequence[T]]:
    """One after the other, so that others are served in between."""
    for first in range(0, len(every), most):
        yield every[first : first + most]


def _notes_about(people: Iterable[UserRef], fields: Iterable[str]) -> list[str]:
    """The fields of a turn that note what was done for one of these people."""
    notes = [str(field) for field in fields if str(field).startswith("noted:")]
    return [note for note in notes if any(person.key in note for person in people)]


def _pictures_in(fields: Mapping[str, str]) -> list[ImageFacts]:
    """All that a message ever brought."""
    sources = SOURCES.load(fields["sources"]) if "sources" in fields else ()
    return [*sources, *(image for _, image, _ in held_in(fields))]


def _bare(status: TurnStatus) -> dict[Any, str]:
    """What stays of a turn."""
    outcome = status.outcome or Outcome(status.state)
    bare = replace(
        status.turn,
        author=NOBODY,
        author_name="",
        instruction="",
        inputs=(),
        pins=(),
        pin_owners=(),
        owners=(),
        note="",
        story=Story(),
        words_by=None,
        words_of=(),
        wish=replace(status.turn.wish, lettering=()),
        heard="",
        server=None,
        asks=(),
        lent=(),
        taste="",
        sides=(),
        unnamed=(),
    )
    label = replace(outcome.label, work=None) if outcome.label is not None else None
    gone = replace(unsaid(outcome), images=(), note="", sources=(), label=label)
    return {"body": TURN.dump(bare), "outcome": OUTCOME.dump(gone), "erased": "1"}


_BEGUN: Codec[Begun] = Codec(Begun)


def _begun(user: str, text: str) -> Begun:
    return replace(_BEGUN.load(text), user=user_ref_of(user))


def _globbed(user: UserRef) -> str:
    return re.sub(r"([*?\[\]\\^])", r"\\\1", quote(user.user, safe="-_.~@"))


def _asks_to_withdraw(status: TurnStatus) -> bool:
    """It only names the picture, and is pressed to have it go."""
    return status.outcome is not None and status.outcome.code == WITHDRAW_ASKS


def _is_theirs(user: UserRef, status: TurnStatus) -> bool:
    """Whether the turn goes, or only what it has of this person. One that is erased already was begun on before."""
    return status.erased or user in (status.turn.author, *status.turn.owners)

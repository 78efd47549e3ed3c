"""Forgetting a person: the one later write that a finished turn sees."""

from __future__ import annotations

import contextlib
import math
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bot.domain.cast import Member, without
from bot.domain.credit import is_step, lent_to
from bot.domain.images import ImageFacts
from bot.domain.outcomes import added
from bot.domain.own_pictures import WITHDRAW_ASKS
from bot.domain.refs import MessageRef, Sha256, TurnId, UserRef, message_ref_of, thread_of, user_ref_of
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

_TRIES = 5
_AT_ONCE = 100
"""Turns that are read at once: others are served in between."""
_LOOKED_AT = 1000
"""Names of keys that are looked at in one go: about half a millisecond of the server's."""
_NAMED_AFTER_PEOPLE = ("telegram:", "discord:", "message:", "latest:", "chat:")
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
        for at, id_ in enumerate(turn_ids):
            if progress is not None and at % _AT_ONCE == 0:
                await progress(erased, len(turn_ids))
            status = await self._turns.load(id_)
            if status is not None and _is_theirs(user, status):
                pixels += await self._erase_turn(await self._stopped(status))
                ours.append(status.turn.reply)
                alone += [id_] * is_own_chat(user, status.turn.chat)
                erased += not status.erased
            elif status is not None and status.state not in FINAL_STATES and asks_them(user, status.turn):
                await self._stopped(status)
        rewritten = await self._rewrite_others(user, turn_ids)
        for ref in theirs:
            pixels += await self._erase_message(ref)
        for key in named_keys:
            pixels += await self._take_out(user, key)
        pixels += await self._leave_casts(user, before)
        await self._tastes.forget(user, before)
        await self._languages.forget(user)
        await self._client.hdel(self._keys.weights, user.key)
        await self._people.forget(user.key)
        await self._changes.forget(user.key)
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
        await self._client.hset(key, user.key, _BEGUN.dump(replace(begun, turns=earlier.turns if earlier else 0)))
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
            await self._erase_turn(status)
        return True

    async def grown(self, owner: UserRef, pictures: Sequence[Sha256]) -> Sequence[TurnStatus]:
        wanted = frozenset[str](pictures)
        ids: list[Any] = await self._client.zrange(self._keys.user_turns(owner), 0, -1)
        found: list[TurnStatus] = []
        for first in range(0, len(ids), _AT_ONCE):
            async with self._client.pipeline(transaction=False) as pipe:
                for id_ in ids[first : first + _AT_ONCE]:
                    pipe.hgetall(self._keys.turn(TurnId(str(id_))))
                rows = await pipe.execute()
            found += [
                status
                for status in (status_of(row) for row in rows if "body" in row)
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
        for status in finals:
            if status in shown:
                await self._erase_turn(status)
            else:
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
            pin_owners=(),
            owners=(),
            note="",
            story=Story(),
            words_by=None,
            words_of=(),
            wish=replace(turn.wish, lettering=()),
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
        key = self._keys.turn(turn.id)
        text: Any = await self._client.hget(key, "draft")
        drafted = OUTCOME.load(text).images if text else ()
        notes = await self._notes_about(people_in(turn), key)
        await self._shares.end(turn.id)
        await self._prints.forget([turn.id])
        released = await self._release(f"turn:{turn.id}", (*outcome.images, *drafted))
        if turn.wish.form is Form.ARENA and turn.album:
            await self._arenas.drop(turn.album[0])
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.hset(key, mapping={"body": TURN.dump(bare), "outcome": OUTCOME.dump(gone), "erased": "1"})
            pipe.hdel(key, "draft", *notes)
            pipe.lrem(self._keys.latest(turn.chat, turn.author), 0, latest_entry(turn.reply, turn.album or (turn.id,)))
            await pipe.execute()
        return released

    async def _erase_message(self, ref: MessageRef) -> Sequence[Sha256]:
        key = self._keys.message(ref)
        fields: Any = await self._client.hgetall(key)
        if "record" not in fields:
            return []
        known = RECORD.load(fields["record"])
        record = replace(known, author=None, author_name="", sources=(), owners=())
        held = [
            *(SOURCES.load(fields["sources"]) if "sources" in fields else ()),
            *(each for _, each, _ in held_in(fields)),
        ]
        gone = [name for name in fields if name.startswith("held:")]
        inbound = [name for name in fields if name.startswith("inbound:")]
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.hset(key, mapping={"record": RECORD.dump(record), "erased": "1"})
            pipe.hdel(key, "sources", "owners", "spoiler", "heard", "listening_call", *gone, *inbound)
            for name in inbound:
                pipe.zrem(self._keys.inbox, f"{ref.key}#{name.partition(':')[2]}")
            await pipe.execute()
        return await self._release(f"message:{ref.key}", held)

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

    async def _notes_about(self, people: Iterable[UserRef], key: str) -> list[str]:
        """The fields of a turn that note what was done for one of these people."""
        fields: list[Any] = await self._client.hkeys(key)
        notes = [str(field) for field in fields if str(field).startswith("noted:")]
        return [note for note in notes if any(person.key in note for person in people)]

    async def _rewrite_others(self, user: UserRef, turns: Iterable[TurnId]) -> int:
        """Takes this person's words and name out of every other turn in the threads concerned, parents first: a turn
        that is under way may have read its parent's before, and then loses what it read."""
        rewritten = 0
        for thread in {thread_of(id_) for id_ in turns}:
            for status in sorted(await self._turns.thread(thread), key=lambda status: status.turn.created_at):
                if status.erased:
                    continue
                if said_by(user, status.turn):
                    await self._unsay(status)
                if names := names_in(user, status.turn):
                    await self._unname(user, status, names)
                rewritten += await self._rewrite(status, lambda turn: turn_without(user, turn))
        return rewritten

    async def _unsay(self, status: TurnStatus) -> None:
        """Somebody else's turn that follows this person's words: what was said for them goes, the picture stays. One
        without a picture yet is ended: there is nothing left that it could do."""
        if status.state not in FINAL_STATES:
            await self._stopped(status)
        await self._retell(status.turn.id, unsaid)

    async def _unname(self, user: UserRef, status: TurnStatus, names: Iterable[str]) -> None:
        """Somebody else's turn that wanted this person's picture: the answer may say by name that they were asked."""
        key = self._keys.turn(status.turn.id)
        if notes := await self._notes_about([user], key):
            await self._client.hdel(key, *notes)
        if status.state in FINAL_STATES:
            await self._retell(status.turn.id, lambda outcome: nameless(outcome, names))

    async def _retell(self, turn: TurnId, change: Callable[[Outcome], Outcome]) -> None:
        """Change what a turn that ended has told, and what was drafted for it."""
        key = self._keys.turn(turn)
        for field in ("outcome", "draft"):
            text: Any = await self._client.hget(key, field)
            if text is not None:
                await self._client.hset(key, field, OUTCOME.rewrite(text, change(OUTCOME.load(text))))

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
            # Telegram keeps what it was sent: nothing here is to lead to that any more.
            await self._client.delete(self._keys.telegram_file(sha256))
            await self._images.delete(sha256)
        await self._ledger.deleted(gone)
        return gone


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

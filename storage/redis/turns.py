"""Turns, and the decision what may run. See docs/adr/0002 and 0006 for why it is split over two slots."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from bot.domain.refs import ThreadId, TurnId, UserRef, user_ref_of
from bot.domain.turns import FINAL_STATES, Hold, Outcome, Turn, TurnState, TurnStatus
from bot.ports import Bucket, Claim, Line, OpenTurn, Submitted
from storage.redis.client import Script, bucket_args
from storage.redis.codec import OUTCOME, TURN
from storage.redis.keys import Keys
from storage.redis.together import ask_together

NOBODY = UserRef("", "")
"""The author of a turn that is forgotten."""
_WORKER_LIFE_S = 20
_OPEN_PAGE = 1000
_LINE_READ = 400
"""Of so many that wait before a turn it is looked up what they are."""
_READ_AT_ONCE = 100
"""Turns of a thread: others are served in between."""
_SETTLED_S = 3600
"""How long a delivered turn is known to admission: a late repeat of its submission, or a child on its way in, finds
it."""


class RedisTurnStore:
    """A turn's record lies in its thread's slot and is the truth. Admission (what may run, who waits, what is
    reserved) lies in one slot and can be repaired from the records.

    `author_limit` is how many turns one person may have running, `chat_limit` one chat, `server_limit` one server,
    `house_limit` all together, however many slots there are; 0 for no limit. `life_s` is how long a worker that shows
    no life keeps its claim, and its right to fill a reply; `retention_s` how long an untouched record stays.
    """

    def __init__(
        self,
        client: Redis,
        *,
        retention_s: int,
        author_limit: int = 2,
        chat_limit: int = 0,
        server_limit: int = 0,
        house_limit: int = 0,
        life_s: float = 8.0,
        keys: Keys | None = None,
    ) -> None:
        self._client = client
        self._keys = keys or Keys()
        self._retention_s = retention_s
        self._limits = f"{author_limit}:{chat_limit}:{server_limit}:{house_limit}"
        self._life_s = life_s
        self._holder = secrets.token_hex(8)
        self._newer: dict[TurnId, tuple[str, str]] = {}
        """Of turns that run here and that a newer version has written: its text and its draft."""
        self._create = Script(client, "_turn.lua", "create.lua")
        self._claim = Script(client, "_turn.lua", "claim.lua")
        self._progress = Script(client, "_turn.lua", "progress.lua")
        self._keep_draft = Script(client, "_turn.lua", "draft.lua")
        self._finish = Script(client, "_turn.lua", "finish.lua")
        self._end = Script(client, "_turn.lua", "end.lua")
        self._filling = Script(client, "_turn.lua", "filling.lua")
        self._submit = Script(client, "_admission.lua", "submit.lua")
        self._settle = Script(client, "_admission.lua", "settle.lua")
        self._announce = Script(client, "_admission.lua", "announce.lua")
        self._position = Script(client, "_admission.lua", "position.lua")
        self._line = Script(client, "_admission.lua", "line.lua")
        self._agree = Script(client, "_admission.lua", "agree.lua")
        self._note_once = Script(client, "_turn.lua", "note_once.lua")
        self._extend = Script(client, "_turn.lua", "extend.lua")

    # --- in

    async def submit(self, turn: Turn, buckets: Sequence[Bucket]) -> Submitted:
        state = await self._keep(turn, TurnState.ACCEPTED, None)
        if state in FINAL_STATES:
            return Submitted(repeat=True)
        asked = sorted({each.user.key for each in turn.asks})
        reply = await self._submit(
            [self._keys.admission],
            [
                turn.id,
                turn.author.key,
                turn.parent or "",
                int(any(each.image is None for each in turn.inputs)),
                self._limits,
                self._retention_s,
                turn.chat.key,
                turn.server.key if turn.server else "",
                turn.engine,
                len(asked),
                *asked,
                *bucket_args(buckets),
            ],
        )
        match reply:
            case ["repeat"]:
                return Submitted(repeat=True)
            case ["full", name, free_in_s]:
                return Submitted(full=str(name), free_in_s=_known_s(free_in_s))
            case ["held", *reasons]:
                return Submitted(holds=frozenset(Hold(str(reason)).value for reason in reasons))
            case ["ok", position, *start]:
                return Submitted(position=int(position) or None, start=tuple(TurnId(str(id_)) for id_ in start))
            case _:
                raise RuntimeError(f"submit answered {reply!r}")

    async def extend(self, turn: Turn) -> bool:
        async with self._client.pipeline(transaction=False) as pipe:
            # Before it is written: an entry that leads to nothing is harmless.
            self._index(pipe, turn)
            pipe.hget(self._keys.turn(turn.id), "body")
            body: Any = (await pipe.execute())[-1]
        while body:
            args: list[str | int | float] = [body, TURN.rewrite(body, turn), self._retention_s]
            done, body = await self._extend(self._both(turn.id), args)
            if int(done):
                return True
        return False

    async def agree(self, turn: TurnId, owner: UserRef, buckets: Sequence[Bucket]) -> Submitted:
        args: list[str | int | float] = [turn, owner.key, self._limits, *bucket_args(buckets)]
        match await self._agree([self._keys.admission], args):
            case ["full", name, free_in_s]:
                return Submitted(full=str(name), free_in_s=_known_s(free_in_s))
            case ["held", *holds]:
                return Submitted(holds=frozenset(str(hold) for hold in holds))
            case ["ok", *start]:
                return Submitted(start=tuple(TurnId(str(id_)) for id_ in start))
            case _:
                return Submitted(repeat=True)

    async def note_once(self, turn: TurnId, what: str) -> bool:
        return bool(await self._note_once(self._both(turn), [what]))

    async def conclude(self, turn: Turn, outcome: Outcome) -> bool:
        standing = await self._keep(turn, outcome.state, outcome)
        if standing in FINAL_STATES and await self._client.hget(self._keys.turn(turn.id), "delivered"):
            await self._client.zrem(f"{self._keys.admission}:open", turn.id)
        return standing is None

    def _list_open(self, pipe: Pipeline, turn: TurnId, since: float) -> None:
        """Of a turn that ends without having been let in. Before its end is written: whoever dies in between leaves an
        entry that leads to nothing, and no end that nobody looks for."""
        pipe.zadd(f"{self._keys.admission}:open", {turn: since}, nx=True)

    async def _keep(self, turn: Turn, state: TurnState, outcome: Outcome | None) -> TurnState | None:
        """Write the record if there is none. Gives the state of the one that stood already."""
        own = turn.id.partition("-")[2]
        async with self._client.pipeline(transaction=False) as pipe:
            if outcome is not None:
                self._list_open(pipe, turn.id, turn.created_at)
            await self._create(
                self._both(turn.id),
                [
                    own,
                    turn.created_at,
                    self._retention_s,
                    TURN.dump(turn),
                    state.value,
                    OUTCOME.dump(outcome) if outcome else "",
                    self._holder,
                    self._life_s,
                ],
                within=pipe,
            )
            self._index(pipe, turn)
            if turn.parent:
                pipe.expire(self._keys.turn(turn.parent), self._retention_s)
            new, standing = (await pipe.execute())[0 if outcome is None else 1]
        return None if int(new) else TurnState(str(standing))

    def _index(self, pipe: Pipeline, turn: Turn) -> None:
        """Whoever's words or pictures live on in this turn can be forgotten for as long as it stands."""
        for person in people_in(turn):
            pipe.zadd(self._keys.user_turns(person), {turn.id: turn.created_at})
            pipe.expire(self._keys.user_turns(person), self._retention_s)
            pipe.expire(self._keys.user_messages(person), self._retention_s)
            pipe.expire(self._keys.user_named(person), self._retention_s)

    async def _index_resolved(self, turn: Turn) -> None:
        """Its parent may have brought people in that nobody knew of when it was submitted. Before it is written: an
        entry that leads to nothing is harmless."""
        if people_in(turn) - {turn.author}:
            async with self._client.pipeline(transaction=False) as pipe:
                self._index(pipe, turn)
                await pipe.execute()

    async def announce(self, worker: str, *, slots: int) -> Sequence[TurnId]:
        started = await self._announce([self._keys.admission], [worker, slots, _WORKER_LIFE_S, self._limits])
        return [TurnId(str(id_)) for id_ in started]

    # --- at work

    async def claim(self, turn: TurnId) -> Claim | None:
        reply = await self._claim(self._both(turn), [self._life_s])
        match reply:
            case ["ok", epoch, calls, body, started_at, draft, accepted_at]:
                newer = TURN.newer(body), OUTCOME.newer(draft) if draft else ""
                self._newer.pop(turn, None)  # of a claim that was taken away: something may have been erased since
                if any(newer):
                    self._newer[turn] = newer
                status = TurnStatus(
                    turn=TURN.load(body),
                    state=TurnState.RUNNING,
                    epoch=int(epoch),
                    calls=int(calls),
                    started_at=float(started_at),
                    draft=OUTCOME.load(draft) if draft else None,
                    accepted_at=float(accepted_at) if accepted_at else None,
                )
                return Claim(status=status, epoch=int(epoch), calls=int(calls))
            case _:
                return None

    async def calling(self, turn: TurnId, epoch: int, ticket: str) -> bool:
        return bool(await self._progress(self._both(turn), [epoch, self._life_s, ticket]))

    async def keep_draft(self, turn: Turn, epoch: int, draft: Outcome) -> bool:
        await self._index_resolved(turn)
        args: list[str | int | float] = [epoch, self._life_s, *self._texts(turn, draft)]
        return bool(await self._keep_draft(self._both(turn.id), args))

    async def beat(self, turn: TurnId, epoch: int) -> bool:
        return bool(await self._progress(self._both(turn), [epoch, self._life_s, ""]))

    async def finish(self, turn: Turn, epoch: int, outcome: Outcome) -> bool:
        await self._index_resolved(turn)
        body, ended = self._texts(turn, outcome)
        args = [epoch, outcome.state.value, ended, body, self._holder, self._life_s]
        finished = bool(await self._finish(self._both(turn.id), args))
        self._newer.pop(turn.id, None)
        return finished

    def _texts(self, turn: Turn, outcome: Outcome) -> tuple[str, str]:
        """Of a turn that runs here and of what came of it, with what a newer version wrote into both."""
        body, draft = self._newer.get(turn.id, ("", ""))
        return (
            TURN.rewrite(body, turn) if body else TURN.dump(turn),
            OUTCOME.rewrite(draft, outcome) if draft else OUTCOME.dump(outcome),
        )

    async def end(self, turn: TurnId, outcome: Outcome) -> bool:
        args = [OUTCOME.dump(outcome), outcome.state.value, self._holder, self._life_s]
        async with self._client.pipeline(transaction=False) as pipe:
            self._list_open(pipe, turn, time.time())
            await self._end(self._both(turn), args, within=pipe)
            pipe.hget(self._keys.turn(turn), "delivered")
            _, ended, delivered = await pipe.execute()
        if delivered:
            await self._client.zrem(f"{self._keys.admission}:open", turn)
        return bool(ended)

    async def take_filling(self, turn: TurnId, *, alone: bool = False) -> bool:
        return await self._fills(turn, "seize" if alone else "take")

    async def keep_filling(self, turn: TurnId) -> bool:
        return await self._fills(turn, "keep")

    async def leave_filling(self, turn: TurnId) -> None:
        await self._fills(turn, "leave")

    async def _fills(self, turn: TurnId, what: str) -> bool:
        return bool(await self._filling(self._both(turn), [what, self._holder, self._life_s]))

    async def settle(self, status: TurnStatus) -> Sequence[TurnId]:
        turn, outcome = status.turn, status.outcome or Outcome(status.state)
        usage = outcome.usage
        # A call in flight: what it cost will never be known, so the estimate stands.
        in_flight = (
            status.state is TurnState.CANCELLED and status.calls > 0 and not (usage.calls and usage.cost_microusd)
        )
        calls = usage.calls or (status.calls if in_flight else 0)
        # A delivered turn was settled before, and is in the book.
        model = "" if status.delivered else _booked_as(status, used=bool(calls or usage.cost_microusd))
        started = await self._settle(
            [self._keys.admission],
            [
                turn.id,
                self._limits,
                _SETTLED_S if status.delivered else self._retention_s,
                # What came before the engine was charged when it was used.
                max(0, usage.cost_microusd - turn.spent.cost_microusd),
                int(in_flight),
                int(status.state in (TurnState.REFUSED, TurnState.FAILED)),
                int(status.state in (TurnState.DONE, TurnState.ASKING) or calls > 0),
                datetime.now(UTC).date().isoformat() if model else "",
                model,
                *(calls, len(outcome.images), usage.input_tokens, usage.output_tokens, usage.cost_microusd),
            ],
        )
        return [TurnId(str(id_)) for id_ in started]

    async def abandon(self, turn: TurnId) -> Sequence[TurnId]:
        # Nobody knows what it cost: the estimates stand.
        args: list[str | int] = [turn, self._limits, _SETTLED_S, 0, 1, 0, 1, ""]
        started = await self._settle([self._keys.admission], args)
        await self._client.zrem(f"{self._keys.admission}:open", turn)
        return [TurnId(str(id_)) for id_ in started]

    async def delivered(self, turn: TurnId) -> bool:
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.hset(self._keys.turn(turn), "delivered", "1")
            pipe.hdel(self._keys.turn(turn), "filling_by", "filling_until")
            pipe.expire(self._keys.turn(turn), self._retention_s)
            pipe.zrem(f"{self._keys.admission}:open", turn)
            pipe.expire(f"{self._keys.admission}:turn:{turn}", _SETTLED_S)
            return bool((await pipe.execute())[0])

    # --- looking

    async def load(self, turn: TurnId) -> TurnStatus | None:
        key = self._keys.turn(turn)
        (fields,) = await ask_together(self._client, lambda pipe: pipe.hgetall(key))
        if "body" not in fields:
            return None
        status = status_of(fields)
        if status.state is not TurnState.ACCEPTED:
            return status
        holds = await self._holds(turn)
        if not holds:
            return status
        return replace(status, state=TurnState.WAITING, holds=holds)

    async def _holds(self, turn: TurnId) -> frozenset[Hold]:
        state, _, keeps, parent_holds = await self._position([self._keys.admission], [turn, self._limits])
        match str(state):
            case "held":
                return frozenset({Hold.PARENT})
            case "asking":
                return frozenset({Hold.CONSENT, *([Hold.PARENT] if int(parent_holds) else [])})
            case "ready":
                return frozenset({Hold(str(keeps))})
            case _:
                return frozenset()

    async def of_person(self, person: UserRef, *, most: int) -> Sequence[TurnId]:
        found: list[Any] = await self._client.zrange(self._keys.user_turns(person), 0, most - 1, desc=True)
        return [TurnId(str(id_)) for id_ in found]

    async def position(self, turn: TurnId) -> int | None:
        _, position, *_ = await self._position([self._keys.admission], [turn, self._limits])
        return int(position) or None

    async def line(self, turn: TurnId) -> Line | None:
        position, slots, first, admitted = await self._line([self._keys.admission], [turn, self._limits, _LINE_READ])
        if not int(position):
            return None
        under_way = [each.rsplit(":", 1) for each in str(admitted).split()]
        return Line(
            position=int(position),
            slots=int(slots),
            before=tuple(str(first).split()),
            under_way=tuple((engine, float(since_s)) for engine, since_s in under_way),
        )

    async def weigh(self, person: UserRef, weight: int) -> None:
        if weight == 1:
            await self._client.hdel(self._keys.weights, person.key)
        else:
            await self._client.hset(self._keys.weights, person.key, str(weight))

    async def weights(self) -> Mapping[UserRef, int]:
        found: Any = await self._client.hgetall(self._keys.weights)
        return {user_ref_of(str(name)): int(weight) for name, weight in found.items()}

    async def thread(self, thread: ThreadId) -> Sequence[TurnStatus]:
        owns: list[Any] = await self._client.zrange(self._keys.thread(thread), 0, -1)
        found: list[TurnStatus] = []
        for first in range(0, len(owns), _READ_AT_ONCE):
            async with self._client.pipeline(transaction=False) as pipe:
                for own in owns[first : first + _READ_AT_ONCE]:
                    pipe.hgetall(self._keys.turn(TurnId(f"{thread}-{own}")))
                rows = await pipe.execute()
            found += [status_of(row) for row in rows if "body" in row]
        return found

    async def open_turns(self) -> Sequence[OpenTurn]:
        found: list[OpenTurn] = []
        while page := await self._open_page(len(found)):
            found += page
            # Those who wait for people may be many, and wait for days: the others are not hidden behind them.
            if len(page) < _OPEN_PAGE or sum(not each.asks for each in found) >= _OPEN_PAGE:
                break
        return found

    async def _open_page(self, first: int) -> list[OpenTurn]:
        last = first + _OPEN_PAGE - 1
        rows: list[Any] = await self._client.zrange(f"{self._keys.admission}:open", first, last, withscores=True)
        async with self._client.pipeline(transaction=False) as pipe:
            for turn, _ in rows:
                pipe.hget(self._keys.turn(TurnId(str(turn))), "state")
                pipe.hget(f"{self._keys.admission}:turn:{turn}", "state")
            states = await pipe.execute()
        now = time.time()
        return [
            OpenTurn(
                turn=TurnId(str(turn)),
                # A record that is gone (erased by its expiry) has nothing left to run or to say.
                state=TurnState(state) if state else TurnState.CANCELLED,
                let_run=admission == "admitted",
                asks=admission == "asking",
                age_s=max(0.0, now - float(since)),
            )
            for (turn, since), state, admission in zip(rows, states[::2], states[1::2], strict=True)
        ]

    def _both(self, turn: TurnId) -> list[str]:
        return [self._keys.turn(turn), self._keys.thread(ThreadId(turn.partition("-")[0]))]


def _known_s(seconds: Any) -> float | None:
    return float(seconds) if float(seconds) >= 0 else None


def people_in(turn: Turn) -> frozenset[UserRef]:
    """Everyone whom a turn names: who asked, who is asked, whose pictures, whose words, and who is told of in its
    story."""
    lines = (*turn.story.lines, *turn.story.pinned)
    owners = (*turn.owners, *(each.owner for each in turn.inputs))
    asked = (each.user for each in turn.asks)
    words = (turn.words_by, *turn.words_of, *(each for line in lines for each in (line.author, *line.others)))
    lenders = (each.owner for each in turn.lent)
    named = (turn.author, *words, *owners, *asked, *lenders)
    return frozenset(person for person in named if person is not None and person != NOBODY)


def status_of(fields: Mapping[str, Any]) -> TurnStatus:
    """From the fields of its hash; what holds it is not among them."""
    outcome = fields.get("outcome")
    draft = fields.get("draft")
    started_at, accepted_at = fields.get("started_at"), fields.get("accepted_at")
    state = TurnState(fields["state"])
    return TurnStatus(
        turn=TURN.load(fields["body"]),
        state=state,
        outcome=OUTCOME.load(outcome) if outcome else None,
        epoch=int(fields.get("epoch", 0)),
        calls=int(fields.get("calls", 0)),
        started_at=float(started_at) if started_at else None,
        accepted_at=float(accepted_at) if accepted_at else None,
        delivered=fields.get("delivered") == "1",
        erased=fields.get("erased") == "1",
        # Of a cancelled turn nobody else knows what was made on the way; of others it is kept for erasure alone.
        draft=OUTCOME.load(draft) if draft and state not in FINAL_STATES - {TurnState.CANCELLED} else None,
    )


def _booked_as(status: TurnStatus, *, used: bool) -> str:
    """The name under which a turn stands in the usage book: its model. One that used nothing stands there under its
    engine if it made something, else not at all."""
    outcome = status.outcome
    if used:
        return (outcome.usage.model if outcome else "") or "unknown"
    return status.turn.engine if outcome and outcome.images else ""

"""What may be spent on AI: by a person, in a chat, and by the whole installation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain.language import tr
from bot.domain.outcomes import added
from bot.domain.refs import ChatRef, ServerRef, UserRef
from bot.domain.spans import span
from bot.domain.turns import Turn, TurnStatus, Usage
from bot.domain.wishes import Wish
from bot.domain.words import (
    EXACT_STILL,
    OVER_CHAT,
    OVER_CHAT_MONTH,
    OVER_HOUSE,
    OVER_MONTH,
    OVER_NOW,
    OVER_PERSON,
    OVER_PERSON_MONTH,
    OVER_SERVER,
    OVER_TURNS_HERE,
    OVER_YOUR_TURNS,
    joined,
)
from bot.ports import Bucket, ChatStore, Engine, TextModel

_DAY_S = 24 * 3600
_MONTH_LIFE_S = 40 * _DAY_S
TEN_MINUTES_S = 600
HOUR_S = 3600
_AI, _EXACT = "ai", "exact"
_IN_MONTH = re.compile(r":month:\d{4}-\d{2}$", re.ASCII)


@dataclass(frozen=True, slots=True)
class Estimates:
    """Upper guesses of what turns cost, in millionths of a US dollar. `text_model` reads lettering back, where there is
    one: then a turn may take two pictures and two readings."""

    text_model: TextModel | None = None

    def of(self, engine: Engine, wish: Wish, *, images: int) -> int:
        """Of one turn that sends so many images."""
        picture = engine.estimate_microusd(images=images, wish=wish)
        if wish.lettering and self.text_model is not None and engine.profile.generative:
            return 2 * (picture + self.text_model.estimate_microusd())
        return picture

    def of_turn(self, engine: Engine, turn: Turn) -> int:
        """The same, with the originals that may go along."""
        return self.of(engine, turn.wish, images=_pictures(engine, turn))

    def begun(self, engine: Engine, status: TurnStatus) -> Usage:
        """What the calls that were begun, and never came back, have used as far as anybody knows."""
        picture = engine.estimate_microusd(images=_pictures(engine, status.turn), wish=status.turn.wish)
        if status.draft is None or self.text_model is None:
            return Usage(status.calls * picture, calls=status.calls)
        reading = self.text_model.estimate_microusd()
        return Usage(sum((reading, picture, reading, picture)[: status.calls]), calls=status.calls)

    def so_far(self, engine: Engine | None, status: TurnStatus) -> Usage:
        """The same, and what a draft has used. Of an engine that is not set up any more nothing is known."""
        drafted = status.draft.usage if status.draft else Usage()
        begun = self.begun(engine, status) if engine is not None else Usage(calls=status.calls)
        return added(drafted, begun)


def _pictures(engine: Engine, turn: Turn) -> int:
    """How many pictures a turn sends at most."""
    return min(len(turn.inputs) + len(turn.pins), engine.profile.max_inputs)


@dataclass(frozen=True, slots=True)
class HourTurns:
    """How many turns of one kind may be asked for within any hour; 0 for any number."""

    person: int = 0
    chat: int = 0
    server: int = 0
    house: int = 0

    def buckets(self, kind: str, turn: Turn) -> list[Bucket]:
        """Where a turn is counted. The narrowest comes first."""
        limits = {
            f"turns:person:{turn.author.key}:{kind}": self.person,
            f"turns:chat:{turn.chat.key}:{kind}": self.chat,
            **({f"turns:server:{turn.server.key}:{kind}": self.server} if turn.server is not None else {}),
            f"turns:house:{kind}": self.house,
        }
        return [Bucket(name, 1, limit, window_s=HOUR_S) for name, limit in limits.items() if limit]


@dataclass(frozen=True, slots=True)
class Budget:
    """Caps in millionths of a US dollar. Days and months are UTC's; ten minutes are the last ten. A month of a person
    or a chat has no cap where it is 0. `ai` and `exact` are how many turns there may be."""

    person_day: int
    chat_day: int
    house_day: int
    house_month: int
    house_ten_minutes: int
    person_month: int = 0
    chat_month: int = 0
    ai: HourTurns = HourTurns()
    exact: HourTurns = HourTurns()

    def buckets(self, estimate_microusd: int, *, person: UserRef, chat: ChatRef) -> list[Bucket]:
        """Where a call's estimate is reserved: a day of the person's and of the chat's, then the installation's, then
        months of the first two. The first that is full is named."""
        today = datetime.now(UTC).date()
        day, month = today.isoformat(), f"{today:%Y-%m}"
        return [
            Bucket(f"person:{person.key}:{day}", estimate_microusd, self.person_day),
            Bucket(f"chat:{chat.key}:{day}", estimate_microusd, self.chat_day),
            Bucket("house:10m", estimate_microusd, self.house_ten_minutes, window_s=TEN_MINUTES_S),
            Bucket(f"house:{day}", estimate_microusd, self.house_day),
            Bucket(f"house:month:{month}", estimate_microusd, self.house_month, life_s=_MONTH_LIFE_S),
            *(
                Bucket(f"{whose}:month:{month}", estimate_microusd, limit, life_s=_MONTH_LIFE_S)
                for whose, limit in (
                    (f"person:{person.key}", self.person_month),
                    (f"chat:{chat.key}", self.chat_month),
                )
                if limit
            ),
        ]


class Caps:
    """The caps that hold for one edit: the installation's, and what a server has capped itself."""

    def __init__(
        self, *, budget: Budget, estimates: Estimates, engines: Mapping[str, Engine], chats: ChatStore
    ) -> None:
        self._budget = budget
        self._estimates = estimates
        self._engines = engines
        self._chats = chats

    async def buckets(
        self, estimate_microusd: int, *, person: UserRef, chat: ChatRef, server: ServerRef | None
    ) -> list[Bucket]:
        """Where an estimate is reserved."""
        buckets = self._budget.buckets(estimate_microusd, person=person, chat=chat)
        if server is None:
            return buckets
        caps, day = await self._chats.server(server), datetime.now(UTC).date().isoformat()
        limits = {
            f"person:{person.key}:at:{server.key}:{day}": caps.person_day_microusd,
            f"server:{server.key}:{day}": caps.day_microusd,
        }
        own = [Bucket(name, estimate_microusd, limit) for name, limit in limits.items() if limit is not None]
        return [*own, *buckets]

    async def of_turn(self, turn: Turn) -> list[Bucket]:
        """What a turn reserves before it runs: its place among those of the last hour, and money where it is not done
        by arithmetic."""
        engine = self._engines.get(turn.engine)
        if engine is None:
            return []
        if not engine.profile.generative:
            return self._budget.exact.buckets(_EXACT, turn)
        estimate = self._estimates.of_turn(engine, turn)
        money = await self.buckets(estimate, person=turn.author, chat=turn.chat, server=turn.server)
        return [*self._budget.ai.buckets(_AI, turn), *money]


_OVER_DAY = {"person": OVER_PERSON, "server": OVER_SERVER, "chat": OVER_CHAT, "house": OVER_HOUSE}
_OVER_MONTH = {"person": OVER_PERSON_MONTH, "chat": OVER_CHAT_MONTH, "house": OVER_MONTH}


def over_words(bucket: str, free_in_s: float | None = None) -> str:
    """What is said when this bucket is full. `free_in_s` is when it has room again."""
    if bucket.startswith("turns:"):
        words = OVER_YOUR_TURNS if bucket.startswith("turns:person:") else OVER_TURNS_HERE
        still = tr(EXACT_STILL) if bucket.endswith(f":{_AI}") else ""
        return joined(tr(words).format(time=span(HOUR_S if free_in_s is None else free_in_s)), still)
    if bucket == "house:10m":
        return tr(OVER_NOW)
    whose, in_month = bucket.partition(":")[0], _IN_MONTH.search(bucket) is not None
    return tr(_OVER_MONTH[whose] if in_month else _OVER_DAY[whose])

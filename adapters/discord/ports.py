"""What the Discord adapter needs from the world beside `bot.ports`, as Protocols."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.domain.messages import Answer, Rendition
from bot.domain.refs import ChatRef, MessageRef, TurnId, UserRef


@dataclass(frozen=True, slots=True)
class ChatFacts:
    """What the gateway knows of a chat, for processes without a gateway. `limit_bytes` is the largest file that the bot
    may send there; `server` the guild's id, empty in a DM."""

    limit_bytes: int = 10 * 2**20
    age_limited: bool = False
    server: str = ""


@dataclass(frozen=True, slots=True)
class Interaction:
    """What is needed to answer an interaction. The token is worth 15 minutes; it is never logged.

    `can_post` where the bot may post messages of its own in that chat: then the result becomes one, and can be replied
    to. Otherwise the interaction's own response is the reply. `reply_to` is the message that ours is to be a reply to,
    empty for none. `expires_at` in seconds since the epoch. `alone` where the answer is for that person only.
    """

    application: str
    token: str = field(repr=False)
    user: UserRef
    expires_at: float
    can_post: bool
    reply_to: str = ""
    limit_bytes: int = 10 * 2**20
    alone: bool = False


@dataclass(frozen=True, slots=True)
class KeptBack:
    """A result that could not be shown when it was done: its reply, and the turn. `alone` where it is for nobody but
    who asked for it."""

    reply: MessageRef
    turn: TurnId
    alone: bool = False


class FollowUps(Protocol):
    """What interactions need of the door out. Both raise where Discord does not take it, not even in part."""

    async def show_kept(
        self, interaction: Interaction, kept: KeptBack, answer: Answer, *, words: str, alone: bool
    ) -> MessageRef:
        """Show a result that was kept back, as a follow-up to this interaction, below these words; `alone` to that
        person only. From then on the follow-up, which is given, shows that turn, too, and can be gone on from."""
        ...

    async def send_file(self, interaction: Interaction, rendition: Rendition, *, spoiler: bool) -> None:
        """A follow-up with this file, to that person only; with words where it is too large."""
        ...

    def stands(self, message: MessageRef) -> bool:
        """Whether that message of ours was to be taken away here of late, and could not be."""
        ...


class DiscordStore(Protocol):
    """The adapter's own memory. Everything has an expiry."""

    async def note_chat(self, chat: ChatRef, facts: ChatFacts) -> None: ...

    async def chat(self, chat: ChatRef) -> ChatFacts | None: ...

    # --- catching up

    async def mark(self, chat: ChatRef, message_id: int) -> None:
        """A message of this chat was taken in. The greatest id stands."""
        ...

    async def know(self, chat: ChatRef, message_id: int) -> None:
        """The bot is used in this chat, and has dealt with all up to this id. Changes nothing where a mark stands."""
        ...

    async def marks(self, account: str) -> Mapping[ChatRef, int]:
        """The chats in which the bot was used of late, each with the greatest id taken in there."""
        ...

    async def note_alive(self, account: str, shard: int, at: float) -> None:
        """Until then (seconds since the epoch) this shard received all that was sent."""
        ...

    async def alive(self, account: str, shard: int) -> float | None: ...

    async def says_since(self, message: MessageRef, words: str, version: int) -> int:
        """Note what a message says (kept as a hash) in this version of it. Gives the version since which it says so: an
        older one where the words are those that were noted before."""
        ...

    # --- interactions

    async def keep_interaction(self, message: MessageRef, interaction: Interaction) -> None:
        """Its token until that expires, whose it was for longer. `message` is the ref made of its id; or the reply that
        is the interaction's response."""
        ...

    async def interaction(self, message: MessageRef) -> Interaction | None:
        """Without its token ("") once that is worth nothing any more."""
        ...

    async def keep_press(self, message: MessageRef, interaction: Interaction) -> None:
        """The last press under a message of ours, as long as its token is worth something: to that one, the message is
        the response."""
        ...

    async def press(self, message: MessageRef) -> Interaction | None: ...

    async def keep_target(self, interaction_id: str, target: Mapping[str, Any]) -> None:
        """The message that a form was opened on (JSON, as Discord describes it), until the form comes back: for an
        hour."""
        ...

    async def target(self, interaction_id: str) -> Mapping[str, Any] | None: ...

    async def keep_back(self, user: UserRef, kept: KeptBack) -> None:
        """Keep a result for this person's next interaction."""
        ...

    async def hold_kept_back(self, user: UserRef, *, life_s: int) -> Sequence[KeptBack]:
        """What waits for this person, in order. It goes on waiting until it is dropped. Nobody else is given any of it
        for that long, or until it is let go: none is shown twice. Where nothing waits, nothing is held."""
        ...

    async def drop_kept_back(self, user: UserRef, kept: KeptBack) -> None:
        """It was shown, or never can be."""
        ...

    async def let_go_kept_back(self, user: UserRef) -> None: ...

    async def forget(self, user: UserRef) -> None: ...

    # --- limits

    async def close_chat(self, chat: ChatRef, code: int) -> float:
        """Nothing can be posted there: do not try again for a while, longer each time. Gives the seconds."""
        ...

    async def is_closed(self, chat: ChatRef) -> bool: ...

    async def open_chat(self, chat: ChatRef) -> None:
        """It worked again, or something changed there."""
        ...

    async def once(self, what: str, *, life_s: int) -> bool:
        """True the first time within that many seconds."""
        ...

    async def was(self, what: str) -> bool:
        """Whether `once` was asked of it, within its time."""
        ...

    async def keep_call(self, key: str, call: MessageRef) -> None:
        """The message by which somebody was called, for a week."""
        ...

    async def take_call(self, key: str) -> MessageRef | None:
        """That message, once."""
        ...

    async def commands(self, application: str) -> str:
        """The hash of the commands that were registered last; empty for none."""
        ...

    async def note_commands(self, application: str, digest: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Division:
    """`count` shards there are, `own` are this process's; of these it is to `leave` some to others that have fewer."""

    count: int
    own: frozenset[int]
    leave: frozenset[int] = frozenset()


class ShardStore(Protocol):
    """Which process hears which shard. A process lives for so long after it has asked; what one that is gone heard is
    free."""

    async def divide(self, account: str, *, holder: str, wanted: int, life_s: float) -> Division:
        """Show life, and take what is free, up to an even share. `wanted` is how many shards there are to be: it counts
        where nobody lives, and a number that stands stays."""
        ...

    async def leave(self, account: str, *, holder: str, shards: Iterable[int]) -> None:
        """These are heard no more, and free."""
        ...

    async def go(self, account: str, *, holder: str) -> None:
        """None is heard any more."""
        ...

    async def until_identify(self, account: str, *, lane: int, every_s: float) -> float:
        """0: a session may be begun now, and in this lane no other for so long. Otherwise the seconds until one may
        ask again."""
        ...

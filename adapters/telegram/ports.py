"""What the Telegram adapter needs from the world beside `bot.ports`, as Protocols.

Keyboards are rows of `Key`; what a key carries is a `bot.domain.buttons.ButtonId`. All words are plain text, never
markup: links and mentions go along as `telegram.MessageEntity`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from bot.domain.messages import Answer, Rendition
from bot.domain.refs import ChatRef, MessageRef, Sha256, TurnId, UserRef

if TYPE_CHECKING:
    from telegram import MessageEntity  # large, and only a name here

Json = Mapping[str, Any]
ChatState = tuple[ChatRef | None, str]
"""The supergroup that a group has become, and why nothing can be posted there; empty where it is open."""
Begun = Callable[[], Awaitable[None]]
"""Runs when a new message has waited for its turn, just before Telegram is really asked: what it raises is raised, and
nothing was asked. It may run more than once for one message; then what was asked before was certainly not done. Where
it never ran, nothing was asked either."""


@dataclass(frozen=True, slots=True)
class Me:
    """The bot itself, as `getMe` tells. `reads_all`: privacy mode is off, and it is shown all that groups write."""

    id: str
    username: str
    name: str = ""
    reads_all: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """A button under a message: what people read, and what it carries (at most 64 bytes)."""

    label: str
    data: str


Keyboard = tuple[tuple[Key, ...], ...]


# --- asking Telegram


class Telegram(Protocol):
    """The Bot API as the doors use it. Everything that posts is paced (`Pace`) and comes back when it is done.

    Raises the errors of `adapters.telegram.errors`: `Rejected` (never try the same again), `Unavailable` (later),
    `OutcomeUnknown` (a new message may or may not stand there), `TokenRefused`, `Conflict` (somebody else asks for
    updates with the same token); and `ChatClosed`, `ChatGone`. Where a group has become a supergroup, the call is done
    once more there.
    """

    async def me(self) -> Me: ...

    async def updates(self, *, offset: int | None, wait_s: int) -> Sequence[Json]:
        """Raw, in order. A hundred at most. What is below `offset` is acknowledged by asking."""
        ...

    async def say(
        self,
        to: MessageRef,
        words: str,
        *,
        keyboard: Keyboard = (),
        entities: Sequence[MessageEntity] = (),
        picture: bytes | None = None,
        begun: Begun | None = None,
    ) -> MessageRef:
        """A message of its own, replying to that one where it stands (a press: to nothing). `picture`: a JPEG with
        these words below."""
        ...

    async def change(
        self, message: MessageRef, words: str, *, keyboard: Keyboard = (), entities: Sequence[MessageEntity] = ()
    ) -> None:
        """Another text and keyboard for a text message of ours. "Not modified" is success."""
        ...

    async def change_keyboard(self, message: MessageRef, keyboard: Keyboard) -> None: ...

    async def delete(self, message: MessageRef) -> bool:
        """False where Telegram does not let us (any more)."""
        ...

    async def answer_press(self, press_id: str, words: str = "", *, alert: bool = False) -> None:
        """Must follow every press. At most 200 units are shown. Best effort: raises nothing."""
        ...

    async def send_file(
        self, to: MessageRef, rendition: Rendition, *, words: str, begun: Begun | None = None
    ) -> MessageRef:
        """A rendition byte for byte, as a document that replies to that message."""
        ...

    async def closed(self, chat: ChatRef, *, state: ChatState | None = None) -> str:
        """Why nothing can be posted there, as the store has it now; empty where it is open. What is found need not be
        looked up again by what is posted there within seconds. `state`: what the store has just said."""
        ...

    async def seems_busy(self, chat: ChatRef) -> None:
        """ "Sending a photo…" for some seconds. Dropped where the chat has no room for it. Raises nothing."""
        ...

    async def admins(self, chat: ChatRef) -> Sequence[int]:
        """The ids of those who administrate this group, the anonymous ones among them; looked up once a minute. Empty
        for a private chat."""
        ...

    async def call(self, method: str, arguments: Json) -> Any:
        """Any other method, by its raw name: `setMyCommands`, `setWebhook`, `deleteWebhook`, `getWebhookInfo`."""
        ...


# --- pace: how often Telegram may be asked, over all processes


@dataclass(frozen=True, slots=True)
class Lane:
    """At most `most` in any `window_s` seconds. `shared` by all chats: never taken ahead of its time."""

    name: str
    most: int
    window_s: float
    shared: bool = False


class Pace(Protocol):
    """Kept where all processes see it. Times are the store's own."""

    async def take(
        self,
        lanes: Sequence[Lane],
        *,
        spare: int | None = None,
        longest_s: float | None = None,
        came: bool = False,
    ) -> float | None:
        """Take the next place in all of these lanes. Gives the seconds until it comes. Where these are more than
        `longest_s`, nothing is taken: whoever gives up leaves the place to others.

        0: go. Otherwise the places in lanes of one's own are taken, those in `shared` ones are not: wait so long, then
        ask again with `came`, which takes those. Where a lane of one's own is held back by then, the place that came is
        lost, and another is taken. With `spare`, nothing is taken and None is given unless there is a place now in each
        of them, and so many more: for what may as well be left out."""
        ...

    async def hold_back(self, lane: str, seconds: float) -> None:
        """Telegram says to wait: nothing goes through this lane until then."""
        ...


# --- what comes in


@dataclass(frozen=True, slots=True)
class Stored:
    """An update that was stored and is not dealt with. `raw` as Telegram sent it (JSON). `tries` is how many processes
    died while they were at it, as far as that was noted."""

    entry: str
    update_id: int
    raw: bytes
    tries: int = 0


@dataclass(frozen=True, slots=True)
class SetAside:
    """An update that could not be read. `why` is an error's name; what it says is kept for a week, and never shown."""

    update_id: int
    why: str
    at: float


class Inbox(Protocol):
    """Updates are stored before they are acknowledged. Shared by all processes of one account."""

    async def take_in(self, account: str, updates: Sequence[tuple[int, bytes]]) -> int:
        """Store these, in order, but for those that were stored within the last day: gives how many were new. When it
        comes back they are safe."""
        ...

    async def next(self, account: str, *, holder: str, most: int, begins: bool = False) -> Sequence[Stored]:
        """The oldest that nobody has taken. They are the holder's from now on. `begins`: it is at them at once, and one
        try of each is noted with it."""
        ...

    async def take_through(
        self, account: str, updates: Sequence[tuple[int, bytes]], *, holder: str, most: int
    ) -> Sequence[Stored]:
        """`take_in`, and then `next` of what `begins`, asked at once."""
        ...

    async def still_at(self, account: str, entries: Sequence[str], *, holder: str) -> None:
        """They are still being worked on."""
        ...

    async def left_behind(self, account: str, *, holder: str, idle_s: float, most: int) -> Sequence[Stored]:
        """What others took and have shown no life for so long. They are the holder's from now on."""
        ...

    async def note_tries(self, account: str, entry: str, tries: int) -> None:
        """So many tries are to count against it, should nothing more be heard of its holder."""
        ...

    async def dealt_with(self, account: str, entry: str) -> None: ...

    async def set_aside(self, account: str, stored: Stored, why: str) -> None:
        """It cannot be read. The last thousand are kept."""
        ...

    async def aside(self, account: str) -> Sequence[SetAside]: ...

    async def lead(self, account: str, *, holder: str, life_s: float) -> bool:
        """Only one process may ask for updates. True for the one that does, for so long from now; repeat it in time."""
        ...

    async def step_down(self, account: str, *, holder: str) -> None: ...


# --- albums


@dataclass(frozen=True, slots=True)
class Album:
    """Several pictures that were sent as one, as far as they have come. `items` are the messages (JSON as Telegram sent
    them) by their ids, in order of these. Times in seconds since the epoch.

    `anchor` is the message that stands for all of them, once it is closed. `handed` are the items that went along then.
    `gap_s` is the longest that one of them was behind the one before.
    """

    chat: ChatRef
    group: str
    items: Mapping[int, Json]
    began_at: float
    last_at: float
    gap_s: float = 0.0
    anchor: int | None = None
    handed: frozenset[int] = frozenset()


class Albums(Protocol):
    """Kept for a week."""

    async def add(self, chat: ChatRef, group: str, message: int, raw: Json, *, at: float) -> Album:
        """An item came, or came again with other words. Gives the album with it."""
        ...

    async def of_group(self, chat: ChatRef, group: str) -> Album | None: ...

    async def of_message(self, chat: ChatRef, message: int) -> Album | None:
        """The album that this message belongs to."""
        ...

    async def wake_at(self, chat: ChatRef, group: str, when: float) -> None:
        """It is to be looked at then, by whichever process comes first."""
        ...

    async def due(self, account: str, now: float, *, life_s: float) -> Sequence[tuple[ChatRef, str]]:
        """Those whose time has come. Nobody else is given them for that long."""
        ...

    async def close(self, chat: ChatRef, group: str, *, anchor: int, handed: Sequence[int]) -> Album:
        """Note what is handed over now. The first anchor stays. Gives what stands."""
        ...

    async def let_go(self, chat: ChatRef, group: str) -> None:
        """It needs no looking at any more."""
        ...


# --- what was sent


class SendState(StrEnum):
    """What is known of a message that can't be sent twice."""

    NEW = "new"
    """Nobody has tried: it is ours to send now."""
    SENDING = "sending"
    """Somebody has begun, and has not come back."""
    SENT = "sent"
    UNKNOWN = "unknown"
    """It was tried, and nobody knows whether it stands there."""


@dataclass(frozen=True, slots=True)
class Send:
    """`messages` are the ids, once sent. `at` when it was begun, in seconds since the epoch."""

    state: SendState
    messages: tuple[int, ...] = ()
    at: float = 0.0


class Ledger(Protocol):
    """Messages that must not be sent twice, each under a key of its own. Kept as long as pictures are."""

    async def begin(self, key: str) -> Send:
        """Note that it is being sent now, unless it was noted before. Gives what stood there: NEW where nothing did."""
        ...

    async def find(self, key: str) -> Send | None: ...

    async def sent(self, key: str, messages: Sequence[int]) -> None: ...

    async def unknown(self, key: str) -> None: ...

    async def drop(self, key: str) -> None:
        """It was certainly not sent, or is to be sent again knowingly."""
        ...


# --- everything else


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file that Telegram has of ours, so that it need not be sent again. Another bot's id means nothing."""

    file_id: str = field(repr=False)
    as_photo: bool


class TelegramStore(Protocol):
    """The adapter's own memory. Everything has an expiry."""

    async def file(self, account: str, sha256: Sha256, *, as_photo: bool) -> KnownFile | None: ...

    async def note_file(self, account: str, sha256: Sha256, file: KnownFile) -> None: ...

    async def moved_to(self, chat: ChatRef) -> ChatRef | None:
        """The supergroup that a group has become."""
        ...

    async def note_move(self, old: ChatRef, new: ChatRef) -> None: ...

    async def close_chat(self, chat: ChatRef, why: str) -> None:
        """The bot was thrown out or blocked: nothing can be posted there until somebody lets it in again."""
        ...

    async def closed(self, chat: ChatRef) -> str:
        """Why; empty where it is open."""
        ...

    async def open_chat(self, chat: ChatRef) -> None: ...

    async def state(self, chat: ChatRef) -> ChatState:
        """What `moved_to` and `closed` give, asked at once."""
        ...

    async def says_since(self, message: MessageRef, words: str, version: int) -> int:
        """Note what a message says (kept as a hash) in this version of it. Gives the version since which it says so: an
        older one where the words are those that were noted before."""
        ...

    async def says_in(self, chat: ChatRef, message: MessageRef, words: str, version: int) -> tuple[int, ChatState]:
        """What `says_since` gives, and the `state` of that chat, asked at once."""
        ...

    async def unsay(self, messages: Sequence[MessageRef]) -> None:
        """What these messages say is not known any more."""
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

    async def note(self, what: str, value: str) -> None:
        """Something to be known later, by its name (the hash of the commands that were set last)."""
        ...

    async def noted(self, what: str) -> str:
        """Empty where nothing was noted."""
        ...

    async def forget(self, user: UserRef) -> None:
        """Albums that they sent, and anything else under their name."""
        ...


@dataclass(frozen=True, slots=True)
class TelegramStores:
    """What the adapter keeps, each where all processes see it."""

    inbox: Inbox
    albums: Albums
    ledger: Ledger
    pace: Pace
    own: TelegramStore


class Orphans(Protocol):
    """Messages of ours whose id nobody had noted, and that turn up when somebody touches them."""

    async def found(self, message: MessageRef, turn: TurnId) -> None:
        """A placeholder of this turn stands there. It is taken away where another one is the reply."""
        ...


class Resending(Protocol):
    """What may not have arrived, once more (`Verb.REST`). `TelegramPlatform` does it."""

    async def send_again(self, reply: MessageRef, answer: Answer) -> None:
        """Post knowingly what this finished answer's reply could not hold and nobody knows to have arrived."""
        ...

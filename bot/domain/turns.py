"""A turn: one edit. Never changes once finished; the one later write is erasure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bot.domain.arena import Side
from bot.domain.files import TextFile
from bot.domain.images import ImageFacts, Input
from bot.domain.labels import Label
from bot.domain.refs import ChatRef, MessageRef, Person, ServerRef, ThreadId, TurnId, UserRef
from bot.domain.wishes import Wish


class TurnState(StrEnum):
    """Where a turn is. The last five are final."""

    ACCEPTED = "accepted"
    WAITING = "waiting"
    RUNNING = "running"
    ASKING = "asking"
    """Final: the engine answered with words instead of an image. The next reply goes on from there."""
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL_STATES = frozenset({TurnState.ASKING, TurnState.DONE, TurnState.REFUSED, TurnState.FAILED, TurnState.CANCELLED})


class Hold(StrEnum):
    """Why a turn waits."""

    PARENT = "parent"
    """The turn that it replies to is not finished."""
    AUTHOR = "author"
    """Its author has as many turns under way as one person may have."""
    CHAT = "chat"
    """Its chat has as many turns under way as one chat may have."""
    SERVER = "server"
    """The same of its server."""
    SLOT = "slot"
    """All workers are busy."""
    CONSENT = "consent"
    """The owner of a picture has not said yes."""


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One earlier instruction on a turn's own path, with the name of who gave it."""

    author: UserRef
    name: str
    instruction: str
    others: tuple[UserRef, ...] = ()
    """Whose words are in it beside the author's."""


@dataclass(frozen=True, slots=True)
class Story:
    """What was asked before on this path: the last few instructions in order, and standing wishes that never fall
    out ("always keep her face clear")."""

    lines: tuple[StoryLine, ...] = ()
    pinned: tuple[StoryLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """What an engine's calls used, as its own figures say. Money in millionths of a US dollar.

    `calls` counts every request that was sent for the turn, those that broke off included.
    """

    cost_microusd: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    model: str = ""
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """Where an answer's facts come from. `url` is a link that people can open."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Lent:
    """A picture that flows into a result, whose it is (None where nobody knows), and the name that others read of them.
    `image` is its SHA-256, empty for who is only named."""

    owner: UserRef | None
    name: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One accepted edit: who asked what, of which images, and where the answer goes.

    `inputs` are in the order given; `pins` are the images that pin the thread (its originals). `owners` is everyone
    whose picture flows into the result, along the whole path. `reply` is the message reserved for the answer.
    `created_at` in seconds since the epoch.
    """

    id: TurnId
    chat: ChatRef
    origin: MessageRef
    author: UserRef
    author_name: str
    instruction: str
    engine: str
    parent: TurnId | None
    inputs: tuple[Input, ...]
    reply: MessageRef
    created_at: float
    story: Story = field(default_factory=Story)
    pins: tuple[ImageFacts, ...] = ()
    owners: tuple[UserRef, ...] = ()
    engines: tuple[str, ...] = ()
    """Display names of the generative engines that worked on this path before."""
    note: str = ""
    """Something to tell the person with the answer: "the turn before gave no picture, so I took the one before"."""
    words_by: UserRef | None = None
    """Whose words the instruction is, where somebody else pressed for it to be done again. None: the author's."""
    wish: Wish = field(default_factory=Wish)
    album: tuple[TurnId, ...] = ()
    """All turns that one message asked for, in order, this one among them; none where it asked for one."""
    heard: str = ""
    """What was understood of a voice message; it is the instruction."""
    spent: Usage = field(default_factory=Usage)
    """What was used before the engine began: the transcription of a voice message."""
    server: ServerRef | None = None
    asks: tuple[Person, ...] = ()
    """Whose consent it needs before it may run."""
    around: tuple[ChatRef, ...] = ()
    """The chats that its own lies in."""
    pin_owners: tuple[UserRef | None, ...] = ()
    """Whose each of the pins is; None where nobody knows."""
    words_of: tuple[UserRef, ...] = ()
    """Whose words are in the instruction, or in the answer to it, beside those of whoever asked: a recipe's."""
    spoiler: bool = False
    """Its pictures grew from one that is hidden until it is opened, and are hidden, too."""
    lent: tuple[Lent, ...] = ()
    """People's own pictures that flow into the result, along the whole path."""
    taste: str = ""
    """Standing wishes of its author, which go along with what they ask for."""
    sides: tuple[Side, ...] = ()
    """Of an arena, both sides as they were drawn, A first: what this turn does stands in the one at its place."""
    unnamed: tuple[UserRef, ...] = ()
    """Of the owners, those whose picture came from another chat, by a link: nobody here is told who they are."""
    language: str = ""
    """The language that its author is answered in: one of `bot.domain.language.LANGUAGES`, or empty for English."""

    @property
    def panel(self) -> int:
        """Its place in the album, from 0."""
        return self.album.index(self.id) if self.album else 0

    @property
    def side(self) -> Side | None:
        """What its own side of an arena is."""
        return self.sides[self.panel] if self.album and self.sides else None

    @property
    def own_words(self) -> str:
        """What this very turn is to do. Its `instruction` is all that was said, which tells nothing of which is
        which."""
        return (self.side.words if self.side is not None else "") or self.instruction

    @property
    def model(self) -> str:
        """Which of the engine's models is to do it; empty where any of them may."""
        return self.side.model if self.side is not None else ""

    @property
    def thread(self) -> ThreadId:
        return ThreadId(self.id.partition("-")[0])


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a turn ended. `images` are masters. `words` is the remark, the question, or the reason in plain
    words; `suggestions` are instructions to go on with: next edits of a result, answers to a question, what would
    work instead of what was refused. `plan` are the words of each panel of a story, told by its first turn."""

    state: TurnState
    images: tuple[ImageFacts, ...] = ()
    words: str = ""
    code: str = ""
    label: Label | None = None
    usage: Usage = field(default_factory=Usage)
    note: str = ""
    suggestions: tuple[str, ...] = ()
    finished_at: float = 0.0
    plan: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    nodes: tuple[TurnId, ...] = ()
    """The results that its picture shows by their numbers, from 1: a drawn tree."""
    recipes: tuple[tuple[str, str], ...] = ()
    """The id and the name of each recipe that it offers."""
    files: tuple[TextFile, ...] = ()
    """What it hands out beside its words."""


@dataclass(frozen=True, slots=True)
class TurnStatus:
    """A turn as the store knows it now.

    `epoch` counts claims, `calls` the calls to a paid engine that were begun. `erased` after /forget: the words and
    images are gone and only the shape of the tree remains. `draft` is what earlier paid calls of the same turn have
    brought, kept before the next one begins, and until it is finished or cancelled. `accepted_at` (seconds since the
    epoch, by the store's clock) is not known of turns of older versions.
    """

    turn: Turn
    state: TurnState
    outcome: Outcome | None = None
    holds: frozenset[Hold] = frozenset()
    epoch: int = 0
    calls: int = 0
    started_at: float | None = None
    delivered: bool = False
    erased: bool = False
    draft: Outcome | None = None
    accepted_at: float | None = None

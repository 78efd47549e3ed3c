"""What the core needs from the world, as Protocols. Few, each with few members.

Nothing here is tied to a technology. Implementations are named after theirs (`RedisTurnStore`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.domain.arena import Choice, Match, Tally
from bot.domain.cast import Member
from bot.domain.changes import Change
from bot.domain.chats import ChatSettings, ServerSettings
from bot.domain.consent import LastSaid, Say, Standing
from bot.domain.images import ImageFacts, Picture
from bot.domain.invitations import Invitation, Joined
from bot.domain.labels import Label
from bot.domain.messages import (
    Answer,
    Attachment,
    ChatCapabilities,
    InboundMessage,
    MessageRecord,
    Received,
    Rendition,
    Shown,
)
from bot.domain.own_pictures import Said
from bot.domain.people import Door, Entry, Roll, Rules
from bot.domain.recipes import Recipe
from bot.domain.refs import ChatRef, MessageRef, Person, ServerRef, Sha256, ThreadId, TurnId, UserRef
from bot.domain.roles import Purpose
from bot.domain.sharing import Finished, Share, SharedResult
from bot.domain.turns import Outcome, Source, Story, Turn, TurnState, TurnStatus, Usage
from bot.domain.wishes import PLAIN_WISH, Wish

# --- platforms


class Platform(Protocol):
    """One platform's door out, and its way to fetch what people sent. The only place that posts."""

    name: str

    async def capabilities(self, chat: ChatRef) -> ChatCapabilities: ...

    async def fetch(self, attachment: Attachment, *, max_bytes: int) -> bytes:
        """The file's bytes. Reads at most `max_bytes` + 1; raises `BadPicture` when it is larger or gone."""
        ...

    async def reserve(self, message: InboundMessage, turn: TurnId) -> MessageRef:
        """Post the reply that will be filled. Where the platform allows it, the same turn gives the same message.

        Raises `ChatClosed` where nothing can be posted for now, `ChatGone` where nothing ever can."""
        ...

    async def fill(self, reply: MessageRef, answer: Answer) -> None:
        """Make the reserved reply show this answer, by editing it. Repeating it is harmless.

        Raises `ChatClosed` or `ChatGone` like `reserve`."""
        ...

    async def call(self, reply: MessageRef, person: UserRef, words: str, *, key: str) -> None:
        """Call a person to a reply of ours by a short message of its own, where filling it does not notify. The same
        `key` is the same message, where the platform allows it. Best effort: raises nothing."""
        ...

    async def call_off(self, reply: MessageRef, *, key: str) -> None:
        """What the person was called for is settled: the call may go. Best effort: raises nothing."""
        ...

    async def show_sources(self, message: MessageRef, pictures: Sequence[Rendition]) -> None:
        """The pictures that a person's message brought, checked and ready to be shown. A platform that shows them by
        itself does nothing."""
        ...

    async def done(self, message: InboundMessage) -> None:
        """The message is dealt with: what was kept for it on the way in can go. Repeating it is harmless."""
        ...

    async def forget(self, user: UserRef) -> None:
        """Everything that this platform itself remembers of a person, beside messages, can go."""
        ...

    async def retract(self, ours: Sequence[MessageRef], theirs: Sequence[MessageRef]) -> None:
        """Take these messages of ours and, where we hold them, of people away (erasure). Best effort."""
        ...


class Rooms(Protocol):
    """The core, as a door in sees it. Whom the installation keeps out it lets do nothing but decide about what is
    theirs, whatever a door has asked before."""

    async def kept_out(
        self, person: UserRef, chat: ChatRef, *, server: ServerRef | None = None, around: Sequence[ChatRef] = ()
    ) -> str:
        """What to tell somebody whom the installation does not let in there; empty where it does. A door says it once
        a day, or to that person alone."""
        ...

    async def enter(self, person: UserRef, code: str) -> str:
        """Somebody sends the code of an invitation. Gives what to tell them, in private."""
        ...

    async def operate(self, person: UserRef, words: str) -> str:
        """What an operator says behind /operator, where nobody else reads along. Gives what to tell them. Whoever is
        none learns nothing, and changes nothing."""
        ...

    async def changes(self, chat: ChatRef, server: ServerRef | None) -> str:
        """The last changes of a chat's settings and its server's, in words, for those who run it."""
        ...

    async def receive(self, message: InboundMessage) -> Received:
        """Take a message. A repeat gives the same turn and the same reply. Raises `ChatClosed` or `ChatGone` where it
        cannot be answered, `KeptOut` where the installation does not let its author in."""
        ...

    async def join(self, message: InboundMessage) -> bool:
        """The same message, to which more pictures have come. True where they go along; False where its turn has begun
        or ended, and nothing was changed. Repeating it is harmless."""
        ...

    async def cancel(self, turn: TurnId, *, chat: ChatRef, by: UserRef) -> bool:
        """End a turn that is not finished. False when it was, or when it is not theirs to end."""
        ...

    async def under_way(self, chat: ChatRef, *, by: UserRef) -> Sequence[TurnId]:
        """What this person has asked for in this chat and is not finished, the newest first. An album is its first
        turn."""
        ...

    async def allow(self, turn: TurnId, *, chat: ChatRef, by: UserRef, say: Say | None) -> str:
        """What the owner of a picture answers to the question that a turn waits for; None for "not this time". Gives
        what to tell them. From whoever was not asked it changes nothing."""
        ...

    async def vote(self, turn: TurnId, *, chat: ChatRef, by: UserRef, choice: Choice | None) -> str:
        """What somebody votes in an arena, in place of what they voted before; None to end it, which is for whoever
        asked. Gives what to tell them."""
        ...

    async def info(self, reply: MessageRef, *, by: UserRef, index: int | None = None) -> str:
        """What is known of the result that this message shows, in words for anybody in its chat."""
        ...

    async def delete(self, reply: MessageRef, *, by: UserRef, moderates: bool) -> str:
        """Delete the results that this message shows, with their pixels, and the message itself. Only for who asked for
        them, and for who moderates the chat. Gives what to tell them; empty where it was done."""
        ...

    async def file(
        self, reply: MessageRef, capabilities: ChatCapabilities, *, by: UserRef, index: int | None = None
    ) -> Rendition:
        """The labelled file of a result, as good as these capabilities let it be. Raises `RemixError`."""
        ...

    async def answer_of(self, turn: TurnId) -> Answer | None:
        """What the reply of this turn is to show now; None where nothing is known of it."""
        ...

    async def sizes(self) -> Sequence[tuple[str, str]]:
        """Sizes that a form may offer, each with words that say its price. The first is the usual one ("")."""
        ...

    @property
    def marks_always(self) -> bool:
        """Whether AI's pictures have a mark in them whatever a chat has chosen."""
        ...

    async def settings(self, chat: ChatRef, server: ServerRef | None) -> tuple[ChatSettings, ServerSettings]: ...

    async def change_chat(
        self,
        chat: ChatRef,
        settings: ChatSettings,
        *,
        by: UserRef,
        server: ServerRef | None = None,
        was: ChatSettings | None = None,
    ) -> None:
        """It holds at once, for every process, and is written down. `server` is what the chat belongs to. `was` is what
        stood when it was decided: only what differs from that is changed, and what others change at the same moment
        stays. Raises `KeptOut`."""
        ...

    async def change_server(
        self, server: ServerRef, settings: ServerSettings, *, by: UserRef, was: ServerSettings | None = None
    ) -> None:
        """The same, of a server."""
        ...

    async def move(self, old: ChatRef, new: ChatRef) -> None:
        """A chat has another name from now on: what was set for it, and for the server of the same name, holds there.
        Repeating it is harmless, and changes nothing that was set there since."""
        ...

    async def standing(self, owner: UserRef, chat: ChatRef) -> Standing:
        """What this person has said of their own pictures."""
        ...

    async def stand(self, owner: UserRef, chat: ChatRef, standing: Standing) -> None:
        """What this person says of their own pictures: "never" holds everywhere, "here" in this chat, "unsaid" takes
        back either."""
        ...

    async def forget(self, user: UserRef) -> str:
        """Erase a person. Gives what to tell them."""
        ...

    async def speaks(self, user: UserRef, language: str) -> None:
        """The language that the platform says this person reads, by its tag (BCP 47): they are spoken to in it where
        the platform does not say it again. To whoever presses something, a door answers in the language that is
        `bot.domain.language.speaking` while it asks the core."""
        ...

    async def language_of(self, user: UserRef, otherwise: str = "") -> str:
        """The language to speak to somebody in whose platform does not say it now: what it said last, or the one of
        this tag, or English."""
        ...

    async def shared(self, token: str) -> SharedResult | None:
        """What a link shows now; None for one that is unknown or has ended."""
        ...

    async def finished(self, by: UserRef, *, words: str, most: int) -> Sequence[Finished]:
        """The last results that this person asked for and may show anywhere, the newest first: those whose instruction
        has all of these words."""
        ...


# --- engines


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the maker of a model lets this installation ask of it, all processes together: requests, pictures made and
    tokens sent within any minute, requests within any day; 0 for what is not known. A request takes `request_tokens`,
    and `picture_tokens` for each picture that it sends."""

    minute_requests: int = 0
    minute_images: int = 0
    minute_tokens: int = 0
    day_requests: int = 0
    request_tokens: int = 0
    picture_tokens: int = 0


@dataclass(frozen=True, slots=True)
class EngineProfile:
    """Facts about an engine. `name` is its key (`exact`, `gemini`), `display_name` what people read.

    `generative` engines make pixels up: their results are AI-made and their calls cost money. `max_inputs` is how
    many images one turn may take. `models` are the models behind a generative engine, in the order in which they are
    tried; `sizes` what the first can make, its default first; `allowances` how much may be asked of each, where that
    is known.
    """

    name: str
    display_name: str
    generative: bool
    max_inputs: int
    models: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    allowances: Mapping[str, Allowance] = field(default_factory=dict[str, Allowance])


@dataclass(frozen=True, slots=True)
class Reading:
    """What an engine makes of an instruction before anything is done.

    `whole` when every part is understood. Otherwise `unclear` is the part that is not (in the person's own words)
    and `suggestions` three instructions that would work.
    """

    whole: bool
    unclear: str = ""
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EditRequest:
    """One turn, as an engine sees it: masters in order, words, and what was asked before.

    `purposes` says of each image what it is for; empty, or None for one, where nothing was said. `originals` pin the
    thread: likeness is taken from them and not from a copy of a copy. `panel` counts from 1 within an album of
    `wish.count`, and `plan` has the words of each panel of a story once the first has told them. `model` is one of the
    profile's, empty for the first. `names` are what each image is called in words, empty where it has no name; `taste`
    are the asker's standing wishes. `misread` is what a first try's lettering turned out to say. `may_suggest` and
    `may_ask` are the chat's wish; `age_limited` where only adults are let in.
    """

    instruction: str
    images: tuple[Picture, ...]
    story: Story = field(default_factory=Story)
    purposes: tuple[Purpose | None, ...] = ()
    originals: tuple[Picture, ...] = ()
    wish: Wish = PLAIN_WISH
    panel: int = 1
    plan: tuple[str, ...] = ()
    model: str = ""
    misread: str = ""
    may_suggest: bool = True
    may_ask: bool = True
    age_limited: bool = False
    names: tuple[str, ...] = ()
    taste: str = ""


@dataclass(frozen=True, slots=True)
class Retirement:
    """What a model's maker says of its future. `when` is a date as text, empty where none was named."""

    model: str
    stage: str
    when: str = ""


@dataclass(frozen=True, slots=True)
class EngineAnswer:
    """What an engine made. No image but a remark: it asks back, or explains itself in words.

    `suggestions` are next edits that fit this very result, or answers to what it asks back. `plan` are the words of
    each panel of a story. `note` is something to know about the result ("the background is not transparent").
    """

    images: tuple[Picture, ...]
    remark: str = ""
    usage: Usage = field(default_factory=Usage)
    suggestions: tuple[str, ...] = ()
    plan: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    note: str = ""
    retirement: Retirement | None = None


class Engine(Protocol):
    """What makes the pixels. It is handed pixels and gives pixels; it touches no store."""

    profile: EngineProfile

    def read(self, instruction: str, *, images: int, wish: Wish = PLAIN_WISH) -> Reading:
        """Whether this engine can do it, with that many images at hand. Pure and quick (under 5 ms)."""
        ...

    def estimate_microusd(self, *, images: int, wish: Wish = PLAIN_WISH) -> int:
        """An upper guess of what one call costs, reserved before it and settled after. On the dearest of its models."""
        ...

    async def edit(self, request: EditRequest) -> EngineAnswer:
        """Do it once, without any retry. Raises `EngineFailed` or `BadRequest`. Never blocks the event loop."""
        ...


@dataclass(frozen=True, slots=True)
class Heard:
    """Words that were heard in a sound, or seen in a picture; empty where there were none."""

    words: str
    usage: Usage = field(default_factory=Usage)


class TextModel(Protocol):
    """A model that gives words: it listens, and it reads. Its calls cost money, and are never repeated by itself."""

    @property
    def name(self) -> str:
        """Its id."""
        ...

    @property
    def allowance(self) -> Allowance: ...

    def estimate_microusd(self) -> int:
        """An upper guess of what one call costs."""
        ...

    async def transcribe(self, sound: bytes, *, media_type: str) -> Heard:
        """What a voice message says, in its own language. Raises `EngineFailed`."""
        ...

    async def lettering(self, picture: Picture) -> Heard:
        """All words that are written in the picture, in reading order, one line each. Raises `EngineFailed`."""
        ...


class PictureReader(Protocol):
    """Checks what came from outside, and makes it a picture that is safe to keep."""

    async def read(self, data: bytes, *, filename: str) -> Picture:
        """Type, size and pixel count are read from the header before any decoder runs. Raises `BadPicture`."""
        ...


class Labeller(Protocol):
    """Puts the label into a file, for the place it goes to."""

    async def render(
        self,
        master: Picture,
        label: Label | None,
        capabilities: ChatCapabilities,
        *,
        ingredients: Mapping[Sha256, bytes] | None = None,
    ) -> Picture:
        """A rendition: the same pixels wherever the limits allow it, with the label in its metadata.

        `label` None for a picture that a person sent: it is shown as it is, without a claim. `ingredients` are the
        files that `label.work` names, as far as they are still there.
        """
        ...


class RenditionMaker(Protocol):
    """Images made ready for a place, each made once: the labelled file is kept beside its master."""

    async def of(
        self, masters: Sequence[ImageFacts], label: Label | None, capabilities: ChatCapabilities
    ) -> tuple[Rendition, ...]:
        """One per master, in order, from the image store."""
        ...

    async def keep(
        self,
        holder: str,
        pictures: Sequence[Picture],
        label: Label | None,
        capabilities: ChatCapabilities,
        *,
        renew: Sequence[ImageFacts] = (),
    ) -> tuple[tuple[ImageFacts, ...], tuple[Rendition, ...]]:
        """Store these pixels as masters held by `holder`, with their renditions. Gives both, in order.

        `renew` are images that were used on the way: their lives begin anew."""
        ...


# --- storage


class LanguageStore(Protocol):
    """The language that each person reads, as their platform said it last."""

    async def of(self, users: Sequence[UserRef]) -> Sequence[str]:
        """One for each of them, in order; empty for whoever nothing is known of."""
        ...

    async def keep(self, user: UserRef, language: str) -> None: ...


class RecipeStore(Protocol):
    """The recipes of chats. What one chat has is never found from another."""

    async def save(self, recipe: Recipe) -> bool:
        """Keep it, in place of one of the same name by the same person. False where the name is somebody else's, or the
        chat has as many as it may. Repeating it is harmless."""
        ...

    async def find(self, chat: ChatRef, id_: str) -> Recipe | None: ...

    async def all(self, chat: ChatRef) -> Sequence[Recipe]:
        """By their names."""
        ...

    async def delete(self, chat: ChatRef, id_: str) -> None:
        """Deleting what is not there is harmless."""
        ...

    async def move(self, old: ChatRef, new: ChatRef) -> None:
        """A chat has another name from now on. What was saved there since stays. Repeating it is harmless."""
        ...


class ImageStore(Protocol):
    """Pixels at rest, named by the SHA-256 of their bytes."""

    async def put(self, data: bytes, sha256: Sha256 | None = None) -> Sha256:
        """Keep these bytes. `sha256` is their name where it is known already, which saves computing it again."""
        ...

    async def get(self, sha256: Sha256) -> bytes:
        """Raises `KeyError` when there is none."""
        ...

    async def delete(self, sha256: Sha256) -> None:
        """Deleting what is not there is harmless."""
        ...

    def list(self) -> AsyncIterator[tuple[Sha256, float]]:
        """Every stored name with the time of its last write, in seconds since the epoch."""
        ...


class MessageStore(Protocol):
    """What is remembered of messages. The anchor of "one message, one turn"."""

    async def note(self, record: MessageRecord) -> MessageRecord:
        """Remember a message that was not sent to us: one that somebody replies to. A repeat gives what stands."""
        ...

    async def record(self, message: InboundMessage, record: MessageRecord) -> tuple[MessageRecord, bool]:
        """Remember a message before anything is done with it. A repeat changes nothing. Gives what stands, and whether
        it was never heard of before.

        From now until `settle_inbound` the message is listed by `unsettled`.
        """
        ...

    async def find(self, ref: MessageRef) -> MessageRecord | None: ...

    async def bring(
        self,
        ref: MessageRef,
        sources: Sequence[ImageFacts],
        *,
        author: UserRef | None = None,
        owners: Sequence[Person | None] = (),
        spoiler: bool = False,
    ) -> None:
        """Note the pictures that a person's message brought, and whose they are where they are not the author's. Where
        the author was forgotten since the message came, forgetting them again finds these."""
        ...

    async def attach(
        self, reply: MessageRef, thread: ThreadId, shows: Sequence[Shown], *, asker: UserRef | None = None
    ) -> None:
        """Remember that this message of ours shows (or will show) these results, and who asked for them."""
        ...

    async def latest(self, chat: ChatRef, asker: UserRef, *, unfinished: bool = False) -> MessageRef | None:
        """The last message of ours that was attached for this person in this chat and has a picture to go on from.
        `unfinished`: or whose turn asks something back, was refused, failed or was cancelled, so that what is said next
        may set it right."""
        ...

    async def begin_listening(self, ref: MessageRef, *, life_s: float) -> int:
        """Take the right to listen to a voice message for so long. Gives which try this is, from 1; 0 while somebody
        else has it."""
        ...

    async def hear(self, ref: MessageRef, heard: Heard) -> None:
        """Note what a voice message says, so that it is listened to once."""
        ...

    async def heard(self, ref: MessageRef) -> Heard | None: ...

    async def settle_inbound(self, message: InboundMessage) -> None:
        """The message is dealt with: its turn is submitted, or it is answered."""
        ...

    async def unsettled(self, *, older_than_s: float) -> Sequence[InboundMessage]:
        """Messages that were recorded and never dealt with: a crash left them. Oldest first."""
        ...

    async def put_off(self, message: InboundMessage) -> None:
        """It could not be dealt with now: the others come first."""
        ...


@dataclass(frozen=True, slots=True)
class Bucket:
    """A limit that a turn reserves from: `estimate` now, the true amount when it finishes. Same unit throughout.

    `window_s` makes it rolling: what counts is what was reserved and used within that many seconds. One whose name
    begins with `person:` is charged for what a person got: not for refusals, and not for failures. One that begins with
    `turns:` counts turns (estimate 1): those that ended without a result and without a paid call are given back;
    `turns:person:` those that were refused or failed, too.
    """

    name: str
    estimate: int
    limit: int
    window_s: int = 0
    life_s: int = 3 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Line:
    """What stands before a turn that waits: its `position`, from 1, how many `slots` there are, the engines of those
    `before` it (the first some hundred), and of those `under_way` with the seconds since each was let run."""

    position: int
    slots: int
    before: tuple[str, ...] = ()
    under_way: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Submitted:
    """What `submit` decided. `start` are turns that may run now (this one, or others it let through).

    `full` names the bucket that had no room, in which case nothing was accepted; a rolling one has room again in
    `free_in_s` at the latest (None where that is not known). `repeat` when the turn was
    submitted before.
    """

    repeat: bool = False
    full: str = ""
    free_in_s: float | None = None
    holds: frozenset[str] = frozenset()
    position: int | None = None
    start: tuple[TurnId, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to finish a turn, until somebody claims it again. `calls` were begun by earlier claims."""

    status: TurnStatus
    epoch: int
    calls: int


class Close(Protocol):
    """What follows a final state, see `bot.turns.Workshop.close`."""

    async def __call__(self, turn: TurnId, *, ours: bool = False) -> None:
        """`ours` where whoever calls has the right to fill its reply: they have ended it, or taken that right."""
        ...


@dataclass(frozen=True, slots=True)
class OpenTurn:
    """A turn that still needs something: `let_run` when admission gave it to the queue and has not heard of its end."""

    turn: TurnId
    state: TurnState
    let_run: bool
    age_s: float
    asks: bool = False
    """It waits for somebody's consent."""


class TurnStore(Protocol):
    """Turns and the decision what may run. The store decides, the queue executes."""

    async def submit(self, turn: Turn, buckets: Sequence[Bucket]) -> Submitted:
        """Accept a turn: a repeat is refused for good; reserve from its buckets; hold it or let it run. One whose
        `asks` are not empty is held until each of them has agreed; what it reserves is taken then."""
        ...

    async def extend(self, turn: Turn) -> bool:
        """More has come for a turn that nobody has claimed yet: from now on it stands like this. What it has reserved,
        what holds it and who is asked stay. False where it was claimed or has ended, and nothing was written."""
        ...

    async def agree(self, turn: TurnId, owner: UserRef, buckets: Sequence[Bucket]) -> Submitted:
        """One of those whom this turn asks has said yes. With the last of them it reserves from its buckets; where one
        has no room (`full`), it is left as it was. Repeating it is harmless, and it changes nothing for a turn that
        does not ask them."""
        ...

    async def note_once(self, turn: TurnId, what: str) -> bool:
        """True the first time, for each `what` of a turn."""
        ...

    async def conclude(self, turn: Turn, outcome: Outcome) -> bool:
        """Keep a turn that ends where it began, with the reason. Its reply is ours to fill, see `take_filling`. False
        when it stands already."""
        ...

    async def announce(self, worker: str, *, slots: int) -> Sequence[TurnId]:
        """A worker lives and can run that many turns at once; gives the turns that may run now.

        To be repeated every few seconds; 0 slots takes the worker out."""
        ...

    async def claim(self, turn: TurnId) -> Claim | None:
        """Take the turn for running. None when it is finished, or another worker shows life; or, once, where one that
        has paid was silent for so long that the store may have been away from it."""
        ...

    async def calling(self, turn: TurnId, epoch: int, ticket: str) -> bool:
        """Record that the paid call begins now. With the same `ticket` it is the same call. False when the epoch is no
        longer ours."""
        ...

    async def keep_draft(self, turn: Turn, epoch: int, draft: Outcome) -> bool:
        """Keep what paid calls have brought so far, before the next one begins; calls are counted anew from here. A
        later claim finds it in its status. False when the epoch is no longer ours."""
        ...

    async def beat(self, turn: TurnId, epoch: int) -> bool:
        """Show life. False when the epoch is no longer ours: stop."""
        ...

    async def finish(self, turn: Turn, epoch: int, outcome: Outcome) -> bool:
        """Commit, with the turn's inputs as they were resolved. Its reply is ours to fill, see `take_filling`. False
        when the epoch is no longer ours: nothing was written. Repeating it is harmless."""
        ...

    async def end(self, turn: TurnId, outcome: Outcome) -> bool:
        """End a turn that is not finished, and take it from whoever runs it: cancelled, or refused where it found no
        room. Its reply is ours to fill, see `take_filling`. False when it was finished, and nothing was written."""
        ...

    async def take_filling(self, turn: TurnId, *, alone: bool = False) -> bool:
        """Take the right to fill the reply of a turn that has ended: for some seconds nobody else gets it. False where
        somebody has it, or the answer stands there. `alone` where it is certain that nobody else is at it."""
        ...

    async def keep_filling(self, turn: TurnId) -> bool:
        """Still filling: renews the right. False where this process has it no more."""
        ...

    async def leave_filling(self, turn: TurnId) -> None:
        """Give the right back, where this process has it."""
        ...

    async def settle(self, status: TurnStatus) -> Sequence[TurnId]:
        """After a final state: give back what was reserved, charge what was used; gives the turns that may run now.
        Repeating it is harmless."""
        ...

    async def abandon(self, turn: TurnId) -> Sequence[TurnId]:
        """The record is gone: free what admission still holds for it; gives the turns that may run now."""
        ...

    async def load(self, turn: TurnId) -> TurnStatus | None: ...

    async def thread(self, thread: ThreadId) -> Sequence[TurnStatus]:
        """Its turns in order of their beginning."""
        ...

    async def of_person(self, person: UserRef, *, most: int) -> Sequence[TurnId]:
        """What they asked for or have a part in, the newest first."""
        ...

    async def position(self, turn: TurnId) -> int | None:
        """The place in the queue, from 1; None when it does not stand there."""
        ...

    async def line(self, turn: TurnId) -> Line | None:
        """What stands before it in the queue; None when it does not stand there."""
        ...

    async def weigh(self, person: UserRef, weight: int) -> None:
        """So many of this person's turns go in one round, where others have one."""
        ...

    async def weights(self) -> Mapping[UserRef, int]:
        """Those that are not one."""
        ...

    async def delivered(self, turn: TurnId) -> bool:
        """The answer stands in the chat: nothing more to do for this turn. True the first time: two may have filled it
        side by side."""
        ...

    async def open_turns(self) -> Sequence[OpenTurn]:
        """Turns submitted and not delivered, oldest first."""
        ...


class TurnQueue(Protocol):
    """An engine that runs turns, each at least once. It carries nothing but turn ids."""

    async def start(self, turn: TurnId) -> None:
        """Idempotent while the turn is in flight."""
        ...

    async def cancel(self, turn: TurnId) -> None:
        """Stop it wherever it runs."""
        ...

    async def run(self, work: Callable[[TurnId], Awaitable[None]]) -> None:
        """Work until cancelled."""
        ...


class Turnstile(Protocol):
    """What the makers of models allow, kept by all processes together."""

    async def enter(self, model: str, ticket: str, buckets: Sequence[Bucket]) -> float:
        """Take what one call needs from all of its buckets: 0 where it was taken. Else in how many seconds there should
        be room, and nothing was taken: to be asked again with the same `ticket`. Who came first goes first; a ticket
        that is not shown again within `TICKET_LIFE_S` loses its place."""
        ...

    async def leave(self, model: str, ticket: str) -> None:
        """Whoever has this ticket does not wait any more."""
        ...

    async def close(self, model: str, seconds: float) -> None:
        """Nobody enters for so long."""
        ...


TICKET_LIFE_S = 10.0


class Switches(Protocol):
    """What an operator can turn off at once, for all processes."""

    async def is_on(self, engine: str) -> bool: ...

    async def turn(self, engine: str, *, on: bool) -> None: ...


Rendered = tuple[ImageFacts, ImageFacts]
"""A master, and a rendition of it."""


class ChatStore(Protocol):
    """What chats have set for themselves."""

    async def settings(self, chat: ChatRef) -> ChatSettings: ...

    async def change(
        self, chat: ChatRef, settings: ChatSettings, *, was: ChatSettings | None = None
    ) -> tuple[ChatSettings, ChatSettings]:
        """Gives what stood before, and what stands now: with `was`, only what differs between that and `settings` is
        changed."""
        ...

    async def server(self, server: ServerRef) -> ServerSettings: ...

    async def decided(
        self, chats: Sequence[ChatRef], server: ServerRef | None
    ) -> tuple[Sequence[ChatSettings], ServerSettings]:
        """Those of several chats, in the order asked, and of their server, looked up at once."""
        ...

    async def change_server(
        self, server: ServerRef, settings: ServerSettings, *, was: ServerSettings | None = None
    ) -> tuple[ServerSettings, ServerSettings]:
        """The same, of a server."""
        ...

    async def move(self, old: ChatRef, new: ChatRef) -> None:
        """See `Rooms.move`."""
        ...


class PeopleStore(Protocol):
    """Who may use the installation. People and places are subjects (`bot.domain.people`); of a code only its hash is
    kept."""

    async def rules(self) -> Rules: ...

    async def allowed(self, subjects: Sequence[str]) -> Sequence[bool]:
        """In the order asked."""
        ...

    async def roll(self, roll: Roll) -> Mapping[str, Entry]: ...

    async def put(self, roll: Roll, subject: str, entry: Entry) -> None:
        """In place of what stood there of it."""
        ...

    async def drop(self, roll: Roll, subject: str) -> bool:
        """False where it did not stand there."""
        ...

    async def turn_door(self, door: Door) -> None: ...

    async def invite(self, digest: str, invitation: Invitation) -> None: ...

    async def invitations(self) -> Sequence[Invitation]:
        """Those that somebody can still use, the one that ends first coming first."""
        ...

    async def revoke(self, id_: str) -> bool:
        """End the one invitation whose hash begins so. False where there is none, or more than one."""
        ...

    async def join(self, digest: str, person: str, entry: Entry) -> Joined:
        """Let them in by a code, if it is one. Wrong ones are counted for each person."""
        ...

    async def news(self) -> str:
        """A mark of the last change of the rules or of who is allowed."""
        ...

    async def wait(self, since: str, *, within_s: float) -> bool:
        """Whether something was changed after that mark; returns as soon as it is, or after that time."""
        ...


class ChangeLog(Protocol):
    """What was changed in how things are set. Bounded for each place, and kept for a season."""

    async def note(self, changes: Sequence[Change]) -> None: ...

    async def of(self, places: Sequence[str], *, most: int) -> Sequence[Change]:
        """The last ones of these places, the newest first."""
        ...

    async def since(self, at: float) -> Sequence[Change]:
        """All of them since then, the newest first."""
        ...


class ShareStore(Protocol):
    """Which results are shared. No link can be read from it."""

    async def keep(self, share: Share, *secrets: str) -> None:
        """Whoever knows one of these secrets finds it from now on."""
        ...

    async def find(self, secret: str) -> Share | None: ...

    async def end(self, turn: TurnId) -> bool:
        """None of its results is shared any more. False where none was."""
        ...


class ConsentStore(Protocol):
    """What people have said of their own pictures. It outlives everything else that is kept of them."""

    async def standing(self, owners: Sequence[UserRef], chat: ChatRef) -> Sequence[Standing]:
        """In the order asked. "Never" comes before what was said for this chat."""
        ...

    async def stand(self, owner: UserRef, chat: ChatRef, standing: Standing) -> None:
        """See `Rooms.stand`."""
        ...

    async def never_since(self, owner: UserRef) -> float | None:
        """When this person said "never" (seconds since the epoch), as long as that holds."""
        ...

    async def said(self, owner: UserRef, chat: ChatRef) -> Said:
        """All that this person has said, as seen from this chat."""
        ...

    async def take_back(self, owner: UserRef) -> None:
        """Whatever they said, in any chat: from now on they are asked everywhere. What was withdrawn stays so."""
        ...

    async def withdraw(self, owner: UserRef, pictures: Sequence[Sha256]) -> None:
        """From now on nothing is made of these pictures of theirs. They are `going` until they are said to be gone."""
        ...

    async def going(self, owner: UserRef) -> Sequence[Sha256]:
        """What this person withdrew and what is not known to be gone: a crash left it."""
        ...

    async def gone(self, owner: UserRef, pictures: Sequence[Sha256]) -> None:
        """Nothing of these pictures is left."""
        ...

    async def withdrawn(self, pictures: Sequence[tuple[UserRef, Sha256]]) -> Sequence[float | None]:
        """Since when each owner's picture is withdrawn (seconds since the epoch), in the order asked; None where it is
        not."""
        ...

    async def restore(self, owner: UserRef, pictures: Sequence[Sha256]) -> None:
        """Their owner sent them anew."""
        ...

    async def explains(self, owner: UserRef, question: TurnId) -> bool:
        """Whether this is the first question that this person is ever asked. Asking again gives the same answer."""
        ...

    async def recall(self, noted: Mapping[UserRef, LastSaid]) -> Mapping[UserRef, Standing]:
        """What was said last holds, and nothing that was given: a yes that is not known stays unknown. Gives those of
        whom something changed, with NEVER where that holds anew."""
        ...


class CastStore(Protocol):
    """Who has a name in which chat. It lives as long as anything else that is not used; what its pictures are is with
    the image store."""

    async def members(self, chats: Sequence[ChatRef]) -> Sequence[Member]:
        """In the order of the chats; in each, the oldest first."""
        ...

    async def put(self, member: Member, *, instead_of: Member | None) -> bool:
        """Keep it under its name. False where something else stands there by now, and nothing was written."""
        ...

    async def drop(self, member: Member) -> bool:
        """Take it out. False where it is another by now."""
        ...

    async def of(self, person: UserRef) -> Sequence[Member]:
        """Those of which something is this person's: the name, or a picture."""
        ...

    async def renew(self, members: Sequence[Member]) -> None:
        """They were used: all that is kept of them, but their pixels, lives on."""
        ...

    async def move(self, old: ChatRef, new: ChatRef) -> None:
        """See `Rooms.move`."""
        ...


class TasteStore(Protocol):
    """What people want of all their pictures."""

    async def taste(self, person: UserRef) -> str:
        """Empty where nothing was said."""
        ...

    async def keep(self, person: UserRef, taste: str) -> None:
        """In place of what stood there; empty to erase it."""
        ...


class ArenaStore(Protocol):
    """Votes in arenas, each named by its first turn, and what came of those that have ended."""

    async def begin(self, arena: TurnId, *, ends_at: float) -> bool:
        """List it, to end at that time (seconds since the epoch), and draw whether its two sides change places: by
        chance, so that nothing that can be known tells. A repeat changes nothing and gives the same."""
        ...

    async def prolong(self, arena: TurnId, *, ends_at: float) -> None:
        """It ends then, where it is listed and nobody has ended it."""
        ...

    async def due(self, now: float) -> Sequence[TurnId]:
        """Those listed that should have ended by now, or have ended and are not shown so yet. Oldest first."""
        ...

    async def vote(self, arena: TurnId, voter: UserRef, choice: Choice, *, most: int) -> int | None:
        """One vote for each person: the last one holds. Gives how many have voted; None, and changes nothing, once it
        has ended or `most` others have voted."""
        ...

    async def voted(self, arena: TurnId) -> tuple[int, Tally | None]:
        """How many have voted, and how where it has ended."""
        ...

    async def end(self, arena: TurnId, models: tuple[str, str] | None) -> Tally:
        """Nobody votes any more. The votes are counted once, and forgotten: a repeat gives the same count. `models` are
        A and B where they were what was compared."""
        ...

    async def shown(self, arena: TurnId) -> None:
        """It is not listed any more."""
        ...

    async def matches(self) -> Sequence[Match]:
        """Arenas between models that have ended, of this installation."""
        ...

    async def worst(self, *, most: int) -> Sequence[tuple[TurnId, Tally]]:
        """Those that most have voted bad, the worst first."""
        ...


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What was used of one model on one day (UTC, YYYY-MM-DD). `turns` were settled, `calls` sent."""

    day: str
    model: str
    turns: int = 0
    calls: int = 0
    images: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_microusd: int = 0


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What was seen of a model: how long a picture takes (seconds, of the last `seen` pictures), and its future."""

    model: str
    seen: int = 0
    median_s: float = 0.0
    slow_s: float = 0.0
    """Nine of ten were quicker."""
    retirement: Retirement | None = None


class Meter(Protocol):
    """What was used, and how models fare. What a turn used is booked by `TurnStore.settle`."""

    async def used(self, *, days: int) -> Sequence[UsageRow]:
        """The whole installation's use, of today and the days before, newest first."""
        ...

    async def reserved(self, buckets: Sequence[Bucket]) -> Sequence[int]:
        """What each bucket holds now, reserved and used; estimates and limits do not matter here."""
        ...

    async def charge(self, buckets: Sequence[Bucket], *, key: str) -> str:
        """Take each estimate from its bucket at once, or from none: gives the name of one that has no room, else "".
        For what is used before there is a turn to reserve for. A repeat with the same key changes nothing for a day.
        An estimate below zero gives back."""
        ...

    async def took(self, model: str, seconds: float) -> None:
        """A picture was made, in so many seconds from the request to the answer."""
        ...

    async def retiring(self, retirement: Retirement) -> None: ...

    async def models(self) -> Sequence[ModelFacts]: ...


DELETION_S = 30
"""A deletion is done by then, or given up."""


class ImageLedger(Protocol):
    """Who holds which pixels: what the image store may delete, and which renditions exist."""

    async def keep(
        self, holder: str, masters: Sequence[Rendered], *, target: str, renew: Sequence[ImageFacts] = ()
    ) -> None:
        """`holder` (a turn, a message) brought these masters about: they are its to keep or to let go. The renditions
        for `target` are held by their masters. Their lives begin anew, and so do those of the images in `renew` and of
        their renditions, which were used."""
        ...

    async def release(self, holder: str, images: Sequence[ImageFacts]) -> Sequence[Sha256]:
        """`holder` lets go. Gives the images and renditions that nobody holds any more: their pixels are to be deleted
        at once, and then `deleted` is to be told. Whoever holds them anew until then waits for it in `keep`."""
        ...

    async def release_all(self, held: Sequence[tuple[str, Sequence[ImageFacts]]]) -> Sequence[Sha256]:
        """The same of several holders and what each lets go of, at once."""
        ...

    async def take(self, images: Sequence[Sha256]) -> Sequence[Sha256]:
        """Those of them that nobody holds, and their renditions: to be deleted as above."""
        ...

    async def still_going(self, gone: Sequence[Sha256]) -> Sequence[Sha256]:
        """Those of what was let go of that nobody can have stored since: whoever holds one of them waits for another
        `DELETION_S`."""
        ...

    async def deleted(self, gone: Sequence[Sha256]) -> None: ...

    async def collects(self, who: str, *, life_s: float) -> bool:
        """Whether it is this process that looks for what nobody holds, for so long; one does at a time."""
        ...

    async def rendition(self, master: Sha256, target: str) -> ImageFacts | None: ...

    async def remember(self, master: ImageFacts, target: str, rendition: ImageFacts) -> None:
        """A rendition that was made later. The master holds it."""
        ...

    async def facts(self, sha256: Sha256) -> ImageFacts | None:
        """None when nobody holds it any more."""
        ...


Retract = Callable[[Sequence[MessageRef], Sequence[MessageRef]], Awaitable[None]]
"""Takes messages off their platforms: first those of ours, then those of people."""


Progress = Callable[[int, int], Awaitable[None]]
"""Told how much is done, of how much."""


ShowLeft = Callable[[MessageRef, Sequence[ImageFacts]], Awaitable[None]]
"""Has a person's message show these of its pictures, and no others."""


class Erasure(Protocol):
    """Forgetting: the later write that a finished turn may see."""

    async def forget(
        self, user: UserRef, *, before: float, retract: Retract, progress: Progress | None = None
    ) -> ForgetReceipt:
        """Erase what this person sent, asked and made up to that time, and what was made from their pictures.

        `retract` takes messages off their platforms; only when it came back is the request noted as carried out.
        `progress` is told once in a while how many turns are erased, of how many. Repeating it, or replaying it after
        a restore, is harmless."""
        ...

    async def begin(self, user: UserRef, *, before: float, number: str) -> str:
        """Note that it is to be carried out. Gives the number of its receipt: the one of an earlier request that is
        not carried out yet, or this one."""
        ...

    async def show_life(self, user: UserRef, turns: int) -> None:
        """It is being carried out, and so many turns are erased."""
        ...

    async def erased_so_far(self, user: UserRef) -> int:
        """How many turns were erased by processes that ended before they were done."""
        ...

    async def finish(self, user: UserRef, *, before: float) -> None:
        """It is carried out, up to that time."""
        ...

    async def begun(self) -> Sequence[Begun]:
        """What is not carried out to its end."""
        ...

    async def forgotten(self) -> Mapping[UserRef, float]:
        """Everyone who was forgotten here, and up to when."""
        ...

    async def erase(self, turn: TurnId) -> bool:
        """Erase one finished turn: its words and pixels go, the shape of the tree stays. False where there is none."""
        ...

    async def grown(self, owner: UserRef, pictures: Sequence[Sha256]) -> Sequence[TurnStatus]:
        """The turns into which one of these pictures of theirs flows, in any chat, whatever became of them."""
        ...

    async def withdraw(
        self, owner: UserRef, pictures: Sequence[Sha256], *, retract: Retract, show: ShowLeft
    ) -> WithdrawReceipt:
        """Erase these pictures of theirs, and every finished turn into which one flows. `retract` takes messages off
        their platforms, `show` has one show what is left of it; both before anything is erased, so that a crash in
        between is continued by repeating. Repeating it is harmless."""
        ...


@dataclass(frozen=True, slots=True)
class ForgetReceipt:
    """What an erasure did. `messages` are to be retracted from the platforms; `pixels` had no holder left."""

    user: UserRef
    turns: int
    stories: int
    messages: tuple[MessageRef, ...]
    pixels: tuple[Sha256, ...]
    number: str = ""
    """By which it can be asked later whether it was carried out."""
    is_done: bool = True


@dataclass(frozen=True, slots=True)
class Begun:
    """An erasure that is not carried out to its end. `seen_at` is when somebody was at it last (s)."""

    user: UserRef
    before: float
    number: str
    turns: int
    seen_at: float


@dataclass(frozen=True, slots=True)
class Noted:
    """A note: `what` is `forgotten`, `withdrawn`, `restored` or `said`; `of` is the picture, or what they said."""

    what: str
    at: float
    user: UserRef
    of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notes:
    """What must hold whatever the database knows: who was forgotten, with all that came up to that time; which
    pictures their owners took back; and what they said last of their pictures."""

    forgotten: Mapping[UserRef, float]
    withdrawn: Mapping[UserRef, Sequence[Sha256]]
    said: Mapping[UserRef, LastSaid]


class NoteStore(Protocol):
    """Notes beside the pixels, which outlive the database. They have an end, later than that of any back-up, and go
    before it where a later one leaves them without a meaning."""

    async def forgotten(self, user: UserRef, before: float) -> None: ...

    async def withdrawn(self, owner: UserRef, pictures: Sequence[Sha256]) -> None: ...

    async def restored(self, owner: UserRef, pictures: Sequence[Sha256]) -> None:
        """They sent them anew."""
        ...

    async def said(self, owner: UserRef, standing: Standing, chat: ChatRef | None, *, at: float) -> None:
        """UNSAID: from that time on they are to be asked in this chat, or everywhere (None)."""
        ...

    async def unsay(self, owner: UserRef, before: float) -> None:
        """Of what they said up to that time nothing stays but a "never" that was the last of it."""
        ...

    async def read(self) -> Notes: ...

    async def drop_old(self) -> int:
        """Those past their end, and those without a meaning. Gives how many."""
        ...

    async def keep_receipt(self, receipt: ForgetReceipt) -> None:
        """Without whose it is."""
        ...


@dataclass(frozen=True, slots=True)
class WithdrawReceipt:
    """What a withdrawal did: how many turns were changed, how many of them had a result, and how many messages of
    people held the pictures."""

    turns: int
    results: int
    messages: int


Clock = Callable[[], float]
"""Seconds since the epoch."""

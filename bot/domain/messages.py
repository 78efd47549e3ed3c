"""Messages: what comes in through a door, what is remembered of it, and what goes out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from bot.domain.actions import Control, Press
from bot.domain.arena import Ballot
from bot.domain.files import TextFile
from bot.domain.images import ImageFacts, Provenance
from bot.domain.labels import Profile
from bot.domain.refs import ChatRef, MessageRef, Person, ServerRef, ThreadId, TurnId, UserRef
from bot.domain.turns import Hold, Source, TurnState

NOBODY: Final = Person(UserRef("", ""))
"""The owner of a picture that is certainly not its sender's, and of whom nothing is known: there is nobody to ask."""


def _are(kinds: type | tuple[type, ...], *values: object) -> None:
    if not all(isinstance(each, kinds) for each in values):
        raise TypeError("a message of another shape than its platform's are")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message. `handle` is the platform's own way to fetch it and means nothing elsewhere.

    `size_bytes` is a claim, None where the platform makes none. `owner` is whose picture it is, None for whoever sent
    it: a forwarded picture and somebody's portrait stay theirs, or `NOBODY`'s. `spoiler` where it is shown only to
    whoever opens it. `provenance` is what the platform knows of its origin, where it takes out of files what they say;
    `stripped` where it does.
    """

    handle: str
    filename: str
    size_bytes: int | None = None
    owner: Person | None = None
    spoiler: bool = False
    provenance: Provenance | None = None
    stripped: bool = False

    def __post_init__(self) -> None:
        """What a platform sent in another shape must not be kept: nobody could read it again. Raises `TypeError`."""
        _are(str, self.handle, self.filename)
        _are(int, 0 if self.size_bytes is None else self.size_bytes)


@dataclass(frozen=True, slots=True)
class Quoted:
    """The message that is replied to, as the platform shows it: so that a reply to a picture that the bot never saw
    finds it. `author` None where nobody can be asked (another bot). `ours` where the bot itself sent it."""

    ref: MessageRef
    author: Person | None
    attachments: tuple[Attachment, ...] = ()
    ours: bool = False


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One message from a person, as an adapter translated it.

    `version` counts edits of the same message: an edited prompt is a new origin. `created_at` in seconds since the
    epoch. `reply_index` says which picture of the message that is replied to is meant (from 0), None for all of them.
    `press` is the control that was pressed, with its label as `text`. `voice` is a voice message in place of words.
    `server` is what its chat belongs to. `quoted` is the message that is replied to, where the platform shows it.
    `size` was chosen in a form that said its price, None where there was none. `around` are the chats that its own lies
    in (a thread's channel): what is decided there about people's pictures holds here, too. `goes_on`: where nothing is
    replied to and no picture comes along, an edit is meant for what was made for its author here last. `among`: each
    picture of the message that is replied to stands there by itself and `reply_index` is the one that was touched;
    whether that one or all are meant is to be found out. `file` is a recipe's file that came along and `quoted_file`
    one that stands on the message that is replied to: neither is among the attachments, which are pictures.
    """

    ref: MessageRef
    author: UserRef
    author_name: str
    text: str
    created_at: float
    attachments: tuple[Attachment, ...] = ()
    reply_to: MessageRef | None = None
    version: int = 0
    reply_index: int | None = None
    press: Press | None = None
    voice: Attachment | None = None
    server: ServerRef | None = None
    quoted: Quoted | None = None
    size: str | None = None
    around: tuple[ChatRef, ...] = ()
    goes_on: bool = False
    among: bool = False
    language: str = ""
    """The tag of the language that the platform says its author reads (BCP 47), empty where it says none."""
    chat_language: str = ""
    """The same of the chat, for whoever nothing is known of."""
    file: Attachment | None = None
    quoted_file: Attachment | None = None

    def __post_init__(self) -> None:
        """As of `Attachment`. Raises `TypeError`."""
        _are(str, self.author_name, self.text, self.language, self.chat_language, self.ref.message, self.author.user)
        _are(int, self.version, self.reply_index or 0)
        _are((int, float), self.created_at)

    @property
    def origin(self) -> str:
        """What the turn's id is derived from."""
        return f"{self.ref.key}#{self.version}"


@dataclass(frozen=True, slots=True)
class Shown:
    """That a message shows an image of a turn: `index` of its results, or `ALL` of them."""

    turn: TurnId
    index: int


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """What is remembered of one message, so that a reply to it resolves at any age.

    A person's message has `author` and `sources`, the pictures that it brought; `owners` says of each whose it is
    where it is not the author's. An answer of the bot has `shows`, written when the reply is reserved. `ours` is an
    answer that is not remembered but recognised as the bot's own. `spoiler` where its pictures are. `meant` is what a
    message was taken to go on from that replied to nothing.
    """

    ref: MessageRef
    thread: ThreadId
    author: UserRef | None = None
    author_name: str = ""
    sources: tuple[ImageFacts, ...] = ()
    shows: tuple[Shown, ...] = ()
    owners: tuple[Person | None, ...] = ()
    ours: bool = False
    spoiler: bool = False
    meant: MessageRef | None = None

    def owner_of(self, index: int) -> Person | None:
        """Whose picture that is among `sources`; None where nobody can be asked."""
        named = self.owners[index] if index < len(self.owners) else None
        if named == NOBODY:
            return None
        return named or (Person(self.author, self.author_name) if self.author else None)


@dataclass(frozen=True, slots=True)
class Credit:
    """Who asked for a result, and whose pictures it grew from. `words` are what was asked for, by the message
    `asked_in`: a platform where that one cannot be seen by all shows them. `names` are what others read of the owners,
    in their order, as far as they are known: for a platform that does not show people by their ids."""

    asker: Person
    owners: tuple[UserRef, ...] = ()
    words: str = ""
    asked_in: MessageRef | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rendition:
    """An image made ready for the place that it goes to: labelled, within that place's limits.

    `image` names the rendition's bytes in the image store; `alt` is its alternative text, which names the label;
    `label` is the label alone, empty for what a person sent.
    """

    image: ImageFacts
    alt: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One turn of an album, as it stands now. `words` belong under its picture, or say why there is none. `controls`
    are for this one alone: pressed, they come with its place as `reply_index`."""

    turn: TurnId
    state: TurnState
    words: str = ""
    image: Rendition | None = None
    controls: tuple[Control, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the reserved reply is to show. Filling it twice with the same answer is harmless.

    `lines` are plain text, never markup: label line, remark, credit, reason. `position` is the place in the queue,
    from 1, while the turn waits for its turn to come. `suggestions` are said by pressing them; `controls` do what they
    say. `sources` are to be shown as links. An album has `panels`, in order; its `images` are those that are done.
    While the turn waits for the consent of `asks`, each of them is to be offered every `Say`. `spoiler`: its pictures
    are to be hidden until they are opened. `vote` is to be offered to everybody. `files` are to be handed out as they
    are; an answer has pictures or files, not both. `language` is the one that it is in, where it is given to somebody
    who may be spoken to in another: what a platform adds to it is said in it, too. `heard` and `roles` are those of the
    lines that say what was understood of a voice, and what each picture was taken for.
    """

    state: TurnState
    lines: tuple[str, ...] = ()
    images: tuple[Rendition, ...] = ()
    turn: TurnId | None = None
    holds: frozenset[Hold] = field(default_factory=frozenset[Hold])
    position: int | None = None
    started_at: float | None = None
    suggestions: tuple[str, ...] = ()
    controls: tuple[Control, ...] = ()
    sources: tuple[Source, ...] = ()
    panels: tuple[Panel, ...] = ()
    asks: tuple[Person, ...] = ()
    credit: Credit | None = None
    spoiler: bool = False
    vote: Ballot | None = None
    files: tuple[TextFile, ...] = ()
    language: str = ""
    heard: str = ""
    roles: str = ""


@dataclass(frozen=True, slots=True)
class ChatCapabilities:
    """What a chat can show. The core asks this and never who the platform is.

    `media_types` that can be shown, in order of preference; `max_file_bytes` of one file and `max_message_bytes` of all
    files of one message, None where there is no limit.
    """

    media_types: tuple[str, ...] = ("image/png", "image/jpeg", "image/webp")
    max_file_bytes: int | None = None
    max_message_bytes: int | None = None
    max_images: int = 10
    counts_seconds_itself: bool = False
    """True where a running time is shown without edits by us."""
    edits_notify: bool = False
    """True where filling the reserved reply already calls the person back."""
    age_limited: bool = False
    """True where the platform lets only adults in, by its own check."""
    keeps_words: bool = False
    """True where what is shown is kept by us: secrets are not to stand in it."""
    one_picture_each: bool = False
    """True where a message holds one picture: of several the first stands in the reply itself, the others by
    themselves."""
    profile: Profile = Profile.DEFAULT
    """How results are labelled there. Not the platform's to say: it is set for the chat, or for the installation."""


def sharing(capabilities: ChatCapabilities, images: int) -> ChatCapabilities:
    """What one of so many pictures in one message may be."""
    whole, one = capabilities.max_message_bytes, capabilities.max_file_bytes
    if whole is None or images < 2 or (one is not None and one * images <= whole):
        return capabilities
    return replace(capabilities, max_file_bytes=whole // images)


@dataclass(frozen=True, slots=True)
class Received:
    """What became of an inbound message: the turn that it asks for and the reply reserved for it.

    Both exist even where the turn was not accepted: then the reply says why.
    """

    turn: TurnId
    reply: MessageRef

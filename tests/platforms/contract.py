"""What people are promised on every platform: one class of tests, and the rig that each platform brings for it.

A rig drives the real house (`tests.rig.living_in`, with the exact engine and a scripted generative one) through the
platform's real door, and sees what people would see there.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from PIL import Image

from bot.app import House
from bot.domain.actions import Act
from bot.domain.arena import Choice
from bot.domain.buttons import ButtonId, Verb
from bot.domain.consent import Say
from bot.domain.errors import EngineRefused
from bot.domain.refs import sha256_of
from bot.domain.words import CANCELLED, NOT_FOR_YOU, NOT_YOURS_TO_DELETE, SETTLED
from bot.ports import EngineAnswer
from tests.fakes.engines import ScriptedEngine

SAMPLES = Path(__file__).parent.parent.parent / "adapters" / "web" / "static" / "samples"
CAT, COFFEE, ROCKET = ((SAMPLES / f"{name}.jpg").read_bytes() for name in ("cat", "coffee", "rocket"))
CAT_PX, COFFEE_PX, ROCKET_PX = (451, 300), (600, 400), (640, 427)
HAT = "put a hat on her"
"""Needs the generative engine, which gives the first picture back as it is."""
AT = "https://remix.example"
"""Where every rig's page is reached by others."""
NASTY = "**bold** <b>b</b> `code` [a](https://example.org) @everyone <@1> &amp; #1 ~~no~~ _so_ 🐈"


class Who(StrEnum):
    """The people, by the names that others read."""

    ANNA = "Anna"
    BEN = "Ben"
    CLARA = "Clara"
    DORA = "Dora"
    EMIL = "Emil"


TWO = (Who.ANNA, Who.BEN)


class Where(StrEnum):
    """The chats. Of two people, both are in both of them."""

    HOME = "home"
    GARDEN = "garden"


class Do(StrEnum):
    """What can be pressed beside controls (`Act`), answers to a question of consent (`Say`) and votes (`Choice`)."""

    CANCEL = "cancel"
    NOT_NOW = "not_now"
    INFO = "info"
    DELETE = "delete"
    END_VOTE = "end"


Button = Act | Say | Choice | Do
BY_VERB: dict[Verb, Button] = {Verb.CANCEL: Do.CANCEL, Verb.INFO: Do.INFO, Verb.DELETE: Do.DELETE}
CONSENT: frozenset[Button] = frozenset({*Say, Do.NOT_NOW})


@dataclass(frozen=True, slots=True)
class Post:
    """A message, by the name that its platform gave it. A press that makes a turn has one, too."""

    chat: Where
    id: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture that stands in a chat, as the platform hands it out."""

    data: bytes
    alt: str

    @property
    def size_px(self) -> tuple[int, int]:
        with Image.open(io.BytesIO(self.data)) as image:
            return image.size


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as one person sees it. `words` are what they read: where a platform has markup, what it comes out as.
    `buttons` are what this person can press; `is_open` while the answer is still to come; `notified` are those whom
    its words call."""

    post: Post
    is_ours: bool
    words: str
    pictures: tuple[Shown, ...] = ()
    buttons: frozenset[Button] = frozenset()
    is_open: bool = False
    notified: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pressed:
    """What pressing did: words for the one who pressed, or a post that is answered."""

    words: str = ""
    post: Post | None = None


def is_final(seen: Seen) -> bool:
    return not seen.is_open


def is_asked(seen: Seen) -> bool:
    """Whether it asks this person for their consent."""
    return seen.buttons >= CONSENT


def means(button: ButtonId, what: Button, argument: str = "") -> bool:
    """Whether that is what people press for it, with this argument where one is given."""
    first, _, rest = button.argument.partition(".")
    match what:
        case Act():
            return button.verb is Verb.PRESS and first == what.value and argument in ("", rest)
        case Say() | Do.NOT_NOW:
            return button.verb is Verb.ALLOW and first == (what.value if isinstance(what, Say) else "no")
        case Choice() | Do.END_VOTE:
            return button.verb is Verb.VOTE and first == what.value
        case _:
            return BY_VERB.get(button.verb) is what


class PlatformRig(Protocol):
    """Two people in two chats of one platform, and the house behind it. `engine` is the generative one."""

    @property
    def house(self) -> House: ...

    @property
    def engine(self) -> ScriptedEngine: ...

    async def shares(self, image: bytes, *, by: Who) -> Post:
        """Somebody shows a picture in the first chat, and wants nothing of the bot."""
        ...

    async def says(
        self,
        text: str,
        images: Sequence[bytes] = (),
        *,
        reply_to: Post | None = None,
        by: Who = Who.ANNA,
        chat: Where = Where.HOME,
        index: int | None = None,
    ) -> Post | None:
        """A message to the bot. `index` says which picture of `reply_to` is meant, from 0. None where the platform's
        door turned it away at once."""
        ...

    async def repeats(self, post: Post) -> None:
        """The platform delivers this message once more. Comes back when that is dealt with."""
        ...

    async def presses(self, what: Button, under: Post, argument: str = "", *, by: Who = Who.ANNA) -> Pressed:
        """Somebody presses this under an answer, whether or not they are shown it. Of several controls that do the
        same, the first, or the one with this `argument`."""
        ...

    async def sees(self, chat: Where = Where.HOME, *, by: Who = Who.ANNA) -> list[Seen]:
        """What stands in a chat, oldest first."""
        ...

    async def waits_for(self, post: Post, until: Callable[[Seen], bool] = is_final, *, by: Who = Who.ANNA) -> Seen:
        """The answer to a post, once it is so. Raises `TimeoutError`."""
        ...

    async def restart(self) -> None:
        """The bot ends and comes back, with what it has kept."""
        ...


async def asks(
    rig: PlatformRig,
    text: str,
    images: Sequence[bytes] = (),
    *,
    reply_to: Post | None = None,
    by: Who = Who.ANNA,
    chat: Where = Where.HOME,
    index: int | None = None,
) -> Post:
    """Says what the door lets in."""
    post = await rig.says(text, images, reply_to=reply_to, by=by, chat=chat, index=index)
    assert post is not None
    return post


async def made(rig: PlatformRig, text: str, images: Sequence[bytes] = (), *, reply_to: Post | None = None) -> Seen:
    """Asks, and waits for the answer."""
    return await rig.waits_for(await asks(rig, text, images, reply_to=reply_to))


async def pressed(rig: PlatformRig, what: Act, under: Post) -> Seen:
    """Presses, and waits for the answer."""
    done = await rig.presses(what, under)
    assert done.post is not None, done.words
    return await rig.waits_for(done.post)


async def wanted(rig: PlatformRig, *, text: str = HAT) -> Post:
    """Ben wants Anna's picture edited: gives what Ben said."""
    picture = await rig.shares(CAT, by=Who.ANNA)
    return await asks(rig, text, reply_to=picture, by=Who.BEN)


class PlatformContract:
    """Subclasses bring the fixture `rig`."""

    # --- edits

    async def test_a_picture_with_words_comes_back_edited(self, rig: PlatformRig) -> None:
        answer = await made(rig, "crop to a square and make it black and white", [CAT])
        (picture,) = answer.pictures
        assert (picture.size_px, answer.is_ours, answer.is_open) == ((300, 300), True, False)

    async def test_a_reply_to_the_answer_goes_on_from_it(self, rig: PlatformRig) -> None:
        first = await made(rig, "crop to a square", [CAT])
        second = await made(rig, HAT, reply_to=first.post)
        (request,) = rig.engine.requests
        assert [(each.width_px, each.height_px) for each in request.images] == [(300, 300)]
        assert [picture.size_px for picture in second.pictures] == [(300, 300)]

    async def test_a_reply_to_an_old_answer_branches_from_it(self, rig: PlatformRig) -> None:
        first = await made(rig, "rotate 90 degrees", [CAT])
        second = await made(rig, "crop to a square", reply_to=first.post)
        branch = await made(rig, "rotate 90 degrees", reply_to=first.post)
        told = [each.pictures[0].size_px for each in (first, second, branch)]
        assert told == [(300, 451), (300, 300), (451, 300)]

    async def test_a_reply_to_an_answer_that_is_still_to_come_waits_for_it(self, rig: PlatformRig) -> None:
        rig.engine.script = [go_on := asyncio.Event()]
        first = await asks(rig, HAT, [CAT])
        coming = await rig.waits_for(first, lambda seen: seen.is_open)
        second = await asks(rig, "crop to a square", reply_to=coming.post)
        waiting = await rig.waits_for(second, lambda seen: seen.is_open)
        go_on.set()
        answer = await rig.waits_for(second)
        assert (waiting.pictures, [picture.size_px for picture in answer.pictures]) == ((), [(300, 300)])

    async def test_three_pictures_are_one_turn(self, rig: PlatformRig) -> None:
        await made(rig, "combine them nicely", [CAT, COFFEE, ROCKET])
        (request,) = rig.engine.requests
        assert [(each.width_px, each.height_px) for each in request.images] == [CAT_PX, COFFEE_PX, ROCKET_PX]
        assert len([seen for seen in await rig.sees() if seen.is_ours]) == 1

    async def test_one_of_three_pictures_can_be_meant(self, rig: PlatformRig) -> None:
        post = await asks(rig, "combine them nicely", [CAT, COFFEE, ROCKET])
        await rig.waits_for(post)
        answer = await rig.waits_for(await asks(rig, "crop to a square", reply_to=post, index=1))
        assert [picture.size_px for picture in answer.pictures] == [(400, 400)]

    async def test_a_message_that_is_delivered_twice_has_one_answer(self, rig: PlatformRig) -> None:
        post = await asks(rig, HAT, [CAT])
        await rig.repeats(post)
        await rig.waits_for(post)
        await rig.repeats(post)
        assert len([seen for seen in await rig.sees() if seen.is_ours]) == 1
        assert len(rig.engine.requests) == 1

    async def test_a_refusal_is_said_in_words(self, rig: PlatformRig) -> None:
        rig.engine.script = [EngineRefused("The image model would rather not draw that.")]
        answer = await made(rig, HAT, [CAT])
        assert "The image model would rather not draw that." in answer.words
        assert answer.pictures == ()

    # --- what is shown

    async def test_the_label_stands_in_the_answer_and_in_the_alternative_text(self, rig: PlatformRig) -> None:
        plain = await made(rig, "crop to a square", [CAT])
        by_ai = await made(rig, HAT, reply_to=plain.post)
        exact_after = await made(rig, "rotate 90 degrees", reply_to=by_ai.post)
        for answer, label in ((plain, "Edited, no AI"), (by_ai, "AI-edited · Gemini"), (exact_after, "AI-edited")):
            assert label in answer.words
            assert [label in picture.alt for picture in answer.pictures] == [True]

    async def test_the_bytes_that_are_shown_are_the_bytes_that_are_stored(self, rig: PlatformRig) -> None:
        for text in ("crop to a square", HAT):
            (picture,) = (await made(rig, text, [CAT])).pictures
            assert await rig.house.images.get(sha256_of(picture.data)) == picture.data

    async def test_markup_and_mentions_are_shown_as_plain_text_and_call_nobody(self, rig: PlatformRig) -> None:
        rig.engine.answers = [EngineAnswer((), remark=NASTY)]
        post = await asks(rig, f"{HAT} {NASTY}", [CAT])
        answer = await rig.waits_for(post)
        assert NASTY in answer.words
        assert answer.notified == ()

    # --- what can be pressed

    async def test_what_is_being_made_can_be_cancelled_by_who_asked_and_nobody_else(self, rig: PlatformRig) -> None:
        rig.engine.script = [asyncio.Event()]
        post = await asks(rig, HAT, [CAT])
        coming = await rig.waits_for(post, lambda seen: Do.CANCEL in seen.buttons)
        await rig.presses(Do.CANCEL, coming.post, by=Who.BEN)
        (still,) = [seen for seen in await rig.sees() if seen.is_ours]
        await rig.presses(Do.CANCEL, coming.post)
        answer = await rig.waits_for(post)
        assert (still.is_open, CANCELLED in answer.words, answer.pictures) == (True, True, ())

    async def test_a_pressed_control_does_what_it_says(self, rig: PlatformRig) -> None:
        first = await made(rig, HAT, [CAT])
        assert {Act.AGAIN, Act.UNDO} <= first.buttons
        again = await rig.presses(Act.AGAIN, first.post)
        assert again.post is not None
        answer = await rig.waits_for(again.post)
        assert [picture.size_px for picture in answer.pictures] == [CAT_PX]
        assert [each.instruction for each in rig.engine.requests] == [HAT, HAT]

    async def test_a_step_back_shows_what_was_before_to_go_on_from(self, rig: PlatformRig) -> None:
        first = await made(rig, "crop to a square", [CAT])
        second = await made(rig, "rotate 90 degrees and make it black and white", reply_to=first.post)
        back = await rig.presses(Act.UNDO, second.post)
        assert back.post is not None
        undone = await rig.waits_for(back.post)
        assert [picture.data for picture in undone.pictures] == [picture.data for picture in first.pictures]
        branch = await made(rig, HAT, reply_to=undone.post)
        assert [picture.size_px for picture in branch.pictures] == [(300, 300)]

    async def test_a_step_back_to_a_picture_by_ai_still_says_that_it_is_one(self, rig: PlatformRig) -> None:
        first = await made(rig, HAT, [CAT])
        second = await made(rig, "rotate 90 degrees", reply_to=first.post)
        back = await rig.presses(Act.UNDO, second.post)
        assert back.post is not None
        undone = await rig.waits_for(back.post)
        assert ["AI-edited · Gemini" in picture.alt for picture in undone.pictures] == [True]
        assert "AI-edited · Gemini" in undone.words

    async def test_what_stands_from_before_a_restart_can_be_pressed_and_replied_to(self, rig: PlatformRig) -> None:
        first = await made(rig, HAT, [CAT])
        await rig.restart()
        again = await rig.presses(Act.AGAIN, first.post)
        assert again.post is not None
        assert (await rig.waits_for(again.post)).pictures != ()
        reply = await made(rig, "crop to a square", reply_to=first.post)
        assert [picture.size_px for picture in reply.pictures] == [(300, 300)]

    async def test_what_is_known_of_a_result_is_told_to_anybody_in_its_chat(self, rig: PlatformRig) -> None:
        answer = await made(rig, HAT, [CAT])
        told = await rig.presses(Do.INFO, answer.post, by=Who.BEN)
        assert all(words in told.words for words in (HAT, "Anna", "AI-edited · Gemini", "451 × 300"))

    async def test_whoever_asked_for_a_result_can_delete_it_for_everybody(self, rig: PlatformRig) -> None:
        answer = await made(rig, "crop to a square", [CAT])
        stolen = await rig.presses(Do.DELETE, answer.post, by=Who.BEN)
        kept = [seen.post for seen in await rig.sees(by=Who.BEN) if seen.is_ours]
        assert (NOT_YOURS_TO_DELETE in stolen.words, kept) == (True, [answer.post])
        await rig.presses(Do.DELETE, answer.post)
        assert [seen.post for seen in await rig.sees(by=Who.BEN) if seen.is_ours] == []

    # --- nothing crosses chats

    async def test_a_message_of_another_chat_is_not_found(self, rig: PlatformRig) -> None:
        answer = await made(rig, "crop to a square", [CAT])
        post = await rig.says("rotate 90 degrees", reply_to=answer.post, chat=Where.GARDEN)
        answered = [] if post is None else [await rig.waits_for(post)]
        assert [picture for seen in answered for picture in seen.pictures] == []
        assert [seen.pictures for seen in await rig.sees(Where.GARDEN) if seen.pictures] == []

    # --- whose picture it is

    async def test_somebody_elses_picture_waits_for_its_owner_who_alone_is_asked(self, rig: PlatformRig) -> None:
        post = await wanted(rig)
        asked = await rig.waits_for(post, is_asked, by=Who.ANNA)
        told = await rig.presses(Say.ONCE, asked.post, by=Who.BEN)
        waiting = await rig.waits_for(post, by=Who.BEN, until=lambda seen: "Anna" in seen.words)
        assert (NOT_FOR_YOU in told.words, waiting.is_open, rig.engine.requests) == (True, True, [])

    async def test_a_yes_lets_it_go_on_this_one_time(self, rig: PlatformRig) -> None:
        picture = await rig.shares(CAT, by=Who.ANNA)
        post = await asks(rig, HAT, reply_to=picture, by=Who.BEN)
        asked = await rig.waits_for(post, is_asked, by=Who.ANNA)
        await rig.presses(Say.ONCE, asked.post, by=Who.ANNA)
        answer = await rig.waits_for(post, by=Who.BEN)
        again = await asks(rig, HAT, reply_to=picture, by=Who.BEN)
        assert (await rig.waits_for(again, is_asked, by=Who.ANNA)).is_open
        assert [shown.size_px for shown in answer.pictures] == [CAT_PX]
        late = await rig.presses(Do.NOT_NOW, answer.post, by=Who.ANNA)
        assert SETTLED in late.words

    async def test_a_yes_for_this_chat_holds_for_the_next_time_but_not_elsewhere(self, rig: PlatformRig) -> None:
        picture = await rig.shares(CAT, by=Who.ANNA)
        post = await asks(rig, HAT, reply_to=picture, by=Who.BEN)
        asked = await rig.waits_for(post, is_asked, by=Who.ANNA)
        await rig.presses(Say.HERE, asked.post, by=Who.ANNA)
        await rig.waits_for(post, by=Who.BEN)
        next_ = await rig.waits_for(await asks(rig, HAT, reply_to=picture, by=Who.BEN), by=Who.BEN)
        elsewhere = await asks(rig, HAT, [CAT], by=Who.ANNA, chat=Where.GARDEN)
        await rig.waits_for(elsewhere)
        other = await asks(rig, HAT, reply_to=elsewhere, by=Who.BEN, chat=Where.GARDEN)
        assert len(next_.pictures) == 1
        assert (await rig.waits_for(other, is_asked, by=Who.ANNA)).is_open

    async def test_never_holds_at_once_ever_after_and_in_every_chat(self, rig: PlatformRig) -> None:
        picture = await rig.shares(CAT, by=Who.ANNA)
        post = await asks(rig, HAT, reply_to=picture, by=Who.BEN)
        asked = await rig.waits_for(post, is_asked, by=Who.ANNA)
        await rig.presses(Say.NEVER, asked.post, by=Who.ANNA)
        elsewhere = await asks(rig, "crop to a square", [CAT], by=Who.ANNA, chat=Where.GARDEN)
        await rig.waits_for(elsewhere)
        later = [
            await asks(rig, HAT, reply_to=picture, by=Who.BEN),
            await asks(rig, HAT, reply_to=elsewhere, by=Who.BEN, chat=Where.GARDEN),
        ]
        answers = [await rig.waits_for(each, by=Who.BEN) for each in (post, *later)]
        assert [("would rather not" in each.words, each.pictures) for each in answers] == [(True, ())] * 3
        assert rig.engine.requests == []

    async def test_not_this_time_refuses_this_one_and_the_next_is_asked_about(self, rig: PlatformRig) -> None:
        picture = await rig.shares(CAT, by=Who.ANNA)
        post = await asks(rig, HAT, reply_to=picture, by=Who.BEN)
        asked = await rig.waits_for(post, is_asked, by=Who.ANNA)
        await rig.presses(Do.NOT_NOW, asked.post, by=Who.ANNA)
        answer = await rig.waits_for(post, by=Who.BEN)
        again = await asks(rig, HAT, reply_to=picture, by=Who.BEN)
        assert ("Anna would rather not" in answer.words, answer.pictures) == (True, ())
        assert (await rig.waits_for(again, is_asked, by=Who.ANNA)).is_open

    async def test_a_question_of_consent_outlives_a_restart(self, rig: PlatformRig) -> None:
        post = await wanted(rig)
        await rig.waits_for(post, is_asked, by=Who.ANNA)
        await rig.restart()
        asked = await rig.waits_for(post, is_asked, by=Who.ANNA)
        await rig.presses(Say.ONCE, asked.post, by=Who.ANNA)
        assert len((await rig.waits_for(post, by=Who.BEN)).pictures) == 1

    async def test_the_bots_own_results_are_open_to_everybody(self, rig: PlatformRig) -> None:
        mine = await made(rig, "crop to a square", [CAT])
        post = await asks(rig, HAT, reply_to=mine.post, by=Who.BEN)
        assert len((await rig.waits_for(post, by=Who.BEN)).pictures) == 1

    async def test_the_tree_of_a_thread_can_be_seen_and_gone_on_from_anywhere_in_it(self, rig: PlatformRig) -> None:
        first = await made(rig, "crop to a square", [CAT])
        await made(rig, "rotate 90 degrees", reply_to=first.post)
        tree = await made(rig, "/tree", reply_to=first.post)
        assert [picture.size_px[0] for picture in tree.pictures] == [1080]
        assert Act.GO in tree.buttons
        branch = await made(rig, "from 1: crop to 2:1", reply_to=tree.post)
        assert [picture.size_px for picture in branch.pictures] == [(300, 150)]

    async def test_a_result_is_shared_by_a_link_that_one_press_ends(self, rig: PlatformRig) -> None:
        first = await made(rig, "crop to a square", [CAT])
        asked = await made(rig, "/share", reply_to=first.post)
        linked = await pressed(rig, Act.SHARE, asked.post)
        assert f"{AT}/s/" in linked.words
        token = linked.words.partition(f"{AT}/s/")[2][:40]
        shared = await rig.house.reception.shared(token)
        assert shared is not None
        assert (shared.by, shared.steps) == ("Anna", ("crop to a square",))
        await pressed(rig, Act.UNSHARE, linked.post)
        assert await rig.house.reception.shared(token) is None

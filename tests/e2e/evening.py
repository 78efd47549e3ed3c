"""An evening of five people in one chat, written once and played on every platform: what they do to each other's
pictures, and what is counted when they have gone home.

`python -m tests.e2e.evening --platform telegram` plays it and tells it line by line; with `--brackets` in a language in
which each sentence stands twice, in brackets. Whatever else is read then, or was cut, is told at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import logging
import re
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, fields, replace
from gettext import NullTranslations
from pathlib import Path

import structlog
from PIL import Image

from bot.domain.actions import Act
from bot.domain.arena import ENDED, Choice, Match, Tally, board_of, revealed, voted_words, your_vote
from bot.domain.cast import NOBODY_IN_CAST, in_cast_now
from bot.domain.consent import Say
from bot.domain.images import Provenance
from bot.domain.labels import Label, label_line
from bot.domain.language import tr
from bot.domain.own_pictures import withdraw_asks, withdrawn_words
from bot.domain.presets import PRESETS
from bot.domain.recipes import NO_RECIPES, SHARE_HINT, recipe_id
from bot.domain.refs import MessageRef, Sha256, TurnId, sha256_of
from bot.domain.turns import TurnState, TurnStatus
from bot.domain.words import NOT_YOURS_TO_DELETE, NOTHING_THERE, would_rather_not
from tests.e2e.stages import IN_GARDEN, Stage, a_stranger, says_something, staged
from tests.fakes.gemini import refuses
from tests.fakes.gemini.notes import SUGGESTIONS
from tests.platforms.contract import AT, CAT, COFFEE, ROCKET, SAMPLES, Button, Do, Post, Seen, Where, Who, is_asked
from tests.pseudo import ApartAndLong, spoken_by_all
from tests.remnants import Person, open_bytes, pictures_of, remnants

ANNA, BEN, CLARA, DORA, EMIL = Who
HOME, GARDEN = Where
ASTRONAUT = (SAMPLES / "astronaut.jpg").read_bytes()

FROM_THE_CUP = (
    "square cup",
    "cup with a boat",
    "brown cup",
    "wide brown cup",
    "turned cup",
    "cup with a lighthouse",
    "cat and cup",
    "square cat and cup",
)
"""What grew from the picture that is taken back."""
NO_AI = Label(Provenance.UNKNOWN, edited_by_ai=False)
PINK, MOUSTACHE = "paint it pink", "give her a moustache"
TALLY = Tally(a=4, b=1)
"""How the arena ends."""
NAMES = {HOME: ("Minka", "Mug", "Foggy winter"), GARDEN: ()}
"""What has a name in one chat alone."""

OWN = (
    *(*Who, *Where, *SUGGESTIONS, "Remixbot", "remix_test_bot", "Gemini", "Foggy winter", "Carnival", "Minka", "Mug"),
    *(PRESETS[0].words, "A", "B", "0.jpg", ".jpg", "notes.txt", "limit"),
    *("/recipe import", "off"),
)
"""Names, what the model says by itself, what a preset asks of it, and words that are typed as they stand."""


def mirrored(photo: bytes) -> bytes:
    """Another photo, of which nothing stands in the first chat."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(photo)) as opened:
        opened.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(out, "JPEG", quality=90)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Report:
    """What is counted. `turns` made a picture, `branches` of them beside an older one; `asked` are messages, commands
    and pressed controls that were taken, `answered` those with one answer that stands in the chat and no other.
    `stayed` are the turns that the withdrawn picture is not in; `labelled` the results that said what they are. `leaks`
    are in words: whatever was seen where it should not be."""

    turns: int
    branches: int
    asked: int
    answered: int
    model_calls: int
    turns_by_ai: int
    refused: int
    withdrawn: int
    stayed: int
    recipes: int
    votes: int
    labelled: int
    leaks: tuple[str, ...] = ()


@dataclass
class Evening:
    """One of them. `tell` is given the story, a line at a time."""

    stage: Stage
    tell: Callable[[str], None] = lambda _: None
    reads: bool = False
    """Whether all that is read is to stand in brackets."""
    forgets: bool = True
    """Whether all of them are forgotten at the end."""
    own: list[str] = field(default_factory=lambda: [*OWN])
    """What people said in their own words."""
    said: dict[Who, set[str]] = field(default_factory=lambda: {who: set() for who in Who})
    asked: list[Post] = field(default_factory=list)
    turns: list[TurnId] = field(default_factory=list)
    """In the order in which they were delivered."""
    known: set[Post] = field(default_factory=set)
    """Where their answers stand."""
    heard: asyncio.Condition = field(default_factory=asyncio.Condition)
    before: dict[TurnId, TurnStatus] = field(default_factory=dict)
    """All of them as they were before the picture was withdrawn."""
    pictures: dict[str, Seen] = field(default_factory=dict)
    """The results, by the names that the script gives them."""
    recipes: int = 0
    votes: dict[Who, Choice] = field(default_factory=dict)
    leaks: list[str] = field(default_factory=list)
    results: dict[TurnId, TurnStatus] = field(default_factory=dict)
    gone: dict[TurnId, TurnStatus] = field(default_factory=dict)
    """Those of the results that were withdrawn."""
    asked_before: int = 0
    answered: int = 0
    labelled: int = 0

    # --- what people do

    async def asks(
        self,
        by: Who,
        words: str,
        *photos: bytes,
        onto: Post | Seen | str | None = None,
        chat: Where = HOME,
    ) -> Post:
        """In reply to a post, or to the result of that name."""
        reply_to = self._post(onto) if onto is not None else None
        post = await self.stage.says(words, photos, reply_to=reply_to, by=by, chat=chat)
        assert post is not None, words
        self.asked.append(post)
        self.own += [words, words.removeprefix("/arena ")]
        self.said[by].add(words.removeprefix("/arena "))
        self.tell(f"{by}{', in the garden' * (chat is GARDEN)}: {_short(words)}{' [a photo]' * len(photos)}")
        return post

    async def makes(
        self,
        name: str,
        by: Who,
        words: str,
        *photos: bytes,
        onto: Post | Seen | str | None = None,
        chat: Where = HOME,
    ) -> Seen:
        """An edit that comes out, under that name."""
        return await self.made(name, await self.asks(by, words, *photos, onto=onto, chat=chat), by=by)

    async def made(self, name: str, post: Post, *, by: Who) -> Seen:
        seen = await self._final(post, by)
        assert seen.pictures, (name, seen.words)
        self.pictures[name] = seen
        self.tell(f"    → {name}: {seen.words.splitlines()[0]}")
        return seen

    async def hears(self, by: Who, words: str, *, onto: Post | Seen | str | None = None, chat: Where = HOME) -> Seen:
        """A command, and what it is answered with."""
        if onto is None:
            post = await self.stage.commands(words, by=by, chat=chat)
            self.asked.append(post)
            self.own.append(words)
            self.tell(f"{by}{', in the garden' * (chat is GARDEN)}: {_short(words)}")
        else:
            post = await self.asks(by, words, onto=onto, chat=chat)
        return await self.told(post, by=by)

    async def _final(self, post: Post, by: Who) -> Seen:
        """The answer, once it stands there and is noted as delivered."""
        seen = await self.stage.waits_for(post, says_something, by=by)
        async with asyncio.timeout(15), self.heard:
            await self.heard.wait_for(lambda: seen.post in self.known)
        return seen

    async def told(self, post: Post, *, by: Who) -> Seen:
        seen = await self._final(post, by)
        self.tell(f"    → {_short(seen.words)}")
        return seen

    async def presses(
        self, by: Who, what: Act, under: Post | Seen | str, argument: str = "", *, called: str = ""
    ) -> Post:
        """A control that makes a turn. `called` is what the story calls it."""
        pressed = await self.stage.presses(what, self._post(under), argument, by=by)
        assert pressed.post is not None, pressed.words
        self.asked.append(pressed.post)
        self.tell(f"{by} presses “{called or f'{what.value} {argument}'.strip()}”")
        return pressed.post

    async def decides(self, by: Who, what: Button, under: Post | Seen | str) -> str:
        """A vote, or an answer to a question of consent."""
        words = (await self.stage.presses(what, self._post(under), by=by)).words
        self.tell(f"{by} presses “{what.value}”: {_short(words)}")
        return words

    def _post(self, what: Post | Seen | str) -> Post:
        what = self.pictures[what] if isinstance(what, str) else what
        return what.post if isinstance(what, Seen) else what

    # --- the evening

    async def play(self) -> Report:
        self._listen()
        async with a_stranger(self.stage.house) as self.stranger:
            await self.annas_cat()
            await self.bens_cup()
            await self.consents()
            await self.the_cast()
            await self.the_recipes()
            await self.the_arena()
            await self.the_tree()
            await self.a_link()
            await self.the_garden()
            await self.at_the_end()
            await self.the_withdrawal()
            await self.what_vanished()
            await self.what_stayed()
            self.what_leaked()
            self.what_the_engine_saw()
            report = self.counted()
            await self.what_else_is_read()
            gone = Who if self.forgets else ()
            remnants = [line for who in gone for line in await self.the_forgetting_of(who)]
            return replace(report, leaks=(*report.leaks, *self.what_was_ill_said(), *remnants))

    async def the_forgetting_of(self, who: Who) -> list[str]:
        """What is left of them afterwards, anywhere."""
        user, stage = self.stage.known_as(who), self.stage
        others = "\n".join(words for each in Who if each is not who for words in self.said[each])
        words = tuple(each for each in self.said[who] if each not in others and not each.startswith("/"))
        async with open_bytes(stage.redis_url) as client:
            pictures = await pictures_of(user, client, (await self.statuses()).values())
            sought = Person((user.user,), (who.value,), words, pictures)
            assert await remnants(client, stage.data / "pictures", stage.data, sought), "nothing to forget"
            self.tell(f"{who} is forgotten: {await stage.house.reception.forget(user)}")
            return await remnants(client, stage.data / "pictures", stage.data, sought)

    async def what_else_is_read(self) -> None:
        """Of what people read much, and what is counted nowhere."""
        self.tell("— What else there is to read")
        known = (await self.stage.presses(Do.INFO, self._post("cat with a scarf"), by=BEN)).words
        self.stage.reading.text("what is known of a result", known)
        stolen = await self.stage.presses(Do.DELETE, self._post("square cat"), by=CLARA)
        assert tr(NOT_YOURS_TO_DELETE) in stolen.words
        await self.stage.waits_for(await self.stage.sends_no_picture(by=EMIL), says_something, by=EMIL)
        self.stage.gemini.then(refuses())
        await self.told(await self.asks(EMIL, "give her a crown", onto="square cat"), by=EMIL)
        await self.stage.looks_around(self._post("square cat"), by=ANNA)

    def what_was_ill_said(self) -> list[str]:
        """In English, or not to its end."""
        if not self.reads:
            return []
        reading = self.stage.read()
        return [*reading.left(self.own), *reading.cut(), *reading.refused]

    def _listen(self) -> None:
        """Hear which turns are delivered."""
        turns = self.stage.house.turns
        original = turns.delivered

        async def delivered(turn: TurnId) -> bool:
            first = await original(turn)
            status = await turns.load(turn)
            assert status is not None
            self.turns += [] if turn in self.turns else [turn]
            async with self.heard:
                self.known.add(self._where(status))
                self.heard.notify_all()
            return first

        turns.delivered = delivered  # type: ignore[method-assign]

    async def annas_cat(self) -> None:
        self.tell("— Anna's cat")
        await self.makes("square cat", ANNA, "crop to a square", CAT)
        await self.makes("cat with a hat", BEN, "put a hat on her", onto="square cat")
        await self.makes("cat in the fog", CLARA, "make it a foggy morning", onto="square cat")
        await self.makes("cat in grey", DORA, "make it black and white", onto="cat with a hat")
        await self.makes("cat with a scarf", EMIL, "give her a red scarf", onto="cat with a hat")
        await self.makes("turned cat", ANNA, "rotate 90 degrees", onto="cat with a scarf")
        await self.makes("cat in winter", BEN, "make it winter", onto="cat in the fog")
        await self.makes("wide cat", CLARA, "crop to 3:2", onto="cat in the fog")
        await self.makes("cat in the snow", DORA, "add falling snow", onto="cat with a scarf")
        await self.made("another winter", await self.presses(CLARA, Act.AGAIN, "cat in winter"), by=CLARA)
        await self.made("all at once", await self.presses(ANNA, Act.ORIGINAL, "cat in the snow"), by=ANNA)

    async def bens_cup(self) -> None:
        self.tell("— Ben's cup")
        await self.makes("square cup", BEN, "crop to a square", COFFEE)
        await self.makes("cup with a boat", CLARA, "put a tiny boat in the cup", onto="square cup")
        await self.makes("brown cup", EMIL, "make it sepia", onto="square cup")
        await self.makes("wide brown cup", EMIL, "crop to 2:1", onto="brown cup")
        await self.makes("turned cup", DORA, "rotate 90 degrees", onto="cup with a boat")
        await self.makes("cup with a lighthouse", ANNA, "add a lighthouse", onto="cup with a boat")
        await self.makes("cat and cup", BEN, "put this cup beside her", COFFEE, onto="cat in grey")
        await self.makes("square cat and cup", DORA, "crop to a square", onto="cat and cup")
        self.cup_tree = await self.hears(CLARA, "/tree", onto="turned cup")
        await self.hears(BEN, "/cast save Mug", onto="square cup")
        self.cup_link = await self.shared(BEN, "square cup")
        self.cup_file = await self.stage.takes_file(self._post("square cup"), by=EMIL)
        assert self.cup_file
        self.tell("Emil takes the file of the square cup")

    async def consents(self) -> None:
        self.tell("— Whose picture it is")
        self.rocket = await self.shown(DORA, ROCKET)
        post, question = await self.is_asked_for(BEN, PINK, self.rocket, owner=DORA)
        await self.decides(DORA, Do.NOT_NOW, question)
        assert would_rather_not(DORA) in (await self.told(post, by=BEN)).words
        post, question = await self.is_asked_for(EMIL, "send it to the moon", self.rocket, owner=DORA)
        await self.decides(DORA, Say.ONCE, question)
        await self.made("rocket on the moon", post, by=EMIL)
        astronaut = await self.shown(CLARA, ASTRONAUT)
        post, question = await self.is_asked_for(EMIL, MOUSTACHE, astronaut, owner=CLARA)
        await self.decides(CLARA, Say.NEVER, question)
        assert would_rather_not(CLARA) in (await self.told(post, by=EMIL)).words
        await self.makes("rocket and stars", DORA, "add more stars", onto="rocket on the moon")
        await self.makes("wide rocket", CLARA, "crop to 2:1", onto="rocket and stars")

    async def shown(self, by: Who, photo: bytes) -> Post:
        """A photo that wants nothing. On the page, the bot asks what to do with it."""
        self.tell(f"{by} shows a photo")
        post = await self.stage.shares(photo, by=by)
        if any(status.turn.origin.message == post.id for status in (await self.statuses()).values()):
            self.asked.append(post)
        return post

    async def is_asked_for(self, by: Who, words: str, photo: Post, *, owner: Who) -> tuple[Post, Seen]:
        post = await self.asks(by, words, onto=photo)
        return post, await self.stage.waits_for(post, is_asked, by=owner)

    async def the_cast(self) -> None:
        self.tell("— Somebody has a name")
        saved = await self.hears(ANNA, "/cast save Minka", onto="square cat")
        assert in_cast_now("Minka", 1) in saved.words
        post = await self.asks(EMIL, "put Minka on the red carpet")
        question = await self.stage.waits_for(post, is_asked, by=ANNA)
        await self.decides(ANNA, Say.ONCE, question)
        await self.made("Minka on the carpet", post, by=EMIL)
        await self.makes("Minka in grey", CLARA, "make it black and white", onto="Minka on the carpet")
        await self.makes("Minka and the press", BEN, "add photographers", onto="Minka in grey")

    async def the_recipes(self) -> None:
        self.tell("— Recipes")
        await self.hears(CLARA, "/recipe save Foggy winter", onto="cat in winter")
        await self.makes("rocket in winter", DORA, "/recipe Foggy winter", ROCKET)
        self.recipes += 1
        listed = await self.hears(EMIL, "/recipes", onto="rocket on the moon")
        tapped = await self.presses(EMIL, Act.RECIPE, listed, recipe_id("Foggy winter"), called="Foggy winter")
        await self.made("moon in winter", tapped, by=EMIL)
        sheet = await self.hears(DORA, "/presets", onto="rocket in winter")
        figurine = await self.presses(DORA, Act.PRESET, sheet, PRESETS[0].key, called=tr(PRESETS[0].title))
        await self.made("figurine", figurine, by=DORA)
        self.recipes += 1
        await self.hears(ANNA, "/recipe save Carnival", onto="turned cat")
        shown = await self.hears(ANNA, "/recipe show Carnival")
        self.exported = shown.words[shown.words.index("/recipe import") : shown.words.index(tr(SHARE_HINT))].strip()

    async def the_arena(self) -> None:
        self.tell("— The arena")
        post = await self.asks(ANNA, "/arena make it golden evening light", onto="wide cat")
        arena = await self.made("arena", post, by=ANNA)
        votes = ((ANNA, Choice.A), (BEN, Choice.A), (CLARA, Choice.B), (DORA, Choice.A), (EMIL, Choice.B))
        for who, choice in (*votes, (EMIL, Choice.A)):
            assert await self.decides(who, choice, arena) == your_vote(choice)
            self.votes[who] = choice
        await self.stage.waits_for(post, lambda seen: voted_words(len(self.votes)) in seen.words, by=ANNA)
        assert await self.decides(ANNA, Do.END_VOTE, arena) == tr(ENDED)
        sides = (await self.turn_of(arena)).turn.sides
        revealing = revealed(sides, "", TALLY)
        ended = await self.stage.waits_for(post, lambda seen: all(each in seen.words for each in revealing), by=ANNA)
        self.tell(f"    → {_short(ended.words)}")
        await self.makes("winner", DORA, "crop to a square", onto=arena)
        await self.makes("winner with lanterns", BEN, "add lanterns", onto="winner")
        board, told = board_of([Match((sides[0].model, sides[1].model), TALLY)]), await self.hears(EMIL, "/leaderboard")
        assert all(each in told.words for each in (*board.rows, *board.pairs)), "with how sure it is"

    async def the_tree(self) -> None:
        self.tell("— The tree")
        self.tree = await self.hears(DORA, "/tree", onto="cat in the snow")
        assert self.tree.pictures
        numbers = await self.numbers_in(self.tree)
        await self.makes("from the tree", EMIL, f"from {numbers['cat in the fog']}: crop to 2:1", onto=self.tree)
        shown = await self.told(await self.presses(ANNA, Act.GO, self.tree, str(numbers["winner"])), by=ANNA)
        await self.makes("brown winner", ANNA, "make it sepia", onto=shown)
        compared = await self.hears(CLARA, "/compare 2 5", onto="cat in the snow")
        assert compared.pictures

    async def numbers_in(self, tree: Seen) -> dict[str, int]:
        """What stands beside each result in the picture of a tree."""
        drawn = (await self.turn_of(tree)).outcome
        assert drawn is not None
        statuses = await self.statuses()
        return {self._name(statuses[turn]): number for number, turn in enumerate(drawn.nodes, 1)}

    async def a_link(self) -> None:
        self.tell("— A link")
        path = await self.shared(ANNA, "square cat")
        page = await self.stranger.get(path)
        assert page.status == 200
        text = await page.text()
        self.stage.reading.html("the shared page", text)
        told = (tr("Made by {name}").format(name=ANNA), "crop to a square", label_line(NO_AI))
        assert all(each in text for each in told), text
        assert (await self.stranger.get(f"{path}/picture")).status == 200
        ended = await self.presses(ANNA, Act.UNSHARE, self.linked)
        await self.told(ended, by=ANNA)
        gone = [await self.stranger.get(each) for each in (path, f"{path}/picture")]
        assert [each.status for each in gone] == [404, 404]
        self.stage.reading.html("a link that has ended", await gone[0].text())
        self.tell("A stranger sees it, and nothing once it is ended")

    async def shared(self, by: Who, name: str) -> str:
        """The path of the link."""
        question = await self.hears(by, "/share", onto=name)
        self.linked = await self.told(await self.presses(by, Act.SHARE, question, "named"), by=by)
        found = re.search(rf"{AT}(/s/[0-9a-f]+)", self.linked.words)
        assert found is not None, self.linked.words
        return found[1]

    async def the_garden(self) -> None:
        self.tell("— In the garden, where only Anna, Ben and Clara are")
        assert tr(NO_RECIPES) in (await self.hears(ANNA, "/recipes", chat=GARDEN)).words
        assert tr(NOBODY_IN_CAST) in (await self.hears(BEN, "/cast", chat=GARDEN)).words
        await self.told(await self.asks(ANNA, self.exported, chat=GARDEN), by=ANNA)
        self.recipes += 1
        await self.makes("Clara's carnival", CLARA, "/recipe Carnival", mirrored(CAT), chat=GARDEN)
        await self.makes("garden", ANNA, "crop to a square", mirrored(ROCKET), chat=GARDEN)
        await self.makes("green garden", BEN, "paint it green", onto="garden", chat=GARDEN)
        await self.makes("brown garden", CLARA, "make it sepia", onto="garden", chat=GARDEN)
        await self.makes("Ben's garden", BEN, "crop to 2:1", mirrored(COFFEE), chat=GARDEN)
        await self.makes("garden at night", ANNA, "add a moon", onto="green garden", chat=GARDEN)
        for name in ("square cat", "square cup"):
            stolen = await self.stage.says("rotate 90 degrees", reply_to=self._post(name), by=ANNA, chat=GARDEN)
            assert stolen is None, "the platform lets nobody reply to another chat"
        assert (await self.hears(BEN, "/tree", onto="green garden", chat=GARDEN)).pictures

    async def at_the_end(self) -> None:
        """All as it is before a picture is taken back."""
        self.before, self.asked_before = await self.statuses(), len(self.asked)
        self.results = {id_: status for id_, status in self.before.items() if self._name(status)}
        self.labelled = sum([await self._is_labelled(status) for status in self.results.values()])
        self.answered = await self._answered()

    async def the_withdrawal(self) -> None:
        self.tell("— Ben takes his cup back")
        assert (await self.stranger.get(self.cup_link)).status == 200
        asked = await self.hears(BEN, "/withdraw", onto="cup with a boat")
        assert withdraw_asks(1, len(FROM_THE_CUP)) in asked.words
        done = await self.told(await self.presses(BEN, Act.WITHDRAW, asked), by=BEN)
        assert withdrawn_words(1, len(FROM_THE_CUP)) in done.words
        first = next(status for status in self.results.values() if self._name(status) == "square cup")
        self.cup = {(each.owner, each.image) for each in first.turn.lent}
        self.after = await self.statuses()
        self.seen = {(chat, who): await self.stage.sees(chat, by=who) for chat in Where for who in IN_GARDEN}
        self.gone = {id_: self.results[id_] for id_ in self.results if self.after[id_].erased}

    # --- what is counted

    async def turn_of(self, seen: Seen) -> TurnStatus:
        """What this message answers."""
        return next(status for status in (await self.statuses()).values() if self._where(status) == seen.post)

    async def statuses(self) -> dict[TurnId, TurnStatus]:
        found = [await self.stage.house.turns.load(turn) for turn in self.turns]
        return {status.turn.id: status for status in found if status is not None}

    def _where(self, status: TurnStatus) -> Post:
        """Where its answer stands."""
        reply = status.turn.reply
        return Post(self.stage.where(reply.chat), reply.message)

    def _name(self, status: TurnStatus) -> str:
        """Under which the script knows what this turn made; empty where it is no result."""
        where = self._where(status)
        return next((name for name, seen in self.pictures.items() if seen.post == where), "")

    async def _is_labelled(self, status: TurnStatus) -> bool:
        """In the words that everybody reads, and in what is read to who cannot see it."""
        assert status.outcome is not None
        assert status.outcome.label is not None
        seen, line = self.pictures[self._name(status)], label_line(status.outcome.label)
        return line in seen.words and all(line in picture.alt for picture in seen.pictures)

    async def _answered(self) -> int:
        """How many of what was asked have one answer that stands there. Whatever else stands there is a leak."""
        replies = {status.turn.origin: self._where(status) for status in self.before.values()}
        self._leak(len(set(replies.values())) != len(replies), "two were answered in one")
        ours = [each for chat in Where for each in await self.stage.sees(chat) if each.is_ours]
        for each in ours:
            beside = each.post not in replies.values() and not await self._belongs_to_one(each)
            self._leak(beside, f"an answer that nobody asked for: {each.words}")
        standing = Counter(each.post for each in ours)
        return sum(standing[each] == 1 for each in replies.values())

    async def _belongs_to_one(self, seen: Seen) -> bool:
        """A picture that the answer itself could not hold, or its file: what is known of it is known of this, too."""
        chat = next(each.turn.chat for each in self.before.values() if self._where(each).chat is seen.post.chat)
        known = await self.stage.house.reception.info(MessageRef(chat, seen.post.id))
        return bool(seen.pictures) and known != NOTHING_THERE

    async def what_vanished(self) -> None:
        """In the chat, in trees, behind links, as files, among the cast, and in the store."""
        now = self.seen[HOME, ANNA]
        standing = {each.post for each in now}
        shown = {picture.data for each in now for picture in each.pictures}
        for status in self.gone.values():
            name = self._name(status)
            seen = self.pictures[name]
            self._leak(seen.post in standing, f"{name} still stands there")
            self._leak(bool(shown & {each.data for each in seen.pictures}), f"{name} is still seen")
            self._leak(bool(await self.stage.takes_file(seen.post, by=EMIL)), f"{name} is still a file")
            for picture in self._files(status) | {sha256_of(each.data) for each in seen.pictures}:
                self._leak(await self._is_kept(picture), f"{name} is still kept")
        for _, photo in self.cup:
            self._leak(bool(photo) and await self._is_kept(Sha256(photo)), "the photo itself is still kept")
        self._leak(self.cup_file in shown, "the file that somebody took still stands there")
        self._leak(self.cup_tree.post in standing, "the old tree still stands there")
        tree = await self.hears(EMIL, "/tree", onto="cat in grey")
        lent = {(each.owner, each.image) for each in (await self.turn_of(tree)).turn.lent}
        self._leak(bool(self.cup & lent), "it is in a new tree")
        for path in (self.cup_link, f"{self.cup_link}/picture"):
            self._leak((await self.stranger.get(path)).status != 404, f"its link still leads to {path}")
        self.tell(f"Gone, wherever one looks: {', '.join(FROM_THE_CUP)}, their tree and the link")
        cast = await self.hears(EMIL, "/cast")
        self._leak("Mug" in cast.words or "Minka" not in cast.words, "the cast is not as it should be")

    async def what_stayed(self) -> None:
        """Every other result, with the same picture."""
        standing = {each.post: each for chat in Where for each in self.seen[chat, ANNA]}
        for status in self.results.values():
            name = self._name(status)
            if name in FROM_THE_CUP:
                continue
            seen = standing.get(self.pictures[name].post)
            pictures = [each.data for each in self.pictures[name].pictures]
            same = seen is not None and [each.data for each in seen.pictures] == pictures
            self._leak(not same, f"{name} did not stay")
            for picture in self._files(status):
                self._leak(not await self._is_kept(picture), f"{name} is not kept")
        self.tell(f"Still there: the {len(self.results) - len(self.gone)} other results")

    def what_leaked(self) -> None:
        """Between the chats, as each person sees them."""
        for there, chat in ((HOME, GARDEN), (GARDEN, HOME)):
            pictures, words = self._all_of(there)
            here = "\n".join([self.exported, *self._all_of(chat)[1]])
            words -= {each for each in words if each in here}
            for who in IN_GARDEN:
                for seen in self.seen[chat, who]:
                    found = pictures & {sha256_of(each.data) for each in seen.pictures}
                    found |= {each for each in words if each in seen.words}
                    self._leak(bool(found), f"{who} sees {sorted(found)} of {there} in {chat}")

    def _all_of(self, chat: Where) -> tuple[set[str], set[str]]:
        """The pictures of a chat, as they are kept and as they were seen, and the words."""
        turns = [status for status in self.before.values() if self._where(status).chat is chat]
        seen = [each for each in self.pictures.values() if each.post.chat is chat]
        pictures = {str(picture) for status in turns for picture in self._files(status)}
        pictures |= {sha256_of(each.data) for each_seen in seen for each in each_seen.pictures}
        words = {line for status in turns for line in status.turn.instruction.splitlines() if line}
        return pictures, words | set(NAMES[chat])

    def what_the_engine_saw(self) -> None:
        """Nothing of what its owner refused."""
        said = " ".join(call.words for call in self.stage.gemini.calls)
        sent = {(each.width_px, each.height_px) for call in self.stage.gemini.calls for each in call.pictures}
        for words in (PINK, MOUSTACHE):
            self._leak(words in said, f"the engine was asked to {words}")
        with Image.open(io.BytesIO(ASTRONAUT)) as refused:
            self._leak(refused.size in sent, "the engine was shown a refused picture")

    def _files(self, status: TurnStatus) -> set[Sha256]:
        return {each.sha256 for each in status.outcome.images} if status.outcome is not None else set()

    async def _is_kept(self, picture: Sha256) -> bool:
        try:
            return bool(await self.stage.house.images.get(picture))
        except KeyError:
            return False

    def _parent(self, status: TurnStatus) -> TurnId | None:
        """The result that it stands below: what only showed that one again is passed over."""
        above = self.before.get(status.turn.parent) if status.turn.parent is not None else None
        while above is not None and above.turn.id not in self.results:
            above = self.before.get(above.turn.parent) if above.turn.parent is not None else None
        return above.turn.id if above is not None else None

    def _leak(self, is_one: bool, words: str) -> None:
        self.leaks += [words] * is_one

    def counted(self) -> Report:
        results = list(self.results.values())
        by_ai = [each for each in results if each.turn.engine == "gemini"]
        parents = Counter(parent for each in results if (parent := self._parent(each)) is not None)
        refused = [each for each in self.before.values() if each.state is TurnState.REFUSED and each.turn.asks]
        return Report(
            turns=len(results),
            branches=sum(count - 1 for count in parents.values()),
            asked=self.asked_before,
            answered=self.answered,
            model_calls=self.stage.gemini.posts,
            turns_by_ai=len(by_ai),
            refused=len(refused),
            withdrawn=len(self.gone),
            stayed=len(results) - len(self.gone),
            recipes=self.recipes,
            votes=len(self.votes),
            labelled=self.labelled,
            leaks=tuple(self.leaks),
        )


def _short(words: str) -> str:
    line = " / ".join(words.split("\n"))
    return f"“{line if len(line) <= 160 else line[:159] + '…'}”"


async def played(
    platform: str,
    redis_url: str,
    data: Path,
    tell: Callable[[str], None] = lambda _: None,
    *,
    made: NullTranslations | None = None,
    forgets: bool = True,
) -> Report:
    """An evening on the platform of that name; in a `made` language whatever stands outside of its sentences leaks, and
    where it `forgets` everybody at the end, whatever is left of them then."""
    with spoken_by_all(made) if made else nullcontext():
        async with staged(platform, redis_url, data) as stage:
            return await Evening(stage, tell, reads=made is not None, forgets=forgets).play()


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.e2e.evening", description="An evening of five people, told.")
    parser.add_argument("--platform", choices=("telegram", "discord", "web"), default="telegram")
    parser.add_argument("--brackets", action="store_true", help="every sentence twice in brackets, and none in English")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory(prefix="remixbot-evening-") as folder:
        report = asyncio.run(
            played(given.platform, "", Path(folder), print, made=ApartAndLong() if given.brackets else None)
        )
    print("— What is counted")
    for each in fields(report):
        print(f"{each.name.replace('_', ' ')}: {getattr(report, each.name) or 'none'}")


if __name__ == "__main__":
    main()

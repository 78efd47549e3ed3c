"""What a door may ask of the house, beside handing in messages: the one implementation of `bot.ports.Rooms`."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bot.admitting import Doorkeeper
from bot.arena import Arena
from bot.asking import Asking
from bot.budget import Estimates
from bot.cast import Cast
from bot.changing import Changing
from bot.contests import Contests
from bot.delivery import Dispatch, Renditions
from bot.domain.arena import INFO_WHILE_OPEN, Choice
from bot.domain.chats import ChatSettings, ServerSettings
from bot.domain.consent import Say, Standing
from bot.domain.credit import credit_line
from bot.domain.errors import BadRequest, KeptOut
from bot.domain.images import ALL, ImageFacts
from bot.domain.invitations import NO_OPERATOR, without_secrets
from bot.domain.labels import MARKED, Profile, label_line
from bot.domain.language import pgettext, quoted, speaking, tr
from bot.domain.messages import Answer, ChatCapabilities, InboundMessage, Received, Rendition
from bot.domain.money import up_to
from bot.domain.refs import ChatRef, MessageRef, ServerRef, TurnId, UserRef
from bot.domain.sharing import Finished, SharedResult
from bot.domain.taste import TASTE_WENT_ALONG
from bot.domain.turns import FINAL_STATES, Turn, TurnState, TurnStatus
from bot.domain.wishes import Wish
from bot.domain.words import NOT_YOURS_TO_DELETE, NOTHING_THERE, STILL_MADE, as_said, being_forgotten, forgotten
from bot.ground import only
from bot.intake import Hall
from bot.languages import Languages
from bot.lineage import path_to
from bot.operating import Operating
from bot.ports import (
    ChatStore,
    ConsentStore,
    Engine,
    Erasure,
    ForgetReceipt,
    MessageStore,
    Platform,
    RecipeStore,
    TurnStore,
)
from bot.profiles import Profiles
from bot.sharing import Sharing


class Reception:
    """See `bot.ports.Rooms`. `forget` erases a person; `operating` is what the command line does, too."""

    def __init__(
        self,
        *,
        hall: Hall,
        asking: Asking,
        dispatch: Dispatch,
        renditions: Renditions,
        platforms: Mapping[str, Platform],
        engines: Mapping[str, Engine],
        estimates: Estimates,
        messages: MessageStore,
        turns: TurnStore,
        chats: ChatStore,
        profiles: Profiles,
        recipes: RecipeStore,
        cast: Cast,
        says: ConsentStore,
        erasure: Erasure,
        arena: Arena,
        contests: Contests,
        forget: Callable[[UserRef], Awaitable[ForgetReceipt]],
        sharing: Sharing,
        languages: Languages,
        doorkeeper: Doorkeeper,
        changing: Changing,
        operating: Operating,
    ) -> None:
        self._doorkeeper = doorkeeper
        self._changing = changing
        self.operating = operating
        self._languages = languages
        self._arena = arena
        self._contests = contests
        self._sharing = sharing
        self._hall = hall
        self._asking = asking
        self._dispatch = dispatch
        self._renditions = renditions
        self._platforms = platforms
        self._engines = engines
        self._estimates = estimates
        self._messages = messages
        self._turns = turns
        self._chats = chats
        self._profiles = profiles
        self._recipes = recipes
        self._cast = cast
        self._says = says
        self._erasure = erasure
        self._forget = forget

    # --- who may

    async def kept_out(
        self, person: UserRef, chat: ChatRef, *, server: ServerRef | None = None, around: Sequence[ChatRef] = ()
    ) -> str:
        return await self._doorkeeper.kept_out(person, chat, server=server, around=around)

    async def enter(self, person: UserRef, code: str) -> str:
        return await self._doorkeeper.join(person, code)

    async def operate(self, person: UserRef, words: str) -> str:
        return await self.operating.said(person, words) or tr(NO_OPERATOR)

    async def changes(self, chat: ChatRef, server: ServerRef | None) -> str:
        return await self._changing.words(chat, server)

    async def _kept_from(self, person: UserRef, shown: Sequence[TurnStatus]) -> str:
        """What to tell somebody who is not let in where these turns stand; empty where they are."""
        for turn in (status.turn for status in shown[:1]):
            return await self._doorkeeper.kept_out(person, turn.chat, server=turn.server, around=turn.around)
        return ""

    async def _admit(self, by: UserRef | None, chat: ChatRef, server: ServerRef | None) -> None:
        """Raises `KeptOut`. Nobody where it is the installation itself that asks."""
        if by is not None and (words := await self._doorkeeper.kept_out(by, chat, server=server)):
            raise KeptOut(words)

    # --- messages

    async def receive(self, message: InboundMessage) -> Received:
        await self._doorkeeper.admit(message)
        return await self._hall.receive(without_secrets(message))

    async def cancel(self, turn: TurnId, *, chat: ChatRef, by: UserRef) -> bool:
        return await self._hall.cancel(turn, chat=chat, by=by)

    async def join(self, message: InboundMessage) -> bool:
        await self._doorkeeper.admit(message)
        return await self._hall.join(without_secrets(message))

    async def under_way(self, chat: ChatRef, *, by: UserRef) -> Sequence[TurnId]:
        return await self._hall.under_way(chat, by=by)

    async def move(self, old: ChatRef, new: ChatRef) -> None:
        await self._chats.move(old, new)
        await self._recipes.move(old, new)
        await self._cast.move(old, new)

    async def allow(self, turn: TurnId, *, chat: ChatRef, by: UserRef, say: Say | None) -> str:
        return await self._asking.answer(turn, chat=chat, by=by, say=say)

    async def vote(self, turn: TurnId, *, chat: ChatRef, by: UserRef, choice: Choice | None) -> str:
        status = await self._turns.load(turn)
        if status is not None and (words := await self._kept_from(by, [status])):
            return words
        return await self._arena.vote(turn, chat=chat, by=by, choice=choice)

    async def answer_of(self, turn: TurnId) -> Answer | None:
        return await self._dispatch.answer_of(turn)

    # --- one result

    async def info(self, reply: MessageRef, *, by: UserRef | None = None, index: int | None = None) -> str:
        shown, profile = await self._shown(reply, index), await self._profiles.of(reply.chat)
        if by is not None and (words := await self._kept_from(by, shown)):
            return words
        return "\n\n".join([await self._told(status, profile) for status in shown]) or tr(NOTHING_THERE)

    async def _told(self, status: TurnStatus, profile: Profile) -> str:
        contest = await self._contests.of_turn(status.turn)
        if contest is not None and contest.hides:
            return f"{quoted(status.turn.instruction)}\n{_asked_for_by(status.turn)}\n{tr(INFO_WHILE_OPEN)}"
        return _told(status, credit_line(await path_to(status, self._turns)), profile)

    async def delete(self, reply: MessageRef, *, by: UserRef, moderates: bool) -> str:
        record = await self._messages.find(reply)
        if record is None or not record.shows:
            return tr(NOTHING_THERE)
        shown = await self._shown(reply, None)
        if not moderates and any(status.turn.author != by for status in shown):
            return tr(NOT_YOURS_TO_DELETE)
        if any(status.state not in FINAL_STATES for status in shown):
            return tr(STILL_MADE)
        for status in shown:
            await self._erasure.erase(status.turn.id)
        await self._platforms[reply.chat.platform].retract([reply], [])
        return ""

    async def file(
        self,
        reply: MessageRef,
        capabilities: ChatCapabilities,
        *,
        by: UserRef | None = None,
        index: int | None = None,
    ) -> Rendition:
        shown = await self._shown(reply, index)
        if by is not None and (words := await self._kept_from(by, shown)):
            raise KeptOut(words)
        for status in shown:
            outcome = status.outcome
            if outcome is not None and outcome.images:
                masters = _masters(outcome.images, index if len(outcome.images) > 1 else None)
                place = replace(capabilities, profile=await self._profiles.of(reply.chat))
                with speaking(status.turn.language):  # as in its chat: a mark says it in a language
                    return (await self._renditions.of(masters, outcome.label, place))[0]
        raise BadRequest(tr(NOTHING_THERE))

    async def _shown(self, reply: MessageRef, index: int | None) -> list[TurnStatus]:
        """The turns that a message shows, without those that are erased."""
        record = await self._messages.find(reply)
        if record is None:
            return []
        if index is not None and len(record.shows) > 1:
            record = only(record, index)
        found = [await self._turns.load(id_) for id_ in dict.fromkeys(show.turn for show in record.shows)]
        return [status for status in found if status is not None and not status.erased]

    async def sizes(self) -> Sequence[tuple[str, str]]:
        engine = next((each for each in self._engines.values() if each.profile.generative), None)
        if engine is None:
            # TRANSLATORS: one of a list of sizes; at most 60 characters
            return [("", pgettext("list", "The usual size"))]
        first, *larger = engine.profile.sizes or ("",)
        usual = up_to(self._estimates.of(engine, Wish(), images=1))
        more = [(size, up_to(self._estimates.of(engine, Wish(size=size), images=1))) for size in larger]
        # TRANSLATORS: one of a list of sizes: "The usual size (1K), up to 4 ¢"; at most 60 characters
        words = pgettext("list", "The usual size ({size}), {price}").format(size=first, price=usual)
        return [("", words), *((size, f"{size}, {price}") for size, price in more)]

    # --- what people decide

    @property
    def marks_always(self) -> bool:
        return self._profiles.installation in MARKED

    async def settings(self, chat: ChatRef, server: ServerRef | None) -> tuple[ChatSettings, ServerSettings]:
        (own,), above = await self._chats.decided([chat], server)
        return replace(own, profile=self._profiles.shown(own.profile)), above

    async def change_chat(
        self,
        chat: ChatRef,
        settings: ChatSettings,
        *,
        by: UserRef | None = None,
        server: ServerRef | None = None,
        was: ChatSettings | None = None,
    ) -> None:
        await self._admit(by, chat, server)
        seen = None if was is None else self._kept(was)
        await self._changing.chat(chat, self._kept(settings), was=seen, by=by)

    def _kept(self, settings: ChatSettings) -> ChatSettings:
        return replace(settings, profile=self._profiles.kept(settings.profile))

    async def change_server(
        self,
        server: ServerRef,
        settings: ServerSettings,
        *,
        by: UserRef | None = None,
        was: ServerSettings | None = None,
    ) -> None:
        await self._admit(by, ChatRef(server.platform, server.account, server.server), server)
        await self._changing.server(server, settings, was=was, by=by)

    async def standing(self, owner: UserRef, chat: ChatRef) -> Standing:
        (standing,) = await self._says.standing([owner], chat)
        return standing

    async def stand(self, owner: UserRef, chat: ChatRef, standing: Standing) -> None:
        await self._asking.stand(owner, chat, standing)

    async def forget(self, user: UserRef) -> str:
        receipt = await self._forget(user)
        self._languages.forget(user)
        if not receipt.is_done:
            return being_forgotten(receipt.number)
        return forgotten(receipt.turns, len(receipt.messages), len(receipt.pixels), receipt.number)

    async def speaks(self, user: UserRef, language: str) -> None:
        await self._languages.said(user, language)

    async def language_of(self, user: UserRef, otherwise: str = "") -> str:
        return await self._languages.of(user, otherwise)

    async def shared(self, token: str) -> SharedResult | None:
        return await self._sharing.shared(token)

    async def finished(self, by: UserRef, *, words: str, most: int) -> Sequence[Finished]:
        # In whatever chat they ask: it is a message of their own that will stand there.
        if await self._doorkeeper.kept_out(by, ChatRef(by.platform, "", "")):
            return ()
        return await self._sharing.finished(by, words=words, most=most)


def _masters(images: Sequence[ImageFacts], index: int | None) -> Sequence[ImageFacts]:
    if index is None or index == ALL:
        return images[:1]
    return images[index : index + 1] or images[:1]


def _told(status: TurnStatus, credit: str, profile: Profile) -> str:
    """What anybody in the chat may know of a turn: they have seen it happen."""
    turn, outcome = status.turn, status.outcome
    lines = [quoted(as_said(turn.own_words)) if turn.own_words else "", _asked_for_by(turn)]
    if outcome is not None and outcome.label is not None:
        model = f" ({outcome.usage.model})" if outcome.usage.model else ""
        lines.append(label_line(outcome.label, profile) + model)
    lines.append(credit if outcome is not None and outcome.images else "")
    lines += [_picture(image) for image in (outcome.images if outcome is not None else ())]
    if outcome is not None and outcome.finished_at:
        took_s = outcome.finished_at - (status.started_at or turn.created_at)
        when = datetime.fromtimestamp(outcome.finished_at, UTC)
        lines.append(
            tr("{when} UTC, made in {seconds} s").format(
                when=f"{when:%Y-%m-%d %H:%M}", seconds=f"{max(took_s, 0.1):.1f}"
            )
        )
    if turn.taste:
        lines.append(tr(TASTE_WENT_ALONG))
    if status.state not in FINAL_STATES:
        lines.append(tr("Under way for {seconds} s").format(seconds=f"{time.time() - turn.created_at:.0f}"))
    if outcome is not None and status.state is not TurnState.DONE and outcome.words:
        lines.append(outcome.words)
    return "\n".join(line for line in lines if line)


def _asked_for_by(turn: Turn) -> str:
    return tr("Asked for by {name}").format(name=turn.author_name)


def _picture(image: ImageFacts) -> str:
    kind = image.media_type.partition("/")[2].upper()
    size = f"{image.size_bytes / 1e6:.1f} MB" if image.size_bytes >= 1e5 else f"{image.size_bytes / 1e3:.0f} kB"
    words = tr("{width} × {height} pixels, {kind}, {size}")
    return words.format(width=image.width_px, height=image.height_px, kind=kind, size=size)

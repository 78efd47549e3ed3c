"""Dispatch: a turn → the reply that was reserved for it. Filling it again is harmless."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bot.budget import Estimates
from bot.contests import Contest, Contests, Stage, is_in_arena
from bot.controls import again_all, controls_of
from bot.domain.arena import MAKING, WHICH_IS_BETTER, Ballot, Side, revealed, voted_words
from bot.domain.credit import owner_names
from bot.domain.digital_source import has_c2pa
from bot.domain.images import ImageFacts, Picture, Provenance, facts_of, picture_of
from bot.domain.labels import Label, Profile, alone, alt_text, label_known, label_line, own_work, words_line
from bot.domain.language import N_, ngettext, quoted, speaking, spoken, tr
from bot.domain.messages import Answer, ChatCapabilities, Credit, Panel, Rendition, sharing
from bot.domain.money import up_to
from bot.domain.outcomes import UNDO
from bot.domain.own_pictures import EXPLAINED
from bot.domain.refs import MessageRef, Person, Sha256, TurnId
from bot.domain.roles import Purpose, roles_line
from bot.domain.turns import FINAL_STATES, Hold, Outcome, Turn, TurnState, TurnStatus
from bot.domain.wishes import Form, Kind
from bot.domain.words import (
    CANCELLED,
    GONE_NODE,
    IS_READY,
    MADE_LIGHTER,
    MADE_SMALLER,
    OPEN_IT,
    as_said,
    heard,
    joined,
    names_of,
    waits_for,
)
from bot.languages import Languages
from bot.ports import ConsentStore, Engine, ImageLedger, ImageStore, Labeller, Platform, RenditionMaker, TurnStore
from bot.sight.path import stage
from bot.waiting import Waiting

_FRESH = 64
_WAITING_WORDS = {
    Hold.PARENT: N_("Waiting for the picture you replied to."),
    Hold.AUTHOR: N_("Waiting for your other pictures to finish."),
    Hold.CHAT: N_("Waiting for other pictures of this chat to finish."),
    Hold.SERVER: N_("Waiting for other pictures of this server to finish."),
    Hold.SLOT: N_("Waiting in line."),
}


class Renditions:
    """The one maker of renditions (`bot.ports.RenditionMaker`). `opened` is given where the labeller signs: what went
    into a picture is then read for it, and what was rendered before is rendered anew. It gives a picture that came with
    credentials as a file that has them, empty for none; it is called in a thread."""

    def __init__(
        self,
        images: ImageStore,
        ledger: ImageLedger,
        labeller: Labeller,
        *,
        opened: Callable[[Picture], bytes] | None = None,
    ) -> None:
        self._images = images
        self._ledger = ledger
        self._labeller = labeller
        self._opened = opened
        self._signs = opened is not None
        self._fresh: dict[tuple[Sha256, str], ImageFacts] = {}

    async def of(
        self, masters: Sequence[ImageFacts], label: Label | None, capabilities: ChatCapabilities
    ) -> tuple[Rendition, ...]:
        return tuple([await self._one(master, label, capabilities) for master in masters])

    async def keep(
        self,
        holder: str,
        pictures: Sequence[Picture],
        label: Label | None,
        capabilities: ChatCapabilities,
        *,
        renew: Sequence[ImageFacts] = (),
    ) -> tuple[tuple[ImageFacts, ...], tuple[Rendition, ...]]:
        with stage("label", images=len(pictures)):
            opened = [await self._with_credentials(picture) for picture in pictures]
            masters = [(facts, picture) for (facts, _), picture in zip(opened, pictures, strict=True)]
            renditions = [await self._render(*master, label, capabilities) for master in masters]
        pairs = [(master, made) for (master, _), (made, _) in zip(masters, renditions, strict=True)]
        with stage("store", images=len(pairs)):
            # Held before they are stored: what nobody holds may be swept.
            for target in {self._target(master, label, capabilities): None for master, _ in pairs} or {"": None}:
                here = [each for each in pairs if self._target(each[0], label, capabilities) == target]
                await self._ledger.keep(holder, here, target=target, renew=renew)
            credentialed = [kept for _, kept in opened if kept is not None]
            if credentialed:
                # They go with whoever sent them, and stay where somebody else has sent the same pixels.
                await self._ledger.keep(holder, [(facts, facts) for facts, _ in credentialed], target="")
            files = {facts.sha256: picture.data for facts, picture in [*masters, *renditions, *credentialed]}
            await asyncio.gather(*(self._images.put(data, sha256) for sha256, data in files.items()))
        self._note(pairs, label, capabilities)
        return (
            tuple(facts for facts, _ in masters),
            tuple(_rendition(made, label, capabilities.profile) for made, _ in renditions),
        )

    async def _with_credentials(self, picture: Picture) -> tuple[ImageFacts, tuple[ImageFacts, Picture] | None]:
        """What is stored of a picture; and of one that came with credentials, the file that keeps them."""
        facts = await asyncio.to_thread(facts_of, picture)
        data = await asyncio.to_thread(self._opened, picture) if self._opened and picture.original else b""
        if not data:
            return facts, None
        kept = replace(picture, data=data, original=b"")
        kept_facts = await asyncio.to_thread(facts_of, kept)
        return replace(facts, credentials=kept_facts.sha256), (kept_facts, kept)

    async def _render(
        self, master: ImageFacts, picture: Picture, label: Label | None, capabilities: ChatCapabilities
    ) -> tuple[ImageFacts, Picture]:
        own = await self._own_label(master, picture, label)
        files = await self._ingredients(own, {master.sha256: picture.data})
        made = await self._labeller.render(picture, own, capabilities, ingredients=files)
        return (master if made is picture else await asyncio.to_thread(facts_of, made)), made

    async def _own_label(self, master: ImageFacts, picture: Picture, label: Label | None) -> Label | None:
        """The label of this one picture."""
        signed_before = self._signs and label is not None and await asyncio.to_thread(has_c2pa, picture.data)
        return own_work(label, master.sha256, master.media_type, signed_before=signed_before)

    async def _ingredients(self, label: Label | None, known: Mapping[Sha256, bytes]) -> Mapping[Sha256, bytes]:
        """The files that went into it, each read once. What was deleted since is left out."""
        if not self._signs or label is None or label.work is None:
            return {}
        wanted = list(dict.fromkeys(each.file for each in label.work.ingredients if each.file))
        found = await asyncio.gather(*(self._found(file) for file in wanted if file not in known))
        return {**{file: data for file, data in known.items() if file in wanted}, **{k: v for k, v in found if v}}

    async def _found(self, file: Sha256) -> tuple[Sha256, bytes]:
        try:
            return file, await self._images.get(file)
        except KeyError:
            return file, b""

    async def _one(self, master: ImageFacts, label: Label | None, capabilities: ChatCapabilities) -> Rendition:
        target = self._target(master, label, capabilities)
        known = self._fresh.get((master.sha256, target)) or await self._ledger.rendition(master.sha256, target)
        if known is None:
            picture = picture_of(master, await self._images.get(master.sha256))
            known, made = await self._render(master, picture, label, capabilities)
            await self._ledger.remember(master, target, known)
            await self._images.put(made.data, known.sha256)
        return _rendition(known, label, capabilities.profile)

    def _target(self, master: ImageFacts, label: Label | None, capabilities: ChatCapabilities) -> str:
        return _target(master, label, capabilities, signed=self._signs)

    def _note(
        self, pairs: Sequence[tuple[ImageFacts, ImageFacts]], label: Label | None, capabilities: ChatCapabilities
    ) -> None:
        """What was made a moment ago is asked for next, when the reply is filled."""
        for master, made in pairs:
            self._fresh[master.sha256, self._target(master, label, capabilities)] = made
        while len(self._fresh) > _FRESH:
            self._fresh.pop(next(iter(self._fresh)))


def _rendition(image: ImageFacts, label: Label | None, profile: Profile) -> Rendition:
    return Rendition(image, alt_text(label, profile), label_line(label, profile) if label is not None else "")


def _target(master: ImageFacts, label: Label | None, capabilities: ChatCapabilities, *, signed: bool = False) -> str:
    """Names a delivery target: two chats with the same limits and the same label share a rendition. Results of two
    turns do not, even where they have the same pixels: their files tell of different work. Nor do two people's pictures
    where only one of the files said that AI made it."""
    said = f"{label.provenance}:{'+'.join(label.engines)}" if label else "as sent"
    if label is None and master.provenance is not Provenance.UNKNOWN:
        said = f"{said}:{master.provenance}"
    limits = f"{','.join(capabilities.media_types)}|{capabilities.max_file_bytes or '-'}"
    profile = () if capabilities.profile is Profile.DEFAULT else (capabilities.profile, spoken())
    work = label.work if label else None
    return "|".join((said, limits, *profile, *((work.id,) if work else ()), *(("signed",) if work and signed else ())))


class Dispatch:
    """Fills reserved replies. The platform is found by its name in the reply's ref; `engines` say what can be pressed
    next. Whoever waited longer than `pointer_s` seconds is called back; 0 for nobody. `reveal` puts links in place of
    their marks, where what is shown is not kept by us."""

    def __init__(
        self,
        platforms: Mapping[str, Platform],
        turns: TurnStore,
        renditions: RenditionMaker,
        engines: Mapping[str, Engine],
        estimates: Estimates,
        *,
        contests: Contests,
        waiting: Waiting,
        pointer_s: float = 0,
        says: ConsentStore | None = None,
        languages: Languages | None = None,
        reveal: Callable[[str], str] = str,
    ) -> None:
        self._says = says
        self._languages = languages
        self._contests = contests
        self._waiting = waiting
        self._reveal = reveal
        self._pointer_s = pointer_s
        self._platforms = platforms
        self._turns = turns
        self._renditions = renditions
        self._engines = engines
        self._estimates = estimates

    async def show(self, id_: TurnId) -> None:
        """Make the reserved reply show the turn as it stands now."""
        status = await self._turns.load(id_)
        if status is not None:
            await self.show_status(status)

    async def show_status(self, status: TurnStatus) -> None:
        """The same for a status in hand. Of an album, the whole of it."""
        with speaking(await self._language_of(status)):
            await self._show_status(status)

    async def _language_of(self, status: TurnStatus) -> str:
        """The asker's. A question to one owner, with the choices under it, is in the owner's: who says yes has to know
        what to."""
        asks = _asks(status) if status.state not in FINAL_STATES else ()
        asked = {owner.user for owner in asks}
        if len(asked) != 1 or status.turn.album or self._languages is None:
            return status.turn.language
        return await self._languages.of(asked.pop(), status.turn.language)

    async def _show_status(self, status: TurnStatus) -> None:
        reply = status.turn.reply
        platform = self._platforms[reply.chat.platform]
        capabilities = await platform.capabilities(reply.chat)
        if not status.turn.album:
            answer = await self._answer(status, capabilities)
            await platform.fill(reply, answer)
            await self._call_back(status, answer, capabilities)
            if status.state not in FINAL_STATES:
                await self._look_again(status)
            return
        before: object = None
        # Two panels may end at once, and the one that looked first may be heard last: look again after each filling.
        while before != (now := await self._stands(status.turn)):
            before = now
            answer = await self._album_answer(*now, capabilities)
            await platform.fill(reply, answer)
            if not status.delivered:  # what is shown anew, as a vote goes on, calls nobody
                await self._call_back(now[0][0], answer, capabilities)

    async def _look_again(self, shown: TurnStatus) -> None:
        """Progress that was held up on its way may have covered a result that another process showed meanwhile."""
        now = await self._turns.load(shown.turn.id)
        if now is not None and now.state in FINAL_STATES:
            await self.show_status(now)

    async def answer_of(self, id_: TurnId) -> Answer | None:
        """What the turn's reply shows now."""
        status = await self._turns.load(id_)
        if status is None:
            return None
        with speaking(await self._language_of(status)):
            return replace(await self._answer_of(status), language=spoken())

    async def _answer_of(self, status: TurnStatus) -> Answer:
        capabilities = await self._platforms[status.turn.chat.platform].capabilities(status.turn.chat)
        if status.turn.album:
            return await self._album_answer(*await self._stands(status.turn), capabilities)
        return await self._answer(status, capabilities)

    async def _call_back(self, status: TurnStatus, answer: Answer, capabilities: ChatCapabilities) -> None:
        """Who waited long is called back once, where filling the reply does not do so."""
        turn = status.turn
        long = self._pointer_s and time.time() - turn.created_at > self._pointer_s
        if not long or capabilities.edits_notify or status.delivered:
            return
        if answer.state not in FINAL_STATES or answer.state is TurnState.CANCELLED:
            return
        if await self._turns.note_once(turn.id, "called back"):
            words = tr(IS_READY) if answer.images else tr(OPEN_IT)
            await self._platforms[turn.reply.chat.platform].call(turn.reply, turn.author, words, key=f"{turn.id}:ready")

    async def keep_sources(self, message: MessageRef, pictures: Sequence[Picture]) -> tuple[ImageFacts, ...]:
        """Store what a person's message brought, and show it where the platform does not do so by itself."""
        platform = self._platforms[message.chat.platform]
        capabilities = await platform.capabilities(message.chat)
        masters, renditions = await self._renditions.keep(f"message:{message.key}", pictures, None, capabilities)
        await platform.show_sources(message, renditions)
        return masters

    async def keep_drawn(self, turn: Turn, picture: Picture, label: Label | None) -> tuple[ImageFacts, ...]:
        """Store a picture that was drawn to answer a command."""
        capabilities = await self._platforms[turn.chat.platform].capabilities(turn.chat)
        masters, _ = await self._renditions.keep(f"turn:{turn.id}", [picture], label, capabilities)
        return masters

    async def _answer(self, status: TurnStatus, capabilities: ChatCapabilities) -> Answer:
        outcome = status.outcome
        if status.state not in FINAL_STATES or outcome is None:
            position, begins = await self._place_of(status)
            return Answer(
                state=status.state,
                lines=(*_progress_lines(status), *([begins] if begins else []), *await self._explained(status)),
                turn=status.turn.id,
                holds=status.holds,
                position=position,
                started_at=status.started_at,
                asks=_asks(status),
                credit=_credit(status),
                heard=_heard_line(status.turn),
            )
        images = await self._images(status, outcome, capabilities)
        fitted = _fitted(outcome.images, images)
        lines = _final_lines(status, outcome, capabilities.profile) + ((fitted,) if fitted else ())
        return Answer(
            state=status.state,
            lines=lines if capabilities.keeps_words else tuple(self._reveal(line) for line in lines),
            images=images,
            turn=status.turn.id,
            started_at=status.started_at,
            suggestions=outcome.suggestions,
            controls=controls_of(status, self._engines, self._estimates),
            sources=outcome.sources,
            credit=_credit(status) if images else None,
            files=outcome.files,
            spoiler=status.turn.spoiler,
            heard=_heard_line(status.turn),
            roles=_roles_line(status.turn),
        )

    async def _place_of(self, status: TurnStatus) -> tuple[int | None, str]:
        """In the queue, and when it should begin where nothing but that keeps it."""
        if not status.holds:
            return None, ""
        position, begins = await self._waiting.of(status.turn.id)
        return position, begins if status.holds == frozenset({Hold.SLOT}) else ""

    async def _explained(self, *statuses: TurnStatus) -> Sequence[str]:
        """What the choices mean, with the first question that anybody is ever asked."""
        for status in statuses:
            turn = status.turn
            question = turn.album[0] if turn.album else turn.id
            for owner in _asks(status):
                if self._says is not None and await self._says.explains(owner.user, question):
                    return [tr(EXPLAINED)]
        return []

    async def _images(
        self, status: TurnStatus, outcome: Outcome, capabilities: ChatCapabilities
    ) -> tuple[Rendition, ...]:
        """Its results; of a step back what it leads to, each with the label that it had."""
        if outcome.code != UNDO or status.erased:
            capabilities = sharing(capabilities, len(outcome.images))
            return await self._renditions.of(outcome.images, outcome.label, capabilities)
        shown: list[Rendition] = []
        turn = status.turn
        capabilities = sharing(capabilities, len(turn.inputs))
        for each in turn.inputs:
            before = await self._turns.load(each.from_turn) if each.from_turn else None
            label = before.outcome.label if before is not None and before.outcome is not None else None
            if before is not None and label is not None and before.turn.chat not in (turn.chat, *turn.around):
                label = alone(label, turn.id)
            if each.image is not None:
                label = label or label_known(each.image.provenance)
                with contextlib.suppress(KeyError):  # whoever made it has deleted it since
                    shown += await self._renditions.of([each.image], label, capabilities)
        return tuple(shown)

    # --- albums

    async def _album(self, turn: Turn) -> list[TurnStatus]:
        """Its turns as they stand now, without what does not show. One that is not yet submitted is not there."""
        found = await asyncio.gather(*(self._turns.load(id_) for id_ in turn.album))
        return [replace(each, delivered=False, epoch=0, calls=0) for each in found if each is not None]

    async def _stands(self, turn: Turn) -> tuple[list[TurnStatus], Contest | None]:
        """An album now, and the vote on it where it is an arena."""
        statuses = await self._album(turn)
        return statuses, await self._contests.of(statuses) if is_in_arena(turn) and statuses else None

    async def _album_answer(
        self, statuses: Sequence[TurnStatus], contest: Contest | None, capabilities: ChatCapabilities
    ) -> Answer:
        first = statuses[0]
        open_ = [each for each in statuses if each.state not in FINAL_STATES]
        waits = len(statuses) < len(first.turn.album)
        panels = tuple([await self._panel(each, capabilities) for each in statuses])
        lines = _album_lines(statuses, capabilities.profile)
        if contest is not None:
            panels, lines = _blind(contest, panels), self._arena_lines(contest, statuses, lines)
        hides = contest is not None and contest.hides
        position, begins = await self._album_place(statuses)
        return Answer(
            state=_album_state(statuses, waits=waits),
            lines=(*lines, *([begins] if begins else []), *await self._explained(*open_)),
            images=tuple(panel.image for panel in panels if panel.image is not None),
            turn=first.turn.id,
            holds=frozenset[Hold]().union(*(each.holds for each in open_)),
            position=position,
            started_at=min((each.started_at for each in statuses if each.started_at), default=None),
            controls=() if open_ or waits or first.erased or hides else (again_all(),),
            panels=panels,
            asks=next((asked for each in open_ if (asked := _asks(each))), ()),
            credit=_credit(first),
            spoiler=first.turn.spoiler,
            vote=Ballot(contest.arena, contest.voted) if contest is not None and contest.stage is Stage.OPEN else None,
            heard=_heard_line(first.turn),
            roles=_roles_line(first.turn),
        )

    async def _album_place(self, statuses: Sequence[TurnStatus]) -> tuple[int | None, str]:
        """That of the panel which begins first, while none has begun."""
        if any(each.state is TurnState.RUNNING or each.state in FINAL_STATES for each in statuses):
            return None, ""
        places = [await self._place_of(each) for each in statuses]
        known = [(position, begins) for position, begins in places if position is not None]
        return min(known, default=(None, ""), key=lambda each: each[0])

    def _arena_lines(self, contest: Contest, statuses: Sequence[TurnStatus], lines: tuple[str, ...]) -> tuple[str, ...]:
        turn = statuses[0].turn
        match contest.stage:
            case Stage.MAKING:
                engine = self._engines.get(turn.engine)
                prices = (
                    [self._estimates.of_turn(engine, each.turn) for each in statuses] if engine is not None else [0]
                )
                price = up_to(max(prices) * len(turn.album))
                waiting = (
                    [waits_for(names_of(turn.asks))] if any(Hold.CONSENT in each.holds for each in statuses) else []
                )
                return (tr(MAKING).format(price=price), *waiting, *([heard(turn.heard)] if turn.heard else []))
            case Stage.OPEN:
                return (*lines, joined(tr(WHICH_IS_BETTER), voted_words(contest.voted)))
            case Stage.ENDED:
                return (*lines, *revealed(contest.sides, turn.instruction, contest.tally))
            case Stage.VOID:
                return lines

    async def _panel(self, status: TurnStatus, capabilities: ChatCapabilities) -> Panel:
        outcome = status.outcome
        if status.state not in FINAL_STATES or outcome is None:
            # One question for all of them, which stands above.
            words = "" if Hold.CONSENT in status.holds else _progress_lines(status)[0]
            return Panel(status.turn.id, status.state, words)
        sized = sharing(capabilities, len(status.turn.album))
        images = await self._renditions.of(outcome.images[:1], outcome.label, sized)
        words = tr(GONE_NODE) if status.erased else _unlabelled(status, outcome)
        controls = controls_of(status, self._engines, self._estimates)
        return Panel(status.turn.id, status.state, words, images[0] if images else None, controls)


def _blind(contest: Contest, panels: tuple[Panel, ...]) -> tuple[Panel, ...]:
    """Both at once, and under each nothing but its name, so that no model is known by how soon it came or what it
    says."""
    match contest.stage:
        case Stage.MAKING:
            made = [replace(each, state=TurnState.RUNNING, image=None) if each.image else each for each in panels]
            return tuple(replace(each, words="", controls=()) for each in made)
        case Stage.OPEN:
            names = zip("AB", panels, strict=True)
            return tuple(replace(each, words=name, controls=()) for name, each in names)
        case Stage.ENDED:
            named = zip("AB", contest.sides, panels, strict=True)
            return tuple(replace(each, words=_named(name, side, each.words)) for name, side, each in named)
        case Stage.VOID:
            return panels


def _named(name: str, side: Side, words: str) -> str:
    what = f"{name}: {quoted(side.words)}" if side.words else f"{name}: {side.model}" if side.model else name
    return f"{what}. {words}" if words else what


def _asks(status: TurnStatus) -> tuple[Person, ...]:
    return status.turn.asks if Hold.CONSENT in status.holds else ()


def _credit(status: TurnStatus) -> Credit | None:
    turn = status.turn
    if status.erased:
        return None
    asker = Person(turn.author, turn.author_name)
    known = owner_names(turn)
    owners = tuple(owner for owner in turn.owners if owner not in turn.unnamed)
    names = tuple(known.get(owner, "") for owner in owners)
    return Credit(asker, owners, words=as_said(turn.instruction), asked_in=turn.origin, names=names)


def _fitted(masters: Sequence[ImageFacts], shown: Sequence[Rendition]) -> str:
    """What is said where a picture had to be made to fit the chat."""
    pairs = list(zip(masters, (each.image for each in shown), strict=False))
    if any(made.width_px < master.width_px for master, made in pairs):
        return tr(MADE_SMALLER)
    if any(made.media_type != master.media_type for master, made in pairs):
        return tr(MADE_LIGHTER)
    return ""


def _album_state(statuses: Sequence[TurnStatus], *, waits: bool) -> TurnState:
    """Open until all are final; done where any is."""
    states = [each.state for each in statuses]
    if open_ := [state for state in states if state not in FINAL_STATES]:
        return TurnState.RUNNING if TurnState.RUNNING in open_ or len(open_) < len(states) else open_[0]
    if waits:
        return TurnState.ACCEPTED
    return TurnState.DONE if TurnState.DONE in states else states[0]


def _album_lines(statuses: Sequence[TurnStatus], profile: Profile) -> tuple[str, ...]:
    """The label of what is there, then what holds for all. What belongs to one panel stands under it."""
    turn = statuses[0].turn
    ended = [each.outcome for each in statuses if each.outcome is not None]
    labels = dict.fromkeys(label_line(each.label, profile) for each in ended if each.label and each.images)
    head = () if labels else (_making(turn),)
    if any(Hold.CONSENT in each.holds for each in statuses):
        head = (*head, waits_for(names_of(turn.asks)))
    lines = (" / ".join(labels), *head, _heard_line(turn), _roles_line(turn), turn.note)
    return tuple(line for line in lines if line)


def _making(turn: Turn) -> str:
    count = len(turn.album)
    if turn.wish.form is Form.STORY:
        words = ngettext(
            "A story in {count} picture. They appear here as they come.",
            "A story in {count} pictures. They appear here as they come.",
            count,
        )
    else:
        words = ngettext(
            "Variations: {count} picture. They appear here as they come.",
            "Variations: {count} pictures. They appear here as they come.",
            count,
        )
    return words.format(count=count)


def _unlabelled(status: TurnStatus, outcome: Outcome) -> str:
    own = outcome.note.removeprefix(status.turn.note).strip()
    return joined(outcome.words, own)


def _heard_line(turn: Turn) -> str:
    return heard(turn.heard) if turn.heard else ""


def _roles_line(turn: Turn) -> str:
    """What each picture was taken for, where there were several."""
    purposes = [each.purpose for each in turn.inputs if each.purpose is not Purpose.PANEL]
    if len(purposes) < 2 or turn.wish.kind is not Kind.EDIT:
        return ""
    return roles_line(purposes)


def _progress_lines(status: TurnStatus) -> tuple[str, ...]:
    """First what it is doing, then what was heard, so that a mishearing can still be cancelled."""
    listened = (heard(status.turn.heard),) if status.turn.heard else ()
    if status.state is TurnState.RUNNING:
        return (tr("Working on it."), *listened)
    if Hold.CONSENT in status.holds:
        return (waits_for(names_of(status.turn.asks)), *listened)
    for hold in (Hold.PARENT, Hold.AUTHOR, Hold.CHAT, Hold.SERVER, Hold.SLOT):
        if hold in status.holds:
            return (tr(_WAITING_WORDS[hold]), *listened)
    return (tr("On its way."), *listened)


def _final_lines(status: TurnStatus, outcome: Outcome, profile: Profile) -> tuple[str, ...]:
    """Label line first: it is the part that must be read. Then what was heard, the roles, the remark, and anything to
    know."""
    if status.erased:
        return (tr(GONE_NODE),)
    turn = status.turn
    label = ""
    if outcome.label is not None:
        explained = turn.wish.kind is Kind.EXPLAIN and outcome.label.edited_by_ai
        shown = outcome.images or outcome.code == UNDO
        label = label_line(outcome.label, profile) if shown else words_line(outcome.label) if explained else ""
    roles = _roles_line(turn) if outcome.images and outcome.label and outcome.label.edited_by_ai else ""
    lines = (label, _heard_line(turn), roles, outcome.words, outcome.note or turn.note)
    said = tuple(line for line in lines if line)
    return said or ((tr(CANCELLED),) if status.state is TurnState.CANCELLED else ())

"""Workshop: an accepted turn → engine → label → stored result. Runs wherever the queue puts it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from bot.budget import Estimates
from bot.calls import MAX_CALLS, Calls, Fenced
from bot.consent import Consent
from bot.deletion import delete_pixels
from bot.domain.chats import ChatSettings
from bot.domain.errors import BadRequest, ChatClosed, ChatGone, EngineFailed, KeptOut, NotAllowed, RemixError
from bot.domain.images import ImageFacts, Input, Picture, Role, picture_of
from bot.domain.inputs import results_of
from bot.domain.labels import MAX_INGREDIENTS, Ingredient, Work, label_for, work_id_of
from bot.domain.language import speaking, tr
from bot.domain.messages import ChatCapabilities, sharing
from bot.domain.outcomes import added, outcome_of
from bot.domain.refs import ChatRef, Sha256, TurnId
from bot.domain.roles import Purpose
from bot.domain.story import story_below
from bot.domain.turns import FINAL_STATES, Outcome, Turn, TurnState, TurnStatus, Usage
from bot.domain.wishes import Form, Kind
from bot.domain.words import (
    ALBUM_OPEN,
    BROKEN,
    CLIMBED,
    ENGINE_GONE,
    GONE,
    INTERRUPTED,
    NO_PICTURE,
    NOT_KEPT,
    NOT_YOURS,
    PARTLY,
    STORY_BROKEN,
    joined,
)
from bot.ending import end, is_ending
from bot.patience import BRIEF, PAID, READING, Patience
from bot.ports import (
    ChatStore,
    Claim,
    EditRequest,
    Engine,
    EngineAnswer,
    EngineProfile,
    ImageLedger,
    ImageStore,
    RenditionMaker,
    TurnQueue,
    TurnStore,
)
from bot.proofreading import Proofread, Proofreader, unread
from bot.sight import figures
from bot.sight.path import on_path, shown, stage, waited

log = structlog.get_logger("workshop")

MAX_CLAIMS = 4
"""A turn that brought down this many workers is not tried again."""
MAX_BEGINS = 8
"""So often a turn is begun by one worker, where outages of the store broke it off before anything was paid for."""
_MAX_CLIMB = 64
_LEAVING_S = 5.0


@dataclass(frozen=True, slots=True)
class _Known:
    """What is looked up when a turn begins, and holds until its result is stored: it is shown by what holds then.
    `before` are the turns that its pictures came out of."""

    settings: ChatSettings
    shown: ChatCapabilities
    before: Mapping[TurnId, TurnStatus | None]


class Workshop:
    """Runs turns. `show` fills the reserved reply; `capabilities` says what a chat can show; `estimates` has the
    text model that reads lettering back, where there is one; `still_admits` says why a turn is not to begin, where its
    author or its chat is kept out by now; `beat_s` is how often a long filling shows life."""

    def __init__(
        self,
        *,
        engines: Mapping[str, Engine],
        turns: TurnStore,
        images: ImageStore,
        ledger: ImageLedger,
        renditions: RenditionMaker,
        chats: ChatStore,
        consent: Consent,
        calls: Calls,
        queue: TurnQueue,
        show: Callable[[TurnStatus], Awaitable[None]],
        capabilities: Callable[[ChatRef], Awaitable[ChatCapabilities]],
        estimates: Estimates,
        still_admits: Callable[[Turn], Awaitable[str]],
        patience: Patience,
        beat_s: float = 2.0,
    ) -> None:
        self._patience = patience
        self._beat_s = beat_s
        self._still_admits = still_admits
        self._engines = engines
        self._turns = turns
        self._images = images
        self._ledger = ledger
        self._renditions = renditions
        self._chats = chats
        self._consent = consent
        self._calls = calls
        self._queue = queue
        self._show = show
        self._capabilities = capabilities
        self._estimates = estimates
        self._proofreader = Proofreader(
            text_model=estimates.text_model, calls=calls, images=images, keep=self._kept, let_go=self._let_go
        )
        self._running = 0
        self._showing: dict[asyncio.Task[None], TurnId] = {}
        self._letting_go: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    async def idle(self) -> None:
        """Wait until nothing runs here."""
        await self._idle.wait()

    async def leave(self) -> None:
        """Show nothing more: what is not shown by now is found by others, at once."""
        showing = dict(self._showing)
        await end(*showing, *self._letting_go)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LEAVING_S):
                for id_ in showing.values():  # a task that was ended before it began has given nothing back
                    await self._leave_filling(id_)

    async def run(self, id_: TurnId) -> None:
        """Run this turn if nobody else does. Any failure ends it with words; only a long outage of the store leaves it
        for a later try. Its reply is filled beside it: a chat that takes its time holds up no other turn."""
        with self._busy(), on_path(id_):
            await self._run(id_)

    @contextlib.contextmanager
    def _busy(self) -> Generator[None]:
        self._running += 1
        self._idle.clear()
        figures.SLOTS_BUSY.set(self._running)
        try:
            yield
        finally:
            self._running -= 1
            figures.SLOTS_BUSY.set(self._running)
            if not self._running:
                self._idle.set()

    def _show_beside(self, status: TurnStatus) -> None:
        task = asyncio.create_task(self._deliver_beside(status), name=f"show {status.turn.id}")
        self._showing[task] = status.turn.id
        task.add_done_callback(self._showing.pop)

    async def _deliver_beside(self, status: TurnStatus) -> None:
        with self._busy():
            try:
                await self._deliver(status)
            except Exception:
                log.exception("not shown yet", turn=status.turn.id)

    async def _run(self, id_: TurnId) -> None:
        claim = await self._turns.claim(id_)
        if claim is None:
            await self._close_beside(id_)
            return
        waited(claim.status)
        started = time.monotonic()
        try:
            with speaking(claim.status.turn.language), stage("work", engine=claim.status.turn.engine):
                turn, made = await self._work(claim)
            async with self._filling_given_back(id_):
                final = await self._committed(claim, turn, made, started)
                await self._settle(final)
        except Fenced:
            log.info("turn taken away", turn=id_, epoch=claim.epoch)
            await self._close_beside(id_)
        else:
            self._show_beside(final)

    async def _committed(self, claim: Claim, turn: Turn, made: Proofread, started: float) -> TurnStatus:
        """Its end is written, and its reply ours to fill."""
        id_ = turn.id
        outcome = replace(made.outcome, finished_at=time.time())
        with stage("finish"):
            committed = await self._patience.through(lambda: self._turns.finish(turn, claim.epoch, outcome), PAID)
        if not committed:
            await self._let_go(id_, (*outcome.images, *made.spare))
            raise Fenced
        await self._drop(id_, [image for image in made.spare if image not in outcome.images])
        _log_finished(turn, outcome, time.monotonic() - started)
        return replace(claim.status, turn=turn, state=outcome.state, outcome=outcome)

    async def close(self, turn: TurnId, *, ours: bool = False) -> None:
        """After a final state: give back what was reserved, let the next ones run, fill the reply if nobody else is at
        it. `ours` where the right to fill it is ours already. Repeatable; does nothing for a turn that is not final."""
        with on_path(turn):
            async with self._filling_given_back(turn) if ours else contextlib.nullcontext():
                status = await self._settled(turn)
            if status is not None and (ours or await self._turns.take_filling(turn)):
                await self._deliver(status)

    async def _close_beside(self, id_: TurnId) -> None:
        status = await self._settled(id_)
        if status is not None and await self._turns.take_filling(id_):
            self._show_beside(status)

    async def _settled(self, id_: TurnId) -> TurnStatus | None:
        """A final turn, settled. None for what is none."""
        status = await self._turns.load(id_)
        if status is None:
            await self._start(await self._turns.abandon(id_))
        if status is None or status.state not in FINAL_STATES:
            return None
        await self._settle(status)
        return status

    async def _settle(self, status: TurnStatus) -> None:
        await self._start(await self._turns.settle(status))
        if status.state is TurnState.CANCELLED and status.draft is not None:
            await self._drop(status.turn.id, status.draft.images)

    async def _deliver(self, status: TurnStatus) -> None:
        """Fill a reply that is ours to fill. What is not shown is anybody's to try."""
        if status.delivered:
            return
        async with self._filling_given_back(status.turn.id), self._filling_kept(status.turn.id):
            result = "shown"
            try:
                with stage("fill", platform=status.turn.chat.platform):
                    await self._show(status)
            except ChatGone:
                log.info("nobody left to show it to", turn=status.turn.id)
                result = "gone"
            except ChatClosed:
                figures.DELIVERIES.labels(status.turn.chat.platform, "closed").inc()
                await self._leave_filling(status.turn.id)
                return  # it is kept, and shown once the chat is open again
            if await self._turns.delivered(status.turn.id):
                shown(status, result)

    @contextlib.asynccontextmanager
    async def _filling_kept(self, id_: TurnId) -> AsyncGenerator[None]:
        """However long it takes, nobody else fills this reply meanwhile."""

        async def keep() -> None:
            while not is_ending():
                await asyncio.sleep(self._beat_s)
                try:
                    await self._turns.keep_filling(id_)
                except Exception as error:
                    log.warning("could not keep others from filling", turn=id_, error=type(error).__name__)

        keeping = asyncio.create_task(keep(), name=f"filling {id_}")
        try:
            yield
        finally:
            await end(keeping)

    @contextlib.asynccontextmanager
    async def _filling_given_back(self, id_: TurnId) -> AsyncGenerator[None]:
        """What is broken off in here is somebody else's to fill, at once."""
        try:
            yield
        except Fenced:
            raise
        except BaseException:
            await self._leave_filling(id_)
            raise

    async def _leave_filling(self, id_: TurnId) -> None:
        try:
            await self._turns.leave_filling(id_)
        except Exception as error:
            # Then it ends by itself, a little later.
            log.warning("could not leave a filling to others", turn=id_, error=type(error).__name__)

    async def _start(self, turns: Sequence[TurnId]) -> None:
        for next_ in turns:
            await self._queue.start(next_)

    async def _let_go(self, id_: TurnId, images: Sequence[ImageFacts]) -> None:
        """What was made for a turn that is somebody else's now, or ended: nobody will ever show it, unless whoever has
        it now makes the very same, or goes on from it as a draft. So all of it stays until the turn has ended."""
        if images and not await self._dropped_at_the_end(id_, images):
            task = asyncio.create_task(self._let_go_beside(id_, images), name=f"let go {id_}")
            self._letting_go.add(task)
            task.add_done_callback(self._letting_go.discard)

    async def _let_go_beside(self, id_: TurnId, images: Sequence[ImageFacts]) -> None:
        try:
            while True:
                await asyncio.sleep(self._beat_s)
                if await self._patience.through(lambda: self._dropped_at_the_end(id_, images), READING):
                    return
        except Exception:
            log.exception("what nobody will show is kept", turn=id_)

    async def _dropped_at_the_end(self, id_: TurnId, images: Sequence[ImageFacts]) -> bool:
        status = await self._turns.load(id_)
        if status is not None and status.state not in FINAL_STATES:
            return False
        last = (status.outcome or status.draft) if status is not None else None
        kept = last.images if last is not None else ()
        await self._drop(id_, [image for image in images if image not in kept])
        return True

    async def _drop(self, id_: TurnId, images: Sequence[ImageFacts]) -> None:
        if images:
            gone = await self._ledger.release(f"turn:{id_}", images)
            await delete_pixels(self._images, self._ledger, gone)

    # --- one turn

    async def _work(self, claim: Claim, *, begins: int = 1) -> tuple[Turn, Proofread]:
        turn = claim.status.turn
        try:
            if words := await self._still_admits(turn):
                raise KeptOut(words)
            turn, plan = await self._resolve(turn)
            _, known = await asyncio.gather(self._check_consent(turn), self._known_of(turn))
            made = await self._make(replace(claim, status=replace(claim.status, turn=turn)), plan, known)
        except Fenced:
            raise
        except RemixError as error:
            ended = outcome_of(error)
            if not isinstance(error, EngineFailed):  # which tells itself what it has cost
                ended = replace(ended, usage=self._estimates.so_far(self._engines.get(turn.engine), claim.status))
            made = Proofread(ended)
        except KeyError:
            made = Proofread(Outcome(TurnState.FAILED, code="gone", words=tr(GONE), usage=await self._begun(turn)))
        except Exception as error:
            most = MAX_BEGINS if self._patience.is_outage(error) else 2
            if begins < most and await self._is_untouched(claim):
                log.warning("turn begins again", turn=turn.id, error=type(error).__name__)
                return await self._work(claim, begins=begins + 1)
            log.exception("turn broke", turn=turn.id, engine=turn.engine)
            made = Proofread(Outcome(TurnState.FAILED, code="broken", words=tr(BROKEN), usage=await self._begun(turn)))
        return turn, replace(made, outcome=replace(made.outcome, usage=added(turn.spent, made.outcome.usage)))

    async def _is_untouched(self, claim: Claim) -> bool:
        """Whether nothing was paid for since it was claimed, so that it can begin again: it may have been an outage of
        the store, which is waited for. Raises `Fenced` when somebody else has it by now."""
        id_ = claim.status.turn.id
        if not await self._patience.through(lambda: self._turns.beat(id_, claim.epoch), BRIEF):
            raise Fenced
        status = await self._patience.through(lambda: self._turns.load(id_), BRIEF)
        if status is None:
            return False
        # Calls are counted anew from a draft on.
        return (status.calls, status.draft) == (claim.calls, claim.status.draft)

    async def _begun(self, turn: Turn) -> Usage:
        """What was begun before it broke was paid for, as far as anybody knows."""
        try:
            status = await self._turns.load(turn.id)
        except Exception:
            return Usage()
        return self._estimates.so_far(self._engines.get(turn.engine), status) if status is not None else Usage()

    async def _resolve(self, turn: Turn) -> tuple[Turn, tuple[str, ...]]:
        """Put the parent's results in place of inputs that were not known when the turn was accepted. Gives the words
        of a story's panels, too, where an earlier panel has told them."""
        inputs, engines, note, story = list(turn.inputs), list(turn.engines), turn.note, turn.story
        plan: tuple[str, ...] = ()
        for _ in range(_MAX_CLIMB):
            unknown = next((each for each in inputs if each.image is None), None)
            if unknown is None:
                break
            status = await self._turns.load(unknown.from_turn) if unknown.from_turn else None
            found: tuple[Input, ...] = ()
            if unknown.purpose is Purpose.PANEL:
                found, plan = _first_panel(status)
            elif status is not None:
                if status.state not in FINAL_STATES:
                    raise BadRequest(tr(ALBUM_OPEN))
                found, climbed = results_of(status, unknown.from_index)
                note = note or (tr(CLIMBED) if climbed and found else "")
                if status.turn.id == turn.parent:
                    story = story_below(status)
            if status is not None and status.outcome and status.outcome.label:
                engines += status.outcome.label.engines
            if not found and len(inputs) > 1:
                note = joined(note.removesuffix(tr(PARTLY)).rstrip(), tr(PARTLY))
            at = inputs.index(unknown)
            inputs[at : at + 1] = [replace(each, purpose=unknown.purpose) for each in found]
        if turn.inputs and not inputs:
            raise BadRequest(tr(NO_PICTURE))
        resolved = replace(turn, inputs=tuple(inputs), engines=tuple(dict.fromkeys(engines)), note=note, story=story)
        return resolved, plan

    async def _known_of(self, turn: Turn) -> _Known:
        """Asked side by side, so that it is one trip to the store."""
        before = list(dict.fromkeys(each.from_turn for each in turn.inputs if each.from_turn is not None))
        settings, shown, statuses = await asyncio.gather(
            self._chats.settings(turn.chat),
            self._capabilities(turn.chat),
            asyncio.gather(*map(self._turns.load, before)),
        )
        return _Known(settings, shown, dict(zip(before, statuses, strict=True)))

    async def _check_consent(self, turn: Turn) -> None:
        """Once more, when it runs: what is worked on may have been found only now, and an owner may have said "never"
        since. Raises `NotAllowed` for whom nobody has asked."""
        asks = await self._consent.check(
            turn.inputs,
            turn.owners,
            asker=turn.author,
            chat=turn.chat,
            server=turn.server,
            around=turn.around,
            lent=turn.lent,
        )
        asked = [each.user for each in turn.asks]
        if any(each.user not in asked for each in asks):
            raise NotAllowed(tr(NOT_YOURS))

    async def _make(self, claim: Claim, plan: tuple[str, ...], known: _Known) -> Proofread:
        turn = claim.status.turn
        engine = self._engines.get(turn.engine)
        if engine is None:
            return Proofread(Outcome(TurnState.FAILED, code="engine_gone", words=tr(ENGINE_GONE)))
        images = [each.image for each in turn.inputs if each.image is not None]
        if not images and turn.wish.kind is Kind.EDIT:
            raise BadRequest(tr(NO_PICTURE))
        draft = claim.status.draft
        begun = self._estimates.begun(engine, claim.status)
        if draft is not None and (claim.calls or claim.epoch > MAX_CLAIMS):
            # Somebody died while reading it back. The picture is there: it is not put at risk again.
            return unread(draft, begun)
        if claim.epoch > MAX_CLAIMS or claim.calls >= MAX_CALLS:
            return Proofread(Outcome(TurnState.FAILED, code="interrupted", words=tr(INTERRUPTED), usage=begun))
        with stage("load", images=len(images)):
            request = await self._calls.alive(
                claim, self._patience.through(lambda: self._request(turn, images, plan, known, engine.profile), READING)
            )
        if not engine.profile.generative:
            with stage("engine", engine=turn.engine):
                answer = await self._calls.alive(claim, engine.edit(request))
            return Proofread(await self._kept(claim, engine, answer, known))
        await self._progress(claim.status)
        if draft is None:
            with stage("engine", engine=turn.engine):
                answer = await self._calls.edit(claim, engine, request, begun=claim.calls)
            draft = await self._kept(claim, engine, replace(answer, plan=answer.plan or plan), known)
            if not self._proofreader.wants(turn, draft):
                return Proofread(draft)
            kept = draft
            if not await self._patience.through(lambda: self._turns.keep_draft(turn, claim.epoch, kept), PAID):
                await self._let_go(turn.id, kept.images)
                raise Fenced
        with stage("proofread", engine=turn.engine):
            return await self._proofreader.check(claim, engine, request, draft)

    async def _request(
        self, turn: Turn, images: Sequence[ImageFacts], plan: tuple[str, ...], known: _Known, profile: EngineProfile
    ) -> EditRequest:
        """What the engine is asked, its pixels in hand."""
        generative = profile.generative
        pixels = await asyncio.gather(*(self._images.get(image.sha256) for image in images))
        settings = known.settings if generative else ChatSettings()
        return EditRequest(
            instruction=turn.own_words,
            images=tuple(picture_of(image, data) for image, data in zip(images, pixels, strict=True)),
            story=turn.story,
            purposes=tuple(each.purpose for each in turn.inputs if each.image is not None),
            names=tuple(each.called for each in turn.inputs if each.image is not None),
            taste=turn.taste if generative else "",
            originals=await self._originals(turn, images) if generative else (),
            wish=turn.wish,
            panel=turn.panel + 1,
            plan=plan,
            model=turn.model,
            may_suggest=settings.suggestions,
            may_ask=settings.questions,
            age_limited=known.shown.age_limited,
        )

    async def _originals(self, turn: Turn, images: Sequence[ImageFacts]) -> tuple[Picture, ...]:
        """What the thread began with, as far as it is still there and nobody has to be asked for it."""
        owners = [*turn.owners, *turn.pin_owners]
        if turn.pins and not await self._consent.is_free(
            owners, asker=turn.author, chat=turn.chat, server=turn.server, around=turn.around
        ):
            return ()
        sent = {image.sha256 for image in images}
        found: list[Picture] = []
        for pin in turn.pins:
            if pin.sha256 not in sent:
                with contextlib.suppress(KeyError):
                    found.append(picture_of(pin, await self._images.get(pin.sha256)))
        return tuple(found)

    async def _kept(self, claim: Claim, engine: Engine, answer: EngineAnswer, known: _Known | None = None) -> Outcome:
        """`known` where it was looked up for this turn already."""
        turn = claim.status.turn
        try:
            return await self._calls.alive(
                claim, self._patience.through(lambda: self._keep(turn, engine, answer, known), PAID)
            )
        except Fenced:
            raise
        except Exception:
            # Paid for all the same: the cap must see it.
            log.exception("result could not be kept", turn=turn.id, engine=turn.engine)
            return Outcome(TurnState.FAILED, code="not_kept", words=tr(NOT_KEPT), usage=answer.usage)

    async def _progress(self, status: TurnStatus) -> None:
        """Say that it runs. A nicety: it must never end a turn."""
        try:
            await self._show(status)
        except Exception:
            log.warning("could not show progress", turn=status.turn.id)

    async def _keep(self, turn: Turn, engine: Engine, answer: EngineAnswer, known: _Known | None) -> Outcome:
        """Store the masters, render them for the chat they go to, and say what became of the turn."""
        label = label_for(
            generative_engine=engine.profile.display_name if engine.profile.generative else None,
            inputs=[each.image.provenance for each in turn.inputs if each.image],
            earlier_engines=turn.engines,
        )
        said = Outcome(
            TurnState.DONE if answer.images or turn.wish.kind is Kind.EXPLAIN else TurnState.ASKING,
            words=_words_of(turn, answer),
            label=label,
            usage=answer.usage,
            note=joined(turn.note, answer.note),
            suggestions=answer.suggestions,
            plan=answer.plan,
            sources=answer.sources,
        )
        if not answer.images:
            return said
        known = known or await self._known_of(turn)
        used = [each.image for each in turn.inputs if each.image]
        label = replace(label, work=await self._work_of(turn, _models_of(turn, engine, answer), known))
        said = replace(said, label=label)
        masters, _ = await self._renditions.keep(
            f"turn:{turn.id}",
            [replace(picture, provenance=label.provenance) for picture in answer.images],
            label,
            sharing(known.shown, len(turn.album) or len(answer.images)),
            renew=[*used, *turn.pins],
        )
        return replace(said, images=masters)

    async def _work_of(self, turn: Turn, models: tuple[str, ...], known: _Known) -> Work:
        """How the results come to be, as their files say it."""
        edited = _edited(turn)
        inputs = sorted((each for each in turn.inputs if each.image), key=lambda each: each is not edited)
        went_in = [
            await self._ingredient(turn, each, known, is_parent=each is edited) for each in inputs[:MAX_INGREDIENTS]
        ]
        return Work(work_id_of(turn.id), time.time(), models, tuple(went_in))

    async def _ingredient(self, turn: Turn, each: Input, known: _Known, *, is_parent: bool) -> Ingredient:
        """The file of an input that people here have: of a result the labelled one. Of another chat's, and of what is
        gone, nothing is told."""
        assert each.image is not None
        hidden = Ingredient(Sha256(""), each.image.media_type, is_parent)
        if each.from_turn is None:
            return (
                hidden
                if each.owner in turn.unnamed
                else replace(hidden, file=each.image.credentials or each.image.sha256)
            )
        status = known.before.get(each.from_turn)
        outcome = status.outcome if status is not None else None
        if status is None or outcome is None or status.erased or status.turn.chat not in (turn.chat, *turn.around):
            return hidden
        count = len(status.turn.album) or len(outcome.images)
        try:
            there = status.turn.chat
            capabilities = sharing(known.shown if there == turn.chat else await self._capabilities(there), count)
            with speaking(status.turn.language):  # as it stands there: a mark says it in a language
                (made,) = await self._renditions.of([each.image], outcome.label, capabilities)
        except (KeyError, ValueError, RemixError):  # no result is worth less for want of an ingredient
            return hidden
        return replace(hidden, file=made.image.sha256, media_type=made.image.media_type)


def _models_of(turn: Turn, engine: Engine, answer: EngineAnswer) -> tuple[str, ...]:
    """What the files may name. Not in an arena: whoever opened one would know what is voted on."""
    named = engine.profile.generative and not turn.sides
    return (answer.usage.model,) if named and answer.usage.model else ()


def _edited(turn: Turn) -> Input | None:
    """The picture that is changed; None where several are joined, or a new one is made."""
    given = [each for each in turn.inputs if each.image]
    canvas = next((each for each in given if each.purpose is Purpose.CANVAS), None)
    if canvas is not None or len(given) != 1 or turn.wish.kind is not Kind.EDIT:
        return canvas
    return None if given[0].purpose in (Purpose.PANEL, Purpose.STYLE) else given[0]


def _first_panel(status: TurnStatus | None) -> tuple[tuple[Input, ...], tuple[str, ...]]:
    """The first panel of a story, as the others need it: its picture, and the words of them all."""
    outcome = status.outcome if status is not None else None
    if status is None or outcome is None or status.state is not TurnState.DONE or not outcome.images:
        raise BadRequest(tr(STORY_BROKEN))
    first = Input(Role.PARENT, status.turn.author, outcome.images[0], status.turn.id, purpose=Purpose.PANEL)
    return (first,), outcome.plan


def _words_of(turn: Turn, answer: EngineAnswer) -> str:
    """The remark; under the panel of a story its own words."""
    if turn.wish.form is Form.STORY and answer.images and len(answer.plan) > turn.panel:
        return answer.plan[turn.panel] or answer.remark
    return answer.remark


def _log_finished(turn: Turn, outcome: Outcome, seconds: float) -> None:
    log.info(
        "turn finished",
        turn=turn.id,
        engine=turn.engine,
        state=outcome.state.value,
        code=outcome.code,
        seconds=round(seconds, 3),
        cost_microusd=outcome.usage.cost_microusd,
    )

"""Making what is missing: each task once on each of two models, nothing that was made before, nothing twice."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time
import unicodedata
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from bot.app import gemini_engine, picture_reader
from bot.domain.errors import (
    BadPicture,
    BadRequest,
    EngineFailed,
    EngineGaveNothing,
    EngineRefused,
    EngineUnavailable,
    RemixError,
)
from bot.domain.images import EXTENSIONS, Picture
from bot.domain.money import said
from bot.domain.wishes import Asked, Form, Kind, read_wish
from bot.engines.gemini import GeminiEngine
from bot.engines.pixels import decode
from bot.engines.reader import bytes_of
from bot.evaluation.archive import TRIED_AGAIN, Archive, Job, Result, State, hash_of
from bot.evaluation.folder import Task, read_folder
from bot.ports import EditRequest
from bot.settings import Settings

AT_ONCE = 2
"""Calls that run at the same time, per model."""
_GIVE_UP_AFTER = 3
"""Failures in a row, after which a model is left alone: what is wrong is not the task."""
_SHOWN_CHARS = 60

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did. `begun` is False where the operator said no. `kept` were there before, `failed` can be tried
    again by another run. `comparable` tasks have a picture of each model."""

    begun: bool
    made: int = 0
    kept: int = 0
    no_picture: int = 0
    failed: int = 0
    comparable: int = 0
    cost_microusd: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """One model, one task. `earlier` is what an earlier run left of it."""

    model: str
    job: Job
    asked: Asked
    earlier: Result | None = None


async def evaluate(
    settings: Settings, folder: Path, models: tuple[str, str], *, say: Say, confirm: Callable[[str], bool]
) -> Report:
    """Make the results that are missing, after `confirm` has said yes to what it costs. `say` gets a line at a time.

    Raises `RemixError` where nothing can be begun: an empty folder, a picture that cannot be read, no key.
    """
    if not settings.has_gemini:
        raise RemixError("There is no key. Set GEMINI_API_KEY to a key from Google AI Studio, and start again.")
    if len(set(models)) < 2:
        raise RemixError("Name two different models: one alone cannot be compared.")
    contents = await asyncio.to_thread(read_folder, folder)
    for path in contents.left_out:
        say(f"{_plain(path.name)} is left out: nothing says what to do with it.")
    archive = Archive(folder)
    async with _engines(settings, models) as engines:
        with archive.locked():
            jobs = await _jobs(settings, archive, contents.tasks, engines[models[0]], engines[models[1]])
            await _check(engines)
            await asyncio.to_thread(archive.keep_evaluation, models, jobs)
            run = _Run(archive, engines, say)
            return await run.make(jobs, confirm)


@contextlib.asynccontextmanager
async def _engines(settings: Settings, models: Sequence[str]) -> AsyncGenerator[dict[str, GeminiEngine]]:
    """One for each model, so that none steps in for the other."""
    async with contextlib.AsyncExitStack() as stack:
        made = {model: gemini_engine(settings, (model,)) for model in models}
        for engine in made.values():
            stack.push_async_callback(engine.aclose)
        yield made


async def _check(engines: dict[str, GeminiEngine]) -> None:
    """A wrong key or name is found out before anything is paid."""
    for model, engine in engines.items():
        trouble = dict(await engine.check()).get(model)
        if trouble:
            raise RemixError(f"{model} cannot be asked: {trouble}")


async def _jobs(settings: Settings, archive: Archive, tasks: Sequence[Task], *engines: GeminiEngine) -> tuple[Job, ...]:
    """The tasks with their pictures checked and kept. All that is wrong with the folder is said at once."""
    problems: list[str] = []
    jobs: dict[str, Job] = {}
    for path, group in groupby(sorted(tasks, key=_picture_name), key=lambda task: task.picture):
        try:
            plain = await _source(settings, archive, path) if path else Job("", "", "")
        except BadPicture as error:
            problems.append(error.words)
            continue
        for task in group:
            job = replace(plain, instruction=task.instruction, kind=task.kind, name=task.name)
            asked = _asked(job)
            readings = [engine.read(asked.words, images=_images(job), wish=asked.wish) for engine in engines]
            problems += [f"{task.name}: {reading.unclear}" for reading in readings if not reading.whole][:1]
            jobs.setdefault(job.id, job)
    if problems:
        raise BadRequest("\n".join(dict.fromkeys(problems)))
    return tuple(jobs.values())


def _picture_name(task: Task) -> str:
    return task.picture.name if task.picture else ""


async def _source(settings: Settings, archive: Archive, path: Path) -> Job:
    """A job for this picture, checked and kept, that has no instruction yet."""
    try:
        data = await asyncio.to_thread(bytes_of, path, max_bytes=settings.max_image_mb * 2**20)
    except OSError as error:
        raise BadPicture(f"I could not open {path.name}: {error.strerror}.") from None
    picture = await picture_reader(settings).read(data, filename=path.name)
    name = hash_of(data)
    return Job("", "", "", name, await asyncio.to_thread(archive.keep_source, name, picture), picture.provenance)


def _asked(job: Job) -> Asked:
    """As the bot would read it, except that one picture is to come of it whatever the words say."""
    asked = read_wish(job.instruction, images=_images(job))
    kind = Kind.EDIT if job.picture else Kind.IMAGINE
    return replace(asked, wish=replace(asked.wish, kind=kind, form=Form.ONE, count=1, drawn=False))


def _images(job: Job) -> int:
    return 1 if job.picture else 0


class _Run:
    """One run over all missing calls."""

    def __init__(self, archive: Archive, engines: dict[str, GeminiEngine], say: Say) -> None:
        self._archive = archive
        self._engines = engines
        self._say = say
        self._done: list[Result] = []
        self._of = 0

    async def make(self, jobs: Sequence[Job], confirm: Callable[[str], bool]) -> Report:
        calls = await asyncio.to_thread(self._missing, jobs)
        kept = len(jobs) * len(self._engines) - len(calls)
        if calls:
            for line in self._price(calls, kept):
                self._say(line)
            with _ends_on_interrupt():
                if not confirm("Go on?"):
                    return Report(begun=False, kept=kept, comparable=await self._comparable(jobs))
            self._of = len(calls)
            await self._make(calls)
        else:
            self._say("Everything is made already; nothing is asked again.")
        return Report(
            begun=True,
            made=sum(result.state is State.DONE for result in self._done),
            kept=kept,
            no_picture=sum(result.state in (State.REFUSED, State.WORDS, State.NOTHING) for result in self._done),
            failed=sum(result.state is State.FAILED for result in self._done) + len(calls) - len(self._done),
            comparable=await self._comparable(jobs),
            cost_microusd=sum(result.cost_microusd for result in self._done),
        )

    async def _make(self, calls: Sequence[Call]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for model in self._engines:
                    todo = iter([call for call in calls if call.model == model])
                    troubles: list[str] = []
                    for _ in range(AT_ONCE):
                        group.create_task(self._work(todo, troubles))
        except* OSError as errors:
            first = next(error for error in errors.exceptions if isinstance(error, OSError))
            raise RemixError(f"I could not read or write the results: {first.strerror}.") from None

    def _missing(self, jobs: Sequence[Job]) -> list[Call]:
        calls = [
            Call(model, job, _asked(job), self._archive.result(job.key(model)))
            for job in jobs
            for model in self._engines
        ]
        return [call for call in calls if call.earlier is None or call.earlier.state in TRIED_AGAIN]

    def _price(self, calls: Sequence[Call], kept: int) -> Iterator[str]:
        """What will be asked, and an upper guess of what it costs."""
        whole = 0
        for model, engine in self._engines.items():
            ours = [call for call in calls if call.model == model]
            cost = sum(engine.estimate_microusd(images=_images(call.job), wish=call.asked.wish) for call in ours)
            whole += cost
            if ours:
                yield f"{model}: {_calls(len(ours))}, at most {said(cost)}."
        yield f"Together {_calls(len(calls))}, at most {said(whole)}."
        if kept:
            yield f"{kept} more {'is' if kept == 1 else 'are'} there from before, and cost nothing."
        if lost := sum(call.earlier is not None and call.earlier.maybe_billed for call in calls):
            yield f"{_calls(lost)} of an earlier run broke off and may have been billed already; they are asked again."

    async def _work(self, calls: Iterator[Call], troubles: list[str]) -> None:
        """Call by call, until none is left or the model fails too often in a row; its workers share both."""
        for call in calls:
            result = await self._ask(call)
            self._done.append(result)
            self._say(f"{len(self._done)} of {self._of} · {_line(call, result)}")
            if result.state is not State.FAILED:
                troubles.clear()
                continue
            troubles.append(result.words)
            if len(troubles) == _GIVE_UP_AFTER:
                self._say(f"{call.model} failed {_GIVE_UP_AFTER} times in a row, so I leave it alone for now.")
            if len(troubles) >= _GIVE_UP_AFTER:
                return

    async def _ask(self, call: Call) -> Result:
        """Note that it begins, ask once, note how it ended. What it cost is this call's; what is kept is the sum."""
        key, earlier = call.job.key(call.model), call.earlier or Result(call.model, State.BEGUN, tries=0)
        begun = Result(
            call.model,
            State.BEGUN,
            tries=earlier.tries + 1,
            cost_microusd=earlier.cost_microusd,
            maybe_billed=True,
            made_at=time.time(),
        )
        source = await asyncio.to_thread(self._source, call.job)
        await asyncio.to_thread(self._archive.keep_result, key, begun)
        start = time.monotonic()
        result, picture = await self._answer(call, source)
        result = replace(
            result, seconds=round(time.monotonic() - start, 3), tries=begun.tries, made_at=round(begun.made_at, 3)
        )
        kept = replace(result, cost_microusd=earlier.cost_microusd + result.cost_microusd)
        await asyncio.to_thread(self._archive.keep_result, key, kept, picture)
        return result

    async def _answer(self, call: Call, source: Picture | None) -> tuple[Result, Picture | None]:
        request = EditRequest(
            call.asked.words,
            (source,) if source else (),
            wish=call.asked.wish,
            model=call.model,
            may_suggest=False,
            may_ask=False,
        )
        try:
            answer = await self._engines[call.model].edit(request)
        except (EngineFailed, BadRequest) as error:
            return _failed(call.model, error), None
        cost = answer.usage.cost_microusd
        if not answer.images:
            return Result(call.model, State.WORDS, cost_microusd=cost, words=answer.remark), None
        try:
            await asyncio.to_thread(decode, answer.images[0].data)
        except BadPicture as error:
            return Result(call.model, State.NOTHING, cost_microusd=cost, words=error.words), None
        return Result(call.model, State.DONE, cost_microusd=cost), answer.images[0]

    def _source(self, job: Job) -> Picture | None:
        if not job.source:
            return None
        data = self._archive.source(job)
        image = decode(data)
        media_type = next(each for each, ending in EXTENSIONS.items() if job.source.endswith(ending))
        return Picture(data, media_type, image.width, image.height, image.mode == "RGBA", job.provenance)

    async def _comparable(self, jobs: Sequence[Job]) -> int:
        def has_both(job: Job) -> bool:
            results = [self._archive.result(job.key(model)) for model in self._engines]
            return all(result is not None and result.state is State.DONE for result in results)

        return await asyncio.to_thread(lambda: sum(map(has_both, jobs)))


def _failed(model: str, error: EngineFailed | BadRequest) -> Result:
    cost = error.cost_microusd if isinstance(error, EngineFailed) else 0
    match error:
        case EngineRefused():
            state = State.REFUSED
        case EngineGaveNothing():
            state = State.NOTHING
        case _:
            state = State.FAILED
    maybe_billed = isinstance(error, EngineUnavailable) and error.maybe_billed
    return Result(model, state, cost_microusd=cost, maybe_billed=maybe_billed, words=error.words)


_ENDS = {
    State.DONE: "done",
    State.REFUSED: "refused",
    State.WORDS: "words and no picture",
    State.NOTHING: "no picture",
    State.FAILED: "failed",
    State.BEGUN: "broken off",
}


def _line(call: Call, result: Result) -> str:
    """How a call ended, for the terminal. The words of a model stay out of it, ours may stand there."""
    asked = _plain(f"{call.job.name}: {call.job.instruction}")
    shown = asked if len(asked) <= _SHOWN_CHARS else f"{asked[: _SHOWN_CHARS - 1]}…"
    why = f" ({result.words})" if result.state in (State.REFUSED, State.NOTHING, State.FAILED) else ""
    return f"{call.model} · {shown} · {_ENDS[result.state]}{why} · {result.seconds:.0f} s, {said(result.cost_microusd)}"


def _plain(text: str) -> str:
    """Without what would move the cursor or turn the direction of a terminal."""
    return "".join(sign for sign in text if unicodedata.category(sign)[0] != "C")


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"


@contextlib.contextmanager
def _ends_on_interrupt() -> Generator[None]:
    """While somebody is asked on the terminal, Ctrl+C ends the asking: asyncio's own way would wait for the answer."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

"""What the page is given: pairs without names, the verdicts it brings back, and in the end who was who."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path

from adapters.evaluation.ports import KindShown, ModelShown, Outcome, Place, ShownPair
from adapters.evaluation.server import build_app, serve
from bot.domain.errors import BadPicture, RemixError
from bot.domain.images import Picture
from bot.domain.labels import label_for
from bot.domain.money import said
from bot.engines.pixels import decode, to_picture
from bot.evaluation.archive import Archive, Choice, Evaluation, Result, Verdict
from bot.evaluation.scores import (
    Pair,
    Score,
    can_be_judged,
    counts,
    effort,
    judgement,
    pairs_of,
    scores,
    standing,
    total,
)
from bot.labels.metadata import label_file

_MOST_PX = 4_200_000
"""No picture on the page has more pixels than a square of 2K."""
_QUALITY = 95
_SOMEBODY = "an image model"
"""In the label, which says that AI made the picture and not which."""


class FolderComparison:
    """The pairs of one folder (`adapters.evaluation.ports.Comparison`). Raises `RemixError` where none were made."""

    def __init__(self, folder: Path) -> None:
        self._archive = Archive(folder)
        found = self._archive.evaluation()
        if found is None:
            raise RemixError(f"Nothing was made yet in {folder}. Run the evaluation first.")
        self._evaluation: Evaluation = found
        self._results = _results(self._archive, found)
        self._pairs = {pair.id: pair for pair in pairs_of(found) if can_be_judged(pair, self._results)}
        self._verdicts = standing(self._archive.verdicts())
        self._pressed: list[str] = []
        self._one_at_a_time = asyncio.Lock()
        self._drawing = asyncio.Lock()
        self._drawn: dict[str, dict[Place, tuple[bytes, str]]] = {}

    def next(self) -> ShownPair | None:
        number = sum(pair in self._verdicts for pair in self._pairs) + 1
        pair = next((pair for name, pair in self._pairs.items() if name not in self._verdicts), None)
        if pair is None:
            return None
        has_source = bool(pair.job.source)
        return ShownPair(pair.id, pair.job.instruction, pair.job.kind, has_source, number, len(self._pairs))

    def can_take_back(self) -> bool:
        return bool(self._pressed)

    async def picture(self, pair: str, place: Place) -> tuple[bytes, str] | None:
        found = self._pairs.get(pair)
        if found is None:
            return None
        async with self._drawing:
            if pair not in self._drawn:
                try:
                    self._drawn = {pair: await asyncio.to_thread(self._draw, found)}
                except (OSError, BadPicture):
                    return None
        return self._drawn[pair].get(place)

    def _draw(self, pair: Pair) -> dict[Place, tuple[bytes, str]]:
        """All pictures of a pair, ready for the page."""
        keys = [pair.job.key(model) for model in (pair.left, pair.right)]
        sides = _alike([self._archive.pixels(key, self._results[key]) for key in keys])
        label = label_for(generative_engine=_SOMEBODY, inputs=[pair.job.provenance] if pair.job.source else [])
        files = {
            place: (label_file(side, label), side.media_type)
            for place, side in zip((Place.LEFT, Place.RIGHT), sides, strict=True)
        }
        if pair.job.source:
            (source,) = _alike([self._archive.source(pair.job)])
            files[Place.SOURCE] = source.data, source.media_type
        return files

    async def judge(self, pair: str, choice: str, seconds: float) -> bool:
        found = self._pairs.get(pair)
        async with self._one_at_a_time:
            if found is None or pair in self._verdicts or choice not in ("left", "right", "equal", "neither"):
                return False
            await self._note(found, Choice(choice), seconds)
            self._pressed.append(pair)
        return True

    async def take_back(self) -> bool:
        async with self._one_at_a_time:
            if not self._pressed:
                return False
            await self._note(self._pairs[self._pressed[-1]], Choice.TAKEN_BACK, 0.0)
            self._pressed.pop()
        return True

    async def _note(self, pair: Pair, choice: Choice, seconds: float) -> None:
        """On the disk first."""
        winner = {Choice.LEFT: pair.left, Choice.RIGHT: pair.right}.get(choice, "")
        at = round(time.time(), 3)
        verdict = Verdict(pair.id, pair.job.kind, pair.left, pair.right, choice, winner, round(seconds, 1), at)
        await asyncio.to_thread(self._archive.note_verdict, verdict)
        self._verdicts = standing([*self._verdicts.values(), verdict])

    def outcome(self) -> Outcome:
        self._pressed.clear()  # who knows the names is not blind any more
        return _outcome(self._evaluation, self._results, self._verdicts)


def _results(archive: Archive, evaluation: Evaluation) -> dict[str, Result]:
    keys = [job.key(model) for job in evaluation.jobs for model in evaluation.models]
    return {key: result for key in keys if (result := archive.result(key))}


def _outcome(evaluation: Evaluation, results: dict[str, Result], verdicts: dict[str, Verdict]) -> Outcome:
    by_kind = scores(evaluation, results, verdicts)
    whole = total(by_kind.values())
    rows = {"all tasks": whole} | by_kind if len(by_kind) > 1 else by_kind
    first, second = evaluation.models
    return Outcome(
        words=judgement(whole, evaluation.models),
        models=(_model_shown(evaluation, first, results), _model_shown(evaluation, second, results)),
        kinds=tuple(_kind_shown(name, score, evaluation.models) for name, score in rows.items()),
    )


def _kind_shown(name: str, score: Score, models: tuple[str, str]) -> KindShown:
    return KindShown(name, score.wins, score.equal, score.neither, counts(score, models), judgement(score, models))


def _model_shown(evaluation: Evaluation, model: str, results: dict[str, Result]) -> ModelShown:
    took = effort(evaluation, model, results)
    none = f", {took.no_picture} without a picture" if took.no_picture else ""
    pace = f", usually {took.median_s:.1f} s each, {said(took.picture_microusd)} per picture" if took.pictures else ""
    pictures = "1 picture" if took.pictures == 1 else f"{took.pictures} pictures"
    return ModelShown(model, f"{pictures}{none}{pace}, {said(took.cost_microusd)} in all.")


def _alike(files: list[bytes]) -> list[Picture]:
    """Newly encoded, in one type and with one number of pixels, so that a file gives nothing away."""
    images = [decode(data) for data in files]
    most_px = min(_MOST_PX, *(image.width * image.height for image in images))
    media_type = "image/png" if any(image.mode == "RGBA" for image in images) else "image/jpeg"
    pictures: list[Picture] = []
    for image in images:
        shrink = (most_px / (image.width * image.height)) ** 0.5
        size = (max(1, round(image.width * shrink)), max(1, round(image.height * shrink)))
        shown = image if size == image.size else image.resize(size, reducing_gap=3.0)
        pictures.append(to_picture(shown, media_type=media_type, quality=_QUALITY))
    return pictures


async def serve_comparison(
    folder: Path, *, host: str, port: int, ready: Callable[[str], None], stop: asyncio.Event | None = None
) -> None:
    """Show the pairs on a page of this machine until Ctrl+C, or `stop`. `ready` is called once with its address.

    Raises `RemixError` where nothing can be compared, `ValueError` for a host that others can reach, `OSError` when
    the port is taken.
    """
    comparison = await asyncio.to_thread(FolderComparison, folder)
    stop = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    try:
        async with serve(build_app(comparison), host=host, port=port) as address:
            ready(address)
            await stop.wait()
    finally:
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)


def summary(folder: Path) -> str:
    """Who won, by kind of task and in all, with what that is worth. Raises `RemixError` where nothing was made."""
    archive = Archive(folder)
    evaluation = archive.evaluation()
    if evaluation is None:
        raise RemixError(f"Nothing was made yet in {folder}. Run the evaluation first.")
    results = _results(archive, evaluation)
    outcome = _outcome(evaluation, results, standing(archive.verdicts()))
    lines: list[str] = []
    for kind in outcome.kinds:
        lines += [f"{kind.name}: {kind.counts}", f"  {kind.words}", ""]
    lines += [*(f"{model.name}: {model.words}" for model in outcome.models)]
    return "\n".join(lines)

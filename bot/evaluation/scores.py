"""From results and verdicts to numbers, and from numbers to words that claim no more than they know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median

from bot.domain.scores import FEWEST, Score, counts, judgement, total, wilson
from bot.evaluation.archive import NO_PICTURE, Choice, Evaluation, Job, Result, State, Verdict, hash_of

__all__ = [
    "FEWEST",
    "Effort",
    "Pair",
    "Results",
    "Score",
    "can_be_judged",
    "counts",
    "effort",
    "judgement",
    "pairs_of",
    "scores",
    "standing",
    "total",
    "wilson",
]

Results = Mapping[str, Result]
"""By key; what was never tried is missing."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One task as both models did it; `left` and `right` are models."""

    id: str
    job: Job
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Effort:
    """What one model took: pictures made, seconds of the middle one, money in all and per picture."""

    model: str
    pictures: int
    no_picture: int
    median_s: float
    cost_microusd: int
    picture_microusd: int


def pairs_of(evaluation: Evaluation) -> list[Pair]:
    """All tasks in a shuffled order with their sides. The same evaluation gives the same again."""
    pairs = [_pair(evaluation, job) for job in evaluation.jobs]
    return sorted(pairs, key=lambda pair: Random(f"order {evaluation.seed} {pair.id}").random())  # noqa: S311


def _pair(evaluation: Evaluation, job: Job) -> Pair:
    first, second = sorted(evaluation.models)
    pair = hash_of(f"{job.key(first)} {job.key(second)}".encode())[:40]
    swapped = Random(f"side {evaluation.seed} {pair}").random() < 0.5  # noqa: S311
    return Pair(pair, job, *((second, first) if swapped else (first, second)))


def standing(verdicts: Iterable[Verdict]) -> dict[str, Verdict]:
    """The last word on each pair, by its id, in the order in which they were said."""
    found: dict[str, Verdict] = {}
    for verdict in verdicts:
        found.pop(verdict.pair, None)
        if verdict.choice is not Choice.TAKEN_BACK:
            found[verdict.pair] = verdict
    return found


def can_be_judged(pair: Pair, results: Results) -> bool:
    """Whether there are two pictures."""
    return all(_state(pair.job, model, results) is State.DONE for model in (pair.left, pair.right))


def scores(evaluation: Evaluation, results: Results, verdicts: Mapping[str, Verdict]) -> dict[str, Score]:
    """By kind of task, in the order of the folder."""
    fates: dict[str, list[str]] = {}
    for job in evaluation.jobs:
        fates.setdefault(job.kind, []).append(_fate(evaluation, job, results, verdicts))
    return {kind: _counted(each) for kind, each in fates.items()}


def _fate(evaluation: Evaluation, job: Job, results: Results, verdicts: Mapping[str, Verdict]) -> str:
    first, second = evaluation.models
    drawn = [_state(job, model, results) is State.DONE for model in evaluation.models]
    answered = [
        done or _state(job, model, results) in NO_PICTURE for done, model in zip(drawn, (first, second), strict=True)
    ]
    match drawn, answered:
        case [True, True], _:
            verdict = verdicts.get(_pair(evaluation, job).id)
            if verdict is None:
                return "unjudged"
            return {first: "win 0", second: "win 1"}.get(verdict.winner, verdict.choice.value)
        case _, [True, True]:
            return "walkover 0" if drawn[0] else "walkover 1" if drawn[1] else "none"
        case _:
            return "missing"


def _state(job: Job, model: str, results: Results) -> State | None:
    result = results.get(job.key(model))
    return result.state if result else None


def _counted(fates: Sequence[str]) -> Score:
    count = Counter(fates)
    walkovers = (count["walkover 0"], count["walkover 1"])
    return Score(
        wins=(count["win 0"] + walkovers[0], count["win 1"] + walkovers[1]),
        walkovers=walkovers,
        equal=count[Choice.EQUAL.value],
        neither=count[Choice.NEITHER.value],
        none=count["none"],
        unjudged=count["unjudged"],
        missing=count["missing"],
    )


def effort(evaluation: Evaluation, model: str, results: Results) -> Effort:
    """What this model took for the tasks of the evaluation."""
    all_of = [found for job in evaluation.jobs if (found := results.get(job.key(model)))]
    done = [result for result in all_of if result.state is State.DONE]
    cost = sum(result.cost_microusd for result in all_of)
    return Effort(
        model=model,
        pictures=len(done),
        no_picture=sum(result.state in NO_PICTURE for result in all_of),
        median_s=median(result.seconds for result in done) if done else 0.0,
        cost_microusd=cost,
        picture_microusd=round(cost / len(done)) if done else 0,
    )

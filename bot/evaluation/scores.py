"""From results and verdicts to numbers, and from numbers to words that claim no more than they know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from random import Random
from statistics import median

from bot.evaluation.archive import NO_PICTURE, Choice, Evaluation, Job, Result, State, Verdict, hash_of

FEWEST = 10
"""With fewer pairs in which one was better, nothing is said about which model is."""
_Z_95 = 1.959964
"""Of the normal distribution: 95 % lie within so many standard deviations."""

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
class Score:
    """How two models fared against each other, each pair counted once.

    `wins` and `walkovers` in the order of the models. A walkover is a win against a model that made no picture; it is
    among the wins. `none`: neither made one. `unjudged`: both did, nobody said which is better. `missing`: a call
    failed or was never made.
    """

    wins: tuple[int, int] = (0, 0)
    walkovers: tuple[int, int] = (0, 0)
    equal: int = 0
    neither: int = 0
    none: int = 0
    unjudged: int = 0
    missing: int = 0

    @property
    def decided(self) -> int:
        return sum(self.wins)


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


def total(parts: Iterable[Score]) -> Score:
    """All kinds together."""
    parts = list(parts)
    return Score(
        wins=(sum(part.wins[0] for part in parts), sum(part.wins[1] for part in parts)),
        walkovers=(sum(part.walkovers[0] for part in parts), sum(part.walkovers[1] for part in parts)),
        equal=sum(part.equal for part in parts),
        neither=sum(part.neither for part in parts),
        none=sum(part.none for part in parts),
        unjudged=sum(part.unjudged for part in parts),
        missing=sum(part.missing for part in parts),
    )


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


def wilson(wins: int, of: int) -> tuple[float, float]:
    """Between which shares the true one lies, with 95 % confidence (Wilson's score interval; `of` at least 1)."""
    share, z2 = wins / of, _Z_95**2
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    reach = _Z_95 / (1 + z2 / of) * sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def judgement(score: Score, models: tuple[str, str]) -> str:
    """What may be concluded, in a sentence or two."""
    if score.decided < FEWEST:
        counted = "No pair" if score.decided == 0 else f"Only {_pairs(score.decided)}"
        return f"Too few to say. {counted} had a better side; from {FEWEST} on there is something to say."
    ahead = 0 if score.wins[0] >= score.wins[1] else 1
    low, high = wilson(score.wins[ahead], score.decided)
    share = (
        f"{models[ahead]} won {score.wins[ahead]} of the {score.decided} pairs that had a better side, "
        f"{score.wins[ahead] / score.decided:.0%}. By chance alone that may stand for anything between {low:.0%} and "
        f"{high:.0%} (95 % confidence)"
    )
    if low > 0.5:
        return f"{share}, so it does better on tasks like these."
    return f"{share}, so these pairs do not settle which one is better."


def counts(score: Score, models: tuple[str, str]) -> str:
    """The numbers in one line, without those that are nought."""
    said = [
        f"{model} {wins}{_by_default(walkovers)}"
        for model, wins, walkovers in zip(models, score.wins, score.walkovers, strict=True)
    ]
    said += [f"equally good {score.equal}", f"both bad {score.neither}"]
    said += [f"neither made a picture {score.none}"] if score.none else []
    said += [f"not judged yet {score.unjudged}"] if score.unjudged else []
    said += [f"a call is missing {score.missing}"] if score.missing else []
    return " · ".join(said)


def _by_default(walkovers: int) -> str:
    return f" ({walkovers} because the other made no picture)" if walkovers else ""


def _pairs(count: int) -> str:
    return "1 pair" if count == 1 else f"{count} pairs"

"""How two fared against each other, and how sure one may be of it: from verdicts to words that claim no more than they
know. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

FEWEST = 10
"""With fewer pairs in which one was better, nothing is said about which model is."""
_Z_95 = 1.959964
"""Of the normal distribution: 95 % lie within so many standard deviations."""


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

"""How two fared against each other, and how sure one may be of it: from verdicts to words that claim no more than they
know. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

from bot.domain.language import ngettext, tr

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
    if score.decided == 0:
        return tr("Too few to say. No pair had a better side; from {fewest} on there is something to say.").format(
            fewest=FEWEST
        )
    if score.decided < FEWEST:
        return ngettext(
            "Too few to say. Only 1 pair had a better side; from {fewest} on there is something to say.",
            "Too few to say. Only {count} pairs had a better side; from {fewest} on there is something to say.",
            score.decided,
        ).format(count=score.decided, fewest=FEWEST)
    ahead = 0 if score.wins[0] >= score.wins[1] else 1
    low, high = wilson(score.wins[ahead], score.decided)
    if low > 0.5:
        words = tr(
            "{model} won {wins} of the {count} pairs that had a better side, {share}. By chance alone that may stand "
            "for anything between {low} and {high} (95 % confidence), so it does better on tasks like these."
        )
    else:
        words = tr(
            "{model} won {wins} of the {count} pairs that had a better side, {share}. By chance alone that may stand "
            "for anything between {low} and {high} (95 % confidence), so these pairs do not settle which one is better."
        )
    return words.format(
        model=models[ahead],
        wins=score.wins[ahead],
        count=score.decided,
        share=f"{score.wins[ahead] / score.decided:.0%}",
        low=f"{low:.0%}",
        high=f"{high:.0%}",
    )


def counts(score: Score, models: tuple[str, str]) -> str:
    """The numbers in one line, without those that are nought."""
    said = [
        _wins(model, wins, walkovers)
        for model, wins, walkovers in zip(models, score.wins, score.walkovers, strict=True)
    ]
    # TRANSLATORS: in one line of numbers: "A 4 · B 2 · equally good 1 · both bad 0 · not judged yet 2"
    said.append(tr("equally good {count}").format(count=score.equal))
    said.append(tr("both bad {count}").format(count=score.neither))
    said += [tr("neither made a picture {count}").format(count=score.none)] if score.none else []
    said += [tr("not judged yet {count}").format(count=score.unjudged)] if score.unjudged else []
    said += [tr("a call is missing {count}").format(count=score.missing)] if score.missing else []
    return " · ".join(said)


def _wins(model: str, wins: int, walkovers: int) -> str:
    if not walkovers:
        return f"{model} {wins}"
    return ngettext(
        "{model} {wins} ({count} because the other made no picture)",
        "{model} {wins} ({count} because the other made no picture)",
        walkovers,
    ).format(model=model, wins=wins, count=walkovers)

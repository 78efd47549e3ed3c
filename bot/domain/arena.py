"""An arena: two results of one request side by side, made by two models or with two instructions, and a blind vote on
which is better. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from bot.domain.errors import BadRequest
from bot.domain.language import N_, ngettext, pgettext, quoted, tr
from bot.domain.refs import TurnId
from bot.domain.scores import Score, counts, judgement, wilson
from bot.domain.wishes import PLAIN_WISH, Form, Wish, read_wish
from bot.domain.words import joined

MOST_VOTERS: Final = 20
"""With so many votes it ends by itself."""
END: Final = "end"
"""In a button, where there is no `Choice`."""

VOTE_OPEN = N_("The vote on these two is still open. Reply to A or B itself, or wait until it ends.")
A_OR_B = N_("There was no winner between these two. Which one shall I go on from?")
BOTH_BAD = N_("Both were voted bad, so I went on from the picture before.")
TWO_SIDES = N_("An arena has two sides. Say one instruction, or two with “ / ” between them.")
SAME_SIDES = N_("Both sides say the same. Say one instruction to compare two models, or two different ones.")
NO_WORDS_FOR_IT = N_("Say what should change: /arena make it evening light. Two instructions have “ / ” between them.")
NO_TWO_MODELS = N_("There is only one image model here. Two instructions can be compared, with “ / ” between them.")
NOTHING_TO_COMPARE = N_("AI edits are not set up here, so there are no two results to choose from.")
STILL_MADE = N_("Both pictures are still being made. You can vote once they are here.")
NO_VOTE = N_("There is no vote on this.")
VOTE_ENDED = N_("The vote has ended already.")
ENDED = N_("The vote has ended.")
ONLY_WHO_ASKED = N_("Only whoever asked for it can end the vote.")
INFO_WHILE_OPEN = N_("Which is which is told when the vote has ended.")
NO_RESULTS = N_(
    "No arena between two models has ended with a vote yet. Reply to a picture with “/arena” and what should change."
)
MAKING = N_("Two pictures to choose from, {price}. They appear here together once both are there.")
WHICH_IS_BETTER = N_("Which one is better? Nobody sees which is which until the vote ends.")


class Choice(StrEnum):
    """What somebody may vote."""

    A = "a"
    B = "b"
    TIE = "tie"
    BAD = "bad"


def choice_label(choice: Choice) -> str:
    """As it stands on its button."""
    match choice:
        case Choice.A | Choice.B:
            return choice.value.upper()
        case Choice.TIE:
            # TRANSLATORS: a button: the two pictures are equally good; at most 24 characters
            return pgettext("button", "Tie")
        case Choice.BAD:
            # TRANSLATORS: a button: neither of the two pictures is any good; at most 24 characters
            return pgettext("button", "Both bad")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two. `model` is empty for the usual one; `words` are its own instruction, empty where both have the
    same."""

    model: str = ""
    words: str = ""
    wish: Wish = PLAIN_WISH


@dataclass(frozen=True, slots=True)
class Tally:
    """How many voted for what."""

    a: int = 0
    b: int = 0
    tie: int = 0
    bad: int = 0

    @property
    def voted(self) -> int:
        return self.a + self.b + self.tie + self.bad

    @property
    def winner(self) -> Choice:
        """What most have voted. Where several have the most, A or B if it has more than the other, else a tie."""
        votes = {Choice.A: self.a, Choice.B: self.b, Choice.TIE: self.tie, Choice.BAD: self.bad}
        first = [choice for choice, count in votes.items() if count == max(votes.values())]
        if len(first) == 1:
            return first[0]
        return Choice.TIE if self.a == self.b else Choice.A if self.a > self.b else Choice.B


@dataclass(frozen=True, slots=True)
class Ballot:
    """A vote that is open, as it is offered. `turn` is the arena's first."""

    turn: TurnId
    voted: int = 0

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """What can be pressed: the argument of its button, and its label."""
        return (*((f"{each.value}.{self.turn}", choice_label(each)) for each in Choice), self.ending)

    @property
    def ending(self) -> tuple[str, str]:
        # TRANSLATORS: a button; at most 24 characters
        return f"{END}.{self.turn}", pgettext("button", "End the vote")


@dataclass(frozen=True, slots=True)
class Match:
    """An arena between two models that has ended: which was A and which B, and how it was voted."""

    models: tuple[str, str]
    tally: Tally


# --- the two sides

_BREAK = re.compile(r"\s*\n\s*")
_SLASH = re.compile(r"\s+/\s+")
_VERSUS = re.compile(r"\s+vs\.?\s+", re.IGNORECASE)


def instructions_in(words: str) -> tuple[str, ...]:
    """The one or two instructions that these words have. Raises `BadRequest` for more than two."""
    words = words.strip()
    for between in (_BREAK, _SLASH, _VERSUS):
        parts = [part for part in between.split(words) if part]
        if len(parts) > 2:
            raise BadRequest(tr(TWO_SIDES))
        if len(parts) == 2:
            if parts[0].casefold() == parts[1].casefold():
                raise BadRequest(tr(SAME_SIDES))
            return tuple(parts)
    return (words,)


def sides_of(words: str, wish: Wish, models: Sequence[str]) -> tuple[Side, ...]:
    """Both sides, not drawn yet: two models for one instruction, or the first of them for two. Raises `BadRequest`."""
    parts = instructions_in(words)
    if not parts[0]:
        raise BadRequest(tr(NO_WORDS_FOR_IT))
    if len(parts) == 2:
        return tuple(Side((*models, "")[0], part, _of_one(part)) for part in parts)
    if len(models) < 2:
        raise BadRequest(tr(NO_TWO_MODELS))
    return tuple(Side(model, wish=wish) for model in models[:2])


def _of_one(words: str) -> Wish:
    """What one of two instructions wants. Both are made in the usual size, as one picture each."""
    read = read_wish(words, images=1).wish
    return replace(PLAIN_WISH, form=Form.ARENA, count=2, manner=read.manner, ratio=read.ratio,
                   transparent=read.transparent, lettering=read.lettering)  # fmt: skip


def drawn(sides: Sequence[Side], *, swapped: bool) -> tuple[Side, ...]:
    """Which is A and which is B, once that was drawn."""
    first, second = sides
    return (second, first) if swapped else (first, second)


# --- buttons


def vote_of(argument: str) -> tuple[Choice | None, TurnId] | None:
    """The choice, None to end it, and the arena, of "<choice>.<turn>"."""
    choice, _, turn = argument.partition(".")
    if not turn or (choice != END and choice not in set(Choice)):
        return None
    return (None if choice == END else Choice(choice)), TurnId(turn)


# --- what is said


def your_vote(choice: Choice) -> str:
    # TRANSLATORS: said when a button was pressed; at most 200 characters
    return tr("Your vote: {choice}. You can change it until it ends.").format(choice=choice_label(choice))


def voted_words(voted: int) -> str:
    """How many, not how."""
    if not voted:
        return tr("Nobody has voted yet.")
    return ngettext("1 person has voted.", "{count} have voted.", voted).format(count=voted)


def went_on_from(choice: Choice) -> str:
    # TRANSLATORS: {choice} is A or B, one of two pictures
    return tr("{choice} won the vote, so I went on from it.").format(choice=choice_label(choice))


def revealed(sides: Sequence[Side], instruction: str, tally: Tally) -> tuple[str, ...]:
    """All that was hidden until it ended."""
    lines: list[str] = []
    if len(sides) == 2:
        names = [quoted(side.words) if side.words else side.model or tr("the usual model") for side in sides]
        lines.append(tr("A was {a}, B was {b}.").format(a=names[0], b=names[1]))
    elif instruction:
        lines.append(quoted(instruction))
    if not tally.voted:
        return (*lines, tr("Nobody voted, so neither won."))
    votes = tr("Votes: A {a}, B {b}, tie {tie}, both bad {bad}.").format(
        a=tally.a, b=tally.b, tie=tally.tie, bad=tally.bad
    )
    return (*lines, joined(votes, tr(_VERDICTS[tally.winner])))


_VERDICTS: Final = {
    Choice.A: N_("A won. Reply to go on from it."),
    Choice.B: N_("B won. Reply to go on from it."),
    Choice.TIE: N_("It is a tie. Reply to A or B to go on from it."),
    Choice.BAD: N_("Both were voted bad. Reply to go on from the picture before."),
}


# --- the leaderboard


@dataclass(slots=True)
class _Strength:
    wins: int = 0
    decided: int = 0
    arenas: int = 0


@dataclass(frozen=True, slots=True)
class Board:
    """Models, the strongest first, and each two of them that have met."""

    rows: tuple[str, ...] = field(default=())
    pairs: tuple[str, ...] = field(default=())


def board_of(matches: Iterable[Match]) -> Board:
    """Each arena counts once, however many have voted in it: votes on one pair are no independent trials. One in which
    nobody voted counts for nothing."""
    strengths: defaultdict[str, _Strength] = defaultdict(_Strength)
    scores: dict[tuple[str, str], Score] = {}
    for match in matches:
        if not match.tally.voted or match.models[0] == match.models[1]:
            continue
        first, second = sorted(match.models)
        won = {Choice.A: match.models[0], Choice.B: match.models[1]}.get(match.tally.winner)
        scores[first, second] = _counted(scores.get((first, second), Score()), (first, second), match, won)
        for model in match.models:
            strength = strengths[model]
            strength.arenas += 1
            strength.decided += won is not None
            strength.wins += won == model
    ordered = sorted(strengths.items(), key=lambda each: (-_sure(each[1]), -each[1].wins, each[0]))
    return Board(
        tuple(f"{place}. {_row(model, strength)}" for place, (model, strength) in enumerate(ordered, 1)),
        tuple(f"{counts(score, pair)}. {judgement(score, pair)}" for pair, score in sorted(scores.items())),
    )


def _counted(score: Score, pair: tuple[str, str], match: Match, won: str | None) -> Score:
    if won is not None:
        wins = (score.wins[0] + (won == pair[0]), score.wins[1] + (won == pair[1]))
        return replace(score, wins=wins)
    if match.tally.winner is Choice.BAD:
        return replace(score, neither=score.neither + 1)
    return replace(score, equal=score.equal + 1)


def _sure(strength: _Strength) -> float:
    """How strong it is at least, as far as its arenas say."""
    return wilson(strength.wins, strength.decided)[0] if strength.decided else 0.0


def _row(model: str, strength: _Strength) -> str:
    if not strength.decided:
        return ngettext(
            "{model}: no winner yet in 1 arena", "{model}: no winner yet in {count} arenas", strength.arenas
        ).format(model=model, count=strength.arenas)
    low, high = wilson(strength.wins, strength.decided)
    return ngettext(
        "{model}: won {wins} of {decided} that had a winner, in 1 arena; its true share is somewhere between {low} and "
        "{high}",
        "{model}: won {wins} of {decided} that had a winner, in {count} arenas; its true share is somewhere between "
        "{low} and {high}",
        strength.arenas,
    ).format(
        model=model,
        wins=strength.wins,
        decided=strength.decided,
        count=strength.arenas,
        low=f"{low:.0%}",
        high=f"{high:.0%}",
    )

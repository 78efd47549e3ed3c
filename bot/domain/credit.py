"""Whose pictures a result grew from, and who edited on the way. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.domain.images import Input, Role
from bot.domain.language import listed, ngettext, pgettext
from bot.domain.refs import UserRef
from bot.domain.turns import Lent, Turn, TurnState, TurnStatus
from bot.domain.words import as_said

MOST_LENT = 200
"""So many pictures are remembered along a branch; beyond that the oldest fall out."""
MOST_STEPS = 4
"""So many of the last edits are told in words."""
_MOST_CHARS = 80


def merged(*groups: Iterable[Lent]) -> tuple[Lent, ...]:
    """All of them in order, each once; a name that is known stands before none."""
    found: dict[tuple[UserRef | None, str], Lent] = {}
    for each in (lent for group in groups for lent in group):
        known = found.get((each.owner, each.image))
        if known is None or not known.name:
            found[each.owner, each.image] = each
    return tuple(found.values())[-MOST_LENT:]


def lent_by(inputs: Iterable[Input]) -> tuple[Lent, ...]:
    """The people's own pictures among these."""
    return tuple(
        Lent(each.owner, each.owner_name, each.image.sha256 if each.image is not None else "")
        for each in inputs
        if each.role is Role.SOURCE
    )


def lent_to(turn: Turn) -> tuple[Lent, ...]:
    """What flowed into a turn. One of an earlier version does not say so: then what can be seen of it."""
    if turn.lent:
        return turn.lent
    pins = zip(turn.pins, turn.pin_owners, strict=False)
    return merged(lent_by(turn.inputs), (Lent(owner, "", pin.sha256) for pin, owner in pins))


def owner_names(turn: Turn) -> dict[UserRef, str]:
    """What others read of those whose pictures flowed in, as far as it is known."""
    names = {each.owner: each.name for each in lent_to(turn) if each.owner is not None and each.name}
    names |= {each.owner: each.owner_name for each in turn.inputs if each.owner is not None and each.owner_name}
    names |= {each.user: each.name for each in turn.asks if each.name}
    return {turn.author: turn.author_name, **names}


def credit_line(path: Sequence[TurnStatus]) -> str:
    """“From a picture by Anna; then Ben: “make it winter””. `path` leads from the beginning of a branch to the result.
    A single edit is not told: it stands above."""
    if not path:
        return ""
    turn = path[-1].turn
    names = owner_names(turn)
    owners = [each.owner for each in lent_to(turn) if each.image]
    lenders = dict.fromkeys((names.get(each) if each is not None else "") or _somebody() for each in owners)
    steps = [status.turn for status in path if is_step(status)]
    told = [_step(each) for each in steps[-MOST_STEPS:]] if len(steps) > 1 else []
    if more := len(steps) - len(told) if told else 0:
        told.insert(0, ngettext("{count} edit more", "{count} edits more", more).format(count=more))
    if lenders:
        # TRANSLATORS: the beginning of "From a picture by Anna; then Ben: “make it winter”". It is capitalised by us.
        begun = ngettext("from a picture by {names}", "from pictures by {names}", len(lenders))
        told.insert(0, begun.format(names=listed(list(lenders))))
    line = _one_after_another(told)
    return line[:1].upper() + line[1:]


def _one_after_another(told: Sequence[str]) -> str:
    line = "".join(told[:1])
    for each in told[1:]:
        # TRANSLATORS: steps of how a picture came about: "From a picture by Anna; then Ben: “make it winter”"
        line = pgettext("steps", "{before}; then {next}").format(before=line, next=each)
    return line


def is_step(status: TurnStatus) -> bool:
    """Whether it made a picture, which still stands."""
    outcome = status.outcome
    return (
        not status.erased
        and status.state is TurnState.DONE
        and outcome is not None
        and bool(outcome.images)
        and not outcome.nodes
    )


def _step(turn: Turn) -> str:
    words = " ".join(as_said(turn.instruction).split())
    short = words if len(words) <= _MOST_CHARS else f"{words[: _MOST_CHARS - 1].rstrip()}…"
    name = turn.author_name or _somebody()
    # TRANSLATORS: what somebody asked for, as in "Ben: “make it winter”"
    return pgettext("a step", "{name}: “{words}”").format(name=name, words=short) if short else name


def _somebody() -> str:
    # TRANSLATORS: in place of a name: "From a picture by somebody; then somebody: “make it winter”"
    return pgettext("in place of a name", "somebody")

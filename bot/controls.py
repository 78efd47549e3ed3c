"""What can be pressed under an answer: decided from what the turn is, what became of it, and what the engine can do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.budget import Estimates
from bot.domain.actions import Act, Control
from bot.domain.money import up_to
from bot.domain.outcomes import (
    A_OR_B,
    ONE_OR_ALL,
    PICTURE_OR_WORDS,
    PRESETS,
    SHEETS,
    SIZE_QUESTION,
    WHICH_PICTURE,
)
from bot.domain.own_pictures import EVERYWHERE, MINE, WITHDRAW_ASKS
from bot.domain.presets import PRESETS as PRESETS_IN_ORDER
from bot.domain.roles import Purpose
from bot.domain.sharing import meant_by, share_controls
from bot.domain.turns import Outcome, TurnState, TurnStatus
from bot.domain.wishes import Form, Kind, larger_wish
from bot.ports import Engine

VARIATIONS = 4
_MOST_ROLES = 6
_MOST_NODES = 8
_QUESTIONS = {
    PICTURE_OR_WORDS: (Control(Act.LATEST, "My last picture here"), Control(Act.IMAGINE, "Draw it from these words")),
    A_OR_B: (Control(Act.ONLY, "A", "1"), Control(Act.ONLY, "B", "2")),
    WHICH_PICTURE: (Control(Act.LATEST, "My last picture here"),),
}
_OF_ONES_OWN = {
    MINE: (
        Control(Act.MINE, "Ask me", "ask"),
        Control(Act.MINE, "Always here", "here"),
        Control(Act.MINE, "Never", "never"),
        Control(Act.MINE, "Ask me everywhere", EVERYWHERE),
    ),
    WITHDRAW_ASKS: (Control(Act.WITHDRAW, "Withdraw it"),),
}
"""Whoever presses says it of their own pictures."""
AGAIN_ALL = Control(Act.AGAIN, "All of them again")


def controls_of(  # noqa: PLR0911 one way for each kind of answer
    status: TurnStatus, engines: Mapping[str, Engine], estimates: Estimates
) -> tuple[Control, ...]:
    """The most useful first. Nothing stands under a turn that is not final, or was erased."""
    outcome, turn = status.outcome, status.turn
    if outcome is None or status.erased:
        return ()
    if status.state is TurnState.ASKING:
        return _answers(outcome.code)
    if outcome.code in _OF_ONES_OWN:
        return _OF_ONES_OWN[outcome.code]
    if meant_by(outcome.code) is not None:
        return share_controls(outcome.code)
    if outcome.nodes:
        return _nodes(len(outcome.nodes))
    if outcome.code in SHEETS:
        return tuple(_choices(outcome))
    engine = engines.get(turn.engine)
    undo = tuple(_undo(status))
    if engine is None or not engine.profile.generative:
        return undo
    if status.state is TurnState.FAILED:
        return (Control(Act.AGAIN, "Try again"),)
    if status.state is not TurnState.DONE or not outcome.images:
        return ()
    return (*_roles(status), *_takes(status, engine, estimates), *_larger(status, engine, estimates), *undo)


def _undo(status: TurnStatus) -> Iterator[Control]:
    """A step back, from a picture that was made of another."""
    done = status.state is TurnState.DONE and status.outcome is not None and bool(status.outcome.images)
    stood = any(not each.called for each in status.turn.inputs)
    if done and stood and not status.turn.album:
        yield Control(Act.UNDO, "Undo")


def _answers(code: str) -> tuple[Control, ...]:
    """To a question that the hall asked."""
    if code.startswith(ONE_OR_ALL):
        number, _, count = code.removeprefix(ONE_OR_ALL).partition("/")
        return (Control(Act.ONLY, "This one", number), Control(Act.ALL, f"All {count}"))
    if code.startswith(SIZE_QUESTION):
        size = code.removeprefix(SIZE_QUESTION)
        return (Control(Act.LARGER, f"In {size}", size), Control(Act.AGAIN, "In the usual size"))
    return _QUESTIONS.get(code, ())


def _nodes(count: int) -> tuple[Control, ...]:
    """The newest of a tree; any other is named by its number."""
    newest = range(max(1, count - _MOST_NODES + 1), count + 1)
    return tuple(Control(Act.GO, f"Picture {number}", str(number)) for number in newest)


def _choices(outcome: Outcome) -> Iterator[Control]:
    """Of an answer to choose from: presets by their numbers, or the recipes of a chat."""
    if outcome.code == PRESETS:
        for number, preset in enumerate(PRESETS_IN_ORDER, 1):
            yield Control(Act.PRESET, f"{number} {preset.title}", preset.key)
    for id_, name in outcome.recipes:
        yield Control(Act.RECIPE, name, id_)


def _roles(status: TurnStatus) -> Iterator[Control]:
    """One tap makes another picture the one to edit."""
    inputs = [each for each in status.turn.inputs if each.purpose is not Purpose.PANEL]
    if not 2 <= len(inputs) <= _MOST_ROLES or status.turn.album:
        return
    canvas = next((n for n, each in enumerate(inputs) if each.purpose is Purpose.CANVAS), 0)
    for number in range(len(inputs)):
        if number != canvas:
            yield Control(Act.CANVAS, f"Edit picture {number + 1} instead", str(number + 1))


def _takes(status: TurnStatus, engine: Engine, estimates: Estimates) -> Iterator[Control]:
    """The same request, done differently."""
    turn = status.turn
    alone = not turn.album
    yield Control(Act.AGAIN, "Again")
    if alone and turn.wish.kind is Kind.EDIT:
        yield Control(Act.EXACTLY, "Exactly this")
    if alone:
        yield Control(Act.SURPRISE, "Surprise me")
    pins = {pin.sha256 for pin in turn.pins}
    on_pins = all(each.image is not None and each.image.sha256 in pins for each in turn.inputs)
    if alone and pins and not on_pins and (turn.pin_owners or len(turn.owners) <= 1):
        yield Control(Act.ORIGINAL, "Redo from the original")
    if turn.wish.form is not Form.VARIATIONS:
        price = VARIATIONS * estimates.of_turn(engine, turn)
        yield Control(Act.VARIATIONS, f"{VARIATIONS} variations, {up_to(price)}", str(VARIATIONS))


def _larger(status: TurnStatus, engine: Engine, estimates: Estimates) -> Iterator[Control]:
    """Sizes above the result's own, with their price."""
    sizes = engine.profile.sizes
    has = status.turn.wish.size or (sizes[0] if sizes else "")
    above = sizes[sizes.index(has) + 1 :] if has in sizes else ()
    for size in above:
        price = estimates.of(engine, larger_wish(status.turn.wish, size), images=2)
        yield Control(Act.LARGER, f"Larger ({size}), {up_to(price)}", size)

"""What can be pressed under an answer: decided from what the turn is, what became of it, and what the engine can do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.budget import Estimates
from bot.domain import outcomes
from bot.domain.actions import Act, Control
from bot.domain.language import ngettext, pgettext, tr
from bot.domain.money import up_to
from bot.domain.outcomes import ONE_OR_ALL, PRESETS, SHEETS, SIZE_QUESTION
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


def again_all() -> Control:
    """Of an album as a whole."""
    # TRANSLATORS: a button under several pictures; at most 40 characters
    return Control(Act.AGAIN, pgettext("button", "All of them again"))


def controls_of(  # noqa: PLR0911 one way for each kind of answer
    status: TurnStatus, engines: Mapping[str, Engine], estimates: Estimates
) -> tuple[Control, ...]:
    """The most useful first. Nothing stands under a turn that is not final, or was erased."""
    outcome, turn = status.outcome, status.turn
    if outcome is None or status.erased:
        return ()
    if status.state is TurnState.ASKING:
        return _answers(outcome.code)
    if outcome.code in (MINE, WITHDRAW_ASKS):
        return _of_ones_own(outcome.code)
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
        # TRANSLATORS: a button; at most 40 characters
        return (Control(Act.AGAIN, pgettext("button", "Try again")),)
    if status.state is not TurnState.DONE or not outcome.images:
        return ()
    return (*_roles(status), *_takes(status, engine, estimates), *_larger(status, engine, estimates), *undo)


def _of_ones_own(code: str) -> tuple[Control, ...]:
    """Whoever presses says it of their own pictures."""
    if code == WITHDRAW_ASKS:
        # TRANSLATORS: a button: a picture of one's own is taken back; at most 40 characters
        return (Control(Act.WITHDRAW, pgettext("button", "Withdraw it")),)
    return (
        # TRANSLATORS: a button: whether others may edit one's pictures; at most 32 characters
        Control(Act.MINE, pgettext("may others edit my pictures", "Ask me"), "ask"),
        # TRANSLATORS: a button: whether others may edit one's pictures; at most 32 characters
        Control(Act.MINE, pgettext("may others edit my pictures", "Always here"), "here"),
        # TRANSLATORS: a button: whether others may edit one's pictures; at most 32 characters
        Control(Act.MINE, pgettext("may others edit my pictures", "Never"), "never"),
        # TRANSLATORS: a button: whether others may edit one's pictures; at most 32 characters
        Control(Act.MINE, pgettext("may others edit my pictures", "Ask me everywhere"), EVERYWHERE),
    )


def _undo(status: TurnStatus) -> Iterator[Control]:
    """A step back, from a picture that was made of another."""
    done = status.state is TurnState.DONE and status.outcome is not None and bool(status.outcome.images)
    stood = any(not each.called for each in status.turn.inputs)
    if done and stood and not status.turn.album:
        # TRANSLATORS: a button; at most 40 characters
        yield Control(Act.UNDO, pgettext("button", "Undo"))


def _answers(code: str) -> tuple[Control, ...]:
    """To a question that the hall asked."""
    if code.startswith(ONE_OR_ALL):
        number, _, count = code.removeprefix(ONE_OR_ALL).partition("/")
        # TRANSLATORS: a button: one of several pictures alone; at most 32 characters
        this_one = pgettext("button", "This one")
        # TRANSLATORS: a button: all of several pictures; at most 32 characters
        all_ = ngettext("All {count}", "All {count}", int(count or 0)).format(count=count)
        return (Control(Act.ONLY, this_one, number), Control(Act.ALL, all_))
    if code.startswith(SIZE_QUESTION):
        size = code.removeprefix(SIZE_QUESTION)
        # TRANSLATORS: a button: "In 2K"; at most 32 characters
        in_size = pgettext("button", "In {size}").format(size=size)
        # TRANSLATORS: a button; at most 32 characters
        usual = pgettext("button", "In the usual size")
        return (Control(Act.LARGER, in_size, size), Control(Act.AGAIN, usual))
    # TRANSLATORS: a button: the picture to go on from is the last one here; at most 40 characters
    latest = Control(Act.LATEST, pgettext("button", "My last picture here"))
    match code:
        case outcomes.PICTURE_OR_WORDS:
            # TRANSLATORS: a button; at most 40 characters
            return (latest, Control(Act.IMAGINE, pgettext("button", "Draw it from these words")))
        case outcomes.WHICH_PICTURE:
            return (latest,)
        case outcomes.A_OR_B:
            return (Control(Act.ONLY, "A", "1"), Control(Act.ONLY, "B", "2"))
        case _:
            return ()


def _nodes(count: int) -> tuple[Control, ...]:
    """The newest of a tree; any other is named by its number."""
    newest = range(max(1, count - _MOST_NODES + 1), count + 1)
    # TRANSLATORS: a button under a tree of pictures; at most 24 characters
    words = pgettext("button", "Picture {number}")
    return tuple(Control(Act.GO, words.format(number=number), str(number)) for number in newest)


def _choices(outcome: Outcome) -> Iterator[Control]:
    """Of an answer to choose from: presets by their numbers, or the recipes of a chat."""
    if outcome.code == PRESETS:
        for number, preset in enumerate(PRESETS_IN_ORDER, 1):
            yield Control(Act.PRESET, f"{number} {tr(preset.title)}", preset.key)
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
            # TRANSLATORS: a button under an edit of several pictures; at most 40 characters
            words = pgettext("button", "Edit picture {number} instead").format(number=number + 1)
            yield Control(Act.CANVAS, words, str(number + 1))


def _takes(status: TurnStatus, engine: Engine, estimates: Estimates) -> Iterator[Control]:
    """The same request, done differently."""
    turn = status.turn
    alone = not turn.album
    # TRANSLATORS: a button: the same once more; at most 24 characters
    yield Control(Act.AGAIN, pgettext("button", "Again"))
    if alone and turn.wish.kind is Kind.EDIT:
        # TRANSLATORS: a button: do what was said and nothing else; at most 24 characters
        yield Control(Act.EXACTLY, pgettext("button", "Exactly this"))
    if alone:
        # TRANSLATORS: a button: take liberties; at most 24 characters
        yield Control(Act.SURPRISE, pgettext("button", "Surprise me"))
    pins = {pin.sha256 for pin in turn.pins}
    on_pins = all(each.image is not None and each.image.sha256 in pins for each in turn.inputs)
    if alone and pins and not on_pins and (turn.pin_owners or len(turn.owners) <= 1):
        # TRANSLATORS: a button: the same on the picture that all began with; at most 40 characters
        yield Control(Act.ORIGINAL, pgettext("button", "Redo from the original"))
    if turn.wish.form is not Form.VARIATIONS:
        price = VARIATIONS * estimates.of_turn(engine, turn)
        # TRANSLATORS: a button: "4 variations, up to 20 ¢"; at most 40 characters
        words = ngettext("{count} variation, {price}", "{count} variations, {price}", VARIATIONS)
        yield Control(Act.VARIATIONS, words.format(count=VARIATIONS, price=up_to(price)), str(VARIATIONS))


def _larger(status: TurnStatus, engine: Engine, estimates: Estimates) -> Iterator[Control]:
    """Sizes above the result's own, with their price."""
    sizes = engine.profile.sizes
    has = status.turn.wish.size or (sizes[0] if sizes else "")
    above = sizes[sizes.index(has) + 1 :] if has in sizes else ()
    for size in above:
        price = estimates.of(engine, larger_wish(status.turn.wish, size), images=2)
        # TRANSLATORS: a button: "Larger (2K), up to 20 ¢"; at most 40 characters
        words = pgettext("button", "Larger ({size}), {price}").format(size=size, price=up_to(price))
        yield Control(Act.LARGER, words, size)

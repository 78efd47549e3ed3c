"""Presets by a tap, a number or a name; recipes saved, done again, shared in a chat, and forgotten."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.actions import Act, Control
from bot.domain.arena import VOTE_OPEN
from bot.domain.consent import Say, Standing
from bot.domain.files import TextFile
from bot.domain.messages import Attachment, Received
from bot.domain.presets import NO_SUCH_PRESET, PRESETS, SHEET_WORDS
from bot.domain.recipes import (
    FILE_GONE,
    FILE_NOT_READ,
    FILE_TOO_LARGE,
    FILE_WITHOUT_NAME,
    HOW,
    HOW_AS_FILE,
    NAME_NEEDED,
    NAME_OF_PRESET,
    NAME_TAKEN,
    NO_SUCH_RECIPE,
    NOT_YOURS,
    NOTHING_TO_IMPORT,
    NOTHING_TO_KEEP,
    OWN_PICTURE_NEEDED,
    RECIPE_GONE,
    SAVED,
    TOO_MUCH,
    WORDS_TAKEN_BACK,
    no_recipes,
    recipe_id,
)
from bot.domain.refs import UserRef
from bot.domain.turns import TurnState, TurnStatus
from bot.domain.wishes import Kind
from bot.domain.words import NO_PICTURE_YET
from bot.engines.pixels import decode, to_picture
from tests.fakes.engines import ScriptedEngine
from tests.rig import CAT, COFFEE, Rig, words_of
from tests.values import ANNA, BEN, CHAT

CARA = UserRef("web", "cara")
ELSEWHERE = replace(CHAT, chat="elsewhere")
FIGURINE = PRESETS[0]


@pytest.fixture
def gemini() -> ScriptedEngine:
    return ScriptedEngine(understands=lambda words: "square" not in words)


def size_of(status: TurnStatus) -> tuple[int, int]:
    assert status.outcome is not None
    (image,) = status.outcome.images
    return image.width_px, image.height_px


async def all_of(rig: Rig, received: Received) -> str:
    """Everything that is kept of a turn."""
    return repr(await rig.house.turns.load(received.turn)).lower()


async def test_of_an_arena_a_recipe_keeps_what_was_done_there_and_only_once_that_is_told(rig: Rig) -> None:
    asked = await rig.says("/arena paint it red / paint it blue", [CAT])
    _, b = await rig.sees_all(asked)
    early = await rig.sees(await rig.says("/recipe save Look", reply_to=asked, index=1))
    assert words_of(early) == VOTE_OPEN
    await rig.house.reception.vote(asked.turn, chat=CHAT, by=ANNA, choice=None)
    await rig.sees(await rig.says("/recipe save Look", reply_to=asked, index=1))
    done = await rig.sees(await rig.says("/recipe Look", [COFFEE]))
    assert done.turn.instruction == b.turn.own_words


async def controls_of(rig: Rig, received: Received) -> tuple[Control, ...]:
    answer = await rig.house.reception.answer_of(received.turn)
    assert answer is not None
    return answer.controls


async def saved(rig: Rig, name: str = "Winter look") -> Received:
    """By Anna, who asked for a square, and Ben, who asked for winter."""
    first = await rig.says("crop to a square", [CAT])
    await rig.sees(first)
    second = await rig.says("make it winter", reply_to=first, author=BEN)
    await rig.sees(second)
    await rig.sees(await rig.says(f"/recipe save {name}", reply_to=second))
    return second


# --- presets


async def test_all_presets_are_shown_at_once_with_a_control_each(rig: Rig) -> None:
    sheet = await rig.says("/presets")
    status = await rig.sees(sheet)
    assert (status.state, words_of(status), size_of(status)[0]) == (TurnState.DONE, SHEET_WORDS, 1080)
    assert [(each.act, each.argument) for each in await controls_of(rig, sheet)] == [
        (Act.PRESET, preset.key) for preset in PRESETS
    ]


async def test_a_tap_makes_it_of_the_picture_that_was_asked_about(rig: Rig, gemini: ScriptedEngine) -> None:
    photo = await rig.says("crop to a square", [CAT])
    before = await rig.sees(photo)
    sheet = await rig.says("/presets", reply_to=photo)
    await rig.sees(sheet)
    made = await rig.sees(await rig.presses(Act.PRESET, sheet, "figurine", author=BEN))
    under_it = await rig.sees(await rig.presses(Act.PRESET, photo, "figurine", author=BEN))
    for each in (made, under_it):
        assert (each.state, each.turn.parent, each.turn.words_by) == (TurnState.DONE, before.turn.id, None)
        assert each.turn.inputs[0].from_turn == photo.turn
    for request in gemini.requests:
        assert (request.instruction, request.wish.ratio, request.wish.size) == (FIGURINE.words, "4:5", "")
    assert len(gemini.requests) == 2


async def test_a_number_or_a_name_in_reply_to_the_sheet_is_as_good(rig: Rig, gemini: ScriptedEngine) -> None:
    sheet = await rig.says("/preset", [CAT])
    await rig.sees(sheet)
    for words in ("4", "poster: Night"):
        assert (await rig.sees(await rig.says(words, reply_to=sheet))).state is TurnState.DONE
    assert [request.wish.ratio for request in gemini.requests] == ["1:1", "2:3"]
    assert (gemini.requests[0].wish.transparent, gemini.requests[1].wish.lettering) == (True, ("Night",))
    await rig.sees(await rig.says("make it winter", reply_to=sheet))
    assert (gemini.requests[2].instruction, len(gemini.requests[2].images)) == ("make it winter", 1)


async def test_a_sheet_that_was_asked_about_nothing_takes_the_last_picture_of_whoever_taps(rig: Rig) -> None:
    mine = await rig.says("crop to a square", [CAT])
    await rig.sees(mine)
    sheet = await rig.says("/presets")
    await rig.sees(sheet)
    made = await rig.sees(await rig.presses(Act.PRESET, sheet, "figurine"))
    assert made.turn.inputs[0].from_turn == mine.turn
    nothing = await rig.sees(await rig.presses(Act.PRESET, sheet, "figurine", author=BEN))
    assert (nothing.state, words_of(nothing)) == (TurnState.REFUSED, NO_PICTURE_YET)


async def test_a_preset_with_a_picture_along_is_done_at_once(rig: Rig, gemini: ScriptedEngine) -> None:
    made = await rig.sees(await rig.says("/preset figurine with a sword", [CAT]))
    assert (made.state, made.turn.wish.ratio) == (TurnState.DONE, "4:5")
    assert gemini.requests[0].instruction == f"{FIGURINE.words} with a sword"


async def test_a_preset_of_somebody_elses_picture_waits_for_their_yes(rig: Rig) -> None:
    photo = await rig.quotes(ANNA, [CAT])
    sheet = await rig.says("/presets", reply_to=photo.ref, quoted=photo, author=BEN)
    await rig.sees(sheet)
    pressed = await rig.presses(Act.PRESET, sheet, "figurine", author=BEN)
    assert [each.user for each in (await rig.waits(pressed)).turn.asks] == [ANNA]
    await rig.answers(pressed, ANNA, None)
    assert (await rig.sees(pressed)).state is TurnState.REFUSED
    await rig.house.reception.stand(ANNA, CHAT, Standing.NEVER)
    never = await rig.sees(await rig.says("/preset 2", reply_to=photo.ref, quoted=photo, author=BEN))
    assert never.state is TurnState.REFUSED


async def test_a_topic_alone_is_drawn_from_words(rig: Rig, gemini: ScriptedEngine) -> None:
    gemini.drawn = to_picture(decode(COFFEE))
    made = await rig.sees(await rig.says("/preset infographic how tides work"))
    assert (made.state, made.turn.wish.kind) == (TurnState.DONE, Kind.IMAGINE)
    assert "how tides work" in gemini.requests[-1].instruction


# --- recipes


async def test_a_recipe_does_all_steps_in_one_go_on_another_picture(rig: Rig, gemini: ScriptedEngine) -> None:
    await saved(rig)
    gemini.requests.clear()
    gemini.understands = lambda _: True
    made = await rig.sees(await rig.says("/recipe winter LOOK", [COFFEE], author=CARA))
    assert (made.state, made.turn.words_of) == (TurnState.DONE, (ANNA, BEN))
    assert [request.instruction for request in gemini.requests] == ["1. crop to a square\n2. make it winter"]
    assert made.outcome is not None
    assert made.outcome.usage.calls == 1


async def test_a_recipe_of_exact_steps_is_done_exactly_and_costs_nothing(rig: Rig, gemini: ScriptedEngine) -> None:
    first = await rig.says("crop to 2:1", [CAT])
    await rig.sees(first)
    second = await rig.says("rotate 90 degrees and make it black and white", reply_to=first)
    await rig.sees(second)
    await rig.sees(await rig.says("/recipe save tall", reply_to=second))
    listed = await rig.says("/recipes", [COFFEE], author=BEN)
    await rig.sees(listed)
    made = await rig.sees(await rig.presses(Act.RECIPE, listed, recipe_id("tall"), author=BEN))
    assert (made.turn.engine, size_of(made), gemini.requests) == ("exact", (300, 600), [])


async def test_a_recipe_that_asks_for_more_pixels_says_its_price_before(rig: Rig, gemini: ScriptedEngine) -> None:
    await rig.sees(await rig.says("/recipe import large\n1. make it winter\n2. add a hat in 4K", author=BEN))
    listed = await rig.says("/recipes", [CAT])
    await rig.sees(listed)
    asked = await rig.presses(Act.RECIPE, listed, recipe_id("large"))
    assert ((await rig.sees(asked)).state, gemini.requests) == (TurnState.ASKING, [])
    made = await rig.sees(await rig.presses(Act.LARGER, asked, "4K"))
    assert [request.wish.size for request in gemini.requests] == ["4K"]
    again = await rig.sees(await rig.presses(Act.AGAIN, asked))
    assert [each.turn.words_of for each in (made, again)] == [(BEN,), (BEN,)]


async def test_a_recipe_on_anothers_picture_waits_for_their_yes(rig: Rig, gemini: ScriptedEngine) -> None:
    await saved(rig)
    gemini.understands = lambda _: True
    photo = await rig.quotes(BEN, [COFFEE])
    received = await rig.says("/recipe Winter look", reply_to=photo.ref, quoted=photo)
    assert [each.user for each in (await rig.waits(received)).turn.asks] == [BEN]
    await rig.answers(received, BEN, Say.ONCE)
    assert (await rig.sees(received)).state is TurnState.DONE


async def test_everybody_in_the_chat_sees_the_recipes_and_nobody_elsewhere(rig: Rig) -> None:
    await saved(rig)
    listed = await rig.says("/recipes", author=CARA)
    await rig.sees(listed)
    assert await controls_of(rig, listed) == (Control(Act.RECIPE, "Winter look", recipe_id("Winter look")),)
    elsewhere = await rig.sees(await rig.says("/recipes", chat=ELSEWHERE))
    used = await rig.sees(await rig.says("/recipe Winter look", [CAT], chat=ELSEWHERE))
    assert [words_of(each) for each in (elsewhere, used)] == [no_recipes(), NO_SUCH_RECIPE.format(name="Winter look")]


async def test_an_exported_recipe_is_imported_in_another_chat(rig: Rig) -> None:
    await saved(rig)
    shown = words_of(await rig.sees(await rig.says("/recipe show Winter look", author=CARA)))
    assert shown.startswith("/recipe import Winter look\n1. crop to a square\n2. make it winter\n\n")
    await rig.sees(await rig.says(shown, author=CARA, chat=ELSEWHERE))
    again = words_of(await rig.sees(await rig.says("/recipe show winter look", author=CARA, chat=ELSEWHERE)))
    assert again == shown


async def sends(rig: Rig, data: bytes, text: str = "", **fields: Any) -> TurnStatus:
    """A message with a recipe's file."""
    size = fields.pop("size", len(data))
    message = await rig.message(text, chat=ELSEWHERE, author=CARA)
    handle = f"{message.ref.message}-file"
    await rig.house.spool.put(handle, data)
    file = Attachment(handle, "look.recipe.json", size)
    return await rig.sees(await rig.house.hall.receive(replace(message, **({"file": file} | fields))))


async def handed_out(rig: Rig, name: str = "Winter look") -> tuple[Received, TextFile]:
    asked = await rig.says(f"/recipe export {name}", author=CARA)
    await rig.sees(asked)
    answer = await rig.house.reception.answer_of(asked.turn)
    assert answer is not None
    (file,) = answer.files
    return asked, file


async def test_a_recipe_goes_to_another_chat_as_a_file(rig: Rig, gemini: ScriptedEngine) -> None:
    await saved(rig)
    asked, file = await handed_out(rig)
    assert file.name == "winter-look.recipe.json"
    assert json.loads((await rig.shown(asked.reply))["files"]) == [[file.name, file.text]]
    kept = await sends(rig, file.data)
    assert (kept.state, words_of(kept)) == (TurnState.DONE, SAVED.format(name="Winter look", steps="2 steps"))
    gemini.understands = lambda _: True
    made = await rig.sees(await rig.says("/recipe winter look", [COFFEE], author=CARA, chat=ELSEWHERE))
    assert made.turn.instruction == "1. crop to a square\n2. make it winter"
    assert CARA in (made.turn.words_by, made.turn.author)


async def test_a_recipes_file_may_be_given_a_name_and_may_be_replied_to(rig: Rig) -> None:
    await saved(rig)
    _, file = await handed_out(rig)
    said = [await sends(rig, file.data, "/recipe import Snow"), await sends(rig, file.data, "look at this")]
    handle = "quoted"
    await rig.house.spool.put(handle, file.data)
    quoted = Attachment(handle, file.name, len(file.data))
    said.append(await sends(rig, b"", "/recipe import Ice", file=None, quoted_file=quoted))
    assert [words_of(each) for each in said] == [
        SAVED.format(name=name, steps="2 steps") for name in ("Snow", "Winter look", "Ice")
    ]
    nothing = await sends(rig, b"", "make it winter", file=None, quoted_file=quoted)
    assert words_of(nothing) != SAVED.format(name="Winter look", steps="2 steps")


async def test_a_file_that_is_no_recipe_is_refused_and_nothing_is_kept(rig: Rig) -> None:
    await rig.says("hello", chat=ELSEWHERE, author=CARA)
    head = b'{"remixbot": "recipe", "version": 1, "name": '
    for data, said in {
        b"zebra": FILE_NOT_READ,
        head + b'"' + b"x" * 41 + b'", "steps": ["x"]}': FILE_WITHOUT_NAME,
        head + b'"Figurine", "steps": ["x"]}': NAME_OF_PRESET.format(name="Figurine"),
        head + b'"Look", "steps": [' + b",".join([b'"x"'] * 13) + b"]}": TOO_MUCH,
        head + b'"Look", "steps": ["' + b"x" * 2_001 + b'"]}': TOO_MUCH,
        b" " * 17_000: FILE_TOO_LARGE,
    }.items():
        refused = await sends(rig, data)
        assert (refused.state, words_of(refused)) == (TurnState.REFUSED, said)
    assert words_of(await sends(rig, b" " * 17_000, size=None)) == FILE_GONE
    assert words_of(await rig.sees(await rig.says("/recipes", chat=ELSEWHERE))) == no_recipes()


async def test_a_file_that_was_handed_out_goes_with_whoever_is_forgotten(rig: Rig) -> None:
    await saved(rig)
    asked, _ = await handed_out(rig)
    assert "make it winter" in await all_of(rig, asked)
    await rig.house.forget(BEN)
    assert "make it winter" not in await all_of(rig, asked)


async def test_only_whoever_saved_it_replaces_and_deletes_it(rig: Rig) -> None:
    result = await saved(rig)
    kept = await rig.sees(await rig.says("/recipe delete winter look", author=BEN))
    taken = await rig.sees(await rig.says("/recipe save WINTER look", reply_to=result, author=BEN))
    assert words_of(kept) == NOT_YOURS.format(saver="Anna", name="Winter look")
    assert words_of(taken) == NAME_TAKEN.format(saver="Anna", name="WINTER look")
    listed = await rig.says("/recipes", [COFFEE])
    await rig.sees(listed)
    await rig.sees(await rig.says("/recipe delete Winter look"))
    gone = await rig.sees(await rig.presses(Act.RECIPE, listed, recipe_id("Winter look")))
    assert (gone.state, words_of(gone)) == (TurnState.REFUSED, RECIPE_GONE)


async def test_what_cannot_be_kept_is_said(rig: Rig) -> None:
    photo = await rig.quotes(ANNA, [COFFEE])
    nothing = await rig.sees(await rig.says("/recipe save mine", reply_to=photo.ref, quoted=photo))
    first = await rig.says("crop to a square", [CAT])
    await rig.sees(first)
    preset = await rig.sees(await rig.says("/recipe save Figurine", reply_to=first))
    assert [words_of(each) for each in (nothing, preset)] == [NOTHING_TO_KEEP, NAME_OF_PRESET.format(name="Figurine")]
    for words, said in {
        "/recipe": f"{HOW} {HOW_AS_FILE}",
        "/recipe save": NAME_NEEDED,
        "/recipe save save": NAME_NEEDED,
        "/recipe show": NAME_NEEDED,
        "/recipe\nimport": NAME_NEEDED,
        "/recipe import Look": NOTHING_TO_IMPORT,
        "/recipe import Look\n" + "\n".join(["x"] * 13): TOO_MUCH,
        "/preset zebra": NO_SUCH_PRESET.format(name="zebra"),
    }.items():
        assert words_of(await rig.sees(await rig.says(words, reply_to=first))) == said


async def test_the_steps_of_a_result_are_replayed_on_ones_own_picture(rig: Rig, gemini: ScriptedEngine) -> None:
    result = await saved(rig)
    gemini.understands = lambda _: True
    without = await rig.sees(await rig.says("/replay", reply_to=result, author=CARA))
    assert words_of(without) == OWN_PICTURE_NEEDED
    made = await rig.sees(await rig.says("/replay", [COFFEE], reply_to=result, author=CARA))
    assert [(each.owner, each.from_turn) for each in made.turn.inputs] == [(CARA, None)]
    assert (made.turn.instruction, made.turn.owners) == ("1. crop to a square\n2. make it winter", (CARA,))


async def test_whoever_is_forgotten_takes_their_recipes_and_their_words_along(rig: Rig, gemini: ScriptedEngine) -> None:
    await saved(rig)
    gemini.understands = lambda _: True
    made = await rig.says("/recipe Winter look", [COFFEE], author=CARA)
    await rig.sees(made)
    below = await rig.says("add a hat", reply_to=made, author=CARA)
    await rig.sees(below)
    told = [await rig.says(words, author=CARA) for words in ("/recipe show Winter look", "/recipes")]
    for each in told:
        await rig.sees(each)
    assert "make it winter" in await all_of(rig, below)
    await rig.house.forget(BEN)
    for each in (made, below, *told):
        assert "make it winter" not in await all_of(rig, each)
    await rig.house.forget(ANNA)
    assert "winter" not in await all_of(rig, told[1])
    assert "add a hat" in await all_of(rig, below)
    assert words_of(await rig.sees(await rig.says("/recipes"))) == no_recipes()
    lost = await rig.sees(await rig.says("/recipe save again", reply_to=below, author=CARA))
    assert words_of(lost) == WORDS_TAKEN_BACK


async def test_a_recipe_saved_from_a_picture_of_somebody_who_never_agrees_keeps_nothing_of_it(rig: Rig) -> None:
    result = await saved(rig)
    await rig.house.reception.stand(ANNA, CHAT, Standing.NEVER)
    await rig.sees(await rig.says("/recipe save again", reply_to=result, author=BEN))
    listed = await rig.says("/recipes", author=BEN)
    status = await rig.sees(listed)
    assert (status.turn.inputs, status.turn.owners, status.outcome and status.outcome.images) == ((), (), ())

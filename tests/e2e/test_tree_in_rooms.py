"""The tree of a thread: drawn, pointed into, compared, and forgotten with whoever is in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.actions import Act
from bot.domain.images import Provenance
from bot.domain.labels import Label
from bot.domain.messages import Received
from bot.domain.refs import Sha256
from bot.domain.turns import TurnState, TurnStatus
from bot.domain.words import (
    FROM_THE_TREE,
    NO_SUCH_NODE,
    NOTHING_TO_COMPARE,
    NOTHING_TO_DRAW,
    PRESS_GONE,
    TREE_WORDS,
    WHICH_NODE,
)
from bot.engines.exact import ExactEngine
from tests.rig import CAT, COFFEE, Rig, living_in, words_of
from tests.values import ANNA, BEN, CHAT


def sizes_of(status: TurnStatus) -> list[tuple[int, int]]:
    assert status.outcome is not None
    return [(each.width_px, each.height_px) for each in status.outcome.images]


async def grown(rig: Rig) -> list[Received]:
    """A square (1), that turned (2), and beside it by Ben 2:1 (3)."""
    first = await rig.says("crop to a square", [CAT])
    await rig.sees(first)
    second = await rig.says("rotate 90 degrees and make it black and white", reply_to=first)
    await rig.sees(second)
    third = await rig.says("crop to 2:1", reply_to=first, author=BEN)
    await rig.sees(third)
    return [first, second, third]


async def test_the_tree_is_one_picture_that_numbers_all_of_them(rig: Rig) -> None:
    pictures = await grown(rig)
    tree = await rig.sees(await rig.says("/tree", reply_to=pictures[2]))
    assert tree.outcome is not None
    assert tree.outcome.nodes == tuple(each.turn for each in pictures)
    assert (tree.state, sizes_of(tree), words_of(tree)) == (TurnState.DONE, [(1080, 496)], TREE_WORDS.format(number=3))
    assert tree.turn.owners == (ANNA, BEN)
    again = await rig.sees(await rig.says("/tree"))
    assert again.outcome is not None
    assert again.outcome.nodes == tree.outcome.nodes  # trees are no part of the tree


async def test_a_tree_that_is_shown_again_reads_only_what_is_new_and_nothing_that_was_deleted(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = await grown(rig)
    read: list[Sha256] = []
    get = rig.house.images.get

    async def counted(sha256: Sha256) -> bytes:
        read.append(sha256)
        return await get(sha256)

    monkeypatch.setattr(rig.house.images, "get", counted)
    first = await rig.sees(await rig.says("/tree", reply_to=pictures[2]))
    once = len(read)
    again = await rig.sees(await rig.says("/tree", reply_to=pictures[2]))
    assert (once, len(read)) == (3, 3)
    assert first.outcome is not None
    assert again.outcome is not None
    assert first.outcome.images == again.outcome.images
    await rig.house.reception.delete(pictures[1].reply, by=ANNA, moderates=False)
    without = await rig.sees(await rig.says("/tree", reply_to=pictures[2]))
    assert without.outcome is not None
    assert without.outcome.images != first.outcome.images
    assert len(read) == 3


async def test_its_label_is_the_strongest_of_what_it_shows(rig: Rig) -> None:
    first = await rig.says("crop to a square", [CAT])
    await rig.sees(first)
    await rig.sees(await rig.says("put a hat on her", reply_to=first))
    tree = await rig.sees(await rig.says("/tree", reply_to=first))
    assert tree.outcome is not None
    assert tree.outcome.label == Label(Provenance.AI_EDITED, edited_by_ai=False, engines=("Gemini",))


async def test_a_number_in_front_of_the_words_goes_on_from_that_picture(rig: Rig) -> None:
    pictures = await grown(rig)
    tree = await rig.says("/tree", reply_to=pictures[0])
    await rig.sees(tree)
    for words in ("from 1: crop to 3:2", "1: crop to 3:2", "von 1: crop to 3:2", "从1：crop to 3:2"):
        went_on = await rig.sees(await rig.says(words, reply_to=tree, author=BEN))
        assert (went_on.turn.parent, sizes_of(went_on)) == (pictures[0].turn, [(300, 200)])


async def test_without_a_number_or_with_a_wrong_one_nothing_is_edited(rig: Rig) -> None:
    pictures = await grown(rig)
    tree = await rig.says("/tree", reply_to=pictures[0])
    await rig.sees(tree)
    unsure = await rig.sees(await rig.says("crop to a square", reply_to=tree))
    wrong = await rig.sees(await rig.says("from 9: crop to a square", reply_to=tree))
    assert (unsure.state, words_of(unsure)) == (TurnState.REFUSED, WHICH_NODE.format(number=3))
    assert (wrong.state, words_of(wrong)) == (TurnState.REFUSED, NO_SUCH_NODE.format(number=9, most=3))


async def test_a_tap_shows_one_of_them_once_more_to_go_on_from(rig: Rig) -> None:
    pictures = await grown(rig)
    tree = await rig.says("/tree", reply_to=pictures[0])
    await rig.sees(tree)
    answer = await rig.house.reception.answer_of(tree.turn)
    assert answer is not None
    assert [each.label for each in answer.controls] == ["Picture 1", "Picture 2", "Picture 3"]
    shown = await rig.presses(Act.GO, tree, "3", author=BEN)
    again = await rig.sees(shown)
    assert words_of(again) == FROM_THE_TREE
    assert [(each.from_turn, each.image is not None) for each in again.turn.inputs] == [(pictures[2].turn, True)]
    went_on = await rig.sees(await rig.says("crop to a square", reply_to=shown))
    assert sizes_of(went_on) == [(150, 150)]
    nowhere = await rig.sees(await rig.presses(Act.GO, pictures[0], "1"))
    assert (nowhere.state, words_of(nowhere)) == (TurnState.REFUSED, PRESS_GONE)


async def test_a_result_is_compared_with_what_it_was_made_from_or_with_another_one(rig: Rig) -> None:
    pictures = await grown(rig)
    before_after = await rig.sees(await rig.says("/compare", reply_to=pictures[1]))
    two = await rig.sees(await rig.says("/compare 2 3", reply_to=pictures[0]))
    assert [each.from_turn for each in before_after.turn.inputs] == [pictures[0].turn, pictures[1].turn]
    assert [each.from_turn for each in two.turn.inputs] == [pictures[1].turn, pictures[2].turn]
    assert [each.state for each in (before_after, two)] == [TurnState.DONE] * 2
    assert all(width > height for ((width, height),) in (sizes_of(before_after), sizes_of(two)))


async def test_two_that_are_compared_say_which_engines_made_either(rig: Rig) -> None:
    first = await rig.says("crop to a square", [CAT])
    await rig.sees(first)
    hat = await rig.says("put a hat on her", reply_to=first)
    await rig.sees(hat)
    turned = await rig.says("rotate 90 degrees", reply_to=hat)
    await rig.sees(turned)
    for words in ("/compare", "/compare 1 2"):
        compared = await rig.sees(await rig.says(words, reply_to=turned))
        assert compared.outcome is not None
        assert compared.outcome.label is not None
        assert replace(compared.outcome.label, work=None) == Label(
            Provenance.AI_EDITED, edited_by_ai=False, engines=("Gemini",)
        )


async def test_somebody_elses_own_picture_is_not_shown_beside_a_result_unasked(rig: Rig) -> None:
    first = await rig.says("crop to a square", [CAT])
    await rig.sees(first)
    waiting = await rig.waits(await rig.says("/compare", reply_to=first, author=BEN))
    assert [each.user for each in waiting.turn.asks] == [ANNA]


async def test_where_nothing_stands_there_is_no_tree_and_nothing_to_compare(rig: Rig) -> None:
    photo = await rig.quotes(ANNA, [COFFEE])
    for words, said in (("/tree", NOTHING_TO_DRAW), ("/compare", NOTHING_TO_DRAW)):
        nothing = await rig.sees(await rig.says(words))
        assert (nothing.state, words_of(nothing)) == (TurnState.REFUSED, said)
    own = await rig.sees(await rig.says("/compare", reply_to=photo.ref, quoted=photo))
    assert words_of(own) == NOTHING_TO_COMPARE


async def test_no_tree_of_another_chat_is_ever_shown(rig: Rig) -> None:
    pictures = await grown(rig)
    elsewhere = replace(CHAT, chat="elsewhere")
    tree = await rig.sees(await rig.says("/tree", reply_to=pictures[0], chat=elsewhere))
    assert (tree.state, words_of(tree)) == (TurnState.REFUSED, NOTHING_TO_DRAW)


async def test_a_step_back_to_what_was_deleted_is_told_without_it_by_another_process(
    rig: Rig, redis_url: str, tmp_path: Path
) -> None:
    first = await rig.says("crop to a square", [CAT])
    await rig.sees(first)
    second = await rig.says("rotate 90 degrees", reply_to=first, author=BEN)
    await rig.sees(second)
    back = await rig.presses(Act.UNDO, second, author=BEN)
    await rig.sees(back)
    await rig.house.reception.delete(first.reply, by=ANNA, moderates=False)
    async with living_in(redis_url, tmp_path, {"exact": ExactEngine()}, working=False) as other:
        answer = await other.house.reception.answer_of(back.turn)
    assert answer is not None
    assert answer.images == ()


async def test_a_drawn_tree_goes_with_whoever_said_the_words_in_it(rig: Rig) -> None:
    bens = await rig.says("rotate 90 degrees", [CAT], author=BEN)
    await rig.sees(bens)
    await rig.sees(await rig.says("/recipe save Turn", reply_to=bens, author=BEN))
    made = await rig.says("/recipe Turn", [CAT])
    await rig.sees(made)
    tree = await rig.says("/tree", reply_to=made)
    assert (await rig.sees(tree)).outcome is not None
    await rig.house.forget(BEN)
    gone = await rig.house.turns.load(tree.turn)
    assert gone is not None
    assert gone.erased


async def test_whoever_is_forgotten_is_in_no_tree_any_more(rig: Rig) -> None:
    pictures = await grown(rig)
    tree = await rig.says("/tree", reply_to=pictures[0])
    drawn = await rig.sees(tree)
    assert drawn.outcome is not None
    await rig.house.forget(BEN)
    status = await rig.house.turns.load(tree.turn)
    assert status is not None
    assert status.erased
    with pytest.raises(KeyError):
        await rig.house.images.get(drawn.outcome.images[0].sha256)

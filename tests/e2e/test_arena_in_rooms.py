"""Arenas: two results of one request, voted on blind, and what is gone on from afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.web.outbound import WebPlatform
from bot import oneshot
from bot.domain.actions import Act
from bot.domain.arena import (
    A_OR_B,
    BOTH_BAD,
    ENDED,
    INFO_WHILE_OPEN,
    MOST_VOTERS,
    NO_RESULTS,
    NO_TWO_MODELS,
    NO_VOTE,
    ONLY_WHO_ASKED,
    TWO_SIDES,
    VOTE_ENDED,
    VOTE_OPEN,
    Choice,
    went_on_from,
    your_vote,
)
from bot.domain.consent import Say, Standing
from bot.domain.errors import EngineRefused
from bot.domain.messages import Answer, ChatCapabilities, Received
from bot.domain.refs import ChatRef, UserRef
from bot.domain.turns import Turn, TurnState, TurnStatus
from bot.domain.words import NO_PICTURE, NOTHING_TO_DRAW
from bot.engines.exact import ExactEngine
from bot.ports import Engine
from tests.fakes.engines import ScriptedEngine
from tests.rig import CAT, COFFEE, Rig, living_in
from tests.values import ANNA, BEN, CHAT

CARL, DORA, EMIL = (UserRef("web", name) for name in ("carl", "dora", "emil"))
OLD, NEW = "model-old", "model-new"
WORDS = "make it a foggy morning"


@pytest.fixture
def gemini() -> ScriptedEngine:
    return ScriptedEngine(models=(NEW, OLD))


async def arena(rig: Rig, words: str = WORDS, **fields: Any) -> Received:
    asked = await rig.says(f"/arena {words}", [CAT], **fields)
    await rig.sees_all(asked)
    return asked


async def votes(rig: Rig, asked: Received, by: UserRef, choice: Choice | None, *, chat: ChatRef = CHAT) -> str:
    return await rig.house.reception.vote(asked.turn, chat=chat, by=by, choice=choice)


async def answer_of(rig: Rig, asked: Received) -> Answer:
    answer = await rig.house.reception.answer_of(asked.turn)
    assert answer is not None
    return answer


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await true():
            await asyncio.sleep(0.01)


async def text_of(rig: Rig, asked: Received) -> str:
    return str((await rig.shown(asked.reply)).get("text", ""))


async def album(rig: Rig, asked: Received) -> list[TurnStatus]:
    return await rig.sees_all(asked)


def words_of(status: TurnStatus) -> str:
    return f"{status.outcome.words} {status.outcome.note}".strip() if status.outcome is not None else ""


async def test_five_people_vote_on_two_models_and_one_changes_their_mind(rig: Rig, gemini: ScriptedEngine) -> None:
    asked = await arena(rig)
    a, b = await album(rig, asked)
    assert {request.model for request in gemini.requests} == {OLD, NEW} == {a.turn.model, b.turn.model}
    for person, choice in ((ANNA, Choice.B), (BEN, Choice.A), (CARL, Choice.A), (DORA, Choice.TIE)):
        assert await votes(rig, asked, person, choice) == your_vote(choice)
    assert await votes(rig, asked, EMIL, Choice.A) == your_vote(Choice.A)
    assert await votes(rig, asked, EMIL, Choice.B) == your_vote(Choice.B)

    async def counted() -> bool:
        return "5 have voted." in await text_of(rig, asked)

    await until(counted)
    assert await votes(rig, asked, BEN, None) == ONLY_WHO_ASKED
    assert await votes(rig, asked, BEN, Choice.B) == your_vote(Choice.B)
    assert await votes(rig, asked, ANNA, None) == ENDED
    assert await votes(rig, asked, EMIL, Choice.A) == VOTE_ENDED

    async def told() -> bool:
        return "B won" in await text_of(rig, asked)

    await until(told)
    answer = await answer_of(rig, asked)
    assert answer.vote is None
    assert f"A was {a.turn.model}, B was {b.turn.model}." in answer.lines
    assert "Votes: A 1, B 3, tie 1, both bad 0. B won. Reply to go on from it." in answer.lines
    board = await rig.sees(await rig.says("/leaderboard"))
    assert words_of(board).startswith(f"1. {b.turn.model}: won 1 of 1")
    assert "Too few to say" in words_of(board)


async def test_the_operator_sees_who_won_and_what_was_voted_bad(
    redis_url: str, tmp_path: Path, gemini: ScriptedEngine
) -> None:
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": gemini}
    async with living_in(redis_url, tmp_path, engines) as rig:
        settings = rig.house.settings
        assert await oneshot.arena(settings, worst=False) == [NO_RESULTS]
        asked = await arena(rig)
        for person, choice in ((BEN, Choice.BAD), (CARL, Choice.BAD), (DORA, Choice.A)):
            await votes(rig, asked, person, choice)
        await votes(rig, asked, ANNA, None)
        a, b = await album(rig, asked)
        assert await oneshot.arena(settings, worst=True) == [f"2 of 3 voted both bad: {a.turn.id} {b.turn.id}"]
        assert (await oneshot.arena(settings, worst=False))[0] == f"1. {NEW}: no winner yet in 1 arena"


async def test_a_vote_calls_nobody_back(
    redis_url: str, tmp_path: Path, gemini: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []

    async def call(_: object, reply: object, person: object, words: str, *, key: str) -> None:
        called.append(words)

    monkeypatch.setattr(WebPlatform, "call", call)
    monkeypatch.setattr("adapters.web.outbound._CAPABILITIES", ChatCapabilities(edits_notify=False))
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": gemini}
    async with living_in(redis_url, tmp_path, engines, pointer_s=1.0) as rig:
        asked = await arena(rig)
        made_at = (await album(rig, asked))[0].turn.created_at
        monkeypatch.setattr("bot.delivery.time.time", lambda: made_at + 1000)
        await votes(rig, asked, BEN, Choice.A)

        async def counted() -> bool:
            return "1 person has voted." in await text_of(rig, asked)

        await until(counted)
    assert called == []


async def test_until_it_ends_nothing_tells_which_is_which(rig: Rig) -> None:
    asked = await arena(rig)
    for person, choice in ((BEN, Choice.A), (CARL, Choice.B)):
        await votes(rig, asked, person, choice)
    seen = [str(await rig.shown(asked.reply)), str(await answer_of(rig, asked))]
    seen += [await rig.house.reception.info(asked.reply, index=index) for index in (None, 0, 1)]
    for index in (0, 1):
        file = await rig.house.reception.file(asked.reply, ChatCapabilities(), index=index)
        seen += [file.alt, file.label, (await rig.house.images.get(file.image.sha256)).decode("latin-1")]
    for command in ("/usage", "/tree", "/leaderboard"):
        seen.append(str(await answer_of(rig, await said(rig, command))))
    assert not [text for text in seen if OLD in text or NEW in text]
    assert INFO_WHILE_OPEN in await rig.house.reception.info(asked.reply)
    answer = await answer_of(rig, asked)
    assert [panel.words for panel in answer.panels] == ["A", "B"]
    assert not [panel.controls for panel in answer.panels if panel.controls]
    assert answer.controls == ()


async def said(rig: Rig, words: str) -> Received:
    received = await rig.says(words)
    await rig.sees(received)
    return received


async def test_what_comes_first_is_not_shown_before_the_other_one_is_there(rig: Rig, gemini: ScriptedEngine) -> None:
    slow, slower = asyncio.Event(), asyncio.Event()
    gemini.script = [slow, slower]
    asked = await rig.says(f"/arena {WORDS}", [CAT])

    async def both_began() -> bool:
        return len(gemini.requests) == 2

    await until(both_began)
    slow.set()
    first = await rig.house.turns.load(asked.turn)
    assert first is not None

    async def one_is_there() -> bool:
        found = [await rig.house.turns.load(id_) for id_ in first.turn.album]
        return any(each is not None and each.state is TurnState.DONE for each in found)

    await until(one_is_there)
    answer = await answer_of(rig, asked)
    assert (answer.images, [panel.image for panel in answer.panels]) == ((), [None, None])
    assert "up to 8 ¢" in answer.lines[0]
    assert await votes(rig, asked, BEN, Choice.A) != your_vote(Choice.A)
    tree = await rig.sees(await rig.says("/tree", reply_to=asked))
    assert tree.outcome is not None
    assert (tree.outcome.words, tree.outcome.images) == (NOTHING_TO_DRAW, ())
    slower.set()
    await album(rig, asked)
    assert len((await answer_of(rig, asked)).images) == 2


async def test_a_reply_goes_on_from_the_winner_and_so_do_words_alone(rig: Rig) -> None:
    asked = await arena(rig)
    a, b = await album(rig, asked)
    await votes(rig, asked, BEN, Choice.B)
    waits = await rig.sees(await rig.says("make it night", reply_to=asked, author=BEN))
    assert (waits.state, words_of(waits)) == (TurnState.REFUSED, VOTE_OPEN)
    one = await rig.sees(await rig.says("make it night", reply_to=asked, index=0, author=BEN))
    assert (one.state, one.turn.parent) == (TurnState.DONE, a.turn.id)
    await votes(rig, asked, ANNA, None)
    won = await rig.sees(await rig.says("make it night", reply_to=asked, author=BEN))
    assert [each.from_turn for each in won.turn.inputs] == [b.turn.id]
    assert (won.turn.parent, words_of(won)) == (b.turn.id, went_on_from(Choice.B))
    alone = await rig.sees(await rig.says("make it night", goes_on=True))
    assert alone.turn.parent == b.turn.id


async def test_of_a_tie_it_is_asked_which_and_both_bad_goes_on_from_the_original(rig: Rig) -> None:
    tied = await arena(rig)
    _, b = await album(rig, tied)
    await votes(rig, tied, ANNA, None)
    question = await rig.says("make it night", reply_to=tied)
    asks = await rig.sees(question)
    assert (asks.state, words_of(asks)) == (TurnState.ASKING, A_OR_B)
    assert [each.label for each in (await answer_of(rig, question)).controls] == ["A", "B"]
    chosen = await rig.sees(await rig.presses(Act.ONLY, question, "2"))
    assert ([each.from_turn for each in chosen.turn.inputs], chosen.turn.instruction) == ([b.turn.id], "make it night")
    bad = await arena(rig)
    await votes(rig, bad, BEN, Choice.BAD)
    await votes(rig, bad, ANNA, None)
    went_on = await rig.sees(await rig.says("make it night", reply_to=bad))
    original = (await album(rig, bad))[0].turn.inputs
    assert ([each.image for each in went_on.turn.inputs], words_of(went_on)) == (
        [each.image for each in original],
        BOTH_BAD,
    )
    assert [turn for turn, _ in await rig.house.arenas.worst(most=5)] == [bad.turn]


async def test_what_is_chosen_of_a_tie_still_is_of_whose_picture_it_grew_from(rig: Rig) -> None:
    photo = await rig.quotes(ANNA, [COFFEE])
    tied = await rig.says("/arena paint it red / paint it blue", reply_to=photo.ref, quoted=photo, author=BEN)
    await rig.waits(tied)
    await rig.answers(tied, ANNA, Say.ONCE)
    a, b = await album(rig, tied)
    await votes(rig, tied, BEN, None)
    question = await rig.says("make it night", reply_to=tied, author=BEN)
    await rig.sees(question)
    chosen = await rig.presses(Act.ONLY, question, "2", author=BEN)
    turn = (await rig.sees(chosen)).turn
    assert (turn.owners, turn.lent, turn.pins) == (b.turn.owners, b.turn.lent, a.turn.pins)
    assert (turn.parent, turn.story.lines[-1].instruction) == (b.turn.id, b.turn.own_words)
    await rig.house.reception.stand(ANNA, CHAT, Standing.NEVER)
    refused = await rig.sees(await rig.says("make it day", reply_to=chosen, author=BEN))
    assert refused.state is TurnState.REFUSED
    await rig.sees(await rig.says("/withdraw yes", reply_to=photo.ref))
    gone = await rig.house.turns.load(chosen.turn)
    assert gone is not None
    assert gone.erased


async def test_two_instructions_are_told_apart_only_at_the_end(rig: Rig, gemini: ScriptedEngine) -> None:
    asked = await arena(rig, "paint it red / paint it blue")
    a, b = await album(rig, asked)
    assert sorted(request.instruction for request in gemini.requests) == ["paint it blue", "paint it red"]
    assert {a.turn.instruction, b.turn.instruction} == {"paint it red / paint it blue"}
    pressed = await rig.sees(await rig.presses(Act.AGAIN, asked, index=0, author=BEN))
    assert (pressed.state, words_of(pressed)) == (TurnState.REFUSED, VOTE_OPEN)
    await votes(rig, asked, BEN, Choice.A)
    await votes(rig, asked, ANNA, None)
    answer = await answer_of(rig, asked)
    assert f"A was “{a.turn.own_words}”, B was “{b.turn.own_words}”." in answer.lines
    assert await rig.house.arenas.matches() == []
    again = await rig.says("Again", reply_to=asked)
    assert (await rig.sees(again)).turn.parent == a.turn.id


async def test_all_of_it_again_is_an_arena_once_more(rig: Rig, gemini: ScriptedEngine) -> None:
    asked = await arena(rig)
    await votes(rig, asked, ANNA, None)
    again = await rig.presses(Act.AGAIN, asked)
    assert {each.turn.model for each in await album(rig, again)} == {OLD, NEW}
    assert (await answer_of(rig, again)).vote is not None


async def test_it_ends_by_itself(redis_url: str, tmp_path: Path, gemini: ScriptedEngine) -> None:
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": gemini}
    async with living_in(redis_url, tmp_path, engines, arena_hours=0.6 / 3600) as rig:
        asked = await arena(rig)
        await votes(rig, asked, BEN, Choice.A)

        async def ended() -> bool:
            await rig.house.reconciler.look()
            return "A won" in await text_of(rig, asked)

        await until(ended)
        assert await votes(rig, asked, CARL, Choice.B) == VOTE_ENDED
        assert await rig.house.arenas.due(float("inf")) == []


async def test_with_the_twentieth_vote_it_has_ended(rig: Rig) -> None:
    asked = await arena(rig)
    crowd = [UserRef("web", f"voter{number}") for number in range(25)]
    said = await asyncio.gather(*(votes(rig, asked, person, Choice.B) for person in crowd))
    assert sorted(map(said.count, {your_vote(Choice.B), VOTE_ENDED})) == [5, 20]
    assert "Votes: A 0, B 20, tie 0, both bad 0. B won. Reply to go on from it." in (await answer_of(rig, asked)).lines


async def test_one_that_had_all_its_votes_when_a_crash_came_ends_with_the_next(rig: Rig) -> None:
    asked = await arena(rig)
    for number in range(MOST_VOTERS):
        await rig.house.arenas.vote(asked.turn, UserRef("web", f"v{number}"), Choice.A, most=MOST_VOTERS)
    assert await votes(rig, asked, BEN, Choice.B) == VOTE_ENDED

    async def told() -> bool:
        return "A won" in await text_of(rig, asked)

    await until(told)


async def test_a_crash_between_the_two_turns_leaves_the_same_arena(
    redis_url: str, tmp_path: Path, gemini: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": gemini}
    async with living_in(redis_url, tmp_path, engines, working=False) as rig:
        message = await rig.message("/arena make it red / make it blue", [CAT])
        submit = rig.house.turns.submit
        submitted: list[Turn] = []

        async def dies(turn: Any, buckets: Any) -> Any:
            if submitted:
                raise ConnectionError
            submitted.append(turn)
            return await submit(turn, buckets)

        monkeypatch.setattr(rig.house.turns, "submit", dies)
        with pytest.raises(ConnectionError):
            await rig.house.hall.receive(message)
    async with living_in(redis_url, tmp_path, engines) as rig:
        asked = await rig.house.hall.receive(message)
        a, b = await album(rig, asked)
        assert a.turn.sides == b.turn.sides == submitted[0].sides
        assert sorted(each.turn.own_words for each in (a, b)) == ["make it blue", "make it red"]
        assert sorted(request.instruction for request in gemini.requests) == ["make it blue", "make it red"]
        assert await votes(rig, asked, BEN, Choice.A) == your_vote(Choice.A)


async def test_a_crash_before_anything_was_submitted_draws_the_same_sides_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit, messages = rig.house.turns.submit, [await rig.message(f"/arena {WORDS}", [CAT]) for _ in range(8)]
    submitted: list[Turn] = []

    async def dies(turn: Any, buckets: Any) -> Any:
        submitted.append(turn)
        raise ConnectionError

    monkeypatch.setattr(rig.house.turns, "submit", dies)
    for message in messages:
        with pytest.raises(ConnectionError):
            await rig.house.hall.receive(message)
    monkeypatch.setattr(rig.house.turns, "submit", submit)
    asked = [await rig.house.hall.receive(message) for message in messages]
    firsts = [await rig.house.turns.load(each.turn) for each in asked]
    assert [each.turn.sides for each in firsts if each is not None] == [each.sides for each in submitted]


async def test_where_one_of_them_is_refused_there_is_no_vote(rig: Rig, gemini: ScriptedEngine) -> None:
    gemini.script = [EngineRefused("Not this one.")]
    asked = await arena(rig)
    answer = await answer_of(rig, asked)
    assert (answer.vote, len(answer.images)) == (None, 1)
    assert await votes(rig, asked, BEN, Choice.A) == NO_VOTE
    went_on = await rig.sees(await rig.says("make it night", reply_to=asked))
    assert went_on.state is TurnState.DONE


async def test_somebody_elses_picture_waits_for_them_and_a_never_holds(rig: Rig) -> None:
    photo = await rig.quotes(ANNA, [COFFEE])
    asked = await rig.says(f"/arena {WORDS}", reply_to=photo.ref, quoted=photo, author=BEN)
    await rig.waits(asked)
    assert await votes(rig, asked, CARL, Choice.A) != your_vote(Choice.A)
    await rig.answers(asked, ANNA, Say.ONCE)
    assert [each.state for each in await album(rig, asked)] == [TurnState.DONE] * 2
    await rig.house.reception.stand(ANNA, CHAT, Standing.NEVER)
    other = await rig.quotes(ANNA, [CAT])
    never = await rig.sees(await rig.says(f"/arena {WORDS}", reply_to=other.ref, quoted=other, author=BEN))
    assert (never.state, never.turn.album) == (TurnState.REFUSED, ())


async def test_votes_come_from_its_own_chat_alone(rig: Rig) -> None:
    asked = await arena(rig)
    assert await votes(rig, asked, BEN, Choice.A, chat=replace(CHAT, chat="elsewhere")) == NO_VOTE
    plain = await rig.says("rotate 90 degrees", [CAT])
    await rig.sees(plain)
    assert await votes(rig, plain, BEN, Choice.A) == NO_VOTE


async def test_whoever_is_forgotten_takes_their_open_votes_and_their_arenas_along(rig: Rig) -> None:
    asked, bens = await arena(rig), await arena(rig, author=BEN)
    await votes(rig, asked, BEN, Choice.A)
    await votes(rig, asked, CARL, Choice.B)
    await votes(rig, bens, CARL, Choice.BAD)
    await votes(rig, bens, BEN, None)
    await rig.house.forget(BEN)
    assert (await answer_of(rig, asked)).vote is not None
    await votes(rig, asked, ANNA, None)
    assert any("A 0, B 1" in line for line in (await answer_of(rig, asked)).lines)
    assert (len(await rig.house.arenas.matches()), await rig.house.arenas.worst(most=5)) == (1, [])
    assert await votes(rig, bens, ANNA, Choice.A) == NO_VOTE


@pytest.mark.parametrize(
    ("words", "images", "told"),
    [("make it red / blue / green", [CAT], TWO_SIDES), ("make it red", [], NO_PICTURE), ("", [CAT], "What should")],
)
async def test_what_cannot_be_compared_is_said_and_costs_nothing(
    rig: Rig, gemini: ScriptedEngine, words: str, images: list[bytes], told: str
) -> None:
    asked = await rig.sees(
        await rig.says(f"/arena {words}", images, reply_to=None if images else await said(rig, "/help"))
    )
    assert words_of(asked).startswith(told)
    assert gemini.requests == []


async def test_one_model_alone_has_nobody_to_meet(redis_url: str, tmp_path: Path) -> None:
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": ScriptedEngine(models=(NEW,))}
    async with living_in(redis_url, tmp_path, engines) as rig:
        asked = await rig.sees(await rig.says(f"/arena {WORDS}", [CAT]))
        assert words_of(asked) == NO_TWO_MODELS

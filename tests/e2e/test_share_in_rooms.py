"""Sharing a result by a link: who may, what its page shows, and what ends it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.domain.actions import Act
from bot.domain.chats import ChatSettings
from bot.domain.consent import Policy, Standing
from bot.domain.messages import Received
from bot.domain.refs import ThreadId, TurnId, UserRef
from bot.domain.sharing import (
    A_STEP,
    ASKS_NAME,
    ENDED,
    NO_ADDRESS,
    NOT_SHARED,
    NOT_YOURS_TO_SHARE,
    NOTHING_TO_SHARE,
    OTHERS_IN_IT,
    REMIX_GONE,
    REMIX_IT,
    SHOWN_ONCE,
    SharedResult,
)
from bot.domain.turns import TurnState, TurnStatus
from bot.engines.exact import ExactEngine
from bot.links import Links
from bot.ports import Engine
from bot.sharing import remix_id_of
from tests.fakes.engines import ScriptedEngine
from tests.rig import CAT, Rig, living_in, words_of
from tests.values import ANNA, BEN, CHAT

AT = "https://remix.example"
CLARA = UserRef("web", "clara")
ELSEWHERE = replace(CHAT, chat="elsewhere")

MATRIX = {
    (None, Standing.UNSAID): False,
    (None, Standing.HERE): True,
    (None, Standing.NEVER): False,
    (Policy.ALL, Standing.UNSAID): True,
    (Policy.ALL, Standing.NEVER): False,
    (Policy.OWN, Standing.HERE): False,
}
"""What is decided for the chat, and what the owner said: whether somebody else may share what grew from it."""


@pytest.fixture
async def rig(redis_url: str, tmp_path: Path) -> AsyncIterator[Rig]:
    engines: dict[str, Engine] = {"exact": ExactEngine(), "gemini": ScriptedEngine()}
    async with living_in(redis_url, tmp_path, engines, web_public_url=f"{AT}/", web_hosts=("remix.example",)) as rig:
        yield rig


async def answered(rig: Rig, words: str, reply_to: Received, *, author: UserRef = ANNA) -> str:
    return words_of(await rig.sees(await rig.says(words, reply_to=reply_to, author=author)))


async def square(rig: Rig) -> Received:
    made = await rig.says("crop to a square", [CAT])
    await rig.sees(made)
    return made


async def token_of(rig: Rig, result: Received, *, name: str = "unnamed", author: UserRef = ANNA) -> str:
    """What the page shows once somebody has shared it."""
    asked = await rig.says("/share", reply_to=result, author=author)
    await rig.sees(asked)
    shared = await rig.presses(Act.SHARE, asked, name, author=author)
    await rig.sees(shared)
    text = str((await rig.shown(shared.reply))["text"])
    assert f"{AT}/s/" in text, text
    return text.partition(f"{AT}/s/")[2].split()[0]


async def seen(rig: Rig, token: str) -> SharedResult | None:
    return await rig.house.reception.shared(token)


async def by_ben_on_annas(rig: Rig) -> Received:
    first = await square(rig)
    made = await rig.says("rotate 90 degrees", reply_to=first, author=BEN)
    await rig.sees(made)
    return made


async def test_the_asker_is_asked_for_their_name_and_then_gets_the_link(rig: Rig) -> None:
    result = await square(rig)
    asked = await rig.says("/share", reply_to=result)
    assert words_of(await rig.sees(asked)) == ASKS_NAME
    answer = await rig.house.reception.answer_of(asked.turn)
    assert answer is not None
    assert [each.label for each in answer.controls] == ["With my name", "Without my name"]
    one, other = [await seen(rig, await token_of(rig, result, name=name)) for name in ("named", "unnamed")]
    assert one is not None
    assert other is not None
    assert (one.by, other.by, one.steps, one.remix) == ("Anna", "", ("crop to a square",), f"{AT}/")
    assert (one.picture.label, one.picture.alt) == ("Edited, no AI", "Picture. Edited, no AI.")


async def test_only_whoever_asked_for_it_can_share_it(rig: Rig) -> None:
    result = await square(rig)
    asked = await rig.says("/share", reply_to=result)
    await rig.sees(asked)
    pressed = await rig.sees(await rig.presses(Act.SHARE, asked, "named", author=BEN))
    assert (pressed.state, words_of(pressed)) == (TurnState.REFUSED, NOT_YOURS_TO_SHARE)
    assert await answered(rig, "/share", result, author=BEN) == NOT_YOURS_TO_SHARE
    assert await answered(rig, "/unshare", result, author=BEN) == NOT_YOURS_TO_SHARE


async def test_what_grew_from_others_pictures_is_shared_only_where_they_said_so(rig: Rig) -> None:
    result = await by_ben_on_annas(rig)
    said = {}
    for policy, standing in MATRIX:
        await rig.house.reception.change_chat(CHAT, ChatSettings(consent=policy))
        await rig.house.reception.stand(ANNA, CHAT, standing)
        said[policy, standing] = await answered(rig, "/share", result, author=BEN)
    assert said == {case: ASKS_NAME if may else OTHERS_IN_IT for case, may in MATRIX.items()}


async def test_a_later_never_ends_it_at_once_and_other_chats_do_not(rig: Rig) -> None:
    result = await by_ben_on_annas(rig)
    await rig.house.reception.stand(ANNA, CHAT, Standing.HERE)
    token = await token_of(rig, result, author=BEN)
    shown = await seen(rig, token)
    assert shown is not None
    assert (shown.friends, shown.steps) == (1, ("crop to a square", "rotate 90 degrees"))
    await rig.house.reception.stand(ANNA, CHAT, Standing.NEVER)
    assert await seen(rig, token) is None
    await rig.house.reception.stand(ANNA, ELSEWHERE, Standing.HERE)
    assert await seen(rig, token) is None


async def test_others_words_are_not_read_where_they_have_not_agreed(rig: Rig) -> None:
    first = await square(rig)
    second = await rig.says("rotate 90 degrees", reply_to=first, author=CLARA)
    await rig.sees(second)
    third = await rig.says("crop to 2:1", reply_to=second)
    await rig.sees(third)
    shown = await seen(rig, await token_of(rig, third))
    assert shown is not None
    assert (shown.steps, shown.friends) == (("crop to a square", A_STEP, "crop to 2:1"), 1)


async def test_words_of_anothers_recipe_are_not_read_where_they_have_not_agreed(rig: Rig) -> None:
    bens = await rig.says("rotate 90 degrees", [CAT], author=BEN)
    await rig.sees(bens)
    await rig.sees(await rig.says("/recipe save Turn", reply_to=bens, author=BEN))
    made = await rig.says("/recipe Turn", [CAT])
    assert (await rig.sees(made)).state is TurnState.DONE
    token = await token_of(rig, made)
    shown = await seen(rig, token)
    assert shown is not None
    assert (shown.steps, shown.friends) == ((A_STEP,), 1)
    await rig.house.reception.stand(BEN, CHAT, Standing.HERE)
    shown = await seen(rig, token)
    assert shown is not None
    assert shown.steps == ("rotate 90 degrees",)
    await rig.house.forget(BEN)
    shown = await seen(rig, token)
    assert shown is not None
    assert shown.steps == (A_STEP,)


async def test_unshare_and_its_control_end_every_link(rig: Rig) -> None:
    result = await square(rig)
    first, second = await token_of(rig, result), await token_of(rig, result)
    assert await answered(rig, "/unshare", result) == ENDED
    assert [await seen(rig, each) for each in (first, second)] == [None, None]
    assert await answered(rig, "/unshare", result) == NOT_SHARED
    asked = await rig.says("/share", reply_to=result)
    await rig.sees(asked)
    linked = await rig.presses(Act.SHARE, asked, "named")
    await rig.sees(linked)
    ended = await rig.sees(await rig.presses(Act.UNSHARE, linked))
    assert words_of(ended) == ENDED


async def test_deleting_the_result_ends_it(rig: Rig) -> None:
    result = await square(rig)
    token = await token_of(rig, result)
    assert await rig.house.reception.delete(result.reply, by=ANNA, moderates=False) == ""
    assert await seen(rig, token) is None


async def test_forgetting_anybody_on_the_way_ends_it_for_good(rig: Rig) -> None:
    """Somebody's picture, edited by another, then by a third who shares it. One of each three is forgotten."""
    tokens: list[str] = []
    for number in range(3):
        people = [UserRef("web", f"{role}{number}") for role in ("owner", "editor", "sharer")]
        await rig.house.reception.stand(people[0], CHAT, Standing.HERE)
        last: Received | None = None
        for person, words in zip(people, ("crop to a square", "rotate 90 degrees", "crop to 2:1"), strict=True):
            last = await rig.says(words, [] if last else [CAT], reply_to=last, author=person)
            await rig.sees(last)
        assert last is not None
        tokens.append(await token_of(rig, last, author=people[2]))
        assert await seen(rig, tokens[-1]) is not None
        await rig.house.forget(people[number])
    assert [await seen(rig, token) for token in tokens] == [None, None, None]


async def test_no_link_and_no_secret_stands_in_the_database(rig: Rig, redis_url: str) -> None:
    token = await token_of(rig, await square(rig), name="named")
    client = Redis.from_url(redis_url)
    kept = [repr((key, await everything_in(client, key))) async for key in client.scan_iter(count=1000)]
    await client.aclose()
    assert any("[link " in each for each in kept)
    assert [each for each in kept if token in each or remix_id_of(token) in each] == []


async def everything_in(client: Redis, key: bytes) -> object:
    match await client.type(key):
        case b"hash":
            return await client.hgetall(key)
        case b"string":
            return await client.get(key)
        case b"stream":
            return await client.xrange(key)
        case b"set":
            return await client.smembers(key)
        case b"list":
            return await client.lrange(key, 0, -1)
        case b"zset":
            return await client.zrange(key, 0, -1)
        case kind:
            raise AssertionError(kind)


async def test_a_link_is_shown_by_who_made_it_and_cannot_be_shown_later(rig: Rig) -> None:
    asked = await rig.says("/share", reply_to=await square(rig))
    await rig.sees(asked)
    linked = await rig.presses(Act.SHARE, asked, "named")
    kept = words_of(await rig.sees(linked))
    assert f"{AT}/s/" in str((await rig.shown(linked.reply))["lines"])
    assert AT not in kept
    assert SHOWN_ONCE in Links().reveal(kept)  # as another process has it
    assert Links().reveal(f"[link {'0' * 32}] [link x]") == f"{SHOWN_ONCE} [link x]"


async def test_a_reply_to_the_link_goes_on_from_the_picture(rig: Rig) -> None:
    result = await square(rig)
    asked = await rig.says("/share", reply_to=result)
    await rig.sees(asked)
    went_on = await rig.sees(await rig.says("rotate 90 degrees", reply_to=asked, author=BEN))
    assert (went_on.state, went_on.turn.parent) == (TurnState.DONE, result.turn)


async def test_what_cannot_be_shared_is_said(rig: Rig) -> None:
    tree_of = await square(rig)
    tree = await rig.says("/tree", reply_to=tree_of)
    await rig.sees(tree)
    assert await answered(rig, "/share", tree) == NOTHING_TO_SHARE
    assert words_of(await rig.sees(await rig.says("/share", author=CLARA))) == NOTHING_TO_SHARE
    assert [await seen(rig, each) for each in ("", "x", "0" * 40, "ü" * 40)] == [None] * 4


async def test_a_sheet_of_a_cast_is_not_shared_nor_offered_elsewhere(rig: Rig) -> None:
    await rig.sees(await rig.says("/cast save Rex", [CAT]))
    sheet = await rig.says("/cast")
    await rig.sees(sheet)
    assert await answered(rig, "/share", sheet) == NOTHING_TO_SHARE
    assert list(await rig.house.reception.finished(ANNA, words="", most=5)) == []


async def test_without_an_address_the_host_is_told_what_to_set(redis_url: str, tmp_path: Path) -> None:
    async with living_in(redis_url, tmp_path, {"exact": ExactEngine()}) as rig:
        assert await answered(rig, "/share", await square(rig)) == NO_ADDRESS


async def test_remixing_shows_the_picture_elsewhere_with_nothing_of_its_chat(rig: Rig) -> None:
    token = await token_of(rig, await square(rig))
    start = await rig.says(f"/start remix_{remix_id_of(token)}", author=BEN, chat=ELSEWHERE)
    shown = await rig.sees(start)
    assert (shown.state, words_of(shown)) == (TurnState.DONE, REMIX_IT)
    assert len(await rig.images_of(start.reply)) == 1
    assert (shown.turn.pins, shown.turn.story.lines, shown.turn.parent) == ((), (), None)
    went_on = await rig.says("rotate 90 degrees", reply_to=start, author=BEN, chat=ELSEWHERE)
    edited = await rig.sees(went_on)
    assert (edited.state, edited.turn.owners) == (TurnState.DONE, (ANNA,))
    answer = await rig.house.reception.answer_of(went_on.turn)
    assert answer is not None
    assert answer.credit is not None
    assert answer.credit.owners == ()  # whose it was is nobody's business there


async def test_a_remix_is_not_shared_on_and_goes_with_its_owner(rig: Rig) -> None:
    token = await token_of(rig, await square(rig))
    start = await rig.says(f"/start remix_{remix_id_of(token)}", author=BEN, chat=ELSEWHERE)
    await rig.sees(start)
    went_on = await rig.says("rotate 90 degrees", reply_to=start, author=BEN, chat=ELSEWHERE)
    await rig.sees(went_on)
    await rig.house.reception.change_chat(ELSEWHERE, ChatSettings(consent=Policy.ALL))
    refused = await rig.sees(await rig.says("/share", reply_to=went_on, author=BEN, chat=ELSEWHERE))
    assert words_of(refused) == OTHERS_IN_IT
    await rig.house.forget(ANNA)
    again = await rig.sees(await rig.says(f"/start remix_{remix_id_of(token)}", author=BEN, chat=ELSEWHERE))
    assert (again.state, words_of(again)) == (TurnState.REFUSED, REMIX_GONE)
    gone = await rig.house.turns.load(went_on.turn)
    assert gone is not None
    assert gone.erased


async def test_a_remix_gets_no_name_in_a_cast_where_whose_it_is_would_be_told(rig: Rig) -> None:
    token = await token_of(rig, await square(rig))
    start = await rig.says(f"/start remix_{remix_id_of(token)}", author=BEN, chat=ELSEWHERE)
    await rig.sees(start)
    for policy in (Policy.ALL, Policy.ASK):
        await rig.house.reception.change_chat(ELSEWHERE, ChatSettings(consent=policy))
        kept = await rig.sees(await rig.says("/cast save Rex", reply_to=start, author=BEN, chat=ELSEWHERE))
        assert (kept.state, kept.turn.asks) == (TurnState.REFUSED, ())
    sheet = await rig.sees(await rig.says("/cast", author=BEN, chat=ELSEWHERE))
    assert sheet.turn.owners == ()


async def test_what_is_offered_elsewhere_is_found_without_reading_others_branches(rig: Rig) -> None:
    first = await square(rig)
    for _ in range(3):
        await rig.sees(await rig.says("rotate 90 degrees", reply_to=first, author=BEN))
    last = await rig.says("rotate 90 degrees", reply_to=first)
    await rig.sees(last)
    read: list[TurnId] = []
    load, read_all = rig.house.turns.load, rig.house.turns.thread

    async def noted(turn: TurnId) -> TurnStatus | None:
        read.append(turn)
        return await load(turn)

    async def all_noted(thread: ThreadId) -> Sequence[TurnStatus]:
        found = await read_all(thread)
        read.extend(each.turn.id for each in found)
        return found

    rig.house.turns.load = noted  # type: ignore[method-assign]
    rig.house.turns.thread = all_noted  # type: ignore[method-assign]
    found = await rig.house.reception.finished(ANNA, words="", most=5)
    assert [each.turn for each in found] == [last.turn, first.turn]
    assert len(read) == len(set(read))
    assert set(read) <= {last.turn, first.turn, *await rig.house.turns.of_person(ANNA, most=9)}


async def test_a_tree_of_remixes_names_nobody_of_the_chat_that_they_came_from(rig: Rig) -> None:
    token = await token_of(rig, await square(rig))
    start = await rig.says(f"/start remix_{remix_id_of(token)}", author=BEN, chat=ELSEWHERE)
    await rig.sees(start)
    went_on = await rig.says("rotate 90 degrees", reply_to=start, author=BEN, chat=ELSEWHERE)
    await rig.sees(went_on)
    for drawn in ("/tree", "/compare"):
        answered = await rig.says(drawn, reply_to=went_on, author=BEN, chat=ELSEWHERE)
        await rig.sees(answered)
        answer = await rig.house.reception.answer_of(answered.turn)
        assert answer is not None
        assert answer.credit is None or ANNA not in answer.credit.owners


async def test_whoever_said_never_is_not_remixed(rig: Rig) -> None:
    token = await token_of(rig, await square(rig))
    await rig.house.reception.stand(ANNA, CHAT, Standing.NEVER)  # their own to share, but nobody else's to edit
    assert await seen(rig, token) is not None
    start = await rig.sees(await rig.says(f"/start remix_{remix_id_of(token)}", author=BEN, chat=ELSEWHERE))
    assert start.state is TurnState.REFUSED

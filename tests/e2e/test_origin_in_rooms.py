"""What a platform knows of a picture's origin, and of who could be asked for it: through the real house."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.chats import ChatSettings
from bot.domain.consent import Policy
from bot.domain.images import Provenance
from bot.domain.labels import label_line
from bot.domain.messages import NOBODY
from bot.domain.turns import TurnState
from bot.domain.words import NOBODY_TO_ASK
from bot.engines.exact import ExactEngine
from tests.rig import CAT, Rig, living_in
from tests.values import ANNA, CHAT


@pytest.fixture
async def rig(redis_url: str, tmp_path: Path) -> AsyncIterator[Rig]:
    async with living_in(redis_url, tmp_path, {"exact": ExactEngine()}) as rig:
        yield rig


async def test_a_result_of_ours_that_nobody_remembers_keeps_the_label_that_its_file_has_lost(rig: Rig) -> None:
    quoted = await rig.quotes(None, [CAT], ours=True)
    (photo,) = quoted.attachments
    quoted = replace(quoted, attachments=(replace(photo, provenance=Provenance.AI_GENERATED),))
    status = await rig.sees(await rig.says("rotate 90 degrees", reply_to=quoted.ref, quoted=quoted))
    assert status.outcome is not None
    assert status.outcome.label is not None
    assert label_line(status.outcome.label) == "AI-generated"


async def test_a_picture_passed_on_from_somebody_who_hides_their_name_is_left_alone(rig: Rig) -> None:
    message = await rig.message("make it grey", [CAT], author=ANNA)
    hidden = tuple(replace(each, owner=NOBODY) for each in message.attachments)
    status = await rig.sees(await rig.house.hall.receive(replace(message, attachments=hidden)))
    assert status.outcome is not None
    assert (status.state, status.outcome.words) == (TurnState.REFUSED, NOBODY_TO_ASK)


async def test_where_everybodys_pictures_may_be_edited_those_of_nobody_known_may_be_too(rig: Rig) -> None:
    await rig.house.reception.change_chat(CHAT, ChatSettings(consent=Policy.ALL))
    message = await rig.message("make it grey", [CAT], author=ANNA)
    hidden = tuple(replace(each, owner=NOBODY) for each in message.attachments)
    status = await rig.sees(await rig.house.hall.receive(replace(message, attachments=hidden)))
    assert (status.state, status.turn.owners) == (TurnState.DONE, ())
    assert [each.owner for each in status.turn.inputs] == [None]

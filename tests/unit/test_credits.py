"""Who is named below a result."""

from __future__ import annotations

from dataclasses import replace

from bot.delivery import _credit
from bot.domain.images import Input, Role
from bot.domain.refs import Person, UserRef
from bot.domain.turns import TurnState, TurnStatus
from tests.values import image, turn

ANNA, BEN, CHRIS = (UserRef("telegram", user) for user in ("1", "2", "3"))


def test_owners_are_named_as_far_as_they_are_known() -> None:
    lent = Input(Role.SOURCE, ANNA, image("cat"), owner_name="Anna")
    asked = replace(turn(), inputs=(lent,), owners=(ANNA, BEN, CHRIS), asks=(Person(BEN, "Ben"),))
    credit = _credit(TurnStatus(asked, TurnState.DONE))
    assert credit is not None
    assert dict(zip(credit.owners, credit.names, strict=True)) == {ANNA: "Anna", BEN: "Ben", CHRIS: ""}

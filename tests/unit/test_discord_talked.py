"""Which chats somebody wrote in and the bot may read, out of what a server says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.discord.talked import talked_in

US, SERVER = 9, "1"
VIEW, HISTORY, CONNECT, ADMIN = 1 << 10, 1 << 16, 1 << 20, 1 << 3


def over(id_: int | str, *, allow: int = 0, deny: int = 0) -> dict[str, Any]:
    return {"id": str(id_), "type": int(str(id_) == str(US)), "allow": str(allow), "deny": str(deny)}


def server(*channels: dict[str, Any], everybody: int = VIEW | HISTORY, ours: int = 0, **more: Any) -> dict[str, Any]:
    roles = [{"id": SERVER, "permissions": str(everybody)}, {"id": "5", "permissions": str(ours)}]
    members = [{"user": {"id": str(US)}, "roles": ["5", "6"]}]
    named = [{"type": 0, "last_message_id": "70", **each} for each in channels]
    return {"id": SERVER, "owner_id": "2", "roles": roles, "members": members, "channels": named, **more}


@pytest.mark.parametrize(
    ("overwrites", "may"),
    [
        ([], True),
        ([over(SERVER, deny=VIEW)], False),
        ([over(SERVER, deny=VIEW), over(5, allow=VIEW)], True),
        ([over(SERVER, deny=VIEW), over(8, allow=VIEW)], False),
        ([over(5, deny=HISTORY), over(6, allow=HISTORY)], True),
        ([over(US, deny=HISTORY), over(5, allow=HISTORY)], False),
        ([over(US, allow=VIEW), over(SERVER, deny=VIEW), over(5, deny=VIEW)], True),
    ],
)
def test_only_what_the_bot_may_read_is_named(overwrites: list[dict[str, Any]], may: bool) -> None:
    channel = {"id": "3", "permission_overwrites": overwrites}
    thread = {"id": "4", "type": 11, "parent_id": "3", "last_message_id": "71"}
    assert talked_in(server(channel, threads=[thread]), US, after=60) == ({3: 70, 4: 71} if may else {})


def test_administrators_and_owners_read_everything() -> None:
    channel = {"id": "3", "permission_overwrites": [over(SERVER, deny=VIEW)]}
    assert talked_in(server(channel, ours=ADMIN), US, after=60) == {3: 70}
    assert talked_in(server(channel) | {"owner_id": str(US)}, US, after=60) == {3: 70}


def test_old_talk_forums_and_voice_that_is_closed_are_left_out() -> None:
    old, empty, forum, voice = (
        {"id": "3", "last_message_id": "60"},
        {"id": "4", "last_message_id": None},
        {"id": "5", "type": 15},
        {"id": "6", "type": 2},
    )
    assert talked_in(server(old, empty, forum, voice), US, after=60) == {}
    assert talked_in(server(voice, everybody=VIEW | HISTORY | CONNECT), US, after=60) == {6: 70}

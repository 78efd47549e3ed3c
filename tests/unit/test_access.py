"""Who may use the bot, and what holds where several have decided."""

from __future__ import annotations

import pytest

from bot.domain.access import Access
from bot.domain.consent import Policy, strictest
from bot.domain.messages import ChatCapabilities, sharing


@pytest.mark.parametrize(
    ("access", "person", "roles", "admitted"),
    [
        (Access(), "anna", (), True),
        (Access(denied_people=("anna",)), "anna", (), False),
        (Access(denied_people=("anna",), allowed_people=("anna",)), "anna", (), False),
        (Access(denied_roles=("guests",)), "anna", ("guests", "editors"), False),
        (Access(allowed_roles=("editors",)), "anna", ("guests", "editors"), True),
        (Access(allowed_roles=("editors",)), "anna", ("guests",), False),
        (Access(allowed_roles=("editors",), allowed_people=("anna",)), "anna", (), True),
        (Access(allowed_people=("ben",)), "anna", (), False),
    ],
)
def test_who_is_denied_stays_out_and_where_some_are_allowed_only_they_come_in(
    access: Access, person: str, roles: tuple[str, ...], admitted: bool
) -> None:
    assert access.admits_person(person, roles) is admitted


@pytest.mark.parametrize(
    ("access", "chats", "admitted"),
    [
        (Access(), ("thread", "channel", "category"), True),
        (Access(denied_chats=("category",)), ("thread", "channel", "category"), False),
        (Access(allowed_chats=("channel",)), ("thread", "channel", "category"), True),
        (Access(allowed_chats=("channel",)), ("other", "category"), False),
        (Access(allowed_chats=("channel",), denied_chats=("thread",)), ("thread", "channel"), False),
    ],
)
def test_a_chat_is_served_by_what_is_said_of_it_and_of_what_it_lies_in(
    access: Access, chats: tuple[str, ...], admitted: bool
) -> None:
    assert access.admits_chat(*chats) is admitted


@pytest.mark.parametrize(
    ("decided", "holds"),
    [
        ((None, None), Policy.ASK),
        ((Policy.ALL, None), Policy.ALL),
        ((None, Policy.OFF), Policy.OFF),
        ((Policy.ALL, Policy.OWN), Policy.OWN),
        ((Policy.OFF, Policy.ALL), Policy.OFF),
    ],
)
def test_the_stricter_of_chat_and_server_holds(decided: tuple[Policy | None, ...], holds: Policy) -> None:
    assert strictest(*decided) is holds


def test_several_pictures_share_what_one_message_can_carry() -> None:
    chat = ChatCapabilities(max_file_bytes=10, max_message_bytes=25)
    assert sharing(chat, 1) == sharing(chat, 2) == chat
    assert sharing(chat, 4).max_file_bytes == 6
    assert sharing(ChatCapabilities(), 4) == ChatCapabilities()

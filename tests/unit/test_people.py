"""Who may use an installation: the door, the lists, codes, and what is written down of changes."""

from __future__ import annotations

import pytest

from bot.domain.access import Access
from bot.domain.actions import Act, Press
from bot.domain.changes import Change, as_line, differences, place_of_server
from bot.domain.chats import ChatSettings, ServerSettings
from bot.domain.consent import Policy
from bot.domain.invitations import CODE_BYTES, digest_of, new_code, secret_command, without_secrets
from bot.domain.messages import InboundMessage
from bot.domain.people import (
    Door,
    Rules,
    Verdict,
    is_theirs_to_decide,
    kept_out_words,
    places_of,
    read_span_s,
    read_subject,
    verdict,
)
from bot.domain.refs import ChatRef, MessageRef, ServerRef
from tests.values import ANNA, CHAT

WHO, PLACE, NOW = "discord:1", "discord:server:7", 1000.0
IN, PLACE_DENIED, DENIED, NOT_INVITED = Verdict.IN, Verdict.PLACE_DENIED, Verdict.DENIED, Verdict.NOT_INVITED


@pytest.mark.parametrize(
    ("rules", "named", "place_named", "open_", "members", "closed"),
    [
        pytest.param(Rules(), False, False, IN, NOT_INVITED, NOT_INVITED, id="anybody"),
        pytest.param(Rules(), True, False, IN, IN, IN, id="by name"),
        pytest.param(Rules(), False, True, IN, IN, NOT_INVITED, id="in an allowed place"),
        pytest.param(Rules(denied={WHO: None}), True, True, DENIED, DENIED, DENIED, id="banned"),
        pytest.param(Rules(denied={WHO: NOW + 1}), True, True, DENIED, DENIED, DENIED, id="banned until later"),
        pytest.param(Rules(denied={WHO: NOW}), True, False, IN, IN, IN, id="banned until now"),
        pytest.param(Rules(operators=frozenset({WHO})), False, False, IN, IN, IN, id="an operator"),
        pytest.param(Rules(operators=frozenset({WHO}), denied={WHO: None}), False, False, IN, IN, IN, id="banned, too"),
        pytest.param(
            Rules(operators=frozenset({WHO}), denied={PLACE: None}),
            True,
            True,
            *[PLACE_DENIED] * 3,
            id="in a denied place",
        ),
    ],
)
def test_who_is_let_in_by_the_door_and_the_lists(
    rules: Rules, named: bool, place_named: bool, open_: Verdict, members: Verdict, closed: Verdict
) -> None:
    found = [
        verdict(
            Rules(door, rules.operators, rules.denied), WHO, (PLACE,), named=named, place_named=place_named, now=NOW
        )
        for door in (Door.OPEN, Door.MEMBERS, Door.CLOSED)
    ]
    assert found == [open_, members, closed]


def test_whoever_is_let_in_is_told_nothing_and_all_others_what_they_may_still_do() -> None:
    told = {found: kept_out_words(found) for found in Verdict}
    assert told.pop(Verdict.IN) == ""
    assert all("/forget" in words for words in told.values())
    assert "1970-01-02" in kept_out_words(Verdict.DENIED, 24 * 3600.0)


def test_a_chat_and_a_person_of_one_name_are_not_taken_for_each_other() -> None:
    chat, server = ChatRef("web", "page", "owner"), ServerRef("discord", "1", "9")
    assert places_of(chat, None) == ("web:chat:owner",)
    assert places_of(ChatRef("discord", "1", "5"), server, (ChatRef("discord", "1", "4"),)) == (
        "discord:chat:5",
        "discord:chat:4",
        "discord:server:9",
    )


@pytest.mark.parametrize("text", ["discord:123", "telegram:chat:-100123", "discord:server:9", "web:owner"])
def test_a_subject_is_read_as_it_is_written(text: str) -> None:
    assert read_subject(text) == text


@pytest.mark.parametrize("text", ["", "discord", "discord:", "discord:room:1", "discord:1 2", "door", "a:b:c:d"])
def test_what_is_no_subject_is_not_read(text: str) -> None:
    assert read_subject(text) is None


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("12h", 43200), ("3d", 259200), ("2W", 1209600)])
def test_a_span_is_read_in_its_unit(text: str, seconds: float) -> None:
    assert read_span_s(text) == seconds


@pytest.mark.parametrize("text", ["", "3", "d", "0d", "3 d", "-1d", "3y", "²d"])
def test_what_is_no_span_is_not_read(text: str) -> None:
    assert read_span_s(text) is None


def said(text: str, press: Press | None = None) -> InboundMessage:
    return InboundMessage(MessageRef(CHAT, "1"), ANNA, "Anna", text, NOW, press=press)


@pytest.mark.parametrize(
    ("message", "theirs"),
    [
        (said("/mine"), True),
        (said("/withdraw yes"), True),
        (said("/unshare"), True),
        (said("/help"), False),
        (said("make it night"), False),
        (said("/mine", Press(Act.AGAIN)), False),
        (said("Yes", Press(Act.WITHDRAW)), True),
    ],
)
def test_what_is_theirs_to_decide_is_told_from_all_else(message: InboundMessage, theirs: bool) -> None:
    assert is_theirs_to_decide(message) is theirs


def test_a_code_has_more_than_80_bits_and_is_kept_as_a_hash_however_it_is_typed() -> None:
    code = new_code(bytes(range(CODE_BYTES)))
    assert CODE_BYTES * 8 > 80
    assert len({new_code(bytes([first]) + bytes(CODE_BYTES - 1)) for first in range(256)}) == 256
    digest = digest_of(code)
    assert len(digest) == 64
    assert {digest_of(code.upper()), digest_of(code.replace("-", " ")), digest_of(f"join-{code}")} == {digest}
    assert digest_of(code[:-1]) != digest


@pytest.mark.parametrize(
    ("text", "secret", "kept"),
    [
        ("/join abc-def", ("join", "abc-def"), "/join"),
        ("/JOIN@remixbot abc", ("join", "abc"), "/join"),
        ("/start join-abc", ("join", "join-abc"), "/join"),
        ("/operator ban discord:1 3d\nhe was rude", ("operator", "ban discord:1 3d\nhe was rude"), "/operator"),
        ("/start remix_0a", None, "/start remix_0a"),
        ("/joinery of oak", None, "/joinery of oak"),
        ("make it /join abc", None, "make it /join abc"),
    ],
)
def test_a_secret_is_told_from_a_message_and_never_goes_on(
    text: str, secret: tuple[str, str] | None, kept: str
) -> None:
    assert (secret_command(text), without_secrets(said(text)).text) == (secret, kept)


def test_what_is_another_than_before_is_written_down_and_people_by_their_ids() -> None:
    server = ServerRef("discord", "1", "9")
    before = ServerSettings(access=Access(denied_people=("1",)))
    after = ServerSettings(consent=Policy.OWN, access=Access(denied_people=("2", "3")), day_microusd=5)
    place = place_of_server(server)
    assert differences(place, before, after, platform="discord", by="discord:8", at=NOW) == [
        Change(NOW, "discord:8", place, "consent", "-", "own"),
        Change(NOW, "discord:8", place, "denied_people", "1", "2", ("discord:1", "discord:2", "discord:3")),
        Change(NOW, "discord:8", place, "day_microusd", "-", "5"),
    ]
    assert differences(place, ChatSettings(), ChatSettings(), platform="discord", by="", at=NOW) == []


def test_a_change_is_one_line_and_whoever_was_forgotten_stands_in_it_no_more() -> None:
    change = Change(0.0, WHO, "house", "banned", "", "for good", ("discord:2",))
    assert as_line(change) == "1970-01-01 00:00 · discord:1 · banned · - → for good · discord:2"
    assert as_line(change.without(WHO).without("discord:2")) == "1970-01-01 00:00 · ? · banned · - → for good"

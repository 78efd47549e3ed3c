"""Albums on Telegram: when one is taken to be whole, and what is kept of it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.telegram.album_reading import anchor_of, closes_at, ordered, stripped
from adapters.telegram.inbound import attachments_of, chat_of, concern_of, identity_of, words_of
from adapters.telegram.ports import Album, Me
from adapters.telegram.refs import chat_ref

ME = Me("9000", "remix_bot")
CHAT = chat_ref("9000", -500)
GROUP = {"id": -500, "title": "Friends", "type": "group"}
ANNA = {"id": 101, "is_bot": False, "first_name": "Anna"}
PHOTO = [{"file_id": "p", "file_unique_id": "up", "width": 80, "height": 60, "file_size": 900}]


def item(id_: int, **more: Any) -> dict[str, Any]:
    plain = {"message_id": id_, "date": 1_790_000_000, "chat": GROUP, "from": ANNA, "media_group_id": "g1"}
    return plain | {"photo": PHOTO} | more


def album(*ids: int, at: tuple[float, ...] = (100.0,), anchor: int | None = None, **first: Any) -> Album:
    """Its items came at these times."""
    items = {id_: item(id_, **(first if id_ == ids[0] else {})) for id_ in ids}
    gaps = [later - earlier for earlier, later in pairwise(at)]
    return Album(CHAT, "g1", items, at[0], at[-1], max(gaps, default=0.0), anchor)


def test_a_fast_album_closes_well_within_a_second_and_a_half_of_its_last_item() -> None:
    quick = album(1, 2, 3, at=(100.0, 100.1, 100.2))
    assert 100.2 + 0.5 <= closes_at(quick, now=100.2) <= 100.2 + 1.2


def test_a_slow_album_is_waited_for_longer() -> None:
    quick, slow = album(1, 2, at=(100.0, 100.2)), album(1, 2, at=(100.0, 101.2))
    assert closes_at(slow, now=101.2) - 101.2 > closes_at(quick, now=100.2) - 100.2
    assert closes_at(slow, now=101.2) == pytest.approx(101.2 + 3.0)


def test_a_lone_item_is_waited_upon_since_there_must_be_another() -> None:
    assert closes_at(album(1), now=100.0) > closes_at(album(1, 2, at=(100.0, 100.0)), now=100.0)


def test_ten_are_all_that_there_can_be() -> None:
    assert closes_at(album(*range(1, 11)), now=100.0) == 100.0


def test_a_time_that_has_come_is_now() -> None:
    assert closes_at(album(1, 2, at=(100.0, 100.2)), now=500.0) == 500.0


@given(st.lists(st.floats(0.0, 12.0), min_size=1, max_size=9))
def test_nobody_waits_longer_than_four_seconds_for_the_next_and_ten_in_all(gaps: list[float]) -> None:
    at = [100.0]
    for gap in gaps:
        at.append(at[-1] + gap)
    found = closes_at(album(*range(1, len(at) + 1), at=tuple(at)), now=100.0)
    assert found <= at[-1] + 4.0
    assert found <= 110.0
    assert found >= 100.0


def test_items_stand_in_the_order_of_the_chat_however_they_came() -> None:
    assert [each.message_id for each in ordered(album(12, 9, 11, 10))] == [9, 10, 11, 12]


def test_the_first_message_stands_for_all_and_goes_on_doing_so_once_it_is_closed() -> None:
    assert anchor_of(album(12, 9, 11)) == 9
    assert anchor_of(album(12, 9, 11, anchor=11)) == 11


def test_what_is_kept_of_an_album_that_is_not_meant_for_the_bot_has_no_words() -> None:
    secret = "the secret of the family"
    entities = [{"type": "bold", "offset": 0, "length": 3}]
    file = {"file_id": "d", "file_unique_id": "ud", "file_name": f"{secret}.HEIC", "mime_type": "image/heic"}
    whole = item(9, caption=secret, caption_entities=entities, document=file, reply_to_message=item(3, caption=secret))
    whole |= {"quote": {"text": secret, "position": 0}, "external_reply": {"x": secret}, "reply_markup": {"y": secret}}
    kept = stripped(whole)
    assert "secret" not in repr(kept)
    assert kept["document"]["file_name"] == "picture.HEIC"


def test_what_is_kept_still_says_where_it_stands_who_sent_it_and_which_pictures() -> None:
    topic = {"message_thread_id": 7, "is_topic_message": True, "has_media_spoiler": True}
    origin = {"type": "user", "sender_user": {"id": 102, "is_bot": False, "first_name": "Ben"}, "date": 1_780_000_000}
    whole = item(9, caption="words", forward_origin=origin, **topic)
    (before,), (after,) = (
        ordered(Album(CHAT, "g1", {9: whole}, 0, 0)),
        ordered(Album(CHAT, "g1", {9: stripped(whole)}, 0, 0)),
    )
    assert (chat_of(after, ME), identity_of(after)) == (chat_of(before, ME), identity_of(before))
    assert attachments_of(after, ME) == attachments_of(before, ME)
    assert words_of(after, ME) == ""


def test_what_is_kept_of_who_writes_as_a_channel_is_the_channel() -> None:
    channel = {"id": -1001900, "title": "Birds", "type": "channel"}
    kept = stripped(item(9, sender_chat=channel, is_automatic_forward=True))
    (message,) = ordered(Album(CHAT, "g1", {9: kept}, 0, 0))
    assert (message.is_automatic_forward, identity_of(message)) == (
        True,
        identity_of(ordered(album(9, sender_chat=channel))[0]),
    )


def test_what_was_kept_for_its_files_concerns_nobody_in_private_either() -> None:
    home = {"id": 101, "first_name": "Anna", "type": "private"}
    whole = item(9, chat=home)
    before, after = (ordered(Album(CHAT, "g1", {9: each}, 0, 0))[0] for each in (whole, stripped(whole)))
    assert (concern_of(before, ME), concern_of(after, ME)) == (True, False)


def test_what_was_kept_once_may_be_kept_again() -> None:
    kept = stripped(item(9, caption="words"))
    assert stripped(kept) == kept

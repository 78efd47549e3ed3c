"""How far messages were dealt with: a mark never passes what is still to be done."""

from __future__ import annotations

from adapters.discord.catching_up import Ledger
from adapters.discord.inbound import snowflake_at
from adapters.discord.refs import chat_ref

CHAT, OTHER = chat_ref("9000", "1"), chat_ref("9000", "2")


def test_a_mark_waits_for_older_messages_of_its_chat() -> None:
    ledger = Ledger()
    first, second, elsewhere = ledger.begin(0, CHAT, 10), ledger.begin(0, CHAT, 20), ledger.begin(0, OTHER, 15)

    assert ledger.done(second) == 9
    assert ledger.done(elsewhere) == 15
    assert ledger.done(first) == 20


def test_marks_are_kept_back_while_a_shard_is_behind() -> None:
    ledger = Ledger()
    ledger.fall_behind(0)
    live, old, elsewhere = ledger.begin(0, CHAT, 50), ledger.begin(0, CHAT, 10), ledger.begin(1, OTHER, 60)

    assert ledger.done(live) is None
    assert ledger.done(elsewhere) == 60
    assert ledger.catch_up(0) == {CHAT: 9}
    assert ledger.done(old) == 50
    assert ledger.catch_up(0) == {}


def test_a_shard_is_whole_until_its_oldest_message_that_is_not_done() -> None:
    ledger = Ledger()
    pending = ledger.begin(0, CHAT, snowflake_at(1_760_000_000.0))
    ledger.begin(1, OTHER, snowflake_at(1_750_000_000.0))

    assert ledger.whole_until(0, 1_760_000_100.0) == 1_760_000_000.0
    ledger.done(pending)
    assert ledger.whole_until(0, 1_760_000_100.0) == 1_760_000_100.0
    ledger.fall_behind(0)
    assert ledger.whole_until(0, 1_760_000_100.0) is None

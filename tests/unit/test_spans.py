"""Spans of time, and what is said when there is no room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.budget import over_words
from bot.domain.language import speaking
from bot.domain.spans import span
from bot.domain.words import (
    EXACT_STILL,
    OVER_CHAT,
    OVER_CHAT_MONTH,
    OVER_HOUSE,
    OVER_MONTH,
    OVER_NOW,
    OVER_PERSON,
    OVER_PERSON_MONTH,
    OVER_SERVER,
)

SECONDS = {"second": 1, "minute": 60, "hour": 3600}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "10 seconds"),
        (11, "20 seconds"),
        (50, "50 seconds"),
        (51, "1 minute"),
        (61, "2 minutes"),
        (3601, "61 minutes"),
        (5400, "90 minutes"),
        (5401, "2 hours"),
        (7201, "3 hours"),
    ],
)
def test_a_span_is_said_as_people_say_it(seconds: float, words: str) -> None:
    assert span(seconds) == words


@given(st.floats(0, 10**7))
def test_it_is_never_said_to_be_shorter_than_it_is_nor_much_longer(seconds: float) -> None:
    count, unit = span(seconds).split()
    told = int(count) * SECONDS[unit.rstrip("s")]
    assert seconds <= told <= 2 * seconds + 10


@pytest.mark.parametrize(
    ("bucket", "words"),
    [
        ("person:web:anna:2026-11-21", OVER_PERSON),
        ("person:web:month:2026-11-21", OVER_PERSON),
        ("person:web:anna:at:discord:bot:guild:2026-11-21", OVER_PERSON),
        ("person:web:anna:month:2026-11", OVER_PERSON_MONTH),
        ("server:discord:bot:guild:2026-11-21", OVER_SERVER),
        ("chat:web:page:home:2026-11-21", OVER_CHAT),
        ("chat:web:page:home:month:2026-11", OVER_CHAT_MONTH),
        ("house:2026-11-21", OVER_HOUSE),
        ("house:month:2026-11", OVER_MONTH),
        ("house:10m", OVER_NOW),
    ],
)
def test_each_bucket_of_money_has_its_words(bucket: str, words: str) -> None:
    assert over_words(bucket) == words


def test_who_has_asked_for_a_lot_is_told_when_it_goes_on_and_what_still_works() -> None:
    assert over_words("turns:person:web:anna:ai", 600) == (
        f"You have asked for a lot within the last hour. You can go on in about 10 minutes. {EXACT_STILL}"
    )
    assert over_words("turns:chat:web:page:home:exact", 20) == (
        "A lot has been asked for here within the last hour. It goes on in about 20 seconds."
    )


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", "In etwa 5 Minuten geht es weiter."),
        ("uk", "Продовжити можна буде приблизно за 5 хвилин."),
        ("es", "Se podrá seguir en unos 5 minutos."),
        ("ja", "約5分後に続けられます。"),
        ("zh", "大约 5 分钟后可以继续。"),
    ],
)
def test_the_time_is_said_in_the_language_of_who_asked(language: str, words: str) -> None:
    with speaking(language):
        assert over_words("turns:house:exact", 300).endswith(words)

"""Money as people read it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.money import said

CENT, DOLLAR = 10_000, 1_000_000


@pytest.mark.parametrize(
    ("microusd", "words"),
    [
        (-5, "nothing"),
        (0, "nothing"),
        (1, "less than 1 ¢"),
        (CENT - 1, "less than 1 ¢"),
        (CENT, "about 1 ¢"),
        (CENT + 1, "about 2 ¢"),
        (45_300, "about 5 ¢"),
        (9 * CENT + 1, "about $0.10"),
        (240_000, "about $0.24"),
        (DOLLAR, "about $1.00"),
        (9_990_001, "about $10"),
        (10 * DOLLAR, "about $10"),
        (11_200_000, "about $12"),
        (1_234_000_000, "about $1,234"),
    ],
)
def test_an_amount_is_said_as_people_say_it(microusd: int, words: str) -> None:
    assert said(microusd) == words


def amount(words: str) -> int:
    """The amount that the words name, in millionths of a dollar."""
    cents = re.fullmatch(r"(?:about|less than) (\d+) ¢", words)
    return int(cents[1]) * CENT if cents else round(float(words.removeprefix("about $").replace(",", "")) * DOLLAR)


@given(st.integers(1, 10**13))
def test_it_is_never_said_to_cost_less_than_it_does_nor_much_more(microusd: int) -> None:
    told = amount(said(microusd))
    assert microusd <= told < microusd + max(CENT, DOLLAR * (told >= 10 * DOLLAR))


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_what_costs_more_is_never_said_to_cost_less(one: int, more: int) -> None:
    assert amount(said(one + 1)) <= amount(said(one + more + 1))

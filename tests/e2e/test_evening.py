"""The evening of five people, on each platform, through the real house and its real door."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.evening import played
from tests.pseudo import ApartAndLong

ASKED = {"web": 64, "discord": 62, "telegram": 62}
"""On the page, a photo that wants nothing is answered, too."""


FORGETS = "telegram"
"""Reading all that is left takes longer than the evening: on the other platforms it is for `make chaos`. On this one
most is named after people."""


@pytest.mark.parametrize("platform", list(ASKED))
async def test_an_evening_of_five_people_ends_as_it_should(platform: str, redis_url: str, tmp_path: Path) -> None:
    report = await played(platform, redis_url, tmp_path, made=ApartAndLong(), forgets=platform == FORGETS)
    assert report.leaks == ()
    assert (report.turns, report.branches) == (40, 12)
    assert (report.asked, report.answered) == (ASKED[platform], ASKED[platform])
    assert report.model_calls == report.turns_by_ai
    assert report.refused == 2
    assert (report.withdrawn, report.stayed) == (8, 32)
    assert (report.recipes, report.votes) == (3, 5)
    assert report.labelled == report.turns


@pytest.mark.chaos
@pytest.mark.parametrize("platform", sorted(ASKED.keys() - {FORGETS}))
async def test_of_people_who_are_forgotten_after_an_evening_nothing_is_left(
    platform: str, redis_url: str, tmp_path: Path
) -> None:
    assert (await played(platform, redis_url, tmp_path)).leaks == ()

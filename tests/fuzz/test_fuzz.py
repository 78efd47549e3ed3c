"""What comes from outside breaks no reader: what once did, and some more. `make fuzz` tries for longer."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutating import mutated
from tests.fuzz.targets import CORPUS, TARGETS, seeds

pytestmark = pytest.mark.filterwarnings("ignore")
"""Libraries warn of strange bytes by showing them."""
KNOWN = sorted(path for path in CORPUS.glob("*/*") if path.is_file())
SLOW = {"picture": 12, "verify": 8, "words": 12}
"""How many pieces, of readers that take a millisecond and more each."""


@pytest.mark.parametrize("path", KNOWN, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_once_broke_a_reader_breaks_none_any_more(path: object) -> None:
    assert isinstance(path, type(CORPUS))
    TARGETS[path.parent.name](path.read_bytes())


def test_everything_in_the_corpus_belongs_to_a_target() -> None:
    assert {path.parent.name for path in KNOWN} <= set(TARGETS)
    assert sum(path.stat().st_size for path in KNOWN) < 200_000


@pytest.mark.parametrize("name", TARGETS)
def test_no_bytes_break(name: str) -> None:
    target, begun = TARGETS[name], seeds(name)

    @settings(
        max_examples=SLOW.get(name, 40),
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @example(seed=0, how=b"")
    @given(seed=st.integers(0, max(0, len(begun) - 1)), how=st.binary(max_size=40))
    def tried(seed: int, how: bytes) -> None:
        target(mutated(begun[seed % len(begun)], how))

    tried()
    for seed in begun:
        target(seed)

"""What most tests of the rooms begin with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.engines.exact import ExactEngine
from tests.fakes.engines import ScriptedEngine
from tests.rig import Rig, living_in


@pytest.fixture
def gemini() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
async def rig(redis_url: str, tmp_path: Path, gemini: ScriptedEngine) -> AsyncIterator[Rig]:
    """The house with both engines, the generative one scripted."""
    async with living_in(redis_url, tmp_path, {"exact": ExactEngine(), "gemini": gemini}) as rig:
        yield rig

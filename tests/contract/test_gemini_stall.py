"""A turn with many large pictures leaves the event loop free for others."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from bot.domain.images import Picture
from bot.engines import pixels
from bot.engines.gemini import DEFAULT_MODEL, GeminiEngine, model_profile
from bot.ports import EditRequest

ROOT = Path(__file__).parents[2]


def photo_of_two_megabytes() -> Picture:
    with Image.open(ROOT / "adapters/web/static/samples/astronaut.jpg") as opened:
        large = opened.convert("RGB").resize((1100, 1100), Image.Resampling.BICUBIC)
    grain = Image.effect_noise(large.size, 40).convert("RGB")
    return pixels.to_picture(Image.blend(large, grain, 0.1))


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A fake of its own process, so that its work is not counted as ours."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.gemini", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    yield (await process.stdout.readline()).decode().strip()
    process.terminate()
    await process.wait()


async def longest_turn_of_the_loop_s(running: asyncio.Task[object]) -> float:
    """The most processor time that the loop's thread spent between two chances for others to run.

    Processor time and not the clock: a busy machine does not change it.
    """
    longest_s, before_s = 0.0, time.thread_time()
    while not running.done():
        await asyncio.sleep(0)
        now_s = time.thread_time()
        longest_s, before_s = max(longest_s, now_s - before_s), now_s
    return longest_s


async def test_fourteen_pictures_of_2_mb_never_hold_the_event_loop_for_50_ms(url: str) -> None:
    picture = photo_of_two_megabytes()
    async with GeminiEngine("k", model_profile(DEFAULT_MODEL), url) as engine:
        editing = asyncio.create_task(engine.edit(EditRequest("a collage", (picture,) * 14)))
        longest_s = await longest_turn_of_the_loop_s(editing)
        assert (await editing).images
    assert len(picture.data) > 1_900_000
    assert longest_s < 0.05

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
from bot.engines.gemini import DEFAULT_MODEL, Access, GeminiEngine, model_profile
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


async def longest_turn_of_the_loop_s(engine: GeminiEngine, request: EditRequest) -> float:
    """The most processor time that the loop's thread spent between two chances for others to run.

    Processor time and not the clock, so that it means something on a busy machine.
    """
    editing = asyncio.create_task(engine.edit(request))
    longest_s, before_s = 0.0, time.thread_time()
    while not editing.done():
        await asyncio.sleep(0)
        now_s = time.thread_time()
        longest_s, before_s = max(longest_s, now_s - before_s), now_s
    assert (await editing).images
    return longest_s


async def test_fourteen_pictures_of_2_mb_never_hold_the_event_loop_for_50_ms(url: str) -> None:
    """The best of three, since noise only adds: plain google-genai takes 300 ms every time."""
    request = EditRequest("a collage", (photo_of_two_megabytes(),) * 14)
    async with GeminiEngine(Access("k", base_url=url), [model_profile(DEFAULT_MODEL)]) as engine:
        longest_s = min([await longest_turn_of_the_loop_s(engine, request) for _ in range(3)])
    assert len(request.images[0].data) > 1_900_000
    assert longest_s < 0.05

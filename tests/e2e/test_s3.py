"""Pictures on a real S3 server: a gateway and a worker that share nothing else but a Valkey."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.chaos.books import quiet, settled
from tests.chaos.town import Asked, OnThePage, small_picture
from tests.fleet import Fleet

WORDS = "put a hat on her"


async def asks(page: OnThePage, number: int) -> Asked:
    return await page.asks(page.chat(number), WORDS, [small_picture(number)])


async def called(fleet: Fleet, times: int) -> None:
    async with asyncio.timeout(30):
        while await fleet.calls() != times:
            await asyncio.sleep(0.02)


async def missed(fleet: Fleet) -> None:
    """The worker has noticed that the pictures are away."""
    async with asyncio.timeout(30):
        while "a store is away" not in fleet.workers[0].log.read_text():
            await asyncio.sleep(0.05)


async def doctor(fleet: Fleet) -> str:
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("remixbot")),
        "doctor",
        "--data",
        str(fleet.folder / "doctor"),
        env=os.environ | fleet.env(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    return (await process.communicate())[0].decode()


@pytest.mark.chaos
async def test_an_upload_at_a_gateway_is_read_by_a_worker_and_an_outage_of_the_pictures_loses_nothing(
    tmp_path: Path,
) -> None:
    page = OnThePage()
    async with Fleet(tmp_path, s3=True, model_delay_s=1.0) as fleet:
        page.fleet = fleet
        asked = [await asks(page, 1)]
        assert await quiet(fleet, within_s=30) == {}
        well = await doctor(fleet)
        asked.append(await asks(page, 2))
        await called(fleet, 2)
        fleet.s3_wire.cut()
        # Its result is paid for, and waits for its place; what is sent meanwhile is sent again by whoever sends it.
        sending = asyncio.create_task(asks(page, 3))
        await missed(fleet)
        ill = await doctor(fleet)
        fleet.s3_wire.mend()
        asked.append(await sending)
        assert await quiet(fleet, within_s=60) == {}
        books = await settled(fleet, asked)
    assert (books.troubles, books.answered, books.doubled, books.calls_seen, books.retried) == ([], 3, 0, 3, 0)
    assert not (tmp_path / "pictures").exists()
    assert "pictures: can be written and read" in well
    assert "pictures: cannot be written" in ill
    assert "says of pictures: it does not answer" in ill

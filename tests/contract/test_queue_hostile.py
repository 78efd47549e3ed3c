"""A server of the queue that somebody else has written to."""

from __future__ import annotations

import asyncio
import os
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from redis.asyncio import Redis

from bot.domain.refs import TurnId
from storage.docket.plain import MOST_BYTES, Refused, plain_values
from storage.docket.queue import DocketTurnQueue
from tests.contract.test_queue import A, B, working


class Hostile:
    """A value that writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.path),)


def test_the_hostile_value_of_these_tests_runs_code_where_it_is_unpickled(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Hostile(tmp_path / "ran")))
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("value", [(A,), {}, {"turn": A}, [1, 2.5, None, True, b"x"], {"a": {"b": (1,)}}])
def test_plain_values_are_read_as_they_were_written(value: object) -> None:
    assert plain_values(cloudpickle.dumps(value)) == value


def test_what_names_code_is_not_read(tmp_path: Path) -> None:
    packed = [pickle.dumps(Hostile(tmp_path / "ran"), protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    packed += [cloudpickle.dumps(lambda: 1), b"cos\nsystem\n(S'true'\ntR.", b"garbage", b"", b"\x80\x05"]
    packed += [pickle.dumps("x" * MOST_BYTES)]
    assert [type(plain_values(each)) for each in packed] == [Refused] * len(packed)
    assert not (tmp_path / "ran").exists()


async def test_whoever_writes_to_the_queue_runs_no_code_and_stops_no_worker(redis_url: str, tmp_path: Path) -> None:
    ran: list[TurnId] = []
    done = asyncio.Event()
    bad = pickle.dumps((Hostile(tmp_path / "ran"),))

    async def work(turn: TurnId) -> None:
        ran.append(turn)
        done.set()

    async with DocketTurnQueue(redis_url, slots=4, lease_s=1):
        pass
    client = Redis.from_url(redis_url)
    when = datetime.now(UTC).isoformat()
    task: dict[Any, Any] = {"key": "bad", "when": when, "function": "run_turn", "attempt": "1", "generation": "0"}
    await client.xadd("rb:queue:stream", {**task, "args": bad, "kwargs": bad})
    await client.xadd(
        "rb:queue:strikes", {"direction": "strike", "function": "x", "parameter": "y", "operator": "==", "value": bad}
    )
    async with working(redis_url, work) as queue, asyncio.timeout(10):
        await queue.start(B)
        await done.wait()
    await client.aclose()
    assert ran == [B]
    assert not (tmp_path / "ran").exists()

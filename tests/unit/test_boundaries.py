"""The list of boundaries is whole: what is not met by faults is known to change nothing."""

from __future__ import annotations

import inspect
import re

import pytest

from tests.chaos.boundaries import LAYERS, READING, UPKEEP, boundaries, classes, everything

WRITES = re.compile(
    r"\.(set|setex|hset|hsetnx|hincrby|hdel|zadd|zrem|zremrangebyscore|sadd|srem|rpush|lpop|delete|unlink|xadd|xdel|incr"
    r"|getdel|put|edit|post|send\w*)\("
)


def test_whatever_is_left_out_is_still_there() -> None:
    assert sorted((READING | UPKEEP) - set(everything())) == []
    assert LAYERS.isdisjoint(classes())


@pytest.mark.parametrize("name", sorted(READING))
def test_what_is_said_to_read_only_writes_nothing(name: str) -> None:
    """To prolong the life of what is read is no writing."""
    owner, _, method = name.partition(".")
    source = inspect.getsource(getattr(classes()[owner], method))
    assert WRITES.findall(source) == []


@pytest.mark.parametrize("writer", ["RedisTurnStore.finish", "ObstoreImageStore.put", "DiscordApi.edit"])
def test_what_writes_calls_or_sends_is_a_boundary_without_being_listed(writer: str) -> None:
    assert writer in boundaries()

"""State in a cluster of two real nodes: what the stores promise holds there, too, and a whole turn runs.

The tests that are named here are the stores' own: one or two of each kind of access (scripts, pipelines over several
threads and persons, transactions, streams, publish and subscribe).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from storage.redis.client import open_client
from tests.contract import test_erasure, test_telegram_store, test_turn_store
from tests.contract.test_erasure import archive
from tests.contract.test_telegram_store import clients, inbox
from tests.contract.test_turn_store import store
from tests.e2e import test_rooms
from tests.e2e.conftest import gemini, rig
from tests.valkeys import Cluster, Server, cluster, wait_until

__all__ = ["archive", "clients", "gemini", "inbox", "rig", "store"]

test_turns = test_turn_store.test_a_reply_to_a_turn_that_still_runs_waits_for_it
test_money = test_turn_store.test_what_was_reserved_is_settled_to_what_it_cost
test_threads = test_turn_store.test_a_thread_is_read_in_order_and_whole
test_repeats = test_turn_store.test_sixteen_deliveries_of_one_message_at_once_start_it_once
test_forgetting = test_erasure.test_words_names_and_pictures_are_gone_and_the_shape_of_the_tree_stays
test_others_messages = test_erasure.test_pictures_in_somebody_elses_message_go_and_the_message_stays
test_updates = test_telegram_store.test_what_a_dead_process_held_goes_to_another_and_that_alone_is_no_try
test_whole_turns = test_rooms.test_a_reply_goes_on_from_the_result_and_an_older_one_starts_a_branch
test_expiry = test_rooms.test_every_key_expires_or_stands_on_the_written_list
test_leading = test_telegram_store.test_of_many_that_want_to_lead_at_once_one_does


@pytest.fixture(scope="module")
def two_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture
def redis_url(two_nodes: Cluster) -> str:
    two_nodes.flush()
    return two_nodes.url


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    await client.aclose()


async def test_what_is_written_first_is_there_first_whichever_nodes_it_goes_to(
    two_nodes: Cluster, client: Redis
) -> None:
    one, other = key_on(two_nodes.nodes[0]), key_on(two_nodes.nodes[1])
    two_nodes.nodes[0].asked("LPUSH", one, "a list, and no text")
    async with client.pipeline(transaction=False) as pipe:
        pipe.incr(one)  # is refused
        pipe.set(other, "what comes behind it")
        with pytest.raises(ResponseError):
            await pipe.execute()
    assert await client.get(other) is None


async def test_a_node_may_be_away_for_a_moment(two_nodes: Cluster, client: Redis) -> None:
    away = two_nodes.nodes[1]
    key = key_on(away)
    await client.set(key, "kept")
    away.end()
    coming = threading.Timer(0.3, away.start)
    coming.start()
    assert await client.get(key) == "kept"
    coming.join()
    await asyncio.to_thread(wait_until, two_nodes.is_whole)


async def test_more_ask_at_once_than_there_are_connections_and_each_is_answered(redis_url: str) -> None:
    async with open_client(redis_url, connections=2) as few:
        answers = await asyncio.gather(*(few.incr("{one}") for _ in range(200)))
    assert sorted(answers) == list(range(1, 201))


def key_on(node: Server) -> str:
    """A key that lies on this node."""
    return next(key for key in map(str, range(100)) if node.has(key))

"""What operators see: figures, traces, log lines, and what counts as stuck."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram
from redis.asyncio import Redis

from bot.domain.errors import EngineFailed, EngineRefused, EngineUnavailable, ModelGone
from bot.domain.messages import InboundMessage
from bot.domain.refs import TurnId
from bot.domain.turns import TurnState, TurnStatus
from bot.sight import figures, traces
from bot.sight.lately import MOST_NAMES, Lately, percentile_s, sums_of
from bot.sight.lines import LinesOfLibraries
from bot.sight.path import on_path, shown, stage
from bot.sight.values import Bounds, Place, Standing, Stuck, stuck_of
from bot.watching import Watchdog
from storage.redis.client import open_client
from storage.redis.sight import RedisSight
from storage.redis.turns import RedisTurnStore
from tests.fakes.collector import collecting
from tests.values import done, image, turn

ROOT = Path(__file__).parents[2]
BOUNDS = Bounds(run_s=600)
NOW = 10_000.0


# --- traces


async def test_spans_of_two_processes_are_one_trace_that_nothing_had_to_carry() -> None:
    one = turn(instruction="paint my secret garden")
    status = TurnStatus(one, TurnState.DONE, done(image("out")), accepted_at=one.created_at)
    with collecting() as collector:
        async with traces.opened(collector.address, about={"remixbot.role": "gateway"}):
            with on_path(one.id), stage("reserve", platform="web"):
                pass
        async with traces.opened(collector.address, about={"remixbot.role": "worker"}):
            with on_path(one.id), stage("work", engine="exact"), stage("engine"):
                pass
            shown(status, "shown")
    spans = {each.name: each for each in collector.spans}
    root = spans["turn"]
    assert {each.trace for each in collector.spans} == {f"{traces.ids_of(one.id)[0]:032x}"}
    assert (root.parent, spans["reserve"].parent, spans["work"].parent) == ("", root.id, root.id)
    assert spans["engine"].parent == spans["work"].id
    assert (spans["reserve"].process, spans["engine"].process) == ("gateway", "worker")
    assert "garden" not in repr(collector.spans)


async def test_a_collector_that_is_away_costs_no_turn_anything() -> None:
    one = turn()
    async with traces.opened("http://127.0.0.1:9", about={}):
        with on_path(one.id), pytest.raises(ValueError, match="mine"), stage("engine"):
            raise ValueError("mine")


def test_who_wants_no_traces_loads_none_of_it() -> None:
    # (The queue engine itself loads the part of it that is about metrics, where it is installed.)
    code = "import sys, bot.app; print(*sorted(sys.modules))"
    done_ = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = done_.stdout.split()
    assert "bot.sight.traces" in loaded
    unwanted = ("bot.sight.exporting", "opentelemetry.sdk.trace", "opentelemetry.exporter", "google.protobuf")
    assert [name for name in loaded if name.startswith(unwanted)] == []


# --- figures


def test_what_comes_from_outside_does_not_grow_the_labels() -> None:
    values = {figures.bounded("a test's label", f"name-{n}") for n in range(1000)}
    assert len(values) == figures.MOST_VALUES + 1
    assert "other" in values


def test_a_code_is_counted_without_what_it_carries() -> None:
    assert [figures.code_of(each) for each in ("one_or_all1/3", "size:2K", "")] == ["one_or_all", "size", "none"]


def named_in(text: str) -> set[str]:
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"remixbot_[a-z_]+", text)}


@pytest.mark.parametrize("document", ["alerts.yml", "runbook.md"])
def test_every_figure_that_a_document_names_exists(document: str) -> None:
    text = (ROOT / "docs" / document).read_text("utf-8")
    families = list(figures.REGISTRY.collect())
    known = {each.name for each in families} | {f"{each.name}_total" for each in families if each.type == "counter"}
    assert named_in(text)
    assert named_in(text) - known == set()


def test_every_alarm_stands_in_the_runbook_and_every_kind_of_stuck_too() -> None:
    rules = rules_for_prometheus()
    runbook = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    assert [rule["alert"] for rule in rules if f"| {rule['alert']} (" not in runbook] == []
    assert [kind.value for kind in Stuck if f"| `{kind.value}` |" not in runbook] == []


def rules_for_prometheus() -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = yaml.safe_load((ROOT / "docs" / "alerts.yml").read_text("utf-8"))["groups"][0][
        "rules"
    ]
    return rules


def labels_of_figures() -> dict[str, set[str]]:
    """What each figure that rules can name is told by, and what Prometheus adds for each process."""
    found: dict[str, set[str]] = {}
    for each in (each for each in vars(figures).values() if isinstance(each, (Counter, Gauge, Histogram))):
        name, labels = str(vars(each)["_name"]), {*vars(each)["_labelnames"], "instance"}
        found[f"{name}_total" if isinstance(each, Counter) else name] = labels
        found[f"{name}_bucket"] = {*labels, "le"}
    return found


@pytest.mark.parametrize("rule", rules_for_prometheus(), ids=lambda rule: str(rule["alert"]))
def test_every_label_that_a_rule_names_is_told_with_its_figures(rule: dict[str, Any]) -> None:
    known = labels_of_figures()
    for name, selected in re.findall(r"(remixbot_[a-z_]+)(?:\{([^}]*)\})?", rule["expr"]):
        assert set(re.findall(r"(\w+)[!=]", selected)) - known[name] == set()
        grouped = {each.strip() for group in re.findall(r"by \(([^)]*)\)", rule["expr"]) for each in group.split(",")}
        assert grouped - known[name] == set()
        said = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        assert said - grouped == set()


def test_a_model_s_trouble_is_counted_under_what_the_rule_calls_trouble() -> None:
    (rule,) = [each["expr"] for each in rules_for_prometheus() if each["alert"] == "RemixbotModelTroubled"]
    troubles = set(re.findall(r'result=~"([^"]*)"', rule)[0].split("|"))
    failures = [EngineFailed(""), EngineUnavailable(""), ModelGone(""), ValueError(), asyncio.CancelledError()]
    for number, error in enumerate(failures):
        with pytest.raises(type(error)), figures.model_call(f"troubled-{number}"):
            raise error
    with pytest.raises(EngineRefused), figures.model_call("refuses"):
        raise EngineRefused("")
    told = [
        each.labels
        for family in figures.REGISTRY.collect()
        for each in family.samples
        if each.name == "remixbot_model_calls_total"
    ]
    assert {each["result"] for each in told if each["model"].startswith("troubled-")} == troubles
    assert {each["result"] for each in told if each["model"] == "refuses"} & troubles == set()


def test_every_rule_is_seen_to_ring_and_not_to_ring() -> None:
    tried = yaml.safe_load((ROOT / "tests" / "alarms.yml").read_text("utf-8"))["tests"]
    looks = [look for each in tried for look in each["alert_rule_test"]]
    rules = {each["alert"] for each in rules_for_prometheus()}
    assert {each["alertname"] for each in looks if each["exp_alerts"]} == rules
    assert {each["alertname"] for each in looks if not each["exp_alerts"]} == rules


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: apt install prometheus)"
)
@pytest.mark.parametrize("what", [("check", "docs/alerts.yml"), ("test", "tests/alarms.yml")], ids=["read", "ring"])
def test_prometheus_reads_the_rules_and_they_ring_when_they_should(what: tuple[str, str]) -> None:
    asked, file = what
    done_ = subprocess.run(["promtool", asked, "rules", file], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done_.returncode == 0, done_.stdout + done_.stderr


# --- the last minutes


def test_waits_of_several_processes_are_put_together() -> None:
    told: list[dict[str, Any]] = []
    for waits in ([0.1] * 90, [30.0] * 10):
        lately = Lately(now=lambda: NOW)
        for wait in waits:
            lately.queued(wait)
            lately.ended("web", "exact", "done", took_s=wait)
        told.append(json.loads(json.dumps(lately.told())))
    sums = sums_of(told, now=NOW, minutes=5)
    assert sums.ended == {"web|exact|done": 100}
    assert 0.1 <= (percentile_s(sums.queued, 0.5) or 0) <= 0.125
    assert 30 <= (percentile_s(sums.replied, 0.95) or 0) <= 37.5


def test_what_is_told_stays_small_and_forgets_what_is_old() -> None:
    clock = [NOW]
    lately = Lately(now=lambda: clock[0])
    for n in range(500):
        lately.failed("somewhere", f"kind-{n}")
    assert len(lately.told()["minutes"][str(int(NOW // 60))]["errors"]) == MOST_NAMES + 1
    clock[0] += 3600
    lately.queued(1)
    assert list(lately.told()["minutes"]) == [str(int(clock[0] // 60))]


def test_a_turn_whose_stages_overlap_is_nowhere_once_all_have_ended() -> None:
    lately = Lately(now=lambda: NOW)
    taken_in, worked_on = lately.at("turn", "accept"), lately.at("turn", "work")
    lately.left("turn", taken_in)
    assert lately.told()["running"] == [["turn", "work", NOW]]
    lately.left("turn", worked_on)
    assert lately.told()["running"] == []


# --- log lines


def test_a_line_of_a_library_names_the_turn_and_not_what_an_error_said() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LinesOfLibraries())
    logger = logging.getLogger("a library")
    logger.addHandler(handler)
    one = turn()
    try:
        with on_path(one.id):
            try:
                raise ValueError("what somebody wrote")
            except ValueError:
                logger.exception("it broke")
    finally:
        logger.removeHandler(handler)
    line = json.loads(stream.getvalue())
    assert (line["turn"], line["thread"], line["event"], line["error"]) == (
        one.id,
        one.thread,
        "it broke",
        "ValueError",
    )
    assert "somebody" not in stream.getvalue()


# --- what is stuck

RUNS = Standing(TurnId("a-b"), Place.ADMITTED, TurnState.RUNNING, NOW - 100, started_at=NOW - 90, alive_until=NOW + 5)
WAITS = Standing(TurnId("a-b"), Place.READY, TurnState.ACCEPTED, NOW - 100)


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (RUNS, None),
        (replace(RUNS, alive_until=NOW - 31), Stuck.SILENT),
        (replace(RUNS, started_at=NOW - 601), Stuck.ENDLESS),
        (replace(WAITS, place=Place.ADMITTED), Stuck.NOT_STARTED),
        (replace(WAITS, place=Place.ADMITTED, since=NOW - 5), None),
        (replace(WAITS, place=Place.HELD, since=0), None),
        (replace(WAITS, place=Place.HELD, parent_gone=True), Stuck.ORPHANED),
        (replace(WAITS, place=Place.ASKING, since=0), None),
        (replace(WAITS, place=Place.UNKNOWN), Stuck.WITHOUT_REASON),
        (replace(WAITS, state=TurnState.DONE, finished_at=NOW - 10), None),
        (replace(WAITS, state=TurnState.DONE, finished_at=NOW - 301), Stuck.UNDELIVERED),
    ],
)
def test_what_waits_with_good_reason_is_not_stuck(standing: Standing, expected: Stuck | None) -> None:
    assert stuck_of(standing, now=NOW, bounds=BOUNDS, free_slots=1) is expected


def test_a_place_in_the_line_is_wrong_only_while_slots_are_free() -> None:
    assert stuck_of(WAITS, now=NOW, bounds=BOUNDS, free_slots=0) is None
    assert stuck_of(WAITS, now=NOW, bounds=BOUNDS, free_slots=1) is Stuck.NOT_LET_RUN


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_client(redis_url)
    yield client
    await client.aclose()


async def nothing() -> Sequence[InboundMessage]:
    return ()


async def test_what_waits_for_a_parent_that_is_gone_is_let_go_and_said_once(client: Redis) -> None:
    sight, store = RedisSight(client), RedisTurnStore(client, retention_s=3600)
    await store.announce("worker", slots=2)
    parent = turn()
    await store.submit(parent, [])
    child = turn(parent=parent)
    assert (await store.submit(child, [])).holds == {"parent"}
    await client.delete(f"rb:{{{parent.thread}}}:turn:{parent.id.partition('-')[2]}", f"rb:{{adm}}:turn:{parent.id}")
    started: list[TurnId] = []

    async def start(id_: TurnId) -> None:
        started.append(id_)

    def dog(name: str) -> Watchdog:
        return Watchdog(sight, name=name, bounds=BOUNDS, unsettled=nothing, release=store.abandon, start=start)

    assert await dog("one").look() == [(child.id, Stuck.ORPHANED)]
    assert await dog("another").look() == []  # one at a time looks
    assert started == [child.id]
    assert await dog("one").look() == []


async def test_whoever_looks_sees_what_each_process_told_and_what_waits(client: Redis) -> None:
    sight, store = RedisSight(client), RedisTurnStore(client, retention_s=3600)
    await store.announce("worker", slots=1)
    first, second = turn(), turn()
    await store.submit(first, [])
    await store.claim(first.id)
    await store.submit(second, [])
    await sight.tell("worker", {"v": 1, "role": "worker"})
    seen = await sight.seen()
    assert (seen.slots, seen.admitted, seen.open, seen.waiting) == (1, 1, 2, {"parent": 0, "consent": 0, "line": 1})
    assert [each.state for each in seen.standings] == [TurnState.RUNNING, TurnState.ACCEPTED]
    assert seen.told == [{"v": 1, "role": "worker", "name": "worker"}]
    await sight.leave("worker")
    assert await sight.processes() == []


async def test_an_answer_that_two_fill_side_by_side_is_counted_once(client: Redis) -> None:
    store, one = RedisTurnStore(client, retention_s=3600), turn()
    await store.submit(one, [])
    assert [await store.delivered(one.id) for _ in range(3)] == [True, False, False]


async def test_a_server_that_takes_no_writes_is_told_from_one_that_does(client: Redis) -> None:
    sight = RedisSight(client)
    assert await sight.probe() == ""
    before = str((await client.config_get("maxmemory"))["maxmemory"])
    await client.config_set("maxmemory", "1")
    try:
        assert await sight.probe() == "it takes no writes (its memory or its disk may be full)"
    finally:
        await client.config_set("maxmemory", before)

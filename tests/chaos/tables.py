"""The page docs/chaos.md, from what the runs left in a folder."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.chaos.faults import FAULTS

PLATFORMS = {"web": "The page", "discord": "Discord", "telegram": "Telegram"}
HEAD = """\
# What breaks, and what becomes of it

Real processes (two gateways, two workers, one Valkey with `appendfsync always`, a model, Discord and Telegram that
speak the real protocols) are killed, frozen and cut off while people ask for pictures. `make chaos` does all of it and
writes this page; `make test` does a small part, picked by a seed (`tests/chaos/test_sample.py`). By hand:
`python -m tests.fleet`, `python -m tests.chaos.matrix --help`, `python -m tests.chaos.crowd --help`.

After each fault, once nothing is under way any more, these must hold:

- each message has one answer; none is lost, none stands there twice;
- the model saw no call that the store does not know of, and a turn called it once, or twice where its process died,
  froze or lost the store during the call itself (counted, and charged to the caps);
- what the chats show are, byte for byte, files that the store keeps for that turn;
- nothing is left open, admitted or reserved; the usage book is the sum of the calls, the caps hold what was spent;
- every key expires or stands on the list in `storage/redis/keys.py`.

Leases are shortened (a worker's from 8 to 2.5 s, the queue's from 360 to 3 s, a gateway's from 30 to 3 s, a message on
its way to Telegram from 85 to 3 s), so times here are shorter than where nothing is shortened; nothing else differs.
"""
KNOWN = """\
## What is known not to hold

On Discord, the first direct message that somebody ever writes to the bot, heard by one gateway alone which dies before
it has recorded it, is not found again: Discord does not say which direct messages there are. In a server it is found,
known chat or not, where the bot may read what was written (of chats that it was never used in, up to 200 per shard and
three hours back).
"""
LOSING = """\
## A store that loses what it acknowledged

No bot can undo that; it must notice and say it. The store has a mark that rises each second; the processes remember
it, and every ten seconds it is written beside the pictures (`witness/tide.json`). A store that stands lower than it did
is reported by the log (`the store lost what it had acknowledged`, with from when to when), the figure
`remixbot_store_lost_seconds` and `remixbot doctor`. Less than a second can be lost unnoticed, and up to ten where all
processes went down together with the store. Messages of that time may stay without an answer, or, where a platform
tells of them again, get another, which is paid for again. What people said of their pictures in that time, a “never”
among it, is lost as well: they have to be asked anew. `appendfsync always` keeps all of it from happening.

Nine messages each, three of them answered after the copy was made. One gateway, one worker, `appendfsync everysec`.

| what happened | noticed | without an answer | answered twice | calls made again | left open |
| --- | --- | --- | --- | --- | --- |
"""


def page(folder: Path) -> str:
    return "\n".join([HEAD, *_matrix(folder), *_crowd(folder), *_losing(folder), "", KNOWN]).rstrip() + "\n"


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _matrix(folder: Path) -> list[str]:
    lines = [
        "## Every boundary × every fault",
        "",
        "One message and one fault each. Seconds until the message had its answer and nothing was open any more;",
        "`lost`, `doubled`, `double-billed` stand there where they are not 0. `*`: no message leads there, so the",
        "fault met a process that was just beginning, while somebody asked for a picture; `–`: nobody got there even",
        "then. What is the same on all platforms is met on the page alone.",
        "",
    ]
    for platform, name in PLATFORMS.items():
        if rows := _rows(folder / f"{platform}.jsonl"):
            lines += [*_of_platform(name, rows), ""]
    return lines


def _of_platform(name: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    cells: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for row in rows:
        cells[row["cell"]["role"], row["cell"]["boundary"]][row["cell"]["fault"]] = _told(row)
    met = [row for row in rows if row["reached"]]
    sums = {what: sum(row[what] for row in met) for what in ("lost", "doubled", "double_billed")}
    slowest = max((row["recovered_s"] for row in met), default=0.0)
    return [
        f"### {name}",
        "",
        f"{len(met)} faults: {sums['lost']} lost, {sums['doubled']} doubled, {sums['double_billed']} double-billed; "
        f"{sum(row['calls'] > 1 for row in met)} called the model a second time, counted. Slowest recovery: "
        f"{slowest:.1f} s.",
        "",
        f"| in | boundary | {' | '.join(FAULTS)} |",
        f"| --- | --- |{' --- |' * len(FAULTS)}",
        *(
            f"| {role} | {boundary} | {' | '.join(told.get(fault, '') for fault in FAULTS)} |"
            for (role, boundary), told in sorted(cells.items())
        ),
    ]


def _told(row: Mapping[str, Any]) -> str:
    wrong = [what.replace("_", "-") for what in ("lost", "doubled", "double_billed") if row[what]]
    if wrong:
        return ", ".join(wrong)
    if not row["reached"]:
        return "–"
    began = " *" if row.get("as_it_began") else ""
    return f"{row['recovered_s']:.1f}{began}" + (" (2 calls)" if row["calls"] > 1 else "")


def _crowd(folder: Path) -> list[str]:
    lines: list[str] = []
    for name, title in (
        ("crowd", "Many turns, and faults all the while"),
        ("many", "Two hundred chats, and a kill each minute"),
    ):
        path = folder / f"{name}.json"
        if path.exists():
            lines += [f"## {title}", "", *_figures(json.loads(path.read_text())), ""]
    return lines


def _figures(found: Mapping[str, Any]) -> list[str]:
    def listed(what: str) -> str:
        return ", ".join(f"{key} {value}" for key, value in sorted(found[what].items()))

    return [
        "Three platforms at once, two gateways, two workers.",
        "",
        "| | |",
        "| --- | --- |",
        f"| seed, duration | {found['seed']}, {found['lasted_s']} s |",
        f"| messages | {found['asked']}: {listed('platforms')} |",
        f"| what was asked for | {listed('did')} |",
        f"| faults | {sum(found['faults'].values())}: {listed('faults')} |",
        f"| answered, lost, doubled | {found['answered']}, {found['lost']}, {found['doubled']} |",
        f"| turns in the end | {listed('states')} |",
        f"| calls that the model saw; that the store counted | {found['calls_seen']}; {found['calls_counted']} |",
        f"| of these a second try, counted; double-billed | {found['retried']}; {found['double_billed']} |",
        f"| beside the answers: calls after a long wait, and placeholders left behind | {found['orphans']} |",
        f"| edits of an answer in Discord and Telegram: mean, most | {found['edits_mean']}, {found['edits_max']} |",
        f"| time to the answer: p50, p99, longest | {found['answered_p50_s']} s, {found['answered_p99_s']} s, "
        f"{found['answered_max_s']} s |",
        f"| what did not hold | {'; '.join(found['troubles']) or 'nothing'} |",
    ]


def _losing(folder: Path) -> list[str]:
    path = folder / "losing.json"
    if not path.exists():
        return []
    rows = [
        f"| {each['how']} | {_noticed(each)} | {each['unanswered']} of {each['asked']} | {each['answers_twice']} | "
        f"{each['calls_again']} | {', '.join(each['left']) or 'nothing'} |"
        for each in json.loads(path.read_text())
    ]
    return [LOSING + "\n".join(rows)]


def _noticed(each: Mapping[str, Any]) -> str:
    if each["noticed_s"] is not None:
        return f"after {each['noticed_s']} s"
    if each["said"]:
        return "yes"
    return "nothing was lost" if not (each["unanswered"] or each["calls_again"]) else "no"

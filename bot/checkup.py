"""What the doctor looks at in what processes share: the database's settings and clock, the disk, and who is there."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bot.app import House
from bot.settings import Settings
from bot.sight.pulse import version_here

_SLOW_S = 0.02
_SKEW_S = 2.0
_LEAST_FREE_BYTES = 2**30


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report. `optional` where the bot runs without it."""

    what: str
    ok: bool
    words: str
    optional: bool = False


_beside = partial(Check, optional=True)


async def checkup(house: House) -> Sequence[Check]:
    """Everything of a house that stands."""
    return [*await _database(house), await asyncio.to_thread(_disk, house.settings), *await _processes(house)]


async def _database(house: House) -> Sequence[Check]:
    facts = await house.sight.facts()
    found = [_beside("database", True, f"version {facts.version}, {facts.used_mb:.0f} MB in use")]
    if trouble := await house.sight.probe():
        found.append(Check("database", False, f"{trouble}. Free memory or disk there, or point at its primary."))
    slow = facts.round_trip_s > _SLOW_S
    words = f"it answers in {facts.round_trip_s * 1000:.1f} ms"
    more = ". Every turn asks it some thirty times: let it stand near the bot" if slow else ""
    found.append(_beside("database speed", not slow, words + more))
    off = abs(facts.ahead_s) > _SKEW_S
    clock = f"the clocks of this machine and the database differ by {abs(facts.ahead_s):.1f} s"
    found.append(_beside("clock", not off, clock + (". Let both follow a time server (NTP)" if off else "")))
    if facts.max_mb and facts.used_mb > 0.9 * facts.max_mb:
        words = f"{facts.used_mb:.0f} of {facts.max_mb:.0f} MB in use: raise maxmemory before it takes no more writes"
        found.append(_beside("database memory", False, words))
    return found


def _disk(settings: Settings) -> Check:
    free = shutil.disk_usage(settings.data).free
    words = f"{free / 2**30:.1f} GB free where the data lies"
    if free < _LEAST_FREE_BYTES:
        return Check("disk", False, f"{words}. Make room: without it nothing new is accepted.")
    return _beside("disk", True, words)


async def _processes(house: House) -> Sequence[Check]:
    told = await house.sight.processes()
    if not told:
        return [_beside("processes", False, "none shows life. `remixbot run` starts one.")]
    roles = Counter(str(each.get("role")) for each in told)
    count = ", ".join(f"{number} {role}" for role, number in sorted(roles.items()))
    found = [_beside("processes", True, f"{len(told)} show life: {count}")]
    versions = sorted({str(each.get("version")) for each in told} | {version_here()})
    if len(versions) > 1:
        words = f"different versions run side by side: {', '.join(versions)}. Fine during a roll-out; finish it."
        found.append(_beside("processes", False, words))
    if not {"all", "worker"} & roles.keys():
        words = "nobody runs turns: start one with `remixbot run --role worker`."
        found.append(Check("processes", False, words))
    for each in told:
        for part, trouble in each.get("troubles", {}).items():
            found.append(_beside("processes", False, f"{each['name']} says of {part}: {trouble}"))
    return found

"""Fuzzing for a time: `python -m tests.fuzz [TARGET…] --seconds 60`, or `make fuzz`.

With atheris, which follows what the code does, where it is installed; else changes by chance. What breaks a target is
written to build/fuzz/found/<target>/: mend it, and put the smallest of it into tests/fuzz/corpus/<target>/.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import random
import subprocess
import sys
import time
import traceback
from pathlib import Path

_FOUND = Path("build/fuzz/found")
_SLOW_S = 2.0
"""Longer than that for at most 70 KB is a fault as well."""


def _by_chance(name: str, seconds: float, seed: int) -> int:
    from tests.fuzz.mutating import mutated
    from tests.fuzz.targets import CORPUS, TARGETS, seeds

    chance, until = random.Random(seed), time.monotonic() + seconds
    kept = [*seeds(name), *(path.read_bytes() for path in (CORPUS / name).glob("*"))]
    tried = faults = 0
    while time.monotonic() < until:
        data = mutated(chance.choice(kept), chance.randbytes(3 * chance.randint(1, 10)))
        tried += 1
        begin = time.thread_time()
        try:
            TARGETS[name](data)
            if time.thread_time() - begin > _SLOW_S:
                raise TimeoutError(f"{time.thread_time() - begin:.1f} s for {len(data)} bytes")
        except Exception:
            faults += 1
            path = _FOUND / name / hashlib.sha256(data).hexdigest()[:16]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            traceback.print_exc()
            if faults >= 5:
                break
        if tried % 50 == 0:
            kept = [*kept[:200], data]
    print(f"{name}: {tried} pieces by chance, {faults} faults", flush=True)
    return faults


def _followed(name: str, seconds: float) -> None:
    """Does not come back: libFuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=["bot", "adapters"], enable_loader_override=False):
        from tests.fuzz.targets import CORPUS, TARGETS, seeds
    own, found = Path("build/fuzz/corpus") / name, _FOUND / name
    for folder in (own, found):
        folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds(name):
        (own / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    known = [str(CORPUS / name)] if (CORPUS / name).is_dir() else []
    limits = [f"-max_total_time={int(seconds)}", "-max_len=70000", "-timeout=60", "-rss_limit_mb=3000"]
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={found}/", str(own), *known], TARGETS[name])
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.fuzz", description="Tries what comes from outside for a time.")
    parser.add_argument("targets", nargs="*", help="all of them, if none is named")
    parser.add_argument("--seconds", type=float, default=60, help="for each target")
    parser.add_argument("--seed", type=int, default=None, help="of the changes by chance")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    follows = importlib.util.find_spec("atheris") is not None
    if given.one and follows:
        _followed(given.targets[0], given.seconds)
    if given.one:
        seed = random.SystemRandom().randrange(1 << 32) if given.seed is None else given.seed
        raise SystemExit(min(1, _by_chance(given.targets[0], given.seconds, seed)))
    from tests.fuzz.targets import TARGETS

    broken: list[str] = []
    for name in given.targets or TARGETS:
        print(f"--- {name}", flush=True)
        more = [] if given.seed is None else ["--seed", str(given.seed)]
        command = [sys.executable, "-m", "tests.fuzz", name, "--one", "--seconds", str(given.seconds), *more]
        if subprocess.run(command, check=False, env={**os.environ, "PYTHONWARNINGS": "ignore"}).returncode:
            broken.append(name)
    print(f"broken: {', '.join(broken)}" if broken else "nothing was found")
    raise SystemExit(1 if broken else 0)


if __name__ == "__main__":
    main()

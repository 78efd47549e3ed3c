"""What one call to the model costs us, beside plain google-genai and a raw socket. Prints ratios taken in one run;
nothing here passes or fails by a clock.

    python -m tests.bench.gemini                    three rounds, about four minutes
    python -m tests.bench.gemini --rounds 1         quicker

Method (see docs/benchmarks.md): each client in a process of its own, one after the other in each round, medians of the
rounds; processor time of that process alone. The answers come from a server that has them ready, in a process of its
own, so that it disturbs little. Memory is the peak of the resident size during one call, in another process again.
"""

from __future__ import annotations

import argparse
import asyncio
import binascii
import ctypes
import gc
import importlib
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from google import genai
from google.genai import types

from bot.domain.images import Picture
from bot.domain.refs import UserRef
from bot.domain.story import story_after
from bot.domain.turns import Story, StoryLine
from bot.engines.gemini import DEFAULT_MODEL, Access, GeminiEngine, model_profile
from bot.engines.pixels import to_picture
from bot.ports import EditRequest
from tests.bench.turns import as_png, photograph

INPUT_SIDE_PX, RESULT_SIDE_PX, LARGE_SIDE_PX = 752, 1024, 4096
SIGNATURE_BYTES = 800_000
CLIENTS = ("ours", "plain", "socket")
WORDS = "a collage of them all"
CALLS = 5


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    pictures: int
    answer: str


CASES = (
    Case("1 picture", 1, "1K"),
    Case("3 pictures", 3, "1K"),
    Case("14 pictures", 14, "1K"),
    Case("4K back", 1, "4K"),
)


# --- a server that has its answers ready


async def serve(folder: Path, delay_s: float) -> None:
    """POST /…/1K/… gets the file 1K, POST /…/4K/… the file 4K, after so long. Prints its address."""
    bodies = {name: (folder / name).read_bytes() for name in ("1K", "4K")}

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                left = int(re.search(rb"(?i)content-length: *(\d+)", head)[1])  # type: ignore[index]
                while left:
                    left -= len(await reader.read(min(left, 2**20)))
                await asyncio.sleep(delay_s)
                body = bodies["4K" if b"/4K/" in head.split(b"\r\n")[0] else "1K"]
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=UTF-8\r\nContent-Length: %d\r\n\r\n"
                    % len(body)
                )
                writer.write(body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=2**20)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


# --- three clients


Call = Callable[[list[bytes]], Awaitable[bytes]]


def pixels_of(png: bytes) -> Picture:
    width_px, height_px = int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
    return Picture(png, "image/png", width_px, height_px)


async def ours(url: str) -> Call:
    engine = await GeminiEngine(Access("k", base_url=url), [model_profile(DEFAULT_MODEL)]).__aenter__()

    async def call(pictures: list[bytes]) -> bytes:
        return (await engine.edit(EditRequest(WORDS, tuple(map(pixels_of, pictures))))).images[0].data

    return call


async def plain(url: str) -> Call:
    client = genai.Client(enterprise=False, api_key="k", http_options=types.HttpOptions(base_url=url))
    config = types.GenerateContentConfig(response_modalities=["TEXT", "IMAGE"])

    async def call(pictures: list[bytes]) -> bytes:
        contents: Any = [*(types.Part.from_bytes(data=each, mime_type="image/png") for each in pictures), WORDS]
        answer: Any = await client.aio.models.generate_content(model=DEFAULT_MODEL, contents=contents, config=config)
        data: bytes = answer.candidates[0].content.parts[0].inline_data.data
        return data

    return call


async def raw_socket(url: str) -> Call:
    """The floor: it blocks, encodes a picture at a time, finds the picture in the answer by its key."""
    place = urlsplit(url)
    connection = socket.create_connection((place.hostname, place.port))
    encode, decode = base64_codec()[1:]
    head = "POST {}/v1/models/m:generateContent HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n"
    begin, between, end = b'{"contents":[{"parts":[', b',{"inlineData":{"mimeType":"image/png","data":"', b'"}}'
    said = json.dumps({"text": WORDS}).encode()

    async def call(pictures: list[bytes]) -> bytes:
        encoded_bytes = sum(4 * -(-len(each) // 3) + len(between) + len(end) for each in pictures)
        size = len(begin) + len(said) + encoded_bytes + 4
        connection.sendall(head.format(place.path, size).encode() + begin + said)
        for each in pictures:
            connection.sendall(between)
            connection.sendall(encode(each))
            connection.sendall(end)
        connection.sendall(b"]}]}")
        first = connection.recv(2**16)
        start = first.index(b"\r\n\r\n") + 4
        body = bytearray(int(re.search(rb"(?i)content-length: *(\d+)", first)[1]))  # type: ignore[index]
        body[: len(first) - start] = first[start:]
        view, at = memoryview(body), len(first) - start
        while at < len(body):
            at += connection.recv_into(view[at:])
        start = body.index(b'"data": "') + 9
        return decode(view[start : body.index(b'"', start)])

    return call


def base64_codec() -> tuple[str, Callable[[Any], bytes], Callable[[Any], bytes]]:
    """pybase64 where it is installed. It is nobody's dependency."""
    try:
        fast: Any = importlib.import_module("pybase64")
    except ImportError:
        return "binascii", lambda data: binascii.b2a_base64(data, newline=False), binascii.a2b_base64
    return "pybase64", fast.b64encode, lambda data: fast.b64decode(data, validate=True)


OPEN = {"ours": ours, "plain": plain, "socket": raw_socket}


# --- what is measured, each in a process of its own


async def processor_time(call: Call, pictures: list[bytes]) -> dict[str, float]:
    """Seconds of processor time for one call, and the most that the loop's thread spent between two turns of it."""
    for _ in range(2):
        await call(pictures)
    before_s = time.process_time()
    for _ in range(CALLS):
        await call(pictures)
    per_call_s = (time.process_time() - before_s) / CALLS
    return {"cpu_s": per_call_s, "stall_s": min([await longest_turn_s(call, pictures) for _ in range(3)])}


async def longest_turn_s(call: Call, pictures: list[bytes]) -> float:
    running = asyncio.ensure_future(call(pictures))
    longest_s, before_s = 0.0, time.thread_time()
    while not running.done():
        await asyncio.sleep(0)
        now_s = time.thread_time()
        longest_s, before_s = max(longest_s, now_s - before_s), now_s
    await running
    return longest_s


async def peak_memory(call: Call, pictures: list[bytes]) -> dict[str, float]:
    """Bytes of resident memory that one call takes at its peak, without the pictures that are there already."""
    await call([pictures[0][:3_000]] if len(pictures) == 1 else pictures[:1])
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    before = resident_bytes_from_now_on()
    await call(pictures)
    return {"peak_bytes": resident_bytes("VmHWM") - before}


def resident_bytes_from_now_on() -> int:
    """What is resident now; the peak is counted anew."""
    Path("/proc/self/clear_refs").write_text("5")
    return resident_bytes("VmRSS")


def resident_bytes(name: str) -> int:
    found = re.search(rf"{name}:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


async def turn_times(url: str, photo: bytes) -> dict[str, float]:
    """Prompt and call of a thread's turns: the first, the second with the original beside the parent, the fiftieth
    with a full story. In turn, so that a busy moment meets all."""
    picture, original = pixels_of(photo), pixels_of(photo + b"\0")
    requests = {
        "1": EditRequest("put a hat on her", (picture,)),
        "2": EditRequest("and a red feather", (picture,), story_of(1), originals=(original,)),
        "50": EditRequest("and a red feather", (picture,), story_of(49), originals=(original,)),
    }
    requests["50, no original"] = replace(requests["50"], originals=())
    spent: dict[str, list[float]] = {name: [] for name in requests}
    async with GeminiEngine(Access("k", base_url=url), [model_profile(DEFAULT_MODEL)]) as engine:
        for _ in range(40):
            for name, request in requests.items():
                before_s = time.process_time()
                await engine.edit(request)
                spent[name].append(time.process_time() - before_s)
    return {name: statistics.median(each[4:]) for name, each in spent.items()}


def story_of(turns: int) -> Story:
    """What the workshop would hand on after so many turns, with long instructions and standing wishes."""
    story, author = Story(), UserRef("web", "1")
    for number in range(turns):
        words = f"always keep corner {number} as it is; " if number % 5 == 0 else f"change part {number}: "
        words += "with soft light from the left, as in the afternoon, " * 7
        story = story_after(story, StoryLine(author, "Ada", words))
    return story


async def measure(given: argparse.Namespace) -> None:
    photo: bytes = given.photo.read_bytes()
    if given.measure == "turns":
        print(json.dumps(await turn_times(given.url, photo)))
        return
    call = await OPEN[given.client](given.url)
    # Different files, as in life: none is found twice.
    pictures = [photo + bytes([number]) for number in range(given.pictures)]
    work = processor_time if given.measure == "cpu" else peak_memory
    print(json.dumps(await work(call, pictures)), flush=True)
    os._exit(0)  # a client left open has nothing more to say


# --- the run


def child(measure: str, url: str, photo: Path, client: str = "ours", pictures: int = 1) -> dict[str, float]:
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"} if measure == "memory" else None
    arguments = ["--measure", measure, "--url", url, "--photo", str(photo), "--client", client]
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.gemini", *arguments, "--pictures", str(pictures)],
        stdout=subprocess.PIPE,
        env=environment,
        check=True,
    )
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


@contextmanager
def server(folder: Path) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.gemini", "--serve", str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def answer_with(picture: bytes) -> bytes:
    """As the API lays it out: a picture, its signature, figures."""
    text, signature = b64encode(picture).decode(), b64encode(picture[:SIGNATURE_BYTES]).decode()
    part = {"inlineData": {"mimeType": "image/png", "data": text}, "thoughtSignature": signature}
    figures = {"promptTokenCount": 1_200, "candidatesTokenCount": 1_120, "totalTokenCount": 2_320}
    content = {"role": "model", "parts": [part]}
    body = {"candidates": [{"content": content, "finishReason": "STOP"}], "usageMetadata": figures}
    return json.dumps(body, indent=2).encode()


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, photo = Path(name), Path(name) / "photo.png"
        photo.write_bytes(as_png(photograph(INPUT_SIDE_PX)))
        results = {
            "1K": to_picture(photograph(RESULT_SIDE_PX)).data,
            "4K": to_picture(photograph(LARGE_SIDE_PX)).data,
        }
        for each, data in results.items():
            (folder / each).write_bytes(answer_with(data))
        sizes = ", ".join(f"{each} result {len(data) / 1e6:.1f} MB" for each, data in results.items())
        print(f"pictures of {photo.stat().st_size / 1e6:.2f} MB, {sizes}, signature {SIGNATURE_BYTES / 1e6:.1f} MB")
        print(f"the socket's base64: {base64_codec()[0]}; {rounds} rounds of {CALLS} calls\n")
        with server(folder) as url:
            for case in CASES:
                compare(case, f"{url}/{case.answer}", photo, len(results[case.answer]), rounds)
            turns(f"{url}/1K", photo)


def compare(case: Case, url: str, photo: Path, result_bytes: int, rounds: int) -> None:
    """`result_bytes` is what comes back."""
    measured: dict[str, list[dict[str, float]]] = {client: [] for client in CLIENTS}
    for _ in range(rounds):
        for client, each in measured.items():
            times = child("cpu", url, photo, client, case.pictures)
            each.append({**times, **child("memory", url, photo, client, case.pictures)})
    in_bytes = case.pictures * photo.stat().st_size
    figures = {
        client: {name: statistics.median(one[name] for one in each) for name in each[0]}
        for client, each in measured.items()
    }
    for client, figure in figures.items():
        cpu_s, peak_bytes = figure["cpu_s"], figure["peak_bytes"]
        print(
            f"  {case.name:12} {client:7} processor {cpu_s * 1e3:6.1f} ms = {cpu_s / figures['plain']['cpu_s']:5.2f} × "
            f"plain, {cpu_s / figures['socket']['cpu_s']:4.1f} × socket   stall {figure['stall_s'] * 1e3:5.1f} ms   "
            f"memory {peak_bytes / 1e6:5.1f} MB = {peak_bytes / in_bytes:5.2f} × in, "
            f"{peak_bytes / (in_bytes + result_bytes):4.2f} × in and out"
        )
    print(flush=True)


def turns(url: str, photo: Path) -> None:
    spent = child("turns", url, photo)
    for name, each in spent.items():
        print(
            f"  turn {name:16} processor {each * 1e3:6.1f} ms   / turn 1 {each / spent['1']:.2f}   "
            f"/ turn 2 {each / spent['2']:.2f}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", type=Path)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--measure", choices=("cpu", "memory", "turns"))
    parser.add_argument("--url")
    parser.add_argument("--photo", type=Path)
    parser.add_argument("--client", choices=CLIENTS)
    parser.add_argument("--pictures", type=int)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(given.serve, given.delay))
    elif given.measure:
        asyncio.run(measure(given))
    else:
        main(given.rounds)

"""A Gemini API on this machine, speaking the real wire protocol. Refuses what the real one would refuse.

    async with FakeGemini() as fake:
        fake.then(refuses("IMAGE_SAFETY"), fails(429, "RESOURCE_EXHAUSTED", retry_delay="3s"))
        ...                                     # point an engine at fake.url
        assert fake.posts == 2

Without a script it really does its part: an image model tints the first picture, puts all that came into a strip, and
writes the instruction below (painting.py); it letters, suggests and plans where it is asked to (notes.py); a text model
hears and reads. By hand, or as a process of its own (see `--help`; it prints its URL on one line):

    python -m tests.fakes.gemini --port 8077 --delay 5 --overloaded gemini-nano-banana-2.1
    curl -s localhost:8077/_calls
    curl -s localhost:8077/_script -d '[{"do": "refuses", "reason": "IMAGE_SAFETY"}, {"do": "says", "delay_s": 2}]'
    curl -s localhost:8077/_script -d '{"overloaded": [], "gone": ["gemini-3-pro-image"]}'

It has the doors of the Developer API and of Vertex (`enterprise`). Requests and answers are checked by rules of its own
(calls.py) and against what is published (schemas.py says what, and why no protobufs are installed for it).
"""

# fmt: off
# isort: off
from tests.fakes.gemini.behaviours import (
    BEHAVIOURS, Behaviour, Wire, answers, asks, blocks, candidate, cites, does_its_part, draws_drafts, drips, drops,
    edits, exhausts, fails, garbles, gives, gives_nothing, hangs, hears, misspells, overloaded, paints_checkerboard,
    picture_part, reads, redirects, refuses, retires, says, usage_for,
)
from tests.fakes.gemini.calls import MAX_BODY_BYTES, SIGNATURE, Call, SentPicture, SentSound, google_error, spoken
from tests.fakes.gemini.models import MODELS, Model
from tests.fakes.gemini.painting import KEY_COLOURS, edited, strip_boxes
from tests.fakes.gemini.schemas import Json, published
from tests.fakes.gemini.server import FakeGemini

__all__ = [
    "BEHAVIOURS", "KEY_COLOURS", "MAX_BODY_BYTES", "MODELS", "SIGNATURE", "Behaviour", "Call", "FakeGemini", "Json",
    "Model", "SentPicture", "SentSound", "Wire", "answers", "asks", "blocks", "candidate", "cites", "does_its_part",
    "draws_drafts", "drips", "drops", "edited", "edits", "exhausts", "fails", "garbles", "gives", "gives_nothing",
    "google_error", "hangs", "hears", "misspells", "overloaded", "paints_checkerboard", "picture_part", "published",
    "reads", "redirects", "refuses", "retires", "says", "spoken", "strip_boxes", "usage_for",
]
# isort: on
# fmt: on

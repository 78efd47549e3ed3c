"""What people read for every reason that the model's service can give stands in docs/refusals.md, as the code says it.

To write the file anew: python -m tests.unit.test_refusals
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.genai.types import BlockedReason, FinishReason, GenerateContentResponse

from bot.domain.errors import EngineFailed, EngineGaveNothing, EngineRefused
from bot.engines.gemini.answer import read_answer
from bot.engines.gemini.models import DEFAULT_MODEL, model_profile
from bot.ports import EditRequest

PAGE = Path(__file__).parents[2] / "docs" / "refusals.md"
UNKNOWN = "A_REASON_OF_TOMORROW"
KINDS = {EngineRefused: "refused", EngineGaveNothing: "nothing", EngineFailed: "the operator must act"}

HEAD = """# What people read when there is no picture

Every reason that Gemini can give for an answer without a result, and what becomes of it. Made from the code
(`bot/engines/gemini/answer.py`); a test compares the two. To write it anew: `python -m tests.unit.test_refusals`.

A **refusal** is the model maker's policy. After **nothing** trying again may help. Where **the operator must act**
nobody in the chat can do anything about it. Nobody is charged for a picture that did not come: whatever the attempt
cost, by the figures of the answer, is the house's. Both a refusal and a matter for the operator stand even where words
or a picture came with them; any other reason is passed over where there is a result.
"""


def reasons(of: type[FinishReason] | type[BlockedReason]) -> list[str]:
    """All that the installed SDK knows, and one that it does not. `UNSPECIFIED` says nothing."""
    return [each.value for each in of if not each.value.endswith("_UNSPECIFIED")] + [UNKNOWN]


def failure(body: dict[str, Any]) -> EngineFailed:
    """What an answer of this shape becomes, where it has neither words nor a picture."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        response = GenerateContentResponse.model_validate({**body, "usageMetadata": {"promptTokenCount": 1_000}})
    try:
        read_answer(response, model=model_profile(DEFAULT_MODEL), request=EditRequest("make it night", ()))
    except EngineFailed as error:
        return error
    raise AssertionError(f"no failure: {body}")


def row(reason: str, error: EngineFailed) -> str:
    name = "any other" if reason == UNKNOWN else f"`{reason}`"
    return f"| {name} | {error.words} | {KINDS[type(error)]} |"


def table(title: str, rows: Iterator[str]) -> str:
    head = "| reason | what the person reads | outcome |\n| --- | --- | --- |"
    return "\n".join([f"\n## {title}\n", head, *rows, ""])


def page() -> str:
    stopped = ((reason, {"candidates": [{"finishReason": reason}]}) for reason in reasons(FinishReason))
    blocked = ((reason, {"promptFeedback": {"blockReason": reason}}) for reason in reasons(BlockedReason))
    return (
        HEAD
        + table(
            "The model began and stopped (finish reasons)", (row(reason, failure(body)) for reason, body in stopped)
        )
        + table("The request was not begun (block reasons)", (row(reason, failure(body)) for reason, body in blocked))
    )


def test_the_page_says_what_people_read() -> None:
    assert PAGE.read_text() == page(), "Write it anew: python -m tests.unit.test_refusals"


def test_a_refusal_always_says_what_to_change() -> None:
    rows = [line.split(" | ") for line in page().splitlines() if "| refused |" in line]
    assert len(rows) == 19
    hints = ("lease", "may ", "Ask ", "Try ", "Cover", "Just say")
    assert all(words.endswith(".") and any(hint in words for hint in hints) for _, words, _ in rows)


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"{PAGE} written")

"""What libraries log, as lines of the same form as ours."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from traceback import extract_tb

from structlog.contextvars import get_contextvars


class LinesOfLibraries(logging.Formatter):
    """One JSON object per record. Of an error its kind and the way to it: its words may hold what people wrote."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            **get_contextvars(),
            "event": record.getMessage(),
            "logger": record.name,
            "level": record.levelname.lower(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["at"] = [f"{frame.name}:{frame.lineno}" for frame in extract_tb(record.exc_info[2])[-5:]]
        return json.dumps(line, ensure_ascii=False, default=str)

"""The command's log."""

from __future__ import annotations

import io
import logging
import sys

import pytest
import structlog

from bot.cli import _log_to_stderr  # pyright: ignore[reportPrivateUsage]


def test_a_log_whose_other_end_is_gone_loses_lines_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    before = structlog.get_config()
    gone = io.StringIO()
    monkeypatch.setattr(sys, "stderr", gone)
    _log_to_stderr("info")
    try:
        logger = structlog.get_logger("test")
        logger.info("heard")
        assert "heard" in gone.getvalue()
        gone.close()
        logger.info("lost")
    finally:
        structlog.configure(**before)
        logging.getLogger().handlers.clear()

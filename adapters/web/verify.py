"""The page that says where a picture comes from: open to anybody, without login, session or cookie. What is sent to it
is held in memory for as long as it is looked at, and written nowhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from aiohttp import web

from adapters.web.inbound import drain, read_picture
from adapters.web.often import Often
from adapters.web.problems import Problem, nothing_to_check, too_busy_to_check, too_often
from adapters.web.speech import headers_of_speech, tag_spoken
from bot.domain.errors import RemixError
from bot.domain.language import tr
from bot.domain.verifying import Report

STATIC: Final = Path(__file__).parent / "static"
MOST: Final = 20
"""So many files one address may ask about within a minute."""
_AT_ONCE: Final = 4
"""So many files are held in memory at once."""

Check = Callable[[bytes], Awaitable[Report]]
"""What is known of a file. Raises `RemixError`."""

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Without a referrer a browser's form would not say which site it comes from.
    "Referrer-Policy": "same-origin",
}


class VerifyPage:
    def __init__(self, check: Check, *, max_bytes: int, behind_https: bool = False) -> None:
        self._check = check
        self._max_bytes = max_bytes
        self._often = Often(MOST, behind_https=behind_https)
        self._held = 0
        self._page = Template((STATIC / "verify.html").read_text("utf-8"))

    async def show(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """GET /verify"""
        return self._html(200, "")

    async def answer(self, request: web.Request) -> web.Response:
        """POST /verify: a form with one file, `picture`. Whoever accepts JSON gets JSON."""
        as_json = "application/json" in request.headers.get("Accept", "")
        try:
            report = await self._report(request)
        except Problem as problem:
            if as_json:
                raise
            return self._html(problem.status, _trouble(problem.words), retry_after_s=problem.retry_after_s)
        except RemixError as error:
            if as_json:
                raise
            return self._html(400, _trouble(error.words))
        if as_json:
            return web.json_response(report.as_dict, headers={"Cache-Control": "no-store", **headers_of_speech()})
        return self._html(200, _found(report))

    async def _report(self, request: web.Request) -> Report:
        if self._often.is_too_often(request):
            await drain(request)
            raise too_often()
        if self._held >= _AT_ONCE:
            await drain(request)
            raise too_busy_to_check()
        self._held += 1
        try:
            data = await read_picture(request, max_bytes=self._max_bytes)
            if not data:
                raise nothing_to_check()
            return await self._check(data)
        finally:
            self._held -= 1

    def _html(self, status: int, result: str, *, retry_after_s: int | None = None) -> web.Response:
        megabytes = self._max_bytes // 2**20
        text = self._page.substitute(
            lang=tag_spoken(),
            # TRANSLATORS: the title of a page on which people find out where a picture comes from
            title=escape(tr("Where does this picture come from?")),
            choose=escape(tr("Choose a picture, or drop it here")),
            limits=escape(
                tr("PNG, JPEG or WebP, up to {megabytes} MB. Nothing that you send is kept.").format(
                    megabytes=megabytes
                )
            ),
            # TRANSLATORS: a button
            look=escape(tr("Look")),
            looking=escape(tr("Looking…")),
            max_bytes=self._max_bytes,
            result=result,
        )
        headers = _HEADERS | headers_of_speech()
        if retry_after_s is not None:
            headers["Retry-After"] = str(retry_after_s)
        return web.Response(status=status, text=text, content_type="text/html", headers=headers)


def _found(report: Report) -> str:
    """Names out of the file are escaped as all else."""
    lines = "".join(f'<li class="{each.strength.value}" dir="auto">{escape(each.words)}</li>' for each in report.lines)
    head = f'<h2 class="{report.verdict.value}">{escape(report.headline)}</h2>'
    return f'<section class="report" role="status">{head}<ul>{lines}</ul></section>'


def _trouble(words: str) -> str:
    return f'<section class="report" role="alert"><h2>{escape(words)}</h2></section>'

"""Google's sign-in for a service account, on this machine: hands out a token for a signed assertion.

async with FakeSignIn(token="t-1") as sign_in:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(sign_in.account_file(tmp_path)))
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ACCOUNT = "bot@a-project.iam.gserviceaccount.com"


@cache
def _private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()


class FakeSignIn:
    """`asked` counts the assertions that came. With `refusing`, none is accepted."""

    def __init__(self, token: str) -> None:
        self.asked = 0
        self.refusing = False
        self._token = token
        self._url = ""

    async def __aenter__(self) -> FakeSignIn:
        app = web.Application()
        app.router.add_post("/token", self._give)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/token"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def account_file(self, folder: Path) -> Path:
        """The file that an operator downloads for a service account."""
        file = folder / "account.json"
        account = {"type": "service_account", "project_id": "another", "private_key_id": "k", "client_id": "1"}
        account |= {"private_key": _private_key(), "client_email": ACCOUNT, "token_uri": self._url}
        file.write_text(json.dumps(account))
        return file

    async def _give(self, request: web.Request) -> web.Response:
        self.asked += 1
        form = await request.post()
        if self.refusing or str(form.get("assertion", "")).count(".") != 2:
            return web.json_response({"error": "invalid_grant", "error_description": "No such account."}, status=400)
        return web.json_response({"access_token": self._token, "expires_in": 3_600, "token_type": "Bearer"})

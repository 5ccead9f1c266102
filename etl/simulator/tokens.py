"""The account service: who may ask, and the tokens of it. Life is real time, whatever the clock."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import NamedTuple

import msgspec
from starlette.responses import Response

from etl.simulator import problems


class Credentials(msgspec.Struct, frozen=True):
    """The one client, and the one device of an account, that are let in."""

    client_id: str
    client_secret: str
    account_id: str
    device_id: str
    device_secret: str


class _Grant(NamedTuple):
    account: str | None
    until: float


class Tokens:
    """Issues bearer and refresh tokens and knows those it issued; another process knows none.

    Args:
        credentials: who is let in.
        life: seconds of real time a bearer token lives; a refresh token lives twice as long.
    """

    def __init__(self, credentials: Credentials, life: float) -> None:
        self._credentials = credentials
        self.life = life
        self._bearers: dict[str, _Grant] = {}
        self._refreshers: dict[str, _Grant] = {}

    def revoke(self) -> None:
        """Forget every token, as when sessions are killed."""
        self._bearers.clear()
        self._refreshers.clear()

    def issue(self, authorization: str | None, form: Mapping[str, str]) -> Response:
        """Answer POST /account/api/oauth/token."""
        if not self._is_client(authorization):
            message = "Sorry the client credentials you are using are invalid"
            return problems.epic(400, "account.invalid_client_credentials", 18036, message)
        match form.get("grant_type"):
            case "client_credentials":
                return problems.json(self._session(None))
            case "device_auth":
                return self._by_device(form)
            case "refresh_token":
                return self._by_refresh(form.get("refresh_token", ""))
            case other:
                message = "Sorry, your client does not have the proper grant_type for access."
                code = "common.oauth.unsupported_grant_type"
                return problems.epic(400, code, 1016, message, str(other))

    def refuse(self, authorization: str | None, path: str) -> Response | None:
        """None where the bearer token is good; else the 401 to answer with."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            code, message = (
                "common.authentication.authentication_failed",
                "Authentication failed for",
            )
            return problems.epic(401, code, 1032, f"{message} {path}", path)
        grant = self._bearers.get(token)
        if grant is None or grant.until < monotonic():
            message = "Sorry we couldn't validate your token. Please try with a new token."
            code = "common.authentication.token_verification_failed"
            return problems.epic(401, code, 1031, message)
        return None

    def account(self, authorization: str) -> str | None:
        """The account a good bearer token stands for; None for a client's own."""
        return self._bearers[authorization.partition(" ")[2]].account

    def _is_client(self, authorization: str | None) -> bool:
        scheme, _, encoded = (authorization or "").partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            return False
        wanted = f"{self._credentials.client_id}:{self._credentials.client_secret}"
        return scheme.lower() == "basic" and hmac.compare_digest(given, wanted.encode())

    def _by_device(self, form: Mapping[str, str]) -> Response:
        own = self._credentials
        given = [form.get(name, "") for name in ("account_id", "device_id", "secret")]
        wanted = [own.account_id, own.device_id, own.device_secret]
        if not hmac.compare_digest("\n".join(given).encode(), "\n".join(wanted).encode()):
            message = "Sorry the account credentials you are using are invalid"
            return problems.epic(400, "account.invalid_account_credentials", 18031, message)
        return problems.json(self._session(own.account_id))

    def _by_refresh(self, token: str) -> Response:
        grant = self._refreshers.pop(token, None)
        if grant is None or grant.until < monotonic():
            message = f"Sorry the refresh token '{token}' is invalid"
            code = "account.auth_token.invalid_refresh_token"
            return problems.epic(400, code, 18033, message, token)
        return problems.json(self._session(grant.account))

    def _session(self, account: str | None) -> dict[str, object]:
        self._forget_expired()
        bearer = secrets.token_hex(16)
        self._bearers[bearer] = _Grant(account, monotonic() + self.life)
        session: dict[str, object] = {
            "access_token": bearer,
            "expires_in": int(self.life),
            "expires_at": _after(self.life),
            "token_type": "bearer",
            "client_id": self._credentials.client_id,
            "internal_client": True,
            "client_service": "prod-fn",
            "product_id": "prod-fn",
            "application_id": "simulator",
        }
        if account is None:
            return session
        refresher = secrets.token_hex(16)
        self._refreshers[refresher] = _Grant(account, monotonic() + 2 * self.life)
        return session | {
            "refresh_token": refresher,
            "refresh_expires": int(2 * self.life),
            "refresh_expires_at": _after(2 * self.life),
            "account_id": account,
            "displayName": "simulator",
            "app": "prod-fn",
            "in_app_id": account,
        }

    def _forget_expired(self) -> None:
        now = monotonic()
        for known in (self._bearers, self._refreshers):
            for token in [token for token, grant in known.items() if grant.until < now]:
                del known[token]


def _after(seconds: float) -> str:
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Bearer tokens shared by all workers: stored encrypted, refreshed early, one refresh at a time."""

import asyncio
import re
import time
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import structlog
from cryptography.fernet import Fernet, InvalidToken
from pydantic import SecretStr

from etl.engine.clock import read_clock
from etl.engine.database import Database
from etl.engine.errors import Refused, Transient, Unauthorized
from etl.engine.verdict import closure, refusal
from etl.engine.wire import exchange, open_client, place
from etl.errors import PlainError
from etl.settings import Settings

log = structlog.get_logger(__name__)

FRESH = 0.8
"""Part of a token's life after which it is refreshed, while the old one still serves."""
MARGIN_S = 30.0
"""Seconds before its end at which a token is not sent any more."""
MOST_LIFE_S = 31_536_000.0
"""Longest life a token is believed to have, where one that never ends is given one of many digits."""
PAUSE_S = 30.0
"""How long nobody asks for a token after asking failed."""
POLL_S = 0.25
"""How often a worker looks whether another has finished refreshing."""

MAKE_KEY = (
    "make one with: python -c "
    '"from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
)


@dataclass(frozen=True, slots=True)
class Device:
    """Device credentials of an account."""

    account_id: SecretStr
    device_id: SecretStr
    secret: SecretStr


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks whom for a token: a client, and where given the device of an account.

    ``name``: of the token where it is stored. ``base_url`` and ``path``: the token endpoint.
    """

    name: str
    base_url: str
    path: str
    client_id: SecretStr
    client_secret: SecretStr
    device: Device | None = None

    @property
    def holder(self) -> str:
        """Who holds a token got with these; a token of another holder is not used."""
        parts = [self.client_id] + ([self.device.account_id] if self.device else [])
        return " ".join([self.base_url, *(part.get_secret_value() for part in parts)])


class _Session(msgspec.Struct):
    """A token answer, as received, and as stored encrypted with who it was given to."""

    access_token: str
    expires_in: float
    refresh_token: str | None = None
    refresh_expires: float = 0
    account_id: str | None = None
    holder: str = ""

    def __repr__(self) -> str:
        return "<session>"

    @property
    def stale_s(self) -> float:
        """With less left than this, it is refreshed."""
        return (1 - FRESH) * self.expires_in

    @property
    def margin_s(self) -> float:
        """With less left than this, it is not sent any more: it could end on the way."""
        return min(MARGIN_S, self.stale_s / 2)


@dataclass(slots=True)
class _Held:
    """The token this process sends, until it looks again."""

    session: _Session
    ciphertext: bytes
    until: float


class Tokens:
    """The token of one set of credentials, for all requests of this process.

    Raises:
        PlainError: ETL_TOKEN_KEY is missing or is no key.
    """

    def __init__(self, db: Database, settings: Settings, credentials: Credentials) -> None:
        self._db = db
        self._settings = settings
        self._credentials = credentials
        self._name = credentials.name
        self._cipher = _cipher(settings.token_key)
        self._held: _Held | None = None
        self._lock = asyncio.Lock()

    async def header(self) -> dict[str, str]:
        """The Authorization header to send.

        A token past four fifths of its life is refreshed by whoever gets the lease; all others go
        on with it, or wait where it has ended, and all do while the account service fails. A worker
        that dies while refreshing holds the others up for three time-outs at most.

        Raises:
            Transient: the account service fails and there is no token that still serves, or another
                worker's refresh took too long.
            Unauthorized: it gives no token for these credentials.
        """
        return _header((await self._session()).access_token)

    async def account_id(self) -> str | None:
        """The account the token stands for; None where it is a client's own. Raises as header."""
        return (await self._session()).account_id

    async def invalidate(self, header: dict[str, str]) -> None:
        """Say that the upstream answered 401 to ``header``: the next one will be new."""
        async with self._lock:
            held = self._held
            if held is None or _header(held.session.access_token) != header:
                return  # somebody in this process was quicker
            self._held = None
            await self._db.execute(
                "select engine.token_invalidate(%s, %s)", (self._name, held.ciphertext)
            )

    async def _session(self) -> _Session:
        async with self._lock:
            if self._held is None or time.monotonic() >= self._held.until:
                self._held = await self._get()
            return self._held.session

    async def _get(self) -> _Held:
        patience = 3 * self._settings.http_timeout
        deadline = time.monotonic() + patience
        while True:
            ciphertext, session, left = await self._read()
            if session and ciphertext and (fresh := left - session.stale_s) > 0:
                return _Held(session, ciphertext, time.monotonic() + fresh)
            row = await self._db.fetch_one(
                "select * from engine.token_lease(%s, %s, %s::float8)",
                (self._name, ciphertext, patience),
            )
            if row["lease"] is not None:
                try:
                    return await self._refresh(row["lease"], session, left)
                except Transient as error:
                    if session is None or left <= session.margin_s:
                        raise
                    log.warning("token not refreshed", name=self._name, reason=error.reason)
                    continue  # the old one still serves, if it lived through the asking
            if session and ciphertext and left > session.margin_s:
                return _Held(session, ciphertext, time.monotonic() + POLL_S)
            if row["paused_s"] is not None:
                raise await self._unavailable("asking for one failed a moment ago", row["paused_s"])
            if time.monotonic() > deadline:
                raise await self._unavailable("another worker refreshes it for long", POLL_S)
            await asyncio.sleep(POLL_S)

    async def _unavailable(self, why: str, seconds: float) -> Transient:
        return Transient(f"no token {self._name}: {why}", await self._in(seconds))

    async def _in(self, seconds: float) -> datetime:
        """The instant so many seconds from now, by the clock that entities are due by."""
        return (await read_clock(self._db)).now() + timedelta(seconds=seconds)

    async def _read(self) -> tuple[bytes | None, _Session | None, float]:
        rows = await self._db.fetch("select * from engine.token_read(%s)", (self._name,))
        if not rows:
            return None, None, 0
        ciphertext: bytes = rows[0]["ciphertext"]
        try:
            session = msgspec.json.decode(self._cipher.decrypt(ciphertext), type=_Session)
        except (InvalidToken, msgspec.DecodeError):
            log.warning("stored token is for another ETL_TOKEN_KEY: replaced", name=self._name)
            return ciphertext, None, 0
        if session.holder != self._credentials.holder:
            return ciphertext, None, 0
        return ciphertext, session, rows[0]["left_s"]

    async def _refresh(self, lease: int, old: _Session | None, left: float) -> _Held:
        try:
            session = await self._ask(old, left)
        except BaseException as error:
            await asyncio.shield(self._release(lease, error))
            raise
        session.holder = self._credentials.holder
        ciphertext = self._cipher.encrypt(msgspec.json.encode(session))
        await self._db.execute(
            "select engine.token_store(%s, %s, %s, %s::float8)",
            (self._name, lease, ciphertext, session.expires_in),
        )
        log.info("token refreshed", name=self._name, life_s=session.expires_in)
        fresh = session.expires_in - session.stale_s
        return _Held(session, ciphertext, time.monotonic() + fresh)

    async def _release(self, lease: int, error: BaseException) -> None:
        """Let others refresh: after a pause, but at once where the attempt was only cut off."""
        pause = PAUSE_S if isinstance(error, Exception) else 0.0
        if isinstance(error, Transient) and error.retry_at is not None:
            now = (await read_clock(self._db)).now()
            pause = max(0.0, (error.retry_at - now).total_seconds())
        await self._db.execute(
            "select engine.token_release(%s, %s, %s::float8)", (self._name, lease, pause)
        )

    async def _ask(self, old: _Session | None, left: float) -> _Session:
        """A new token: by the refresh token while there is a good one, else by the credentials."""
        if old and old.refresh_token and old.expires_in - left < old.refresh_expires - MARGIN_S:
            try:
                return await self._grant(
                    {"grant_type": "refresh_token", "refresh_token": old.refresh_token}
                )
            except Refused as error:
                log.info("refresh token refused", name=self._name, reason=error.reason)
        return await self._grant(_form(self._credentials.device))

    async def _grant(self, form: dict[str, str]) -> _Session:
        async with open_client(self._settings, self._credentials.base_url) as client:
            request = client.build_request(
                "POST", self._credentials.path, data=form, headers=_basic(self._credentials)
            )
            answer = await exchange(client, request, self._settings)
        where = f"{place(request)} ({form['grant_type']})"
        if answer.status == 200:
            return _decode(where, answer.body)
        error = refusal(where, answer)
        if isinstance(error, Refused):
            raise Unauthorized(error.reason)
        seconds = closure(answer)
        if seconds is not None:
            error.retry_at = await self._in(seconds)
        raise error


def _cipher(key: SecretStr | None) -> Fernet:
    if key is None:
        raise PlainError(
            f"ETL_TOKEN_KEY is not set: it encrypts the upstream tokens we store; {MAKE_KEY}"
        )
    try:
        return Fernet(key.get_secret_value())
    except ValueError:
        raise PlainError(
            f"ETL_TOKEN_KEY is no Fernet key (32 bytes in URL-safe base64); {MAKE_KEY}"
        ) from None


def _header(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _basic(credentials: Credentials) -> dict[str, str]:
    client_id = credentials.client_id.get_secret_value()
    pair = f"{client_id}:{credentials.client_secret.get_secret_value()}"
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def _form(device: Device | None) -> dict[str, str]:
    if device is None:
        return {"grant_type": "client_credentials"}
    return {
        "grant_type": "device_auth",
        "account_id": device.account_id.get_secret_value(),
        "device_id": device.device_id.get_secret_value(),
        "secret": device.secret.get_secret_value(),
    }


def _decode(where: str, content: bytes) -> _Session:
    """The session in a token answer; nothing of the answer is quoted when it cannot be read."""
    try:
        session = msgspec.json.decode(content, type=_Session)
    except (ValueError, RecursionError):
        raise Transient(f"{where}: the answer is no token (access_token, expires_in)") from None
    if not re.fullmatch(r"[\x21-\x7e]+", session.access_token) or not session.expires_in > 0:
        raise Transient(f"{where}: the answer has a token or a life that cannot be used")
    session.expires_in = min(session.expires_in, MOST_LIFE_S)
    return session

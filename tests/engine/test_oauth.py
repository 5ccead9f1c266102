"""Tokens: got once for all workers, renewed early, encrypted at rest, told to nobody."""

import asyncio
import logging
import time
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import msgspec
import pytest
from cryptography.fernet import Fernet
from psycopg import sql
from pydantic import SecretStr

from etl.engine.database import Database, open_database
from etl.engine.errors import Refused, Transient, Unauthorized
from etl.engine.http import Service, open_upstream
from etl.engine.oauth import Credentials, Device, Tokens
from etl.errors import PlainError
from etl.settings import Settings
from tests.clock import set_ahead
from tests.wire import Request, answer, serve

CLIENT, CLIENT_SECRET, DEVICE_SECRET = "client-one", "client-secret-x", "device-secret-y"
SECRETS = (CLIENT_SECRET, DEVICE_SECRET, "bearer-", "refresher-")


@dataclass
class Accounts:
    """An account service, and beside it an API at /api that takes its tokens."""

    url: str = ""
    life: float = 100
    refresh_expires: float = 0
    delay: float = 0
    wrong: list[bytes] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    basic: list[str] = field(default_factory=list)
    bearers: list[str] = field(default_factory=list)
    good: set[str] = field(default_factory=set)
    calls: int = 0

    async def handle(self, request: Request, writer: asyncio.StreamWriter) -> None:
        if request.line.startswith("GET /api"):
            self.calls += 1
            bearer = request.headers["authorization"].removeprefix("Bearer ")
            writer.write(answer() if bearer in self.good else answer(401, b'{"token": "bearer-"}'))
            return
        assert request.line == "POST /token HTTP/1.1"
        self.forms.append(dict(parse_qsl(request.body.decode())))
        self.basic.append(b64decode(request.headers["authorization"].split()[1]).decode())
        await asyncio.sleep(self.delay)
        writer.write(self.wrong.pop(0) if self.wrong else answer(body=self._session()))

    def _session(self) -> bytes:
        n = len(self.forms)
        self.bearers.append(f"bearer-{n}")
        self.good.add(f"bearer-{n}")
        session: dict[str, object] = {"access_token": f"bearer-{n}", "expires_in": self.life}
        if self.refresh_expires:
            session |= {
                "refresh_token": f"refresher-{n}",
                "refresh_expires": self.refresh_expires,
                "account_id": "account-1",
            }
        return msgspec.json.encode(session)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, size=8) as opened:
        yield opened


@pytest.fixture
async def accounts() -> AsyncIterator[Accounts]:
    made = Accounts()
    async with serve(made.handle) as server:
        made.url = server.url
        yield made


@pytest.fixture
def options(settings: Settings) -> Settings:
    key = SecretStr(Fernet.generate_key().decode())
    return settings.model_copy(update={"token_key": key, "http_timeout": 2.0})


def credentials(accounts: Accounts, *, device: bool = False) -> Credentials:
    own = Device(SecretStr("account-1"), SecretStr("device-1"), SecretStr(DEVICE_SECRET))
    return Credentials(
        "test",
        accounts.url,
        "/token",
        SecretStr(CLIENT),
        SecretStr(CLIENT_SECRET),
        own if device else None,
    )


@asynccontextmanager
async def worker(
    options: Settings, accounts: Accounts, *, device: bool = False
) -> AsyncIterator[Tokens]:
    """What another process would have: its own connections and nothing remembered."""
    assert options.database_url is not None
    async with open_database(options.database_url.get_secret_value(), size=2) as db:
        yield Tokens(db, options, credentials(accounts, device=device))


def bearer(n: int) -> dict[str, str]:
    return {"Authorization": f"Bearer bearer-{n}"}


async def test_a_client_gets_a_token_once(
    db: Database, options: Settings, accounts: Accounts
) -> None:
    tokens = Tokens(db, options, credentials(accounts))
    assert [await tokens.header() for _ in range(3)] == [bearer(1)] * 3
    assert await tokens.account_id() is None
    assert accounts.forms == [{"grant_type": "client_credentials"}]
    assert accounts.basic == [f"{CLIENT}:{CLIENT_SECRET}"]
    async with worker(options, accounts) as other:
        assert await other.header() == bearer(1)
    assert len(accounts.forms) == 1


async def test_a_device_gets_the_token_of_its_account(
    db: Database, options: Settings, accounts: Accounts
) -> None:
    accounts.refresh_expires = 1000
    tokens = Tokens(db, options, credentials(accounts, device=True))
    assert await tokens.account_id() == "account-1"
    assert accounts.forms == [
        {
            "grant_type": "device_auth",
            "account_id": "account-1",
            "device_id": "device-1",
            "secret": DEVICE_SECRET,
        }
    ]


async def test_other_credentials_do_not_get_a_token_that_is_not_theirs(
    db: Database, options: Settings, accounts: Accounts
) -> None:
    assert await Tokens(db, options, credentials(accounts)).header() == bearer(1)
    assert await Tokens(db, options, credentials(accounts, device=True)).header() == bearer(2)
    other = replace(credentials(accounts), client_id=SecretStr("client-two"))
    assert await Tokens(db, options, other).header() == bearer(3)


async def test_all_workers_at_once_make_one_request(options: Settings, accounts: Accounts) -> None:
    accounts.delay = 0.3
    async with (
        worker(options, accounts) as one,
        worker(options, accounts) as two,
        worker(options, accounts) as three,
    ):
        got = await asyncio.gather(*(t.header() for t in (one, two, three) for _ in range(4)))
    assert got == [bearer(1)] * 12
    assert len(accounts.forms) == 1


async def test_it_is_refreshed_early_while_others_go_on_with_it(
    options: Settings, accounts: Accounts
) -> None:
    accounts.life = 10
    async with worker(options, accounts) as one, worker(options, accounts) as two:
        assert await one.header() == await two.header() == bearer(1)
        await asyncio.sleep(8.05)  # past four fifths
        accounts.delay = 1
        refreshing = asyncio.create_task(one.header())
        await asyncio.sleep(0.05)
        assert await two.header() == bearer(1)
        assert not refreshing.done()  # nobody waited for it
        assert await refreshing == bearer(2)
        await asyncio.sleep(0.3)
        assert await two.header() == bearer(2)
    assert len(accounts.forms) == 2


async def test_while_it_cannot_be_refreshed_the_old_one_serves_to_its_end(
    db: Database, options: Settings, accounts: Accounts
) -> None:
    left = "update engine.token set expires_at = clock_timestamp() + make_interval(secs => %s)"
    await Tokens(db, options, credentials(accounts)).header()  # lives 100 s
    await db.execute(left, [15])
    accounts.wrong = [answer(503)]
    async with worker(options, accounts) as one, worker(options, accounts) as two:
        assert [await one.header(), await two.header()] == [bearer(1)] * 2
        await db.execute(left, [5])
        await asyncio.sleep(0.3)
        for tokens in (one, two):
            with pytest.raises(Transient, match="failed a moment ago"):
                await tokens.header()
    assert len(accounts.forms) == 2


async def test_a_refresh_token_is_used_and_when_refused_the_credentials_are(
    options: Settings, accounts: Accounts
) -> None:
    accounts.life, accounts.refresh_expires = 0.5, 1000
    async with worker(options, accounts, device=True) as one:
        await one.header()
        await asyncio.sleep(0.45)
        assert await one.header() == bearer(2)
        accounts.wrong = [answer(400, b'{"errorMessage": "refresher- is invalid"}')]
        await asyncio.sleep(0.45)
        assert await one.header() == bearer(4)
    assert [form["grant_type"] for form in accounts.forms] == [
        "device_auth",
        "refresh_token",
        "refresh_token",
        "device_auth",
    ]
    assert accounts.forms[1]["refresh_token"] == "refresher-1"


async def test_a_refresh_token_that_has_ended_is_not_sent(
    options: Settings, accounts: Accounts
) -> None:
    accounts.life, accounts.refresh_expires = 0.5, 30
    async with worker(options, accounts, device=True) as one:
        await one.header()
        await asyncio.sleep(0.45)
        await one.header()
    assert [form["grant_type"] for form in accounts.forms] == ["device_auth"] * 2


async def test_a_401_gets_a_new_token_once_for_all_that_met_it(
    db: Database, options: Settings, accounts: Accounts
) -> None:
    tokens = Tokens(db, options, credentials(accounts))
    service = Service(accounts.url, "test", 1000)
    async with (
        worker(options, accounts) as other,
        open_upstream(db, options, service, tokens) as one,
    ):
        await one.get("/api")
        assert await other.header() == bearer(1)
        accounts.good.clear()
        answers = await asyncio.gather(*(one.get("/api") for _ in range(5)))
        assert len(answers) == 5
        assert len(accounts.forms) == 2
        # who comes late with the old one, here or in another worker, does not end the new one
        await tokens.invalidate(bearer(1))
        assert await tokens.header() == bearer(2)
        await other.invalidate(bearer(1))
        assert await other.header() == bearer(2)
        assert len(accounts.forms) == 2


async def test_a_401_with_a_fresh_token_is_an_answer(
    db: Database, options: Settings, accounts: Accounts
) -> None:
    tokens = Tokens(db, options, credentials(accounts))
    accounts.refresh_expires = 1000
    async with open_upstream(db, options, Service(accounts.url, "t", 1000), tokens) as one:
        accounts.wrong = [answer(body=b'{"access_token": "bearer-x", "expires_in": 50}')] * 2
        with pytest.raises(Unauthorized, match="answered 401"):
            await one.get("/api")
    assert accounts.calls == 2
    assert len(accounts.forms) == 2


async def test_refused_credentials_are_not_asked_with_again_at_once(
    options: Settings, accounts: Accounts
) -> None:
    said = b'{"errorCode": "errors.account.invalid", "errorMessage": "client-secret-x"}'
    accounts.wrong = [answer(400, said)]
    async with worker(options, accounts) as one, worker(options, accounts) as two:
        with pytest.raises(Unauthorized, match=r"errors\.account\.invalid") as raised:
            await one.header()
        assert CLIENT_SECRET not in str(raised.value)
        for tokens in (one, two):
            with pytest.raises(Transient, match="failed a moment ago") as later:
                await tokens.header()
            assert later.value.retry_at is not None
            assert 20 < (later.value.retry_at - datetime.now(UTC)).total_seconds() <= 30
    assert len(accounts.forms) == 1


async def test_the_account_service_is_left_alone_for_as_long_as_it_asks(
    options: Settings, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the clock of the worker."""
    accounts.wrong = [answer(429, Retry_After="100")]
    async with worker(options, accounts) as one:
        for _ in range(2):
            with monkeypatch.context() as skewed:
                set_ahead(skewed)
                with pytest.raises(Transient) as raised:
                    await one.header()
            assert raised.value.retry_at is not None
            assert 90 < (raised.value.retry_at - datetime.now(UTC)).total_seconds() <= 100
    assert len(accounts.forms) == 1


@pytest.mark.parametrize(
    "said",
    [
        answer(body=b'{"access_token": "bearer-\\n", "expires_in": 50}'),
        answer(body=b'{"access_token": "bearer-", "expires_in": 0}'),
        answer(body=b'{"access_token": 7, "expires_in": 50}'),
        answer(body=b"[]"),
        answer(body=b'{"access_token": "bearer-", "x": ' + b"[" * 100_000),
        answer(body=b""),
        answer(500),
        answer(body=b"x" * 9)[:-3],
    ],
)
async def test_an_answer_that_is_no_token_is_transient_and_not_quoted(
    options: Settings, accounts: Accounts, said: bytes
) -> None:
    accounts.wrong = [said]
    async with worker(options.model_copy(update={"http_timeout": 0.4}), accounts) as one:
        with pytest.raises(Transient) as raised:
            await one.header()
    assert not any(secret in str(raised.value) for secret in SECRETS)


async def test_a_token_that_lives_for_ever_is_taken(
    db: Database, options: Settings, accounts: Accounts
) -> None:
    accounts.life = 1e18
    assert await Tokens(db, options, credentials(accounts)).header() == bearer(1)
    async with worker(options, accounts) as other:
        assert await other.header() == bearer(1)
    assert len(accounts.forms) == 1


async def test_a_worker_that_died_refreshing_is_replaced(
    db: Database, options: Settings, accounts: Accounts
) -> None:
    await db.execute("select engine.token_lease('test', null, 0.6)")
    started = time.monotonic()
    assert await Tokens(db, options, credentials(accounts)).header() == bearer(1)
    assert 0.4 < time.monotonic() - started < 5


async def test_a_worker_that_comes_back_late_does_not_overwrite(db: Database) -> None:
    late = (await db.fetch_one("select * from engine.token_lease('test', null, 0.0)"))["lease"]
    await asyncio.sleep(0.01)
    now = (await db.fetch_one("select * from engine.token_lease('test', null, 60)"))["lease"]
    assert None not in (late, now)
    await db.execute("select engine.token_store('test', %s, 'new', 100)", (now,))
    await db.execute("select engine.token_store('test', %s, 'old', 100)", (late,))
    await db.execute("select engine.token_release('test', %s, 100)", (late,))
    row = await db.fetch_one("select * from engine.token_read('test')")
    assert row["ciphertext"] == b"new"
    # and who saw what was there before does not refresh it a second time
    again = await db.fetch_one("select * from engine.token_lease('test', null, 60)")
    assert again == {"lease": None, "paused_s": None}


async def test_a_worker_cut_off_while_refreshing_holds_nobody_up(
    options: Settings, accounts: Accounts
) -> None:
    accounts.delay = 5
    async with worker(options, accounts) as one, worker(options, accounts) as two:
        task = asyncio.create_task(one.header())
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        accounts.delay = 0
        started = time.monotonic()
        assert await two.header() == bearer(2)
        assert time.monotonic() - started < 4


async def test_nothing_of_it_is_in_logs_or_rows(
    db: Database,
    options: Settings,
    accounts: Accounts,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    accounts.life, accounts.refresh_expires = 0.5, 1000
    tokens = Tokens(db, options, credentials(accounts, device=True))
    async with open_upstream(db, options, Service(accounts.url, "t", 1000), tokens) as one:
        await one.get("/api")
        await asyncio.sleep(0.45)
        accounts.wrong = [answer(400, b'{"errorCode": "bearer-refresher-"}')]
        await one.get("/api", params={"q": DEVICE_SECRET})
        accounts.good.clear()
        accounts.wrong = [answer(400, b"client-secret-x")] * 2
        with pytest.raises(Refused):
            await one.get("/api")
    assert len(accounts.forms) == 5
    captured = capsys.readouterr()
    shown = caplog.text + captured.out + captured.err + repr(vars(tokens))
    stored = await everything(db)
    key = options.token_key
    assert key is not None
    for secret in (*SECRETS, key.get_secret_value()):
        assert secret not in shown
        assert secret not in stored
    assert "gAAAA" in stored  # it is there, encrypted


async def everything(db: Database) -> str:
    """All rows of all tables as text, bytes shown as the characters they are."""
    tables = await db.fetch(
        "select table_schema, table_name from information_schema.tables where table_type = "
        "'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')"
    )
    found = []
    async with db.connection() as conn:
        await conn.execute("set bytea_output = escape")
        for row in tables:
            name = sql.Identifier(row["table_schema"], row["table_name"])
            rows = await conn.execute(sql.SQL("select t::text as text from {} as t").format(name))
            found += [one["text"] for one in await rows.fetchall()]
    return "\n".join(found)


async def test_a_key_is_asked_for_with_how_to_make_one(
    db: Database, options: Settings, accounts: Accounts
) -> None:
    for key, what in [(None, "is not set"), ("too short", "is no Fernet key")]:
        wrong = options.model_copy(update={"token_key": key and SecretStr(key)})
        with pytest.raises(PlainError, match=f"ETL_TOKEN_KEY {what}.*Fernet.generate_key") as said:
            Tokens(db, wrong, credentials(accounts))
        assert key is None or key not in str(said.value)


async def test_a_changed_key_replaces_what_it_cannot_read(
    options: Settings, accounts: Accounts
) -> None:
    async with worker(options, accounts) as one:
        await one.header()
    key = SecretStr(Fernet.generate_key().decode())
    async with worker(options.model_copy(update={"token_key": key}), accounts) as two:
        assert await two.header() == bearer(2)

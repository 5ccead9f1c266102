"""HTTP as upstreams speak it: what is sent, what is refused, who is kept away and for how long."""

import gzip
import logging
import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from etl.engine import http, throttle, wire
from etl.engine.database import Database, open_database
from etl.engine.errors import Refused, Transient
from etl.engine.http import Service, open_upstream
from etl.engine.verdict import retry_after
from etl.settings import Settings
from tests.engine.upstreams import BUCKET, SECRET, transient, upstream
from tests.wire import answer, certificate, saying, serve, serve_http2

DEEP = b'{"x": ' + b"[" * 100_000


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, size=4) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "PAUSE_S", 0.01)


async def test_an_answer_is_whole_and_decoded(db: Database, settings: Settings) -> None:
    packed = gzip.compress(b'{"a":') + gzip.compress(b" 1}")
    async with (
        serve(saying(answer(body=packed, Content_Encoding="gzip", ETag='"v1"'))) as server,
        upstream(db, settings, f"{server.url}/base/v1") as one,
    ):
        got = await one.get("/things", params={"size": 2, "after": "a=="})
        posted = await one.post("/things", json=[{"x": "é"}], params={"q": "true"})
    assert got.body == b'{"a": 1}'
    assert (got.status, got.headers["etag"]) == (200, '"v1"')
    assert posted.body == got.body
    first, second = server.asked
    assert first.line == "GET /base/v1/things?size=2&after=a%3D%3D HTTP/1.1"
    assert first.headers["user-agent"].startswith("headrace/")
    assert first.headers["accept-encoding"] == "gzip"
    assert second.line == "POST /base/v1/things?q=true HTTP/1.1"
    assert second.headers["content-type"] == "application/json"
    assert second.body == '[{"x":"é"}]'.encode()


async def test_http2_is_spoken_where_offered_and_no_log_tells_a_secret(
    db: Database,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    context.set_alpn_protocols(["h2", "http/1.1"])
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    wire._tls.cache_clear()
    caplog.set_level(logging.DEBUG)
    try:
        async with (
            serve_http2(context, b'{"two": 2}') as server,
            upstream(db, settings, server.url) as one,
        ):
            got = await one.get(
                "/x", params={"q": SECRET}, headers={"Authorization": f"Bearer {SECRET}"}
            )
    finally:
        wire._tls.cache_clear()
    assert got.body == b'{"two": 2}'
    assert server.asked[0].headers[":path"] == f"/x?q={SECRET}"
    assert server.asked[0].headers["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in caplog.text
    assert repr(SECRET.encode())[2:-1] not in caplog.text


async def test_what_is_refused_is_not_tried_again(db: Database, settings: Settings) -> None:
    not_found = b'{"errorCode":"errors.com.epicgames.not_found","errorMessage":"no %s"}'
    async with (
        serve(saying(answer(404, not_found % SECRET.encode()), answer(403, b"\xff"))) as server,
        upstream(db, settings, server.url) as one,
    ):
        with pytest.raises(Refused) as raised:
            await one.get("/x", params={"q": SECRET})
        assert (raised.value.status, raised.value.code) == (
            404,
            "errors.com.epicgames.not_found",
        )
        assert "(errors.com.epicgames.not_found)" in str(raised.value)
        assert SECRET not in str(raised.value)
        with pytest.raises(Refused, match="403") as raised:
            await one.get("/x")
        assert raised.value.code is None
    assert len(server.asked) == 2


async def test_a_redirect_takes_no_token_to_another_host(db: Database, settings: Settings) -> None:
    async with serve(saying(answer())) as other:
        moved = answer(302, b"", Location=f"{other.url}/steal?{SECRET}")
        async with serve(saying(moved)) as server, upstream(db, settings, server.url) as one:
            with pytest.raises(Refused, match=r"302.* redirect to 127\.0\.0\.1") as raised:
                await one.get("/x", headers={"Authorization": f"Bearer {SECRET}"})
        assert SECRET not in str(raised.value)
        assert other.asked == []


@pytest.mark.parametrize(
    ("said", "means"),
    [
        (answer(302, b"", Location="http://["), Refused),
        (answer(400, DEEP), Refused),
        (answer(500, DEEP), Transient),
        (answer(503, Retry_After="Mon, 01 Jan 99999999999 00:00:00 GMT"), Transient),
        (
            answer(429, Retry_After="Mon, 01 Jan 2024 00:00:00 GMT", Date="1 Jan 99999999999 0:0"),
            Transient,
        ),
    ],
    ids=["location", "deep-400", "deep-500", "year-503", "date-429"],
)
async def test_what_is_wrong_with_a_refusal_changes_nothing_about_it(
    db: Database, settings: Settings, said: bytes, means: type[Exception]
) -> None:
    async with serve(saying(said)) as server, upstream(db, settings, server.url) as one:
        with pytest.raises(means):
            await one.get("/x")


async def test_not_modified_is_an_answer(db: Database, settings: Settings) -> None:
    async with serve(saying(answer(304, b""))) as server, upstream(db, settings, server.url) as one:
        got = await one.get("/x", headers={"If-None-Match": '"v1"'})
    assert (got.status, got.body) == (304, b"")
    assert server.asked[0].headers["if-none-match"] == '"v1"'


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (answer(429, Retry_After="7"), 7),
        (answer(429, Retry_After="Sun, 05 Jul 2026 10:00:42 GMT"), 42),
        (answer(429), 30),
        (answer(429, Retry_After="soon"), 30),
        (answer(429, Retry_After="999999999"), 86_400),
        (answer(503, Retry_After="9"), 9),
    ],
)
async def test_who_asks_us_to_keep_away_closes_the_throttle_for_everyone(
    db: Database, settings: Settings, said: bytes, seconds: int
) -> None:
    async with serve(saying(said)) as server:
        async with upstream(db, settings, server.url) as one:
            before = datetime.now(UTC)
            error = await transient(one)
            assert error.retry_at is not None
            assert (error.retry_at - before).total_seconds() == pytest.approx(seconds, abs=1)
        async with upstream(db, settings, server.url) as another:
            later = await transient(another)
        assert later.retry_at is not None
        assert abs((later.retry_at - error.retry_at).total_seconds()) < 1
        assert len(server.asked) == 1
    row = await db.fetch_one("select closed, closed_until, closed_reason from ops.throttle")
    assert row["closed"]
    assert row["closed_until"] == error.retry_at
    assert SECRET not in row["closed_reason"]


async def test_a_short_closure_is_waited_for(db: Database, settings: Settings) -> None:
    quick = settings.model_copy(update={"http_timeout": 2.0})
    async with (
        serve(saying(answer(429, Retry_After="1"), answer(body=b"[1]"))) as server,
        open_upstream(db, quick, Service(server.url, BUCKET, 1000, patience=5)) as one,
    ):
        await transient(one)
        started = time.monotonic()
        assert (await one.get("/x")).body == b"[1]"
        assert 0.3 < time.monotonic() - started < 6


async def test_each_try_takes_its_turn(db: Database, settings: Settings) -> None:
    quick = settings.model_copy(update={"http_retries": 2})
    async with (
        serve(saying(answer(500))) as server,
        open_upstream(db, quick, Service(server.url, BUCKET, 5, patience=5)) as one,
    ):
        started = time.monotonic()
        await transient(one)
        assert time.monotonic() - started >= 0.4
    assert len(server.asked) == 3
    assert await db.fetch_one("select capacity, per_second from engine.throttle") == {
        "capacity": 1,
        "per_second": 5,
    }


async def test_a_turn_reserved_is_the_next_requests_and_taken_once(
    db: Database, settings: Settings
) -> None:
    async with (
        serve(saying(answer(body=b"[1]"))) as server,
        open_upstream(db, settings, Service(server.url, BUCKET, 0.5, patience=1)) as one,
    ):
        for _ in range(3):
            await one.reserve()
        assert (await one.get("/x")).body == b"[1]"
        with pytest.raises(Transient, match=BUCKET):
            await one.reserve()


async def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(saying(answer())) as proxy, serve(saying(answer(body=b"[1]"))) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with upstream(db, settings, server.url) as one:
            assert (await one.get("/x")).body == b"[1]"
        assert proxy.asked == []


def test_a_retry_after_is_understood_or_left() -> None:
    now = {"Date": "Sun, 05 Jul 2026 10:00:00 GMT"}
    for value, seconds in [
        ("0", 1),
        (" 12 ", 12),
        ("Sun, 05 Jul 2026 10:05:00 GMT", 300),
        ("Sun, 05 Jul 2026 10:05:00 -0000", 300),
        ("Sun, 05 Jul 2026 09:00:00 GMT", 1),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("Sun, 99 Jul 2026 10:05:00 GMT", None),
        ("٣", None),
    ]:
        assert retry_after(httpx.Headers(now | {"Retry-After": value}, "utf-8")) == seconds, value


async def test_a_wait_for_the_turn_counts_as_neither_answer_nor_connection(
    db: Database, settings: Settings
) -> None:
    async with (
        serve(saying(answer(body=b"[1]"))) as server,
        open_upstream(
            db,
            settings.model_copy(update={"http_timeout": 0.3}),
            Service(server.url, BUCKET, 1.5, patience=5),
        ) as one,
    ):
        await throttle.take(db, BUCKET)
        assert (await one.get("/x")).body == b"[1]"

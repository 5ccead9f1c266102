"""HTTP as it goes wrong on the wire: silent, dripping, endless, packed to burst, cut."""

import asyncio
import gzip
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import pytest

from etl.engine import http
from etl.engine.database import Database, open_database
from etl.engine.errors import Transient
from etl.settings import Settings
from tests.engine.upstreams import transient, upstream
from tests.wire import Request, answer, saying, serve


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, size=4) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "PAUSE_S", 0.01)


async def test_nothing_answers_for_ever(db: Database, settings: Settings) -> None:
    async def silent(_: Request, __: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async def dripping(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    for handler in (silent, dripping):
        started = time.monotonic()
        async with (
            serve(handler) as server,
            upstream(db, settings, server.url, http_timeout=0.4, http_retries=1) as one,
        ):
            error = await transient(one)
        assert "no whole answer in 0.4 s" in error.reason
        assert error.retry_at is None
        assert len(server.asked) == 2
        assert 0.8 <= time.monotonic() - started < 6


async def test_a_body_is_never_larger_than_allowed(db: Database, settings: Settings) -> None:
    async def endless(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1000\r\n" + b"[" * 4096 + b"\r\n")
            await writer.drain()

    async with (
        serve(endless) as server,
        upstream(db, settings, server.url, http_body_limit=100_000, http_retries=0) as one,
    ):
        error = await transient(one)
    assert "over 100000 bytes" in error.reason


async def test_a_small_body_that_unpacks_to_a_huge_one_takes_no_memory(
    db: Database, settings: Settings
) -> None:
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(1 << 20)
    bomb = b"".join(packer.compress(zeros) for _ in range(512)) + packer.flush()
    assert len(bomb) < 600_000
    async with (
        serve(saying(answer(body=bomb, Content_Encoding="gzip"))) as server,
        upstream(db, settings, server.url, http_body_limit=1_000_000, http_retries=0) as one,
    ):
        tracemalloc.start()
        error = await transient(one)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert "over 1000000 bytes" in error.reason
    assert peak < 6_000_000


async def test_a_body_of_exactly_the_limit_is_taken(db: Database, settings: Settings) -> None:
    body = b"[" + b" " * 998 + b"]"
    packed = gzip.compress(body)
    async with (
        serve(saying(answer(body=body), answer(body=packed, Content_Encoding="gzip"))) as server,
        upstream(db, settings, server.url, http_body_limit=1000) as one,
    ):
        assert (await one.get("/x")).body == body
        assert (await one.get("/x")).body == body


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (answer(body=b""), "an empty body"),
        (answer(body=b" \n "), "an empty body"),
        (answer(body=b"<html>soon</html>"), "not JSON"),
        (answer(body=gzip.compress(b"{}" * 100)[:-9], Content_Encoding="gzip"), "cut short"),
        (answer(body=b"no gzip at all", Content_Encoding="gzip"), "gzip body is broken"),
        (answer(body=b"{}", Content_Encoding="br"), "packed as 'br'"),
        (answer(500), "answered 500"),
        (answer(503, b'{"errorCode":"errors.com.epicgames.x"}'), "503 (errors.com.epicgames.x)"),
        (answer(408), "answered 408"),
        (b"nonsense\r\n\r\n", "RemoteProtocolError"),
    ],
)
async def test_what_passes_is_tried_again_and_named(
    db: Database, settings: Settings, said: bytes, reason: str
) -> None:
    async with (
        serve(saying(said, said, said, answer(body=b"[1]"))) as server,
        upstream(db, settings, server.url) as one,
    ):
        error = await transient(one)
        assert reason in error.reason
        assert "GET http://127.0.0.1:" in error.reason
        assert len(server.asked) == 3
        assert (await one.get("/x")).body == b"[1]"


async def test_a_cut_connection_is_tried_again_where_that_is_safe(
    db: Database, settings: Settings
) -> None:
    async def cut(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.line.startswith("GET /never") or len(server.asked) % 2:
            writer.write(answer(body=b"x" * 100)[:-50])
            writer.close()
        else:
            writer.write(answer(body=b"[1]"))

    async with serve(cut) as server, upstream(db, settings, server.url) as one:
        assert (await one.get("/x")).body == b"[1]"
        assert (await one.post("/x", json={}, safe=True)).body == b"[1]"
        assert len(server.asked) == 4
        with pytest.raises(Transient, match="peer closed connection"):
            await one.post("/x", json={})
        assert len(server.asked) == 5
        await transient(one, "/never")


async def test_nobody_listening_is_transient(db: Database, settings: Settings) -> None:
    async with serve(saying(answer())) as server:
        pass
    async with upstream(db, settings, server.url) as one:
        assert "ConnectError" in (await transient(one)).reason


async def test_time_outs_under_load_leave_the_connections_usable(
    db: Database, settings: Settings
) -> None:
    slow = asyncio.Event()

    async def sometimes(_: Request, writer: asyncio.StreamWriter) -> None:
        if not slow.is_set():
            await asyncio.sleep(60)
        writer.write(answer(body=b"[1]"))

    async with (
        serve(sometimes) as server,
        upstream(
            db, settings, server.url, http_timeout=1.5, http_connections=3, http_retries=0
        ) as one,
    ):
        tasks = [asyncio.create_task(one.get("/x")) for _ in range(12)]
        await asyncio.sleep(0.3)
        for task in tasks[::2]:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(o) for o in outcomes} == {Transient, asyncio.CancelledError}
        slow.set()
        answers = await asyncio.gather(*(one.get("/x") for _ in range(12)))
        assert len(answers) == 12

"""A plain database that moves to TimescaleDB: no row lost, killed where it may be, and then as one that was made so."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from typing import Any

import psycopg
import pytest

from etl.engine import staging, switch, timeseries
from etl.engine.database import Database, open_database
from etl.engine.migrate import migrate
from etl.engine.snapshot import Snapshot, keep
from etl.engine.standing import standing
from etl.settings import Settings
from tests.commands import run_etl
from tests.timescale import conftest
from tests.timescale.catalogue import catalogue
from tests.timescale.model import (
    DAY,
    HOUR,
    STEP,
    Rollup,
    aggregate,
    at,
    check,
    daily,
    hourly,
    put,
    raw,
    series,
)

NOW = at("2026-11-20 12:00")
OPTIONS = Settings(ccu_retention_days=30, ccu_hourly_retention_days=60, ccu_compression_days=7)
World = tuple[dict[Any, int], Rollup, Rollup, list[Any]]


class Killed(Exception):
    """The move was killed."""


@pytest.fixture(params=[name for name in conftest.GROUNDS if name != "plain"])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A plain database on a server that has TimescaleDB, and one that was made on TimescaleDB."""
    made = request.getfixturevalue(f"{request.param}_url")
    if request.param == "wasm":
        with conftest.wasm_server() as url:
            migrate(url, Settings(timeseries="plain"))
            yield url, made
    else:
        assert conftest.NATIVE is not None
        for url in conftest._database(conftest.NATIVE, "plain"):
            yield url, made


async def _fill(db: Database) -> None:
    """Samples of all ages, some dropped with their roll-ups kept, some late, some not rolled up; and raw pages."""
    for age in (100, 61, 45, 31, 29, 8):
        await put(db, series(NOW - age * DAY, [age, 2, 3]))
    await timeseries.retain(db, OPTIONS, at=NOW)
    await put(db, series(NOW - DAY, range(160), island=2))
    await timeseries.refresh(db)
    await put(db, series(NOW - 20 * DAY, [7, 8, 9], island=3))
    await db.execute("select * from fortnite.store_ccu(%s, 'entries', '{a,b}', '{5,-1}')", [NOW])
    await keep(db, "x", NOW, [Snapshot("s/EU", 0, b'{"a": 1}'), Snapshot("s/EU", 1, b"[]")])


async def _world(db: Database) -> World:
    rest = await db.fetch(
        "select s::text,"
        " (select array_agg(l order by l.late_id) from engine.late as l where l.relation = s.relation)::text"
        " as late, (select array_agg(p order by p.page) from raw.snapshot as p)::text as pages"
        " from engine.series as s order by 1"
    )
    return await raw(db), await hourly(db), await daily(db), rest


def _move_until(url: str, steps: int) -> list[switch.Moved]:
    """Move, and die at the so-manyth step."""
    left = steps

    def progress(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed

    return switch.move(url, Settings(), progress)


def _give_up(url: str) -> None:
    """A move that is given up leaves nothing behind."""
    with pytest.raises(Killed):
        _move_until(url, 1)
    assert switch.cancel(url)
    assert not switch.cancel(url)
    assert not standing(url).begun
    with psycopg.connect(url, autocommit=True) as conn:
        left = conn.execute(
            "select count(*) from pg_trigger where tgname = 'switching' union all"
            " select count(*) from timescaledb_information.hypertables"
        ).fetchall()
        assert left == [(0,), (0,)]


async def test_a_plain_database_moves_without_losing_a_row(pair: tuple[str, str]) -> None:
    url, made = pair
    async with open_database(url, size=1) as db:
        await _fill(db)
        before = await _world(db)
    _give_up(url)
    steps, moved, began = 0, None, 0
    while moved is None:
        try:
            moved = await asyncio.to_thread(_move_until, url, steps)
        except Killed:
            steps += 3
            assert standing(url).begun
            assert standing(url).foundation == "plain"
            if steps % 2:  # whoever writes and reads goes on between two tries
                async with open_database(url, size=1) as db:
                    await put(db, series(NOW - steps * STEP, [steps], island=9))
                    assert (await raw(db)).items() > before[0].items()
                    before = await _world(db)
                began += 1
    assert began
    assert {one.relation: one.rows for one in moved} == {
        "fortnite.ccu": len(before[0]),
        "raw.snapshot": 2,
        "fortnite.ccu_hourly": moved[2].rows,
        "fortnite.ccu_daily": moved[3].rows,
    }
    assert min(one.rows for one in moved) > 1

    assert standing(url).foundation == "timescale"
    async with open_database(url, size=1) as db:
        assert await _world(db) == before
    ours, theirs = catalogue(url), catalogue(made)
    for part, rows in theirs.items():
        assert ours[part] == rows, part
    assert migrate(url, Settings()).applied == []
    with pytest.raises(switch.CannotSwitch, match="TimescaleDB already"):
        switch.move(url, Settings(), lambda *_: None)

    async with open_database(url, size=1) as db:
        await put(db, series(NOW - 20 * DAY, [9, 9], island=3))
        await put(db, series(NOW - 8 * DAY + STEP, [50], island=4))
        await put(db, series(NOW + 2 * STEP, range(20), island=2))
        await timeseries.refresh(db)
        samples = await raw(db)
        recent = {key: ccu for key, ccu in samples.items() if key[0] >= NOW - 25 * DAY}
        hours = {key: row for key, row in (await hourly(db)).items() if key[0] >= NOW - 25 * DAY}
        old = {key: row for key, row in before[2].items() if key[0] < NOW - 25 * DAY}
        days = await daily(db)
        assert old.items() <= days.items()
        await db.execute("delete from fortnite.ccu where ts < %s", [NOW - 25 * DAY])
        await timeseries.retain(db, OPTIONS, at=NOW + 5 * DAY)
        assert hours.items() <= (await hourly(db)).items()
        assert await daily(db) == days
        for key, row in aggregate(recent, HOUR).items():
            assert hours[key] == row


async def test_nobody_writes_while_a_move_is_alone(database_url: str, db_plain: Database) -> None:
    db = db_plain
    await put(db, series(NOW, [1, 2, 3]))
    with psycopg.connect(database_url, autocommit=True) as mover:
        staging.guard(mover, "x")
        await put(db, series(NOW + STEP, [5]))  # the move copies: everybody goes on
        mover.execute(staging.ALONE)
        said = "time series are being moved to TimescaleDB"
        async with db.connection() as conn:
            for statement in (
                "select fortnite.store_ccu('2026-11-20 12:40Z', 'entries', '{a}', '{1}')",
                "update fortnite.ccu set ccu = 9",
                "truncate fortnite.ccu",
                "delete from raw.snapshot",
                "select engine.raise_floor('fortnite.ccu', '2026-01-01')",
                "select engine.close_buckets('fortnite.ccu_hourly', '2026-11-20 13:00Z')",
            ):
                with pytest.raises(psycopg.errors.ObjectInUse, match=said):
                    await conn.execute(statement)
        assert await raw(db) == series(NOW, [1, 5, 3])
        with pytest.raises(psycopg.errors.ObjectInUse, match=said):
            await timeseries.refresh(db, until=NOW + DAY)
    await timeseries.refresh(db, until=NOW + DAY)  # the mover died: everybody goes on
    await check(db)


async def test_a_move_waits_for_who_writes(database_url: str, db_plain: Database) -> None:
    with psycopg.connect(database_url, autocommit=True) as mover:
        staging.guard(mover, "x")
        async with db_plain.connection() as writer, writer.transaction():
            await writer.execute("select engine.make_room('fortnite.ccu', %s)", [NOW])
            await writer.execute("insert into fortnite.ccu values (%s, 1, 5)", [NOW])
            alone = asyncio.create_task(asyncio.to_thread(mover.execute, staging.ALONE))
            done, _ = await asyncio.wait([alone], timeout=0.3)
            assert not done
        await alone


@pytest.fixture
async def db_plain(database_url: str) -> AsyncIterator[Database]:
    """The test's database, on plain partitions."""
    async with open_database(database_url, size=3) as db:
        yield db


def test_what_stands_against_a_move_is_said_in_a_sentence(plain_url: str) -> None:
    plain = Settings.model_validate({"timeseries": "plain"})
    with pytest.raises(switch.CannotSwitch, match="set it to auto or timescale"):
        switch.move(plain_url, plain, lambda *_: None)
    found = standing(plain_url)
    assert (found.foundation, found.begun) == ("plain", False)
    with psycopg.connect(plain_url) as conn:
        offered = conn.execute(
            "select from pg_available_extensions where name = 'timescaledb'"
        ).rowcount
    env = {"ETL_DATABASE_URL": plain_url}
    said = run_etl("timeseries", "status", env=env).stdout
    if offered:
        assert "TimescaleDB" in said
        return
    done = run_etl("timeseries", "migrate", env=env)
    assert (done.returncode, done.stdout) == (1, "")
    assert "the server does not offer the extension timescaledb: install it" in done.stderr
    assert "does not offer" in said
    assert run_etl("timeseries", "cancel", env=env).stdout == "no move was begun\n"
    assert asdict(found)["missing"] is not None

"""A plain database that moves to TimescaleDB: no row lost, killed where it may be, and then as one that was made so."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
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
    for steps in (0, 4, 11, 27):
        with pytest.raises(Killed):
            await asyncio.to_thread(_move_until, url, steps)
        assert standing(url).begun
        async with open_database(url, size=1) as db:  # whoever reads and writes goes on
            await put(db, series(NOW - steps * STEP, [steps], island=9))
            assert before[0].items() < (await raw(db)).items()
            before = await _world(db)
    done = await asyncio.to_thread(
        run_etl, "timeseries", "migrate", "--json", env={"ETL_DATABASE_URL": url}
    )
    assert done.returncode == 0, done.stderr
    moved = {one["relation"]: one for one in json.loads(done.stdout)}
    assert moved["fortnite.ccu"]["rows"] == len(before[0])
    assert moved["raw.snapshot"]["rows"] == 2
    assert moved["fortnite.ccu_daily"]["days"] > 6

    async with open_database(url, size=1) as db:
        assert await _world(db) == before
    ours, theirs = catalogue(url), catalogue(made)
    for part, rows in theirs.items():
        assert ours[part] == rows, part
    assert migrate(url, Settings()).applied == []
    assert (standing(url).foundation, standing(url).begun) == ("timescale", False)
    with pytest.raises(switch.CannotSwitch, match="TimescaleDB already"):
        _move_until(url, 0)
    async with open_database(url, size=1) as db:
        await _goes_on(db, before)


async def _goes_on(db: Database, before: World) -> None:
    """Late rows, new rows and ages do what they do on a database that was made on TimescaleDB."""
    await put(db, series(NOW - 20 * DAY, [9, 9], island=3))
    await put(db, series(NOW + 2 * STEP, range(20), island=2))
    await timeseries.refresh(db)
    days = await daily(db)
    old = {key: row for key, row in before[2].items() if key[0] < NOW - 30 * DAY}
    assert old
    assert old.items() <= days.items()
    retained = await timeseries.retain(db, OPTIONS, at=NOW + 5 * DAY)
    assert min(retained.dropped, retained.compressed) > 0
    assert await daily(db) == days
    await put(db, series(NOW - 8 * DAY + STEP, [50], island=4))  # into what is compressed
    await timeseries.refresh(db)
    samples, hours = await raw(db), await hourly(db)
    assert min(samples)[0] > NOW - 25 * DAY
    for key, row in aggregate(samples, HOUR).items():
        assert hours[key] == row
    for key, row in aggregate(samples, DAY).items():
        assert (await daily(db))[key] == row


async def test_nobody_writes_while_a_move_is_alone(own_url: str, db_plain: Database) -> None:
    db = db_plain
    await put(db, series(NOW, [1, 2, 3]))
    with psycopg.connect(own_url, autocommit=True) as mover:
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


async def test_a_move_waits_for_who_writes(own_url: str, db_plain: Database) -> None:
    with psycopg.connect(own_url, autocommit=True) as mover:
        staging.guard(mover, "x")
        async with db_plain.connection() as writer, writer.transaction():
            await writer.execute("select engine.make_room('fortnite.ccu', %s)", [NOW])
            await writer.execute("insert into fortnite.ccu values (%s, 1, 5)", [NOW])
            alone = asyncio.create_task(asyncio.to_thread(mover.execute, staging.ALONE))
            done, _ = await asyncio.wait([alone], timeout=0.3)
            assert not done
        await alone


async def test_what_changed_while_it_was_copied_is_copied_again(
    own_url: str, db_plain: Database
) -> None:
    columns = ("ts", "island_id", "ccu")
    level = staging.Level("fortnite.ccu", "fortnite.ccu", "public.target", True, columns, "ts")
    samples = series(NOW, range(200)) | series(NOW - 3 * DAY, range(9), island=2)
    await put(db_plain, samples)
    with psycopg.connect(own_url, autocommit=True) as mover:
        mover.execute("create table public.target (like fortnite.ccu including all)")

        def bring(*, strict: bool) -> switch.Moved:
            return switch._bring(mover, level, lambda *_: None, switch.Moved(""), strict=strict)

        def copied() -> list[tuple[object, ...]]:
            return mover.execute("table public.target order by 1, 2").fetchall()

        assert bring(strict=False) == switch.Moved("", 209, 3, 3)
        await put(db_plain, series(NOW + STEP, [77]))
        await db_plain.execute("delete from fortnite.ccu where ts = %s", [NOW + DAY])
        await db_plain.execute("drop table series.fortnite_ccu_20261117")  # by its age, say
        assert bring(strict=True) == switch.Moved("", 199, 2, 2)
        assert copied() == [(*key, ccu) for key, ccu in sorted((await raw(db_plain)).items())]
        assert bring(strict=True).copied == 0

        mover.execute(
            "create function public.spoil() returns trigger language plpgsql as"
            " 'begin new.ccu := new.ccu + 1; return new; end';"
            "create trigger spoil before insert on public.target for each row"
            " execute function public.spoil()"
        )
        await put(db_plain, series(NOW, [5]))
        with pytest.raises(switch.NotTheSame, match=r"fortnite\.ccu differs at 2026-11-20 12:00"):
            bring(strict=True)


@pytest.fixture
def own_url(postgres_url: str) -> Iterator[str]:
    """A database of the test's own on plain partitions, whatever the server offers."""
    yield from conftest._database(postgres_url, "plain")


@pytest.fixture
async def db_plain(own_url: str) -> AsyncIterator[Database]:
    """The test's database, on plain partitions."""
    async with open_database(own_url, size=3) as db:
        yield db


def test_a_move_that_is_not_wanted_is_refused(plain_url: str) -> None:
    plain = Settings.model_validate({"timeseries": "plain"})
    with pytest.raises(switch.CannotSwitch, match="set it to auto or timescale"):
        switch.move(plain_url, plain, lambda *_: None)
    assert not standing(plain_url).begun

"""History from files: what it makes of rows, bad lines, kills at any moment, and who must not wait for it."""

import asyncio
import json
import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.engine import timeseries
from etl.engine.database import Database
from etl.fortnite.backfill import Options, Outcome, TooManyBad, backfill, rehearse
from etl.fortnite.history import Unreadable
from etl.fortnite.history_file import look_at
from etl.fortnite.history_parquet import ParquetMissing
from tests.commands import ETL, environment
from tests.timescale.model import check

START = datetime(2026, 3, 1, tzinfo=UTC)
STEP = timedelta(minutes=10)
Sample = tuple[str, datetime, int]


def _samples(islands: int, steps: int) -> list[Sample]:
    luck = random.Random(4)
    return [
        (f"{i:04}-0000-0000", START + n * 7 * STEP, luck.randrange(30))
        for n in range(steps)
        for i in range(islands)
    ]


def _csv(path: Path, samples: Sequence[Sample]) -> Path:
    lines = [f"{code},{ts:%Y-%m-%dT%H:%M:%SZ},{ccu}\n" for code, ts, ccu in samples]
    path.write_text("island,instant,value\n" + "".join(lines))
    return path


async def _land(db: Database, path: Path, options: Options | None = None) -> Outcome:
    return await backfill(db, look_at(path), options or Options())


async def _world(db: Database) -> list[dict[str, Any]]:
    """All that follows from samples."""
    return await db.fetch(
        "select i.code, c.ts, c.ccu, n.ccu as latest, n.record_ccu, n.recorded_at, n.since"
        " from fortnite.ccu as c join fortnite.island as i using (island_id)"
        " join fortnite.island_now as n using (island_id) order by 1, 2"
    )


async def _rejected(db: Database) -> list[str]:
    rows = await db.fetch(
        "select reason from raw.rejected where resource = 'fortnite.ccu' order by rejected_id"
    )
    return [row["reason"] for row in rows]


async def _live(db: Database, samples: Sequence[Sample]) -> None:
    """As if each had been sampled by a cycle, in this order."""
    for code, ts, ccu in samples:
        await db.execute(
            "select fortnite.store_ccu(%s, 'test', %s::text[], %s::int[])", (ts, [code], [ccu])
        )


async def test_a_file_in_any_order_gives_what_cycles_would_have_given(
    db: Database, tmp_path: Path
) -> None:
    samples = _samples(3, 40)
    live, past = samples[60:90], samples[:60] + samples[90:]
    await _live(db, samples)
    expected = await _world(db)
    await db.execute(
        "truncate fortnite.ccu, fortnite.island_now, fortnite.ccu_batch;"
        " update engine.series set newest = default where relation = 'fortnite.ccu'"
    )
    await _live(db, live)
    await timeseries.refresh(db)
    random.Random(1).shuffle(past)
    done = await _land(db, _csv(tmp_path / "past.csv", past))
    assert (done.lines, done.stored, done.rejected) == (len(past) + 1, len(past), 0)
    assert await _world(db) == expected
    await timeseries.refresh(db)
    await check(db)


async def test_an_import_into_an_empty_database_is_its_newest_cycle(
    db: Database, tmp_path: Path
) -> None:
    samples = sorted(_samples(4, 30))  # island by island
    done = await _land(db, _csv(tmp_path / "all.csv", samples))
    assert (done.stored, done.discovered) == (len(samples), 4)
    newest = await db.fetch_one("select newest from engine.series where relation = 'fortnite.ccu'")
    assert newest["newest"] == max(ts for _, ts, _ in samples)
    latest = {code: ccu for code, _, ccu in samples}
    assert {row["code"]: row["latest"] for row in await _world(db)} == latest
    marked = await db.fetch("select id from search.pending where index = 'island'")
    assert {row["id"] for row in marked} == set(latest)
    crawled = await db.fetch("select key from engine.crawl where resource = 'fortnite.island'")
    assert {row["key"] for row in crawled} == set(latest)
    (island,) = await db.fetch("select distinct source from fortnite.island")
    assert island["source"] == "backfill"


HOSTILE = (
    b"ccu;x;ts;code\r\n"
    b"5;;2026-03-01T00:19:59+00:00;a\r\n"  # cut to its step
    b"6;;1772324400;b\n"  # 2026-03-01 00:20
    b"7;;1772324400000; c \n"
    b'"8";"a;b";"2026-03-01 02:20:00+02:00";"d"\n'
    b"-1;;2026-03-01 00:20;e\n"
    b";;2026-03-01 00:20;e\n"
    b"\n"
    b"5;;2026-03-01;a\n"  # line 9
    b"5;;2026-13-01 00:20;a\n"
    b"1e3;;2026-03-01 00:20;a\n"
    b"1_0;;2026-03-01 00:20;a\n"
    b"99999999999;;2026-03-01 00:20;a\n"
    b"5;;2026-03-01 00:20;a\0b\n"
    b"5;;2026-03-01 00:20;\xff\xfe\n"
    b"5;;2026-03-01 00:20;\n"
    b"5;x\n"
    b"5;;2016-03-01 00:20;a\n"
    b"5;;2126-03-01 00:20;a\n"
    b"5;" + b"x" * 3_000_000 + b";2026-03-01 00:20;a\n"
    b"9;;2026-03-01T00:11;a\n"  # again: the later line counts
    b"3;;2026-03-01 00:20;" + b"y" * 201 + b"\n"
    b"10;\xe4;2026-03-01 00:20:00.5;f"
)


async def test_what_is_bad_is_set_aside_by_line_and_the_rest_lands(
    db: Database, tmp_path: Path
) -> None:
    path = tmp_path / "b\u00f6se.csv"
    path.write_bytes(HOSTILE)
    done = await _land(db, path)
    assert (done.lines, done.stored, done.skipped, done.rejected) == (23, 6, 3, 13)
    ten, twenty = START + STEP, START + 2 * STEP
    assert [(row["code"], row["ts"], row["ccu"]) for row in await _world(db)] == [
        ("a", ten, 9),
        ("b", twenty, 6),
        ("c", twenty, 7),
        ("d", twenty, 8),
        ("f", twenty, 10),
    ]
    told = {bad.line: bad.reason for bad in done.bad}
    parts = {
        9: "instant is none: '2026-03-01'", 10: "'2026-13-01 00:20'", 11: "no whole number: '1e3'",
        12: "no whole number: '1_0'", 13: "more than 2,147,483,647", 14: "no code", 15: "no code",
        16: "no code", 17: "2 fields, 4 are needed", 18: "before 2018-12-06", 19: "of the future",
        20: "longer than 65,536 bytes", 22: "no code",
    }  # fmt: skip
    assert told.keys() == parts.keys()
    for line, part in parts.items():
        assert part in told[line]
    kept = await _rejected(db)
    assert [reason.split(": ")[0] for reason in kept] == [
        f"böse.csv line {n}" for n in sorted(parts)
    ]
    body = await db.fetch_one("select max(length(body)) as most from raw.rejected")
    assert body["most"] <= 2_000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no column has the island"),
        (b"a,b,c\n1,2,3\n", "named island or island_code or code; the header has 'a', 'b', 'c"),
        (b"island,ts\n", "no column has the value"),
        ("island,ts,ccu\n".encode("utf-16"), "no text in UTF-8"),
        (b"x" * 100_000, "no header"),
        (b"\x1f\x8b\x08\x00", r"compressed \(gzip\): unpack it"),
        (b"PAR1 not really PAR1", "cannot be read as Parquet"),
    ],
)
async def test_a_file_that_is_none_is_refused_in_a_sentence(
    db: Database, tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "f"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=said):
        await _land(db, path)
    assert await db.fetch("select name from engine.backfill") == []
    with pytest.raises(Unreadable, match="No such file"):
        look_at(tmp_path / "gone")


async def test_what_is_too_old_or_unknown_is_set_aside(db: Database, tmp_path: Path) -> None:
    await db.execute("select engine.raise_floor('fortnite.ccu', %s)", [START + STEP])
    await _live(db, [("a", START + 9 * STEP, 1)])
    samples = [("a", START + n * STEP, n) for n in range(3)] + [("new", START + STEP, 1)]
    done = await _land(db, _csv(tmp_path / "1.csv", samples), Options(known_only=True))
    assert (done.stored, done.rejected, done.discovered) == (2, 2, 0)
    assert [(bad.line, bad.key) for bad in done.bad] == [(2, "a"), (5, "new")]
    old, unknown = await _rejected(db)
    assert old == "1.csv line 2: older than 2026-03-01 00:10, before which CCU is not kept"
    assert unknown == "1.csv line 5: its island is not known"
    assert [row["ccu"] for row in await _world(db)] == [1, 2, 1]
    again = _csv(tmp_path / "2.csv", [("old", START, 1), *samples])
    done = await _land(db, again, Options(since=START + 2 * STEP))
    assert (done.stored, done.skipped, done.rejected, done.discovered) == (1, 4, 0, 0)


async def test_a_file_with_too_many_bad_lines_is_stopped_at_and_can_go_on(
    db: Database, tmp_path: Path
) -> None:
    path = _csv(tmp_path / "f.csv", [*_samples(2, 5), *[("b ad", START, 1)] * 5])
    with pytest.raises(TooManyBad, match="5 lines were set aside") as stopped:
        await _land(db, path, Options(most_rejected=4))
    assert "line 12: its island is no code" in str(stopped.value)
    done = await _land(db, path, Options(most_rejected=5))
    assert (done.stored, done.rejected, done.already) == (10, 5, False)
    assert len(await _rejected(db)) == 5


async def test_killed_again_and_again_it_ends_as_if_it_never_was(
    db: Database, tmp_path: Path
) -> None:
    samples = _samples(3, 9)
    big = samples + [(f"{n:05}", START + n % 5 * STEP, 1) for n in range(17_000)]
    path = _csv(tmp_path / "f.csv", big)
    with path.open("a") as file:
        file.write("bad\n" * 7)
    patience, died = 0.05, 0
    while True:
        try:
            async with asyncio.timeout(patience):
                done = await _land(db, path)
            break
        except TimeoutError:
            died += 1
            patience *= 1.3
    assert died
    assert (done.lines, done.stored, done.rejected) == (len(big) + 8, len(big), 7)
    assert len(await _rejected(db)) == 7
    rows = await _world(db)
    assert [(row["code"], row["ts"], row["ccu"]) for row in rows] == sorted(big)
    path.rename(tmp_path / "renamed.csv")
    again = await _land(db, tmp_path / "renamed.csv")
    assert again.already
    assert again.stored == len(big)
    assert len(await _rejected(db)) == 7


async def test_the_newest_cycle_does_not_wait_for_rows_of_the_past(
    db: Database, tmp_path: Path
) -> None:
    await _live(db, [("a", START, 1), ("b", START + 99 * STEP, 1)])
    path = _csv(tmp_path / "f.csv", [("a", START + STEP, 2), ("b", START + STEP, 2)])
    async with db.connection() as conn:
        async with conn.transaction():  # a row that the backfill must wait for
            await conn.execute(
                "insert into fortnite.ccu select %s, island_id, 5 from fortnite.island"
                " where code = 'a'",
                [START + STEP],
            )
            landing = asyncio.create_task(_land(db, path))
            waiting = False
            while not waiting:
                row = await db.fetch_one(
                    "select exists (select from pg_stat_activity where wait_event_type = 'Lock'"
                    " and query like '%%backfill_ccu%%' and datname = current_database()) as it"
                )
                waiting = row["it"]
            async with asyncio.timeout(5):
                await _live(db, [("a", START + 99 * STEP, 7), ("c", START + 99 * STEP, 3)])
            assert not landing.done()
        assert (await landing).stored == 2
    assert {row["code"]: row["latest"] for row in await _world(db)} == {"a": 7, "b": 1, "c": 3}


async def test_two_files_at_once_take_turns(db: Database, tmp_path: Path) -> None:
    samples = _samples(5, 20)
    paths = [_csv(tmp_path / f"{n}.csv", samples[n::2]) for n in range(2)]
    await asyncio.gather(*(_land(db, path) for path in paths))
    assert [(row["code"], row["ts"], row["ccu"]) for row in await _world(db)] == sorted(samples)


async def test_a_position_moves_once_however_often_it_is_told(db: Database) -> None:
    row = await db.fetch_one(
        "insert into engine.backfill (series, digest, size_bytes, name)"
        " values ('fortnite.ccu', 'x', 9, 'f') returning backfill_id"
    )
    move = "select engine.move_backfill(%s, %s, 9, 3, 2, 1, 1, '{k}', array['f line 3'], '{b}') as moved"
    for start, moved in ((0, True), (0, True), (5, True)):
        assert (await db.fetch_one(move, [row["backfill_id"], start]))["moved"] == moved
    other = move.replace(" 9,", " 7,")
    assert not (await db.fetch_one(other, [row["backfill_id"], 0]))["moved"]
    held = await db.fetch_one(
        "select position, lines, stored, skipped, rejected from engine.backfill"
    )
    assert tuple(held.values()) == (9, 3, 2, 1, 1)
    assert await _rejected(db) == ["f line 3"]


def _table(samples: Sequence[Sample], kind: pa.DataType) -> pa.Table:
    codes = pa.array([code for code, _, _ in samples]).dictionary_encode()
    instants = pa.array([ts for _, ts, _ in samples], pa.timestamp("us", "UTC")).cast(kind)
    values = pa.array([float(ccu) for _, _, ccu in samples[:-1]] + [None])
    return pa.table({"note": values, "code": codes, "ts": instants, "ccu": values})


@pytest.mark.parametrize("kind", [pa.timestamp("ns", "Asia/Tokyo"), pa.timestamp("s"), pa.string()])
async def test_parquet_says_the_same(db: Database, tmp_path: Path, kind: pa.DataType) -> None:
    samples = _samples(3, 30)
    path = tmp_path / "f.bin"
    pq.write_table(_table(samples, kind), path, row_group_size=25)
    done = await _land(db, path)
    assert (done.lines, done.stored, done.skipped, done.rejected) == (90, 89, 1, 0)
    rows = [(row["code"], row["ts"], row["ccu"]) for row in await _world(db)]
    assert rows == sorted(samples[:-1])
    await db.execute("truncate fortnite.ccu")
    await db.execute("update engine.backfill set position = 60, finished_at = null")
    await _land(db, path)  # from the middle of a row group on
    rows = [(row["code"], row["ts"], row["ccu"]) for row in await _world(db)]
    assert rows == sorted(samples[60:-1])


async def test_without_pyarrow_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f.parquet"
    pq.write_table(_table(_samples(1, 2), pa.string()), path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ParquetMissing, match=r"pip install 'headrace\[parquet\]'"):
        look_at(path)


async def test_a_dry_run_says_what_would_be_and_writes_nothing(
    db: Database, tmp_path: Path
) -> None:
    path = _csv(
        tmp_path / "f.csv", [*_samples(2, 2), ("a", START + 10**6 * STEP, 1), ("a", START, -1)]
    )
    done = await rehearse(db, look_at(path), Options())
    assert (done.lines, done.stored, done.skipped, done.rejected) == (7, 4, 1, 1)
    for table in ("engine.backfill", "fortnite.island", "raw.rejected"):
        assert await db.fetch(f"select * from {table}") == []


def test_the_command_killed_by_force_goes_on(database_url: str, tmp_path: Path) -> None:
    big = [(f"{n % 500:05}", START + n // 500 * STEP, n % 9) for n in range(60_000)]
    path = _csv(tmp_path / "f.csv", big)
    env = environment({"ETL_DATABASE_URL": database_url})
    command = [str(ETL), "backfill", "ccu", str(path), "--json"]
    progress = "select position from engine.backfill"
    with psycopg.connect(database_url, autocommit=True) as conn:
        first = subprocess.Popen(command, env=env, stderr=subprocess.PIPE)
        position = 0
        while not position:
            row = conn.execute(progress).fetchone()
            position = row[0] if row else 0
        first.send_signal(signal.SIGKILL)
        _, said = first.communicate()
        assert first.returncode == -signal.SIGKILL, said
        row = conn.execute(progress).fetchone()
        assert row is not None
        assert 0 < row[0] < path.stat().st_size
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        assert "going on at" in done.stderr
        (outcome,) = json.loads(done.stdout)
        assert (outcome["stored"], outcome["rejected"]) == (len(big), 0)
        counted = conn.execute(
            "select count(*), sum(ccu) from fortnite.ccu union all"
            " select sum(samples), sum(ccu_sum) from fortnite.ccu_daily"
        ).fetchall()
    assert counted == [(len(big), sum(ccu for _, _, ccu in big))] * 2

"""procrastinate's schema, whole in a new database and step by step in an older one."""

from pathlib import Path

import psycopg
import sqlalchemy
from procrastinate.schema import SchemaManager
from psycopg.types.json import Jsonb

from jobs.schema import bring_up, library_migrations
from tests.jobs.conftest import Rows

SHAPE = """
select c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) as what
from pg_attribute as a
join pg_class as c on c.oid = a.attrelid
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'i') and a.attnum > 0 and not a.attisdropped
union all
select p.oid::regprocedure::text || md5(regexp_replace(lower(p.prosrc), '\\s+', '', 'g'))
from pg_proc as p
where p.pronamespace = 'public'::regnamespace and starts_with(p.proname, 'procrastinate')
order by what
"""


async def shape(url: str) -> list[str]:
    """Columns and functions, as a new session sees them."""
    async with await psycopg.AsyncConnection.connect(url) as conn:
        return [what for (what,) in await (await conn.execute(SHAPE)).fetchall()]


async def test_a_migrated_database_has_what_the_library_wants(rows: Rows) -> None:
    (found,) = await rows("select value from engine.watermark where name = 'procrastinate'")
    # Where this fails, the library is newer than our migrations: add a revision that calls bring_up.
    assert found["value"] == {"migrations": library_migrations()}


async def test_an_older_database_takes_what_it_misses(database_url: str) -> None:
    whole = await shape(database_url)
    assert any("procrastinate_jobs.queueing_lock" in what for what in whole)
    folder = Path(SchemaManager.get_migrations_path())
    before = [name for name in library_migrations() if name < "03"]
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as conn:
        await conn.execute("drop schema public cascade")
        await conn.execute("create schema public")
        for name in before:
            await conn.execute((folder / name).read_bytes())
        await conn.execute(
            "update engine.watermark set value = %s where name = 'procrastinate'",
            [Jsonb({"migrations": before})],
        )
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(database_url),
        poolclass=sqlalchemy.NullPool,
    )
    with engine.begin() as connection:
        assert bring_up(connection) == library_migrations()[len(before) :]
        assert bring_up(connection) == []
    assert await shape(database_url) == whole

"""A pipeline of the engine's own tests: things with a number and a text, and a log of what came."""

from collections.abc import AsyncIterator
from datetime import timedelta

import psycopg
import pytest

from etl.engine.database import Database, open_database
from etl.engine.items import Resource

PROBE = """
create schema probe;
create table probe.thing (
  key text collate "C" primary key,
  number integer,
  label text,
  gone_at timestamptz,
  kept text not null default 'identity'
);
create table probe.log (
  log_id bigint generated always as identity,
  key text,
  at timestamptz,
  body jsonb
);
create function probe.apply(p_resource text, p_fetched_at timestamptz[], p_keys text[], p_bodies jsonb[])
returns void language plpgsql as $$
begin
  insert into probe.thing as t (key, number, label, gone_at)
  select u.key, (u.body ->> 'number')::integer, u.body ->> 'label', case when u.body = 'null' then u.at end
  from unnest(p_keys, p_fetched_at, p_bodies) as u (key, at, body)
  on conflict (key) do update
  set number = excluded.number, label = excluded.label, gone_at = excluded.gone_at;
  insert into probe.log (key, at, body)
  select * from unnest(p_keys, p_fetched_at, p_bodies);
end
$$;
create function probe.reset(p_keys text[]) returns void language sql as $$
  update probe.thing set number = null, label = null, gone_at = null where key = any(p_keys);
  delete from probe.log where key = any(p_keys);
$$;
"""


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """The test's database as the engine sees it."""
    async with open_database(database_url, size=12) as database:
        yield database


@pytest.fixture
async def things(conn: psycopg.AsyncConnection) -> Resource:
    """A resource whose bodies look like {"number": 1, "label": "one"}."""
    await conn.execute(PROBE)
    return Resource(
        name="probe.thing",
        table="probe.thing",
        apply="probe.apply",
        reset="probe.reset",
        batch=10,
        every=(
            timedelta(hours=1),
            timedelta(hours=4),
            timedelta(hours=12),
            timedelta(days=3),
        ),
    )

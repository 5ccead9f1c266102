"""A database is brought to the code: wholly, or not at all."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import psycopg
import pytest

from etl.engine import schema
from etl.engine.migrate import Report, WrongFoundation, migrate, status
from etl.engine.revisions import RevisionFailed, driver, one_transaction, revisions
from etl.engine.revisions import upgrade as upgrade_tables
from etl.engine.sqlfiles import in_order
from etl.settings import Settings
from tests.database.catalogue import catalogue
from tests.database.conftest import ONE, TWO, Sources, ask


def objects(url: str) -> str:
    return str(ask(url, "select string_agg(identity, ' ' order by path) from engine.sql_object"))


def test_from_zero_and_through_every_revision_it_is_the_same_database(
    new_database: Callable[[], str], options: Settings
) -> None:
    at_once, stepwise = new_database(), new_database()
    migrate(at_once, options)
    for revision in revisions():
        with one_transaction(stepwise) as session:
            driver(session).execute("create schema if not exists engine")
            upgrade_tables(session, options, revision)
        assert status(stepwise).revision == revision
    migrate(stepwise, options)
    assert catalogue(stepwise) == catalogue(at_once)


def test_order_of_what_declares_no_order_does_not_matter(
    new_database: Callable[[], str], options: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    forwards, backwards = new_database(), new_database()
    migrate(forwards, options)
    monkeypatch.setattr(schema, "in_order", lambda files: in_order(files, backwards=True))
    migrate(backwards, options)
    assert catalogue(backwards) == catalogue(forwards)


def test_a_second_migrate_does_nothing(empty_url: str, options: Settings) -> None:
    first = migrate(empty_url, options)
    assert first.migrations == revisions()
    assert first.applied
    # Every row carries the transaction that wrote it.
    written = "select array(select xmin::text from {} order by 1)"
    tables = ("pg_proc", "pg_namespace", "engine.sql_object", "engine.migration")
    before = [ask(empty_url, written.format(table)) for table in tables]
    second = migrate(empty_url, options)
    assert (second.migrations, second.applied, second.dropped) == ([], [], [])
    assert second.revision == first.revision
    assert [ask(empty_url, written.format(table)) for table in tables] == before
    assert second.seconds < 5


def test_of_two_at_once_the_second_waits_and_finds_nothing_to_do(
    empty_url: str, options: Settings, sources: Sources
) -> None:
    sources.write("engine/one.sql", ONE)
    waits = (
        "select count(*) from pg_locks where locktype = 'advisory' and not granted and database ="
    )
    here = " (select oid from pg_database where datname = current_database())"
    with ThreadPoolExecutor(1) as pool:
        second: list[Future[Report]] = []

        def meanwhile(step: str) -> None:
            if step == "apply engine/one.sql":
                second.append(pool.submit(migrate, empty_url, options))
                while ask(empty_url, waits + here) != 1:
                    assert not second[0].done()
                    threading.Event().wait(0.01)

        first = migrate(empty_url, options, report=meanwhile)
        assert (first.applied, second[0].result().applied) == (["engine/one.sql"], [])
    assert ask(empty_url, "select count(*) from engine.migration") == 1


def test_status_says_what_is_missing(empty_url: str, options: Settings, sources: Sources) -> None:
    sources.write("engine/one.sql", ONE)
    before = status(empty_url)
    assert (before.revision, before.head, before.pending) == (None, "0001", ("0001",))
    assert not before.current
    migrate(empty_url, options)
    assert status(empty_url).current
    sources.write("engine/two.sql", TWO)
    sources.write("engine/one.sql", ONE + "\n")
    sources.revise("0002", "0001", "create table engine.more ()")
    after = status(empty_url)
    assert (after.pending, after.changed) == (("0002",), ("engine/one.sql", "engine/two.sql"))
    assert not after.current


def test_what_changed_is_replaced_and_what_went_is_dropped(
    empty_url: str, options: Settings, sources: Sources
) -> None:
    sources.write("engine/one.sql", ONE)
    sources.write("engine/two.sql", TWO)
    sources.write("engine/old.sql", "create view engine.old as select 1 as x;")
    migrate(empty_url, options)
    # Another result type, another signature, another kind; a plain `create or replace` takes none of them.
    sources.write(
        "engine/one.sql",
        "create function engine.one(p int default 1) returns bigint language sql"
        " as $$ select 40::bigint $$;",
    )
    sources.write(
        "engine/two.sql",
        "-- requires: engine.one\ncreate view engine.two as select engine.one() + 2 as two, 3 as x;",
    )
    (sources.sql / "engine/old.sql").unlink()
    done = migrate(empty_url, options)
    assert done.applied == ["engine/one.sql", "engine/two.sql"]
    assert done.dropped == ["engine/old.sql"]
    assert ask(empty_url, "select two from engine.two") == 42
    assert ask(empty_url, "select count(*) from pg_proc where proname = 'one'") == 1
    assert ask(empty_url, "select to_regclass('engine.old')") is None
    assert objects(empty_url) == "engine.one(integer) engine.two"


def test_a_migration_may_change_a_column_that_views_read(
    empty_url: str, options: Settings, sources: Sources
) -> None:
    sources.write("engine/seen.sql", "create view engine.seen as select name from engine.throttle;")
    migrate(empty_url, options)
    sources.revise("0002", "0001", "alter table engine.throttle alter name type varchar(99)")
    assert migrate(empty_url, options).migrations == ["0002"]
    assert ask(empty_url, "select to_regclass('engine.seen')") == "engine.seen"


def test_a_broken_file_undoes_everything_with_its_migrations(
    empty_url: str, options: Settings, sources: Sources
) -> None:
    sources.write("engine/one.sql", ONE)
    migrate(empty_url, options)
    before = catalogue(empty_url)
    sources.revise("0002", "0001", "create table engine.more (); drop table engine.token")
    sources.write("engine/one.sql", ONE.replace("select 1", "select 2"))
    sources.write(
        "engine/broken.sql", "create view engine.broken as\nselect nothing\nfrom engine.no;"
    )
    with pytest.raises(Exception, match=r"sql/engine/broken\.sql: line 3: .*engine\.no"):
        migrate(empty_url, options)
    assert catalogue(empty_url) == before


def test_a_broken_migration_leaves_an_empty_database_empty(
    empty_url: str, options: Settings, sources: Sources
) -> None:
    sources.revise("0002", "0001", "alter table engine.no add x int")
    with pytest.raises(RevisionFailed, match=r"migration 0002: .*engine\.no"):
        migrate(empty_url, options)
    assert ask(empty_url, "select to_regnamespace('engine')") is None


def test_foundation_picks_the_folder_and_cannot_be_changed(
    empty_url: str, options: Settings, sources: Sources
) -> None:
    for name, number in (("plain", 1), ("timescale", 2)):
        sources.write(
            f"timeseries/{name}/one.sql", f"create view engine.one as select {number} as one;"
        )
    sources.revise(
        "0002",
        "0001",
        "insert into engine.watermark values ('timeseries', '{\"foundation\"\\: \"timescale\"}')",
    )
    done = migrate(empty_url, options)
    assert (done.foundation, done.applied) == ("timescale", ["timeseries/timescale/one.sql"])
    assert ask(empty_url, "select one from engine.one") == 2
    plain = options.model_copy(update={"timeseries": "plain"})
    with pytest.raises(WrongFoundation, match="ETL_TIMESERIES is plain"):
        migrate(empty_url, plain)


def test_the_chosen_foundation_reaches_the_migrations(
    empty_url: str, options: Settings, sources: Sources
) -> None:
    (sources.migrations / "versions" / "0002.py").write_text(
        "from alembic import context, op\nrevision = '0002'\ndown_revision = '0001'\n"
        "def upgrade():\n"
        "    op.execute(f\"create table engine.{context.config.attributes['timeseries']} ()\")\n"
    )
    migrate(empty_url, options.model_copy(update={"timeseries": "plain"}))
    assert ask(empty_url, "select to_regclass('engine.plain')") == "engine.plain"


def test_steps_are_told(empty_url: str, options: Settings, sources: Sources) -> None:
    sources.write("engine/one.sql", ONE)
    told: list[str] = []
    migrate(empty_url, options, report=told.append)
    assert told == ["migration 0001", "apply engine/one.sql"]


def test_one_transaction_holds_it_all_until_its_end(
    empty_url: str, options: Settings, sources: Sources
) -> None:
    """A process that dies between two files leaves what was there."""
    sources.write("engine/one.sql", ONE)
    sources.write("engine/two.sql", TWO)
    seen: list[object] = []

    def look(_: str) -> None:
        seen.append(ask(empty_url, "select to_regnamespace('engine')"))

    migrate(empty_url, options, report=look)
    assert set(seen) == {None}
    assert len(seen) == 3


def test_the_lock_is_the_databases_own(
    new_database: Callable[[], str], sources: Sources, options: Settings
) -> None:
    held, other = new_database(), new_database()
    with ExitStack() as stack:
        conn = stack.enter_context(psycopg.connect(held))
        conn.execute("select pg_advisory_xact_lock(%s)", [0x68656164])
        assert migrate(other, options).migrations == ["0001"]

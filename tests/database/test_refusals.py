"""What cannot be migrated is refused with a sentence, and nothing has changed."""

import psycopg
import pytest

from etl.engine import schema
from etl.engine.migrate import Busy, DatabaseNewer, migrate, status
from etl.engine.revisions import Unreachable
from etl.engine.sqlobjects import StillNeeded
from etl.settings import Settings
from tests.database.catalogue import catalogue
from tests.database.conftest import ONE, TWO, Sources, ask


@pytest.mark.parametrize(
    "later",
    [
        "update engine.alembic_version set version_num = '9999'",
        "insert into engine.migration (version, revision, files) values ('0.10.0', '0001', 0)",
    ],
)
def test_a_database_newer_than_the_code_is_refused_and_kept(
    empty_url: str,
    options: Settings,
    sources: Sources,
    monkeypatch: pytest.MonkeyPatch,
    later: str,
) -> None:
    monkeypatch.setattr(schema, "code_version", lambda: "0.9.0")
    migrate(empty_url, options)
    ask(empty_url, f"{later}")
    sources.write("engine/one.sql", ONE)
    before = catalogue(empty_url)
    assert status(empty_url).newer
    with pytest.raises(DatabaseNewer, match="install the later version"):
        migrate(empty_url, options)
    assert catalogue(empty_url) == before


def test_an_older_version_is_no_reason_to_refuse(
    empty_url: str, options: Settings, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "code_version", lambda: "0.10.0")
    migrate(empty_url, options)
    ask(empty_url, "update engine.migration set version = '0.10.0rc1'")
    sources.write("engine/one.sql", ONE)
    assert migrate(empty_url, options).applied == ["engine/one.sql"]


def test_a_table_that_needs_a_function_is_named_with_it(
    empty_url: str, options: Settings, sources: Sources
) -> None:
    sources.write("engine/one.sql", ONE)
    migrate(empty_url, options)
    ask(empty_url, "alter table engine.token add x int default engine.one()")
    sources.write("engine/two.sql", TWO)
    with pytest.raises(StillNeeded, match=r"engine\.one\(\).*column x of table engine\.token"):
        migrate(empty_url, options)


def test_somebody_who_holds_a_view_is_not_waited_for_without_end(
    empty_url: str, options: Settings, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources.write("engine/one.sql", ONE)
    sources.write("engine/two.sql", TWO)
    migrate(empty_url, options)
    sources.write("engine/one.sql", ONE.replace("select 1", "select 2"))
    monkeypatch.setattr("etl.engine.migrate.PATIENCE", "100ms")
    with psycopg.connect(empty_url) as reader:
        reader.execute("select two from engine.two")
        with pytest.raises(Busy, match="migrate again"):
            migrate(empty_url, options)
    assert ask(empty_url, "select two from engine.two") == 2


def test_a_server_that_is_away_is_said_without_its_password(options: Settings) -> None:
    url = "postgresql://someone:very-secret@127.0.0.1:1/there"
    with pytest.raises(Unreachable, match=r"database there at 127\.0\.0\.1:1 as someone") as caught:
        migrate(url, options)
    assert "very-secret" not in str(caught.value)

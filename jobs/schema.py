"""procrastinate's own tables in our database, and how they follow the library."""

import json
from pathlib import Path

from procrastinate.schema import SchemaManager
from sqlalchemy import Connection, text

WATERMARK = "procrastinate"


def library_migrations() -> list[str]:
    """Names of the migrations that the installed library knows, in their order."""
    return sorted(path.name for path in Path(SchemaManager.get_migrations_path()).glob("*.sql"))


def bring_up(connection: Connection) -> list[str]:
    """Bring procrastinate's schema (in ``public``) to the installed library; returns the migrations it ran.

    A revision of ours calls this once when the library enters the house and once whenever a newer library brings
    migrations of its own. What has been applied is kept in ``engine.watermark``, so it is idempotent: an empty
    database takes the library's whole schema, an older one takes what it misses, in order. Runs in the caller's
    transaction: all of it happens, or nothing.
    """
    known = library_migrations()
    applied = connection.scalar(
        text("select value -> 'migrations' from engine.watermark where name = :name"),
        {"name": WATERMARK},
    )
    missing = [name for name in known if name not in (applied or [])]
    if missing:
        _run(connection, None if applied is None else missing)
        connection.execute(
            text(
                "insert into engine.watermark (name, value)"
                " values (:name, jsonb_build_object('migrations', cast(:known as jsonb)))"
                " on conflict (name) do update set value = excluded.value, moved_at = now()"
            ),
            {"name": WATERMARK, "known": json.dumps(known)},
        )
    return missing


def _run(connection: Connection, migrations: list[str] | None) -> None:
    folder = Path(SchemaManager.get_migrations_path())
    scripts = (
        [SchemaManager.get_schema()]
        if migrations is None
        else [(folder / name).read_text(encoding="utf-8") for name in migrations]
    )
    before = connection.scalar(text("select current_setting('search_path')"))
    path = text("select set_config('search_path', :path, true)")
    connection.execute(path, {"path": "public"})
    for script in scripts:
        connection.exec_driver_sql(script, execution_options={"no_parameters": True})
    connection.execute(path, {"path": before})

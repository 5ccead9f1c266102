"""How far a listing or a daily job has come, kept so that a killed one goes on from there."""

from typing import Any

from psycopg.types.json import Jsonb

from etl.engine.database import Database


async def load(db: Database, name: str) -> dict[str, Any]:
    """The progress saved under ``name``; empty where none was."""
    rows = await db.fetch("select value from engine.watermark where name = %s", (name,))
    return dict(rows[0]["value"]) if rows else {}


async def save(db: Database, name: str, value: dict[str, Any]) -> None:
    """Save the progress under ``name``; what was saved before is gone."""
    await db.execute(
        "insert into engine.watermark (name, value) values (%s, %s) "
        "on conflict (name) do update set value = excluded.value, moved_at = now()",
        (name, Jsonb(value)),
    )

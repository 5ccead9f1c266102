"""pgsync's bootstrap, a peer of a rebuild: the same documents of the same PostgreSQL into the same Elasticsearch.

pgsync reads tables, no views: it gets one with a column for each field of the document, made before.
What a document takes to compute is thus not on its bill. The index has the mapping and the settings of
one that a rebuild fills. pgsync has its defaults, but as many connections as the others, no compression
on the way to its own machine, and time for a slow answer.
"""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from time import perf_counter

from psycopg import sql

from bench.parts.servers import logical, redis
from etl import embedded
from etl.embedded.postgres import DATABASE
from etl.embedded.process import last_words
from etl.engine.database import Database, open_database
from etl.search.client import open_elasticsearch
from etl.search.indices import FILLING, definition
from etl.settings import Settings

PROGRAMS = "ETL_BENCH_PGSYNC"
NAME = "pgsync"
"""Of its program, and of its index."""

TYPES = {
    "integer": "integer",
    "long": "bigint",
    "float": "numeric",
    "date": "timestamptz",
    "boolean": "boolean",
}
"""Types of columns by those of the mapping; every other is a text."""

RECORDED = """\
Measured apart, with documents of 1,043 bytes, the bootstrap of pgsync 7.3 reached 0.49 of a raw bulk over one
connection, 0.34 over three."""


def missing() -> str | None:
    """What to install before pgsync can be measured, and what was measured elsewhere; None when all is there."""
    wanted = []
    if _program() is None:
        wanted.append(
            f"`pip install pgsync` into an environment of its own and set {PROGRAMS} to that one's bin"
        )
    if shutil.which("redis-server") is None:
        wanted.append("install Redis, so that redis-server is on the PATH")
    return f"pgsync is not measured here: {', and '.join(wanted)}.\n{RECORDED}" if wanted else None


async def make_table(options: Settings) -> None:
    """Put the documents into a table, a column for each field."""
    async with open_database(embedded.database_url(options)) as db, db.connection() as conn:
        columns = sql.SQL(", ").join(await _columns(db))
        await conn.execute("create schema peer")
        await conn.execute(
            sql.SQL(
                "create table peer.island as select d.* from search.island_document as v"
                " cross join lateral json_to_record(v.body) as d ({})"
            ).format(columns)
        )
        await conn.execute("alter table peer.island add primary key (code)")
        await conn.execute("vacuum (freeze, analyze) peer.island")


async def bootstrapped(options: Settings) -> dict[str, float]:
    """Let pgsync fill an index, and readers see it. Its start is not counted, as no other pass's is."""
    made = definition("island")
    made["settings"]["index"] |= FILLING
    folder = Path(tempfile.mkdtemp(dir=options.home))
    async with open_elasticsearch(options) as es:
        await es.options(ignore_status=404).indices.delete(index=NAME)
        await es.indices.create(index=NAME, **made)
        with logical(options), redis(folder) as port:
            async with open_database(embedded.database_url(options)) as db:
                rows = await db.fetch_one("select count(*) as n from peer.island")
            seconds = _bootstrap(options, folder, port)
        started = perf_counter()
        await es.indices.refresh(index=NAME)
        seconds += perf_counter() - started
        count = await es.count(index=NAME)
        assert count["count"] == rows["n"], (count["count"], rows["n"])
        await es.indices.delete(index=NAME)
    return {"seconds": seconds}


def _program() -> Path | None:
    found = shutil.which(NAME, path=os.environ.get(PROGRAMS, ""))
    return Path(found).absolute() if found else None


async def _columns(db: Database) -> list[sql.Composed]:
    """Name and type of each field of the document, in its order."""
    fields = definition("island")["mappings"]["properties"]
    rows = await db.fetch(
        "select json_object_keys(body) as name from"
        " (select body from search.island_document limit 1) as d"
    )
    return [
        sql.SQL("{} {}").format(
            sql.Identifier(row["name"]),
            sql.SQL(
                "text[]"
                if row["name"] == "tags"
                else TYPES.get(fields[row["name"]]["type"], "text")
            ),
        )
        for row in rows
    ]


def _bootstrap(options: Settings, folder: Path, port: int) -> float:
    """Seconds of a bootstrap, less those of a start that does nothing."""
    program = _program()
    assert program is not None, missing()
    schema = folder / "schema.json"
    node = {"schema": "peer", "table": "island"}
    schema.write_text(json.dumps([{"database": DATABASE, "index": NAME, "nodes": node}]))
    environment = os.environ | {
        "PG_URL": embedded.database_url(options),
        "ELASTICSEARCH_URL": embedded.elasticsearch_url(options),
        # Its client of Elasticsearch first asks for what the embedded build does not answer, GET /;
        # that of OpenSearch does not, and sends the same.
        "OPENSEARCH": "true",
        "ELASTICSEARCH_HTTP_COMPRESS": "false",
        "ELASTICSEARCH_TIMEOUT": "60",
        "ELASTICSEARCH_THREAD_COUNT": str(options.search_connections),
        "REDIS_URL": f"redis://127.0.0.1:{port}/0",
        "CHECKPOINT_PATH": str(folder),
    }
    started = _seconds(folder, environment, program, "--version")
    return _seconds(folder, environment, program, "--bootstrap", "--config", schema) - started


def _seconds(folder: Path, environment: dict[str, str], *command: str | Path) -> float:
    """Run a command in this folder to its end."""
    log = folder / "pgsync.log"
    with log.open("wb") as output:
        started = perf_counter()
        done = subprocess.run(
            command, check=False, cwd=folder, env=environment, stdout=output, stderr=output
        )  # fmt: skip
        seconds = perf_counter() - started
    if done.returncode:
        raise SystemExit(f"pgsync failed.\n{last_words(log)}")
    return seconds

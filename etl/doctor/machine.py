"""This machine: what the embedded servers need of it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from etl.doctor.finding import Finding
from etl.embedded.account import myself
from etl.embedded.java import OLDEST, can_fetch, find_java, java_version
from etl.embedded.postgres_build import find_build
from etl.embedded.servers import configured, server
from etl.errors import PlainError
from etl.settings import Settings

GB = 1024**3


def machine(settings: Settings) -> Iterator[Finding]:
    """Check what the servers that are embedded need; nothing where none is."""
    embeds_postgres = not configured("postgres", settings)
    embeds_elasticsearch = not configured("elasticsearch", settings)
    if embeds_postgres or embeds_elasticsearch:
        yield _disk("home", settings.home)
    if embeds_postgres:
        data = server("postgres", settings).folder
        if data.exists() and data.stat().st_dev != settings.home.stat().st_dev:
            yield _disk("disk of the database", data.resolve())
        yield _postgres(settings)
    if embeds_elasticsearch:
        yield _java()


def _disk(name: str, folder: Path) -> Finding:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        return Finding(name, "failed", f"{there} cannot be written", "Set ETL_HOME elsewhere.")
    free = shutil.disk_usage(there).free
    says = f"{folder}, {free / GB:.1f} GB free"
    if free < 5 * GB:
        advice = "Make room, or set ETL_HOME to a folder on another disk."
        return Finding(name, "failed" if free < GB else "warning", says, advice)
    return Finding(name, "ok", says)


def _postgres(settings: Settings) -> Finding:
    try:
        build = find_build(myself(), settings.postgres_bin)
    except PlainError as error:
        return Finding("embedded PostgreSQL", "failed", str(error))
    return Finding("embedded PostgreSQL", "ok", f"version {build.major} in {build.bin}")


def _java() -> Finding:
    home = find_java(myself())
    if home is not None:
        return Finding("Java", "ok", f"version {java_version(myself(), home)} in {home}")
    says = f"there is no Java {OLDEST} or newer"
    if can_fetch():
        return Finding(
            "Java", "warning", says, "`etl up` will fetch one; or name one in JAVA_HOME."
        )
    advice = "Install one (Debian: openjdk-17-jre-headless), or set ETL_ELASTICSEARCH_URL."
    return Finding("Java", "failed", says, advice)

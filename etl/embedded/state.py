"""What is asked of the servers that are used, embedded or not: do they answer, and as what."""

from typing import Any, TypedDict
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg

from etl.embedded.access import NotRunning, database_url, elasticsearch_url
from etl.embedded.elasticsearch import Elasticsearch
from etl.embedded.home import Home
from etl.embedded.postgres import Postgres
from etl.settings import Settings

SECONDS = 5
SECRET = {"password", "sslpassword"}


class State(TypedDict):
    """One server: its address without a password, whether it answers, its version."""

    url: str | None
    running: bool
    version: str | None


def status(settings: Settings) -> dict[str, State]:
    """Ask each server. The url of an embedded one that never ran is None."""
    return {"postgres": _postgres(settings), "elasticsearch": _elasticsearch(settings)}


def postgres_version(url: str) -> str:
    """Version of the server, as in 18.6.

    Raises:
        psycopg.Error: it does not answer, or refuses the user.
    """
    with psycopg.connect(url, connect_timeout=SECONDS) as conn:
        row = conn.execute("show server_version").fetchone()
    return str(row[0]).split()[0] if row else ""


def elasticsearch_version(url: str, settings: Settings) -> str:
    """Version of the node that answers.

    Raises:
        httpx.HTTPError: it does not answer, or refuses the key.
        ValueError: what answers is no Elasticsearch.
    """
    # `GET /` is missing in the embedded build.
    answer = _ask(url, settings, "/_nodes/_local?filter_path=nodes.*.version")
    versions = [str(node["version"]) for node in answer.get("nodes", {}).values()]
    if not versions:
        raise ValueError("it names no version: it is no Elasticsearch")
    return versions[0]


def auto_creates(url: str, settings: Settings) -> bool:
    """Whether a write to an index that does not exist makes it.

    Raises:
        httpx.HTTPError, ValueError: as above.
    """
    name = "action.auto_create_index"
    query = "include_defaults=true&flat_settings=true&filter_path=*.action*"
    levels = _ask(url, settings, f"/_cluster/settings?{query}")
    for level in ("transient", "persistent", "defaults"):
        if name in levels.get(level, {}):
            return bool(levels[level][name] != "false")
    return True


def public_url(url: str) -> str:
    """``url`` without its passwords."""
    parts = urlsplit(url)
    login, at, hosts = parts.netloc.rpartition("@")
    pairs = (pair for pair in parts.query.split("&") if pair.partition("=")[0] not in SECRET)
    netloc = f"{login.partition(':')[0]}{at}{hosts}"
    return urlunsplit(parts._replace(netloc=netloc, query="&".join(pairs)))


def _ask(url: str, settings: Settings, path: str) -> dict[str, Any]:
    """A JSON object from Elasticsearch."""
    key = settings.elasticsearch_api_key
    headers = {"Authorization": f"ApiKey {key.get_secret_value()}"} if key else {}
    answer = httpx.get(
        f"{url.rstrip('/')}{path}", headers=headers, timeout=SECONDS, trust_env=False
    )
    answer.raise_for_status()
    value = answer.json()
    if isinstance(value, dict):
        return value
    raise ValueError("it answers with no JSON object: it is no Elasticsearch")


def _postgres(settings: Settings) -> State:
    try:
        url = database_url(settings)
    except NotRunning:
        embedded = Postgres(Home(settings.home), settings)
        known = embedded.url(embedded.port) if embedded.port else None
        return State(url=public_url(known) if known else None, running=False, version=None)
    try:
        return State(url=public_url(url), running=True, version=postgres_version(url))
    except psycopg.Error:
        return State(url=public_url(url), running=False, version=None)


def _elasticsearch(settings: Settings) -> State:
    try:
        url = elasticsearch_url(settings)
    except NotRunning:
        embedded = Elasticsearch(Home(settings.home), settings)
        known = embedded.url(embedded.port) if embedded.port else None
        return State(url=known, running=False, version=None)
    try:
        version = elasticsearch_version(url, settings)
    except (httpx.HTTPError, ValueError):
        return State(url=public_url(url), running=False, version=None)
    return State(url=public_url(url), running=True, version=version)

"""What is asked of the servers that are used, embedded or not: do they answer, and as what."""

from typing import TypedDict
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
    key = settings.elasticsearch_api_key
    headers = {"Authorization": f"ApiKey {key.get_secret_value()}"} if key else {}
    with httpx.Client(headers=headers, timeout=SECONDS, trust_env=False) as client:
        # `GET /` is missing in the embedded build.
        answer = client.get(f"{url.rstrip('/')}/_nodes/_local?filter_path=nodes.*.version")
        answer.raise_for_status()
    nodes = answer.json().get("nodes", {})
    versions = [str(node["version"]) for node in nodes.values()]
    if not versions:
        raise ValueError("it names no version: it is no Elasticsearch")
    return versions[0]


def public_url(url: str) -> str:
    """``url`` without its passwords."""
    parts = urlsplit(url)
    login, at, hosts = parts.netloc.rpartition("@")
    pairs = (pair for pair in parts.query.split("&") if pair.partition("=")[0] not in SECRET)
    netloc = f"{login.partition(':')[0]}{at}{hosts}"
    return urlunsplit(parts._replace(netloc=netloc, query="&".join(pairs)))


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

"""Elasticsearch, the upstream APIs and what they are asked with."""

from collections.abc import Iterator, Mapping

import httpx
from cryptography.fernet import Fernet

from etl import embedded
from etl.doctor.finding import Finding
from etl.embedded.state import auto_creates, elasticsearch_version, public_url
from etl.errors import PlainError
from etl.logs import clean
from etl.pipelines import OUTSIDE, Outside
from etl.settings import Settings

SECONDS = 5
MAJORS = ("8", "9")
KEY = (
    "Make one: python -c 'from cryptography.fernet import Fernet; "
    "print(Fernet.generate_key().decode())', and set ETL_TOKEN_KEY to it."
)


def elasticsearch(settings: Settings) -> Finding:
    """Check that the search server answers and is one that we speak to."""
    name = "Elasticsearch"
    try:
        url = embedded.elasticsearch_url(settings)
        version = elasticsearch_version(url, settings)
        creates = auto_creates(url, settings)
    except (httpx.HTTPError, ValueError, PlainError) as error:
        embeds = settings.elasticsearch_url is None
        advice = "Start it: `etl up`." if embeds else "See ETL_ELASTICSEARCH_URL."
        return Finding(name, "failed", clean(str(error)), advice)
    says = f"version {version} at {public_url(url)}"
    if version.partition(".")[0] not in MAJORS:
        return Finding(name, "failed", says, f"Use version {' or '.join(MAJORS)}.")
    if creates:
        advice = (
            "Set action.auto_create_index to false, or a late write brings a dropped index back."
        )
        return Finding(name, "warning", f"{says}, which makes indices by itself", advice)
    return Finding(name, "ok", says)


def upstream(settings: Settings) -> Iterator[Finding]:
    """Check the upstream APIs that are used, and the credentials they are asked with."""
    for outside in OUTSIDE:
        yield from _services(settings, outside, outside.public)
        finding, account = _credentials(settings, outside)
        yield finding
        if finding.outcome == "ok":
            yield _sources(settings, outside)
        if account:
            yield from _services(settings, outside, outside.private)


def _services(
    settings: Settings, outside: Outside, services: Mapping[str, str]
) -> Iterator[Finding]:
    for name, option in services.items():
        yield _reachable(f"{outside.pipeline} {name}", str(getattr(settings, option)))


def _reachable(name: str, url: str) -> Finding:
    """Any answer but a server error will do: without a path, or a token, a refusal is right."""
    try:
        answer = httpx.head(url, timeout=SECONDS)
    except httpx.HTTPError as error:
        advice = "See your network and the option with this address; islands stay as they are."
        return Finding(name, "warning", f"{url} does not answer: {error}", advice)
    if answer.is_server_error:
        advice = "Wait: work is retried by itself."
        return Finding(name, "warning", f"{url} answers {answer.status_code}", advice)
    return Finding(name, "ok", f"{url} answers")


def _sources(settings: Settings, outside: Outside) -> Finding:
    """Which sources are read, and why the others are not."""
    found = outside.sources(settings)
    read = ", ".join(name for name, why in found.items() if why is None) or "none"
    off = "".join(f"; {name} is off: {why}" for name, why in found.items() if why is not None)
    return Finding(f"{outside.pipeline} sources", "ok", f"read: {read}{off}")


def _credentials(settings: Settings, outside: Outside) -> tuple[Finding, bool]:
    """What is to be said of the credentials, and whether there are some."""
    name = f"{outside.pipeline} credentials"
    try:
        account = outside.credentials(settings)
    except PlainError as error:
        return Finding(name, "failed", str(error), "Set those that are missing, or none."), False
    if account is None:
        return Finding(name, "ok", "none: only what is public is read"), False
    if settings.token_key is None:
        return Finding(name, "failed", "there is no key to keep tokens with", KEY), True
    try:
        Fernet(settings.token_key.get_secret_value())
    except ValueError:
        return Finding(name, "failed", "ETL_TOKEN_KEY is no Fernet key", KEY), True
    return Finding(name, "ok", "all there, and a key to keep tokens with"), True

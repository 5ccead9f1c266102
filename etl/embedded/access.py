"""Where the servers are: the configured ones, else the embedded ones."""

from pydantic import SecretStr

from etl.embedded.elasticsearch import Elasticsearch
from etl.embedded.home import ROLES, Home
from etl.embedded.postgres import Postgres
from etl.errors import PlainError
from etl.settings import Settings


class NotRunning(PlainError):
    """A server is needed that neither runs here nor is configured."""


def database_url(settings: Settings) -> str:
    """URL of the pipeline's database as its owner, password included.

    Raises:
        NotRunning: ETL_DATABASE_URL is not set and the embedded server does not run.
    """
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    server = Postgres(Home(settings.home), settings)
    port = server.running()
    if port is None:
        raise NotRunning("PostgreSQL is not running: run `etl up`, or set ETL_DATABASE_URL")
    return server.url(port)


def elasticsearch_url(settings: Settings) -> str:
    """URL of Elasticsearch.

    Raises:
        NotRunning: ETL_ELASTICSEARCH_URL is not set and the embedded server does not run.
    """
    if settings.elasticsearch_url is not None:
        return settings.elasticsearch_url.get_secret_value()
    server = Elasticsearch(Home(settings.home), settings)
    port = server.running()
    if port is None:
        raise NotRunning("Elasticsearch is not running: run `etl up`, or set ETL_ELASTICSEARCH_URL")
    return server.url(port)


def role_passwords(settings: Settings) -> dict[str, SecretStr]:
    """Passwords of etl_worker, etl_analyst and etl_operator at the embedded server.

    Made once and kept in a file of the home that only its user can read.

    Raises:
        ServerFailed: the file belongs to somebody else or is damaged.
    """
    passwords = Home(settings.home).passwords()
    return {role: passwords[role] for role in ROLES}

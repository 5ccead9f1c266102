"""PostgreSQL and Elasticsearch for a machine without Docker; they outlive their starter."""

from etl.embedded.access import NotRunning, database_url, elasticsearch_url, role_passwords
from etl.embedded.home import ServerFailed
from etl.embedded.psql import psql_line
from etl.embedded.servers import down, up
from etl.embedded.state import status

__all__ = [
    "NotRunning",
    "ServerFailed",
    "database_url",
    "down",
    "elasticsearch_url",
    "psql_line",
    "role_passwords",
    "status",
    "up",
]

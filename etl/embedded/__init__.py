"""PostgreSQL and Elasticsearch for a machine without Docker; they outlive the process that started them."""

from etl.embedded.access import NotRunning, database_url, elasticsearch_url, role_passwords
from etl.embedded.home import ServerFailed
from etl.embedded.servers import down, up

__all__ = [
    "NotRunning",
    "ServerFailed",
    "database_url",
    "down",
    "elasticsearch_url",
    "role_passwords",
    "up",
]

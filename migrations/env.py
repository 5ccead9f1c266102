"""Where alembic runs the migrations: on the connection, and in the transaction, that migrate gives it."""

from alembic import context
from alembic.util import CommandError

connection = context.config.attributes.get("connection")
if connection is None:
    raise CommandError("tables and sql/ change together, in one transaction: run `etl migrate`")

context.configure(connection=connection, version_table_schema="engine")
context.run_migrations()

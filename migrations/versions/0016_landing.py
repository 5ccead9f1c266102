"""Keys that tell rows apart by their first column, and numbers drawn in tens.

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"

LANDING = """
-- The column that tells rows apart first: half the comparisons of a look-up and of an insert.
alter table raw.document drop constraint document_pkey, add primary key (key, resource, version);
alter table search.dirty drop constraint dirty_pkey, add primary key (id, index);

-- A session draws ten at once; what it does not use of them is lost.
alter table fortnite.island alter column island_id set cache 10;
alter table fortnite.island_change alter column change_id set cache 10;
"""


def upgrade() -> None:
    op.execute(LANDING)

"""Room for an entity's next version beside the one it has, and one index of the change log where two were.

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"

ROOM = """
-- A row grows by half when it is first fetched: with half a page to spare, most moved to another one.
alter table engine.crawl set (fillfactor = 40);

alter table fortnite.island_change
  drop constraint island_change_pkey,
  add primary key (island_id, changed_at, change_id);
drop index fortnite.island_change_island_id_changed_at_idx;
"""


def upgrade() -> None:
    op.execute(ROOM)

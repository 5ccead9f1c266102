"""Islands that the Data API has no more leave the search.

Revision ID: 0018
Revises: 0017
"""

from alembic import op

revision = "0018"
down_revision = "0017"

UNLISTED = """
alter table fortnite.island_metric_state add column gone_at timestamptz;
comment on column fortnite.island_metric_state.gone_at is
'Since when the Data API neither knows nor lists it; null: it does';
"""


def upgrade() -> None:
    op.execute(UNLISTED)

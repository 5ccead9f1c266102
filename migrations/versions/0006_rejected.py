"""When an item was set aside, so that it can be kept for an age; its fetch may be far older.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"

REJECTED = """
alter table raw.rejected add column rejected_at timestamptz not null default now();
create index on raw.rejected (rejected_at);
comment on column raw.rejected.rejected_at is 'When it was set aside';
comment on table raw.snapshot is 'Pages of periodic listings; nothing writes them yet';
"""


def upgrade() -> None:
    op.execute(REJECTED)

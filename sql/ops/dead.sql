create view ops.dead as
select
  c.resource,
  c.key,
  c.attempts,
  c.last_error,
  c.due_at,
  c.last_fetched_at
from engine.crawl as c
where c.state = 'dead';

comment on view ops.dead is 'Entities given up after too many failed attempts; ops.revive takes them up again';
comment on column ops.dead.resource is 'Name of the resource';
comment on column ops.dead.key is 'Key of the entity';
comment on column ops.dead.attempts is 'Claims since its last success';
comment on column ops.dead.last_error is 'Why the last of them failed';
comment on column ops.dead.due_at is 'When it would have been tried next';
comment on column ops.dead.last_fetched_at is 'Its last success; null: never';

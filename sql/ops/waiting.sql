create view ops.waiting as
select
  c.resource,
  c.key,
  c.class,
  c.state,
  c.due_at,
  now() - c.due_at as waits,
  c.last_fetched_at,
  c.attempts
from engine.crawl as c
where c.state <> 'dead' and c.due_at <= now() and c.leased_until <= now();

comment on view ops.waiting is
'Entities that are due and in nobody''s hands. Who waits longest: where resource = ... order by due_at limit ...';
comment on column ops.waiting.resource is 'Name of the resource';
comment on column ops.waiting.key is 'Key of the entity';
comment on column ops.waiting.class is '0 new, 1 popular, 2 ordinary, 3 dead-looking';
comment on column ops.waiting.state is 'active, or gone: upstream had it no more';
comment on column ops.waiting.due_at is 'Since when it is due';
comment on column ops.waiting.waits is 'For how long that is';
comment on column ops.waiting.last_fetched_at is 'Its last successful fetch; null: never';
comment on column ops.waiting.attempts is 'Claims since then without success';

create view ops.backlog as
select
  c.resource,
  c.class,
  count(*) as entities,
  count(*) filter (where c.state <> 'dead' and c.due_at <= now() and c.leased_until <= now()) as due,
  count(*) filter (where c.leased_until > now()) as leased,
  count(*) filter (where c.state <> 'dead' and c.attempts > 0 and c.leased_until = '-infinity') as retrying,
  count(*) filter (where c.state = 'gone') as gone,
  count(*) filter (where c.state = 'dead') as dead,
  min(c.due_at) filter (where c.state <> 'dead' and c.due_at <= now() and c.leased_until <= now()) as due_since
from engine.crawl as c
group by c.resource, c.class;

comment on view ops.backlog is 'How far the crawl is behind, by resource and class';
comment on column ops.backlog.resource is 'Name of the resource';
comment on column ops.backlog.class is '0 new, 1 popular, 2 ordinary, 3 dead-looking';
comment on column ops.backlog.entities is 'Entities there are';
comment on column ops.backlog.due is 'Of these to be fetched now';
comment on column ops.backlog.leased is 'In the hands of a worker';
comment on column ops.backlog.retrying is 'Failed at the last attempt and will be tried again';
comment on column ops.backlog.gone is 'Known to be gone upstream, looked for less and less often';
comment on column ops.backlog.dead is 'Given up after too many attempts, see ops.dead';
comment on column ops.backlog.due_since is 'Since when the one that waits longest is due';

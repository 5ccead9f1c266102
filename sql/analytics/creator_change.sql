create view analytics.creator_change as
select
  c.account_id,
  c.display_name as name,
  g.changed_at,
  g.resource,
  f.field,
  g.old ->> f.field as old_value,
  g.new ->> f.field as new_value,
  g.ccu,
  g.islands,
  g.minutes_played,
  g.followers
from fortnite.creator_change as g
inner join fortnite.creator as c on g.creator_id = c.creator_id
cross join lateral unnest(g.fields) as f (field);

comment on view analytics.creator_change is
'What changed on creators, a row for each field, with what the day of the change came to';
comment on column analytics.creator_change.account_id is 'Account';
comment on column analytics.creator_change.name is 'Name the creator shows now';
comment on column analytics.creator_change.changed_at is 'Fetch that showed the change';
comment on column analytics.creator_change.resource is 'Resource that showed it';
comment on column analytics.creator_change.field is 'What changed; gone_at: the creator left or came back';
comment on column analytics.creator_change.old_value is 'Value before; null: none';
comment on column analytics.creator_change.new_value is 'Value after; null: none';
comment on column analytics.creator_change.ccu is 'Players on average that UTC day; null until it is over';
comment on column analytics.creator_change.islands is 'Islands at the end of that day; null until it is over';
comment on column analytics.creator_change.minutes_played is 'Minutes played that day; null until it is over';
comment on column analytics.creator_change.followers is
'Followers by the end of that day; null until it is over, or never read';

create view analytics.island_change as
select
  g.changed_at,
  i.code,
  coalesce(i.title, i.display_name, i.code) as title,
  g.resource,
  g.version,
  g.activated_at,
  f.field,
  g.old -> f.field as old_value,
  g.new -> f.field as new_value
from fortnite.island_change as g
inner join fortnite.island as i on g.island_id = i.island_id
cross join lateral unnest(g.fields) as f (field);

comment on view analytics.island_change is 'What changed on islands, a row for each field; ask by code or by time';
comment on column analytics.island_change.changed_at is 'Fetch that showed the change';
comment on column analytics.island_change.code is 'Link code';
comment on column analytics.island_change.title is 'Title as it is now';
comment on column analytics.island_change.resource is 'Resource that showed it';
comment on column analytics.island_change.version is 'Version of the link after the change';
comment on column analytics.island_change.activated_at is 'Activation date of that version';
comment on column analytics.island_change.field is 'What changed';
comment on column analytics.island_change.old_value is 'Value before, as JSON';
comment on column analytics.island_change.new_value is 'Value after, as JSON';

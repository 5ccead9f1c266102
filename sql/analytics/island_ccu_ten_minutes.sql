create view analytics.island_ccu_ten_minutes as
select
  c.ts,
  i.code,
  coalesce(i.title, i.display_name, i.code) as title,
  c.ccu
from fortnite.ccu as c
inner join fortnite.island as i on c.island_id = i.island_id;

comment on view analytics.island_ccu_ten_minutes is
'Samples of islands. Ask for a few instants; for one island over time ask analytics.island_ccu, which shows gaps '
'too';
comment on column analytics.island_ccu_ten_minutes.ts is 'Start of the cycle (UTC)';
comment on column analytics.island_ccu_ten_minutes.code is 'Link code';
comment on column analytics.island_ccu_ten_minutes.title is
'Title, or the friendly name of an Epic mode, as it is now';
comment on column analytics.island_ccu_ten_minutes.ccu is 'Players; zero is a value, no row means unknown';

create view analytics.island_owner_change as
select
  g.changed_at,
  i.code,
  coalesce(i.title, i.display_name, i.code) as title,
  g.old_account_id,
  g.new_account_id
from fortnite.island_owner_change as g
inner join fortnite.island as i on g.island_id = i.island_id;

comment on view analytics.island_owner_change is
'Islands that a creator page listed under another account than their details named';
comment on column analytics.island_owner_change.changed_at is 'Cycle whose creator page showed it';
comment on column analytics.island_owner_change.code is 'Link code';
comment on column analytics.island_owner_change.title is 'Title as it is now';
comment on column analytics.island_owner_change.old_account_id is 'Owner by the details of the island';
comment on column analytics.island_owner_change.new_account_id is 'Creator whose page lists it';

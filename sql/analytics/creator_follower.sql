create view analytics.creator_follower as
select
  c.account_id,
  c.display_name as name,
  f.ts,
  f.followers,
  f.followers - lag(f.followers) over (partition by f.creator_id order by f.ts) as gained
from fortnite.creator_follower as f
inner join fortnite.creator as c on f.creator_id = c.creator_id;

comment on view analytics.creator_follower is
'Followers of creators over time: a row when the number changed, and the first reading of each UTC day';
comment on column analytics.creator_follower.account_id is 'Account';
comment on column analytics.creator_follower.name is 'Name the creator shows now';
comment on column analytics.creator_follower.ts is 'When it was read';
comment on column analytics.creator_follower.followers is 'Followers';
comment on column analytics.creator_follower.gained is 'How many more than in the row before; null: the first one';

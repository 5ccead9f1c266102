-- requires: fortnite.ranking
create view analytics.ranking as
select
  r.day,
  r.list,
  r.name,
  r.measure,
  r.rank,
  i.code,
  coalesce(i.title, i.display_name, i.code) as title,
  i.creator_name,
  i.creator_code,
  r.value,
  r.previous_rank,
  r.previous_rank - r.rank as movement,
  r.best_rank,
  r.best_on,
  r.since
from fortnite.ranking as r
inner join fortnite.island as i on r.island_id = i.island_id;

comment on view analytics.ranking is
'Who stood where on each UTC day that is over: globally, by tag, category and creator. Ask for a list, a name and a '
'measure: without them rows of different lists are mixed';
comment on column analytics.ranking.day is 'UTC day';
comment on column analytics.ranking.list is 'global, tag, category or creator';
comment on column analytics.ranking.name is
'The tag, the category, the account of the creator (analytics.creator.account_id); empty where global. As they were '
'at the end of that day';
comment on column analytics.ranking.measure is
'average (players over the day, of islands covered well enough), minutes (played, by our samples) or peak (most '
'players at once, by the Data API)';
comment on column analytics.ranking.rank is 'Place in the list, from 1; no two share one';
comment on column analytics.ranking.code is 'Link code';
comment on column analytics.ranking.title is 'Title, or the friendly name of an Epic mode, as it is now';
comment on column analytics.ranking.creator_name is 'Display name of the creator, as it is now';
comment on column analytics.ranking.creator_code is 'Support-a-creator code, as it is now';
comment on column analytics.ranking.value is 'What the rank follows, always above zero';
comment on column analytics.ranking.previous_rank is 'Place the day before; null: it had none that is kept';
comment on column analytics.ranking.movement is
'Places it rose since the day before; below zero it fell, null: it is new';
comment on column analytics.ranking.best_rank is 'Best place from since up to this day';
comment on column analytics.ranking.best_on is 'First day it had that place';
comment on column analytics.ranking.since is 'First day the list was ranked';

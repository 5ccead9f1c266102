create view fortnite.ranking as
select
  r.day,
  l.list,
  l.name,
  l.measure,
  r.rank,
  r.island_id,
  r.value,
  r.previous_rank,
  r.best_rank,
  r.best_on,
  l.since
from fortnite.ranking_row as r
inner join fortnite.ranking_list as l on r.list_id = l.list_id;

comment on view fortnite.ranking is
'Who stood where on each UTC day that is over: globally, by tag, category and creator; kept for ever, down to the rank '
'that ETL_FORTNITE_RANKING_TOP says';
comment on column fortnite.ranking.day is 'UTC day';
comment on column fortnite.ranking.list is 'global, tag, category or creator';
comment on column fortnite.ranking.name is 'The tag, the category, the account of the creator; empty where global';
comment on column fortnite.ranking.measure is
'average (players over the day, of islands covered well enough), minutes (played, by our samples) or peak (most '
'players at once, by the Data API)';
comment on column fortnite.ranking.rank is 'Place in the list, from 1; no two share one';
comment on column fortnite.ranking.island_id is 'The island';
comment on column fortnite.ranking.value is 'What the rank follows, always above zero';
comment on column fortnite.ranking.previous_rank is 'Place the day before; null: it had none that is kept';
comment on column fortnite.ranking.best_rank is 'Best place from since up to this day';
comment on column fortnite.ranking.best_on is 'First day it had that place';
comment on column fortnite.ranking.since is 'First day the list was ranked';

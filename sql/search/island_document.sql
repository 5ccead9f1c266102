-- requires: search.fold, search.title_key
create view search.island_document as
select
  i.code as id,
  row_to_json(d) as body
from fortnite.island as i
left join fortnite.island_now as n on i.island_id = n.island_id
left join fortnite.island_performance as p on i.island_id = p.island_id
left join fortnite.island_trend as r on i.island_id = r.island_id
left join fortnite.island_metric_state as m on i.island_id = m.island_id
cross join lateral (
  select
    left(coalesce(i.title, i.display_name, i.code), 500) as title,
    coalesce(i.creator_name, i.creator_code) as creator
) as t
-- offset 0: folded once, used twice.
cross join lateral (
  select search.fold(v.title) as folded_title
  from (values (t.title)) as v (title)
  order by v.title offset 0
) as f
cross join lateral (
  select count(*)::integer as panels
  from fortnite.placement as k
  where k.code = i.code
) as s
cross join lateral (
  select
    i.code,
    t.title,
    t.creator,
    i.creator_code,
    i.creator_account_id,
    coalesce(i.tags[:50], '{}') as tags,
    i.category,
    i.created_in,
    i.image_url,
    r.marked_rank as rank,
    r.marked_trending as trending,
    i.max_players,
    i.published_at,
    n.marked_ccu as ccu,
    coalesce(n.marked_at, n.ts) as ccu_at,
    n.record_ccu as peak,
    n.since as peak_since,
    -- What we sample ourselves is newer and finer.
    case when n.island_id is null then m.peak_ccu end as day_peak,
    case when n.island_id is null then m.peak_on end as day_peak_on,
    p.marked_minutes_24h as minutes_24h,
    p.marked_24h as avg_24h,
    p.marked_7d as avg_7d,
    p.marked_30d as avg_30d,
    s.panels > 0 as on_discovery,
    s.panels as discovery_panels,
    f.folded_title,
    search.title_key(f.folded_title) as title_key,
    search.fold(t.creator) as folded_creator
) as d
where
  i.gone_at is null
  and i.disabled is not true
  and i.discovery_intent is distinct from 'PRIVATE'
  -- Without details nobody but the Data API says that players can find it.
  and (i.detailed_at is not null or m.gone_at is null);

comment on view search.island_document is
'Documents of index island: islands that players can find. One that is gone, disabled or private leaves '
'the index, and so does one without details that the Data API has no more. Numbers that move all the time are those of '
'the last mark';
comment on column search.island_document.id is 'Link code of the island';
comment on column search.island_document.body is 'The document';

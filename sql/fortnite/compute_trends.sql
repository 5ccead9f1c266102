-- requires: fortnite.sum_samples, fortnite.sum_told, fortnite.trending_score, fortnite.island_at
-- requires: fortnite.peak_ccu, fortnite.peak_at
create function fortnite.compute_trends(p_day date) returns integer
language plpgsql
set plan_cache_mode = force_custom_plan
-- How many islands an estimate of the roll-ups gives is anybody's guess: never one loop in another.
set enable_nestloop = off
set work_mem = '128MB'
set jit = off
as $$
declare
  v_since timestamptz := p_day::timestamp at time zone 'UTC';
  v_written integer;
begin
  -- Beside nobody who ranks days: trends show ranks.
  perform pg_advisory_xact_lock('fortnite.ranking_row'::regclass::oid::integer, 0);
  delete from fortnite.ranking_due as d where d.source = 'trend';
  with placed as (
    select
      r.island_id,
      r.rank,
      l.measure,
      -- By average; by peak on a day that has no averages.
      min(l.measure) over () as shown
    from fortnite.ranking_row as r
    inner join fortnite.ranking_list as l on r.list_id = l.list_id
    where r.day = p_day and l.list = 'global' and l.measure in ('average', 'peak')
  ),

  sampled as (
    select
      s.*,
      -- Share of the 7 days before in which it was published: before it, nobody played it.
      case
        when i.born_at > v_since - interval '7 days'
          then greatest(0, extract(epoch from v_since - i.born_at) / 604800)
        else 1
      end::double precision as lived
    from fortnite.sum_samples(p_day) as s
    inner join fortnite.island_at(v_since + interval '1 day') as i on s.island_id = i.island_id
  ),

  fresh as (
    select
      island_id,
      fortnite.peak_at(s.peak_1d) as peak_1d_at,
      fortnite.peak_at(s.peak_7d) as peak_7d_at,
      fortnite.peak_at(s.peak_30d) as peak_30d_at,
      t.plays_1d,
      t.plays_7d,
      t.plays_30d,
      t.player_days_7d,
      t.player_days_30d,
      fortnite.peak_ccu(s.peak_1d) as peak_1d,
      fortnite.peak_ccu(s.peak_7d) as peak_7d,
      fortnite.peak_ccu(s.peak_30d) as peak_30d,
      t.unique_players_1d,
      s.avg_1d::real as avg_1d,
      s.avg_7d::real as avg_7d,
      s.avg_30d::real as avg_30d,
      s.growth_1d::real as growth_1d,
      s.growth_7d::real as growth_7d,
      s.growth_30d::real as growth_30d,
      case
        when s.samples_1d < 72 then null
        when s.lived = 0 then fortnite.trending_score(s.avg_1d, 0)
        when fortnite.enough_coverage((s.samples_base / 1008.0 / s.lived)::real)
          then fortnite.trending_score(s.avg_1d, s.avg_base * s.lived)
      end as trending,
      p.rank,
      t.told_days_7d::smallint as told_days_7d,
      t.told_days_30d::smallint as told_days_30d
    from sampled as s
    full join fortnite.sum_told(p_day) as t using (island_id)
    full join (select l.island_id, l.rank from placed as l where l.measure = l.shown) as p using (island_id)
  ),

  moved as (
    select
      island_id,
      f.peak_1d_at,
      f.peak_7d_at,
      f.peak_30d_at,
      f.plays_1d,
      f.plays_7d,
      f.plays_30d,
      f.player_days_7d,
      f.player_days_30d,
      f.peak_1d,
      f.peak_7d,
      f.peak_30d,
      f.unique_players_1d,
      f.avg_1d,
      f.avg_7d,
      f.avg_30d,
      f.growth_1d,
      f.growth_7d,
      f.growth_30d,
      f.trending,
      f.rank,
      f.told_days_7d,
      f.told_days_30d
    from fresh as f
    -- Those that have no number any more lose the ones they had.
    full join fortnite.island_trend as o using (island_id)
    where
      (
        f.peak_1d_at, f.peak_7d_at, f.peak_30d_at, f.plays_1d, f.plays_7d, f.plays_30d, f.player_days_7d,
        f.player_days_30d, f.peak_1d, f.peak_7d, f.peak_30d, f.unique_players_1d, f.avg_1d, f.avg_7d, f.avg_30d,
        f.growth_1d, f.growth_7d, f.growth_30d, f.trending, f.rank, f.told_days_7d, f.told_days_30d
      ) is distinct from (
        o.peak_1d_at, o.peak_7d_at, o.peak_30d_at, o.plays_1d, o.plays_7d, o.plays_30d, o.player_days_7d,
        o.player_days_30d, o.peak_1d, o.peak_7d, o.peak_30d, o.unique_players_1d, o.avg_1d, o.avg_7d, o.avg_30d,
        o.growth_1d, o.growth_7d, o.growth_30d, o.trending, o.rank, o.told_days_7d, o.told_days_30d
      )
  )

  insert into fortnite.island_trend (
    island_id, day,
    peak_1d_at, peak_7d_at, peak_30d_at, plays_1d, plays_7d, plays_30d, player_days_7d, player_days_30d, peak_1d,
    peak_7d, peak_30d, unique_players_1d, avg_1d, avg_7d, avg_30d, growth_1d, growth_7d, growth_30d, trending, rank,
    told_days_7d, told_days_30d
  )
  select
    m.island_id,
    p_day,
    m.peak_1d_at,
    m.peak_7d_at,
    m.peak_30d_at,
    m.plays_1d,
    m.plays_7d,
    m.plays_30d,
    m.player_days_7d,
    m.player_days_30d,
    m.peak_1d,
    m.peak_7d,
    m.peak_30d,
    m.unique_players_1d,
    m.avg_1d,
    m.avg_7d,
    m.avg_30d,
    m.growth_1d,
    m.growth_7d,
    m.growth_30d,
    m.trending,
    m.rank,
    m.told_days_7d,
    m.told_days_30d
  from moved as m
  order by m.island_id
  on conflict (island_id) do update
    set
      day = excluded.day,
      peak_1d_at = excluded.peak_1d_at,
      peak_7d_at = excluded.peak_7d_at,
      peak_30d_at = excluded.peak_30d_at,
      plays_1d = excluded.plays_1d,
      plays_7d = excluded.plays_7d,
      plays_30d = excluded.plays_30d,
      player_days_7d = excluded.player_days_7d,
      player_days_30d = excluded.player_days_30d,
      peak_1d = excluded.peak_1d,
      peak_7d = excluded.peak_7d,
      peak_30d = excluded.peak_30d,
      unique_players_1d = excluded.unique_players_1d,
      avg_1d = excluded.avg_1d,
      avg_7d = excluded.avg_7d,
      avg_30d = excluded.avg_30d,
      growth_1d = excluded.growth_1d,
      growth_7d = excluded.growth_7d,
      growth_30d = excluded.growth_30d,
      trending = excluded.trending,
      rank = excluded.rank,
      told_days_7d = excluded.told_days_7d,
      told_days_30d = excluded.told_days_30d;
  get diagnostics v_written = row_count;
  return v_written;
end
$$;

comment on function fortnite.compute_trends(date) is
'Computes fortnite.island_trend as of a UTC day, the latest one ranked, in one pass over 60 stored days and 30 days of '
'the Data API. Trending asks samples of half the day, and of a tenth of the 7 days before as far as the island was '
'published. Writes the rows that changed and gives how many; computed again it writes none';

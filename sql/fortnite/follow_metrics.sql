-- requires: fortnite.sum_metrics, fortnite.metric_kept_from, search.mark
create function fortnite.follow_metrics(p_reads jsonb) returns integer
language plpgsql
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_lost integer;
  v_marked text[];
begin
  -- Upstream has no day of an island it does not know: nothing is to be read, so nothing is missed.
  with read as materialized (
    select
      s.code,
      s.island_id,
      m.read_through,
      m.peak_on,
      m.peak_ccu,
      s.peak_on as new_peak_on,
      s.peak_ccu as new_peak_ccu,
      s.gone,
      m.gone_at,
      -- Where it is still listed, only its metrics are not for us.
      case
        when s.gone and not exists (
          select from engine.crawl as c
          where
            c.key = s.code and c.resource = 'fortnite.catalogue' and c.last_fetched_at > s.read_at - interval '6 hours'
        ) then coalesce(m.gone_at, s.read_at)
      end as new_gone_at,
      fortnite.metric_kept_from(s.read_at) as kept_from,
      case when s.gone then (s.read_at at time zone 'UTC')::date - 1 else s.closed_to end as closed_to,
      case when s.gone then m.read_through + 1 else s.given_from end as given_from
    from fortnite.sum_metrics(p_reads) as s
    inner join fortnite.island_metric_state as m on s.island_id = m.island_id
    where s.trouble is null
    order by s.island_id
    for no key update of m
  ),

  lost as (
    insert into fortnite.island_metric_lost (island_id, day)
    select
      r.island_id,
      d.day::date
    from read as r
    cross join lateral generate_series(
      (r.read_through + 1)::timestamp, least(r.given_from, r.kept_from)::timestamp - interval '1 day', interval '1 day'
    ) as d (day)
    order by r.island_id, d.day
    on conflict do nothing
    returning 1
  ),

  followed as (
    update fortnite.island_metric_state as m
    set
      read_through = f.read_through,
      peak_on = f.peak_on,
      peak_ccu = f.peak_ccu,
      gone_at = f.gone_at
    from (
      select
        r.island_id,
        r.code,
        r.gone,
        r.new_gone_at as gone_at,
        -- A day that upstream keeps and did not give holds what comes after it: it may be given yet.
        greatest(
          r.read_through,
          case when r.given_from > greatest(r.kept_from, r.read_through + 1)
            then r.kept_from - 1 else r.closed_to end
        ) as read_through,
        case when r.gone then r.peak_on else r.new_peak_on end as peak_on,
        case when r.gone then r.peak_ccu else r.new_peak_ccu end as peak_ccu
      from read as r
    ) as f
    where
      m.island_id = f.island_id
      and (f.read_through, f.peak_on, f.peak_ccu, f.gone_at)
      is distinct from (m.read_through, m.peak_on, m.peak_ccu, m.gone_at)
    returning m.island_id
  )

  select
    (select count(*) from lost),
    -- Documents show the peak of islands alone that we do not sample ourselves.
    (
      select array_agg(r.code)
      from read as r
      where
        (r.gone_at is null) <> (r.new_gone_at is null)
        or (
          not r.gone
          and (r.new_peak_on, r.new_peak_ccu) is distinct from (r.peak_on, r.peak_ccu)
          and not exists (select from fortnite.island_now as n where n.island_id = r.island_id)
        )
    )
  into v_lost, v_marked;
  perform search.mark('island', v_marked);
  return v_lost;
end
$$;

comment on function fortnite.follow_metrics(jsonb) is
'Notes how far the days of islands were read by these reads (as fortnite.take_metrics has them), and lists those that
upstream dropped before they were. Marks the documents that show another peak now, and those of islands that left the
Data API or are back. Gives how many days were lost';

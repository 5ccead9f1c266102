-- requires: fortnite.sum_metrics, fortnite.metric_due
create function fortnite.settle_metrics(
  p_lease bigint,
  p_reads jsonb,
  p_hours integer[],
  p_popular integer,
  p_attempts integer
)
returns void
language plpgsql
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
begin
  update engine.crawl as c
  set
    class = k.class,
    state = case when k.trouble is not null then c.state when k.gone then 'gone' else 'active' end,
    -- What fails is asked again for ever, since a day that nobody read is lost. Its claims are counted no further than
    -- half of what makes an entity dead, which is left to those that kill their workers.
    attempts = case when k.trouble is null then 0 else least(c.attempts, greatest(p_attempts / 2, 1)) end,
    leased_until = '-infinity',
    last_error = k.trouble,
    last_fetched_at = case when k.trouble is null then k.read_at else c.last_fetched_at end,
    due_at = case
      when k.trouble is null then fortnite.metric_due(c.key, k.read_at, make_interval(hours => p_hours[k.class]))
      else k.read_at + interval '5 minutes' * 4 ^ least(c.attempts - 1, 3)
    end
  from (
    select
      s.code,
      s.read_at,
      s.gone,
      s.trouble,
      case
        when s.trouble is not null then o.class
        when s.gone then 3
        when s.lately >= p_popular then 1
        when s.active then 2
        -- Most new islands are tried by somebody in their first days. Those of the first listing are of any age.
        when
          m.watched_from > (w.value ->> 'since')::date + 1
          and s.read_at < (m.watched_from + 3)::timestamp at time zone 'UTC' then 2
        else 3
      end as class
    from fortnite.sum_metrics(p_reads) as s
    inner join fortnite.island_metric_state as m on s.island_id = m.island_id
    inner join engine.watermark as w on w.name = 'fortnite.meet_metrics'
    inner join engine.crawl as o on o.resource = 'fortnite.metrics' and s.code = o.key
    order by s.code collate "C"
  ) as k
  where
    c.resource = 'fortnite.metrics'
    and c.key = k.code
    and c.lease = p_lease
    and c.leased_until > '-infinity';
end
$$;

comment on function fortnite.settle_metrics(bigint, jsonb, integer[], integer, integer) is
'Reschedules islands after these reads (as fortnite.take_metrics has them): class 1 with so many players at once since
yesterday, 2 with any metric told in the days upstream keeps or listed for less than three days, else 3, each at its pace in
hours. One that upstream does not know is gone and looked for at the pace of class 3. One that failed comes again after
5 minutes, then 20, 80, 320, and is never given up';

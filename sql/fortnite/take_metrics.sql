-- requires: fortnite.write_metrics, fortnite.follow_metrics, fortnite.settle_metrics
create function fortnite.take_metrics(
  p_lease bigint,
  p_reads jsonb,
  p_hours integer[],
  p_popular integer,
  p_attempts integer
)
returns table (taken integer, inserted integer, revised integer, lost integer)
language plpgsql
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_reads jsonb;
begin
  select coalesce(jsonb_agg(k.read), '[]'), count(*)
  into v_reads, taken
  from (
    select e.read, e.read ->> 'code' as code
    from jsonb_array_elements(p_reads) as e (read)
    order by e.read ->> 'code' collate "C"
  ) as k
  cross join lateral (
    select c.key
    from engine.crawl as c
    where
      c.resource = 'fortnite.metrics'
      and c.key = k.code
      and c.lease = p_lease
      and c.leased_until > '-infinity'
    for no key update
  ) as h;
  inserted := 0;
  revised := 0;
  lost := 0;
  if taken > 0 then
    select w.inserted, w.revised into inserted, revised from fortnite.write_metrics(v_reads) as w;
    perform fortnite.settle_metrics(p_lease, v_reads, p_hours, p_popular, p_attempts);
    lost := fortnite.follow_metrics(v_reads);
  end if;
  return next;
end
$$;

comment on function fortnite.take_metrics(bigint, jsonb, integer[], integer, integer) is
'Takes reads of metrics over in one transaction: stores their buckets, notes how far each island was read, reschedules
it. A read is {code, read_at, buckets} of the Data API''s answer, {gone: true} where it does not know the island, or
{trouble} where it failed; buckets that could be read of such a one are stored all the same. A bucket is
{minutes, ts, whole: every required metric was told of it, said: the columns told, and these}. Hours: the pace of
classes 1, 2, 3. Only what the lease still holds is taken, so that a second call does nothing. Gives how many were, rows
stored and revised, and days found lost';

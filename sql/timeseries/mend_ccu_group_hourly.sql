-- requires: fortnite.sum_ccu_groups
create function fortnite.mend_ccu_group_hourly() returns timestamptz
language plpgsql
set jit = off
as $$
declare
  v_hour timestamptz;
begin
  -- Counted before their details were known: their hours are late now.
  with told as (
    delete from fortnite.ccu_untold as u
    using fortnite.island as i
    where u.island_id = i.island_id and i.detailed_at is not null
    returning u.island_id
  )
  insert into engine.late (relation, ts, keys)
  select
    s.relation,
    h.ts,
    '{}'
  from engine.series as s
  cross join told as t
  inner join fortnite.ccu_hourly_store as h on t.island_id = h.island_id
  where s.relation = 'fortnite.ccu_group_hourly' and h.ts < s.refreshed_until and h.ccu_sum > 0
  group by s.relation, h.ts
  order by h.ts;

  select min(l.ts) into v_hour from engine.late as l where l.relation = 'fortnite.ccu_group_hourly';
  if v_hour is null then
    return null;
  end if;
  delete from engine.late as l where l.relation = 'fortnite.ccu_group_hourly' and l.ts = v_hour;
  if v_hour < (select s.kept_from from engine.series as s where s.relation = 'fortnite.ccu_hourly') then
    return v_hour;
  end if;
  perform fortnite.sum_ccu_groups(v_hour);
  insert into fortnite.creator_late (day)
  values ((v_hour at time zone 'UTC')::date)
  on conflict (day) do nothing;
  return v_hour;
end
$$;

comment on function fortnite.mend_ccu_group_hourly() is
'Adds up again the earliest stored hour of groups of islands whose samples changed, or in which an island was played '
'whose details came later, notes its day for the totals of creators and gives the hour; null when nothing is late. In '
'one transaction. Only the one who holds the refresh lock may call it.';

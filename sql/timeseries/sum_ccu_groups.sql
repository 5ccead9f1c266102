-- requires: fortnite.made_by_epic, fortnite.groups_before
create function fortnite.sum_ccu_groups(p_hour timestamptz) returns void
language plpgsql
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
set jit = off
as $$
declare
  v_until timestamptz := p_hour + interval '1 hour';
  v_kept boolean;
  v_was fortnite.ccu_group_hourly[];
begin
  -- Samples that are kept now are not dropped before they are read.
  perform engine.lock_series('what is old', false);
  select p_hour >= s.kept_from into strict v_kept from engine.series as s where s.relation = 'fortnite.ccu';
  -- Without its samples an hour changes by what is learned of islands alone: what each cycle saw of the others stands.
  with gone as (
    delete from fortnite.ccu_group_hourly as g
    where g.ts = p_hour
    returning g as was
  )
  select array_agg(g.was) into v_was from gone as g where not v_kept;

  with sampled as materialized (
    select
      c.island_id,
      count(*)::integer as samples,
      sum(c.ccu) as ccu_sum,
      sum(c.ccu) filter (where c.ts = p_hour) as step_1,
      sum(c.ccu) filter (where c.ts = p_hour + interval '10 minutes') as step_2,
      sum(c.ccu) filter (where c.ts = p_hour + interval '20 minutes') as step_3,
      sum(c.ccu) filter (where c.ts = p_hour + interval '30 minutes') as step_4,
      sum(c.ccu) filter (where c.ts = p_hour + interval '40 minutes') as step_5,
      sum(c.ccu) filter (where c.ts = p_hour + interval '50 minutes') as step_6
    from fortnite.ccu as c
    where c.ts >= p_hour and c.ts < v_until and v_kept
    group by c.island_id
    union all
    select
      h.island_id,
      h.samples,
      h.ccu_sum,
      null, null, null, null, null, null
    from fortnite.ccu_hourly_store as h
    where h.ts = p_hour and not v_kept
  ),

  told as materialized (
    select
      s.*,
      i.island_id is not null and i.detailed_at is null and s.ccu_sum > 0 as untold,
      fortnite.made_by_epic(i.code, coalesce(b.account_id, i.creator_account_id), i.creator_code) as epic,
      coalesce(nullif(coalesce(b.tags, i.tags), '{}'), '{""}') as tags
    from sampled as s
    left join fortnite.island as i on s.island_id = i.island_id
    left join fortnite.groups_before(v_until) as b on s.island_id = b.island_id
  ),

  noted as (
    insert into fortnite.ccu_untold (island_id)
    select t.island_id
    from told as t
    where t.untold
    order by t.island_id
    on conflict (island_id) do nothing
  ),

  grouped as (
    select 'total' as kind, '' as name, t.* from told as t
    union all
    select 'epic', '', t.* from told as t where t.epic
    union all
    select 'tag', u.name, t.*
    from told as t
    cross join lateral unnest(t.tags) with ordinality as u (name, nth)
    where u.nth = array_position(t.tags, u.name)
  ),

  summed as materialized (
    select
      g.kind,
      g.name,
      sum(g.ccu_sum)::bigint as ccu_sum,
      sum(g.samples)::integer as samples,
      count(*)::integer as islands,
      (count(*) filter (where g.ccu_sum > 0))::integer as played,
      max(g.samples) as most,
      array[
        sum(g.step_1), sum(g.step_2), sum(g.step_3), sum(g.step_4), sum(g.step_5), sum(g.step_6)
      ]::bigint[] as steps
    from grouped as g
    group by g.kind, g.name
  )

  insert into fortnite.ccu_group_hourly (ts, ccu_sum, samples, islands, played, cycles, kind, name, steps)
  select
    p_hour,
    s.ccu_sum,
    s.samples,
    s.islands,
    s.played,
    coalesce(
      (select w.cycles from unnest(v_was) as w where w.kind = 'total'),
      (
        select case when v_kept then 6 - cardinality(array_positions(t.steps, null)) else t.most end
        from summed as t
        where t.kind = 'total'
      )
    ),
    s.kind,
    s.name,
    coalesce(w.steps, s.steps)
  from summed as s
  left join unnest(v_was) as w
    on
      s.kind = w.kind
      and s.name = w.name
      and (s.ccu_sum, s.samples, s.islands, s.played) = (w.ccu_sum, w.samples, w.islands, w.played)
  order by s.kind, s.name;
end
$$;

comment on function fortnite.sum_ccu_groups(timestamptz) is
'Adds up an hour of CCU by group of islands, in the place of what was there: all, those of Epic, those of each tag, '
'as they were when the hour ended, or as they were first known where that came later. Where its samples are gone, from '
'the hour of each island: what each cycle saw of a group that is another than it was is then unknown.';

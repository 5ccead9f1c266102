-- requires: fortnite.placement_span
create function fortnite.compute_placement_day(p_day date) returns integer
language plpgsql
set timezone = 'UTC'
set jit = off
as $$
declare
  v_since timestamptz := p_day;
  v_until timestamptz := p_day + 1;
  v_changed integer;
begin
  -- One at a time: of two that compute a day at once, the second finds it as it should be.
  perform pg_advisory_xact_lock('fortnite.placement_daily'::regclass::oid::integer, 0);
  with panel_day as materialized (
    select
      u.panel_id,
      count(*) as reads
    from fortnite.surface_read as r
    cross join unnest(r.panel_ids) as u (panel_id)
    where r.taken_at >= v_since and r.taken_at < v_until
    group by u.panel_id
  ),

  stood as (
    select
      s.panel_id,
      s.code,
      s.position,
      s.entered_at,
      extract(
        epoch from least(coalesce(s.until, v_until), v_until) - greatest(s.since, v_since)
      )::bigint as seconds,
      d.reads
    from fortnite.placement_span as s
    inner join panel_day as d on s.panel_id = d.panel_id
    where tstzrange(s.since, s.until) && tstzrange(v_since, v_until)
  ),

  computed as materialized (
    select
      s.panel_id,
      s.code,
      count(distinct s.entered_at)::integer as appearances,
      (sum(s.seconds) / 60)::integer as minutes,
      min(s.position) as best_position,
      (sum(s.position * s.seconds) / sum(s.seconds))::real as average_position,
      max(s.reads)::integer as reads
    from stood as s
    group by s.panel_id, s.code
  ),

  gone as (
    delete from fortnite.placement_daily as d
    where
      d.day = p_day
      and not exists (select from computed as c where c.panel_id = d.panel_id and c.code = d.code)
    returning 1
  ),

  written as (
    insert into fortnite.placement_daily as d (
      day, panel_id, code, appearances, minutes, best_position, average_position, reads
    )
    select
      p_day,
      c.panel_id,
      c.code,
      c.appearances,
      c.minutes,
      c.best_position,
      c.average_position,
      c.reads
    from computed as c
    order by c.panel_id, c.code
    on conflict (day, panel_id, code) do update
      set
        appearances = excluded.appearances,
        minutes = excluded.minutes,
        best_position = excluded.best_position,
        average_position = excluded.average_position,
        reads = excluded.reads
      where
        (d.appearances, d.minutes, d.best_position, d.average_position, d.reads)
        is distinct from (
          excluded.appearances, excluded.minutes, excluded.best_position, excluded.average_position, excluded.reads
        )
    returning 1
  )

  select (select count(*) from gone as g) + (select count(*) from written as w) into v_changed;
  return v_changed;
end
$$;

comment on function fortnite.compute_placement_day(date) is
'Computes fortnite.placement_daily of a UTC day, in one pass over the spans that touch it; computed again it gives the '
'same rows. A panel that was not read that day has none. Gives how many rows changed';

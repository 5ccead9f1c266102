-- requires: fortnite.ccu_known, fortnite.enough_coverage, fortnite.ccu_steps, fortnite.peak_ccu
create function analytics.ranking_over(
  p_day date,
  p_days integer,
  p_measure text default 'average',
  p_limit integer default 100
)
returns table (
  rank integer,
  code text,
  title text,
  creator_name text,
  avg_ccu real,
  peak_ccu integer,
  minutes_played bigint,
  observed integer,
  expected integer
)
language plpgsql stable
-- Planned with its days known: which partitions it reads is decided once.
set plan_cache_mode = force_custom_plan
set work_mem = '64MB'
set jit = off
as $$
declare
  v_from timestamptz := (p_day - p_days + 1)::timestamp at time zone 'UTC';
  -- Never before the span: PostgreSQL 15 and 16 cannot subtract from the -infinity of a database without a stored day.
  v_until timestamptz := greatest(v_from, least(
    (p_day + 1)::timestamp at time zone 'UTC', (select k.days_until from fortnite.ccu_known as k)
  ));
  v_steps integer := greatest(0, extract(epoch from v_until - v_from) / 600);
  v_bar double precision;
  v_islands integer[];
begin
  if p_measure not in ('average', 'minutes') then
    raise exception 'measure % is unknown: ask for average or minutes', p_measure
      using errcode = 'invalid_parameter_value';
  end if;
  -- Who leads the last day sets a bar that the span's last place reaches. An average is at most that of its best day,
  -- a sum at most as many times its best day: whoever has no day at the bar need not be added up.
  select (array_agg(s.value order by s.value desc))[p_limit] * (1 - 1e-9)
  into v_bar
  from (
    select case p_measure when 'average' then sum(d.ccu_sum) / sum(d.samples)::double precision
      else sum(d.ccu_sum) / p_days::double precision end as value
    from fortnite.ccu_daily_store as d
    where
      d.ts >= v_from and d.ts < v_until
      and d.island_id in (
        select l.island_id from fortnite.ccu_daily_store as l
        where l.ts >= v_until - interval '1 day' and l.ts < v_until
        order by l.ccu_sum desc
        limit 2 * p_limit::bigint
      )
    group by d.island_id
    having p_measure = 'minutes' or sum(d.samples) >= 0.1 * v_steps
  ) as s;

  if v_bar is not null then
    v_islands := array(
      select distinct d.island_id from fortnite.ccu_daily_store as d
      where
        d.ts >= v_from and d.ts < v_until
        and d.ccu_sum >= v_bar * case p_measure when 'average' then d.samples else 1 end
    );
  end if;

  return query
  with added as (
    select
      d.island_id,
      sum(d.ccu_sum)::bigint as ccu_sum,
      sum(d.samples)::integer as samples
    from fortnite.ccu_daily_store as d
    where
      d.ts >= v_from and d.ts < v_until
      and (v_islands is null or d.island_id = any(v_islands))
    group by d.island_id
  ),

  chosen as (
    select
      a.*,
      case p_measure when 'average' then a.ccu_sum / a.samples::double precision else a.ccu_sum end as value
    from added as a
    where
      a.ccu_sum > 0
      and (
        p_measure = 'minutes'
        or a.samples >= 0.1 * v_steps
        -- Few samples: enough of those there could be since it was sampled first?
        or exists (
          select from fortnite.island_now as n
          where
            n.island_id = a.island_id
            and fortnite.enough_coverage((
              a.samples / fortnite.ccu_steps(greatest(n.since, v_from), v_until - interval '10 minutes')
            )::real)
        )
      )
    order by value desc, a.island_id
    limit p_limit
  )

  select
    (row_number() over (order by c.value desc, c.island_id))::integer,
    i.code,
    coalesce(i.title, i.display_name, i.code),
    i.creator_name,
    (c.ccu_sum / c.samples::double precision)::real,
    p.peak,
    c.ccu_sum * 10,
    c.samples,
    least(v_steps, fortnite.ccu_steps(greatest(n.since, v_from), v_until - interval '10 minutes')::integer)
  from chosen as c
  inner join fortnite.island as i on c.island_id = i.island_id
  left join fortnite.island_now as n on c.island_id = n.island_id
  cross join lateral (
    select fortnite.peak_ccu(max(d.peak_key)) as peak
    from fortnite.ccu_daily_store as d
    where d.island_id = c.island_id and d.ts >= v_from and d.ts < v_until
  ) as p
  order by 1;
end
$$;

comment on function analytics.ranking_over(date, integer, text, integer) is
'Islands by players on average (of those sampled in a tenth of the ten-minute steps at least) or by minutes '
'played, over so many UTC days that end with a day. Days that are not over or not stored yet are left out: '
'expected tells how many samples there should be of those that count, from the first sample of the island on';

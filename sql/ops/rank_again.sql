create function ops.rank_again(p_first date, p_last date) returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_first is null or p_last is null or p_first > p_last or p_last >= (now() at time zone 'UTC')::date then
    raise exception 'days % to % are to be two days that are over, the first not after the last', p_first, p_last
      using errcode = 'invalid_parameter_value';
  end if;
  insert into fortnite.ranking_due (day, source)
  select
    d.day::date,
    s.source
  from generate_series(p_first::timestamp, p_last::timestamp, interval '1 day') as d (day)
  cross join unnest(array['ccu', 'metric']) as s (source);
  return p_last - p_first + 1;
end;
$$;

comment on function ops.rank_again(date, date) is
'Has the UTC days from one to another, both included, ranked again by the next tick of fortnite.ranking. Gives how '
'many';

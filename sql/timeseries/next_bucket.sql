create function engine.next_bucket(p_relation text) returns timestamptz
language plpgsql
as $$
declare
  v_series engine.series;
  v_source engine.series;
  v_from timestamptz;
  v_until timestamptz;
  v_bucket timestamptz;
begin
  select s.* into strict v_series from engine.series as s where s.relation = p_relation;
  select s.* into strict v_source from engine.series as s where s.relation = v_series.source;
  if v_series.refreshed_until >= v_series.closing_until then
    return null;
  end if;
  v_from := greatest(v_series.refreshed_until, v_source.kept_from);
  -- To look at all that is left costs as much as there are partitions. Nearly always the next one has rows.
  foreach v_until in array array[v_from + interval '1 day', v_series.closing_until] loop
    execute format('select min(c.ts) from %s as c where c.ts >= $1 and c.ts < $2', v_source.store::regclass)
    into v_bucket
    using v_from, least(v_until, v_series.closing_until);
    exit when v_bucket is not null;
  end loop;
  return date_bin(v_series.bucket, v_bucket, '2000-01-01 00:00:00+00');
end
$$;

comment on function engine.next_bucket(text) is
'The next closed bucket of a roll-up that has source rows and is not stored yet; null when none is left.';

create function engine.close_buckets(p_relation text, p_until timestamptz) returns void
language plpgsql
as $$
declare
  v_series engine.series;
  v_source engine.series;
  v_newest timestamptz := p_until;
begin
  select s.* into strict v_series from engine.series as s where s.relation = p_relation;
  select s.* into strict v_source from engine.series as s where s.relation = v_series.source;
  if v_source.source is not null then
    v_newest := least(p_until, v_source.refreshed_until);
  elsif v_newest is null then
    execute format('select max(c.ts) from %s as c', v_source.store::regclass) into v_newest;
  end if;
  v_newest := date_bin(v_series.bucket, v_newest, '2000-01-01 00:00:00+00');
  if v_newest > v_series.closing_until then
    -- Alone: rows of these buckets are either committed by now, and seen when the bucket is stored, or logged as late.
    perform engine.lock_series(v_series.source, true);
    update engine.series as s
    set closing_until = v_newest
    where s.relation = p_relation and s.closing_until < v_newest;
  end if;
end
$$;

comment on function engine.close_buckets(text, timestamptz) is
'Closes the buckets of a roll-up that end by an instant, or that end by the latest row of its source where '
'none is given. From then on whoever changes their source rows logs that. Waits for writers in flight and '
'makes new ones wait for no longer than that.';

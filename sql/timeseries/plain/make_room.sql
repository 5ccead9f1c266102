create function engine.make_room(p_relation text, p_ts timestamptz) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_store text;
  v_width interval;
  v_from timestamptz;
  v_name text;
begin
  select s.store, s.width, date_bin(s.width, p_ts, '2000-01-01 00:00:00+00')
  into strict v_store, v_width, v_from
  from engine.series as s
  where s.relation = p_relation;
  v_name := replace(v_store, '.', '_') || '_' || to_char(v_from at time zone 'UTC', 'YYYYMMDD');
  if to_regclass(format('series.%I', v_name)) is not null then
    return;
  end if;
  -- One at a time, and looked up again: two workers may wake to the same new day. By a query, as the look-up before
  -- is remembered within the transaction.
  perform pg_advisory_xact_lock('engine.series'::regclass::oid::integer, hashtext(v_name));
  if exists (select from pg_class as c where c.relnamespace = 'series'::regnamespace and c.relname = v_name) then
    return;
  end if;
  -- Made apart and then attached: that waits for no reader and no writer of the other partitions.
  execute format('create table series.%I (like %s including all)', v_name, v_store::regclass);
  execute format(
    'alter table %s attach partition series.%I for values from (%L) to (%L)',
    v_store::regclass, v_name, v_from, v_from + v_width
  );
end
$$;

comment on function engine.make_room(text, timestamptz) is
'Makes sure that rows of an instant can be written to a level of a series: on this foundation, that their '
'partition exists. Costs a look-up where it does.';

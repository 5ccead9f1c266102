create function fortnite.make_ranking_room(p_day date) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_from date := date_trunc('month', p_day::timestamp);
  v_name text := 'fortnite_ranking_row_' || to_char(v_from, 'YYYYMM');
begin
  if to_regclass(format('series.%I', v_name)) is not null then
    return;
  end if;
  -- One at a time, and looked up again by a query, as the look-up before is remembered within the transaction.
  perform pg_advisory_xact_lock('fortnite.ranking_row'::regclass::oid::integer, 1);
  if exists (select from pg_class as c where c.relnamespace = 'series'::regnamespace and c.relname = v_name) then
    return;
  end if;
  -- Made apart and then attached: that waits for no reader of the other partitions.
  execute format('create table series.%I (like fortnite.ranking_row including all)', v_name);
  execute format(
    'alter table fortnite.ranking_row attach partition series.%I for values from (%L) to (%L)',
    v_name, v_from, (v_from + interval '1 month')::date
  );
end
$$;

comment on function fortnite.make_ranking_room(date) is
'Makes sure that rankings of a day can be written: that the partition of its month exists. Costs a look-up where it '
'does';

-- requires: fortnite.rank_day
create function fortnite.compute_rankings(p_day date, p_source text, p_top integer) returns integer
language plpgsql
as $$
declare
  v_measure text;
  v_changed integer := 0;
begin
  -- One at a time: of two that compute a day at once, the second finds it as it should be.
  perform pg_advisory_xact_lock('fortnite.ranking_row'::regclass::oid::integer, 0);
  -- What is logged from here on may come too late for the statements below, and stays.
  delete from fortnite.ranking_due as d where d.day = p_day and d.source = p_source;
  foreach v_measure in array case p_source when 'ccu' then '{average,minutes}' else '{peak}' end::text[] loop
    v_changed := v_changed + fortnite.rank_day(p_day, v_measure, p_top);
  end loop;
  insert into fortnite.ranking_due (day, source) values (p_day, 'trend');
  return v_changed;
end
$$;

comment on function fortnite.compute_rankings(date, text, integer) is
'Computes the rankings of a UTC day that come from a source (ccu: average and minutes; metric: peak), and notes that '
'trends are to be computed. The partition of the day must be there, and the day be stored: what comes to it later is '
'logged. In one transaction; computed again it gives the same rows. Gives how many changed';

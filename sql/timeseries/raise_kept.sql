create function engine.raise_kept(p_relation text) returns void
language plpgsql
as $$
declare
  v_series engine.series;
begin
  select s.* into strict v_series from engine.series as s where s.relation = p_relation;
  if v_series.kept_from < v_series.floor and not exists (
    select from engine.series as r
    where
      r.source = p_relation
      and (
        r.refreshed_until < v_series.floor
        or exists (select from engine.late as l where l.relation = r.relation and l.ts < v_series.floor)
      )
  ) then
    update engine.series as s
    set kept_from = s.floor
    where s.relation = p_relation;
  end if;
end
$$;

comment on function engine.raise_kept(text) is
'Lets go of the rows before the floor of a level, once every roll-up made from them is stored and nothing '
'of them is late; otherwise leaves them for the next call.';

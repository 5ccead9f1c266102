create function engine.raise_kept(p_relation text, p_until timestamptz) returns void
language plpgsql
as $$
declare
  v_until timestamptz;
begin
  -- The floor may be higher: what is made of these rows may be kept for a shorter time than they are.
  select least(p_until, s.floor) into strict v_until from engine.series as s where s.relation = p_relation;
  if not exists (
    select from engine.series as r
    where
      r.source = p_relation
      and (
        r.refreshed_until < v_until
        or exists (select from engine.late as l where l.relation = r.relation and l.ts < v_until)
      )
  ) then
    update engine.series as s
    set kept_from = v_until
    where s.relation = p_relation and s.kept_from < v_until;
  end if;
end
$$;

comment on function engine.raise_kept(text, timestamptz) is
'Lets go of the rows of a level before an instant, but of none after its floor, once every roll-up made from '
'them is stored and nothing of them is late; otherwise leaves them for the next call.';

create function fortnite.lock_islands(p_codes text[]) returns tid[]
language plpgsql
set plan_cache_mode = force_generic_plan
set random_page_cost = 0
set enable_seqscan = off
set jit = off
as $$
begin
  return array(
    select o.place
    from (select unnest(p_codes) as code) as k
    left join lateral (
      select i.ctid as place
      from fortnite.island as i
      where i.code = k.code
      for no key update
    ) as o on true
  );
end
$$;

comment on function fortnite.lock_islands(text[]) is
'Locks those of these islands that are there, before a statement that reads what it then writes over: the catalogue '
'and the details may be at the same ones. Codes come in byte order. Gives the place of each in the table, null where '
'it is not there; it holds as long as the lock';

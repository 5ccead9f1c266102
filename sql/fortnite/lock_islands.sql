create function fortnite.lock_islands(p_codes text[]) returns integer
language plpgsql
set plan_cache_mode = force_generic_plan
set random_page_cost = 0
set enable_seqscan = off
set jit = off
as $$
declare
  v_there integer;
begin
  perform
  from (select u.code from unnest(p_codes) as u (code) order by u.code collate "C") as k
  cross join lateral (select from fortnite.island as i where i.code = k.code for no key update) as o;
  get diagnostics v_there = row_count;
  return v_there;
end
$$;

comment on function fortnite.lock_islands(text[]) is
'Locks those of these islands that are there, in the byte order of their codes, before a statement that reads what it '
'then writes over: the catalogue and the details may be at the same island. Gives how many';

create function fortnite.lock_creators(p_accounts text[]) returns void
language plpgsql
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
set jit = off
as $$
begin
  perform
  from fortnite.creator as c
  where c.account_id = any(p_accounts)
  order by c.account_id
  for no key update;
end
$$;

comment on function fortnite.lock_creators(text[]) is
'Locks those of these creators that are there, in the order of their accounts: both routes of the pops service may be '
'at the same ones';

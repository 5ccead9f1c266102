create function fortnite.lock_creators(p_accounts text[]) returns void
language sql
as $$
  select
  from fortnite.creator as c
  where c.account_id = any(p_accounts)
  order by c.account_id
  for no key update;
$$;

comment on function fortnite.lock_creators(text[]) is
'Locks those of these creators that are there, in the order of their accounts: both routes of the pops service may be '
'at the same ones';

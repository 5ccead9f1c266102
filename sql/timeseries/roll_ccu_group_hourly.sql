-- requires: fortnite.sum_ccu_groups, engine.settle_bucket
create function fortnite.roll_ccu_group_hourly(p_hour timestamptz) returns void
language plpgsql
as $$
begin
  perform fortnite.sum_ccu_groups(p_hour);
  perform engine.settle_bucket('fortnite.ccu_group_hourly', p_hour);
end
$$;

comment on function fortnite.roll_ccu_group_hourly(timestamptz) is
'Stores the next closed hour of groups of islands, as engine.next_bucket gives it, and says so, in one transaction. '
'Only the one who holds the refresh lock may call it.';

-- requires: engine.make_room
create function fortnite.enter_ccu(p_ts timestamptz) returns text
language plpgsql
as $$
declare
  v_newest timestamptz;
  v_newest_now timestamptz;
  v_floor timestamptz;
begin
  select s.newest into strict v_newest from engine.series as s where s.relation = 'fortnite.ccu';
  -- Batches of the newest cycle run side by side. One of another cycle runs alone: a newer one so that no older batch
  -- is in flight when it starts, an older one so that it sees every newer sample.
  perform engine.lock_series('fortnite.ccu', p_ts <> v_newest);

  select s.newest, s.floor into strict v_newest_now, v_floor
  from engine.series as s
  where s.relation = 'fortnite.ccu';
  if p_ts < v_floor then
    return 'refused';
  end if;
  perform engine.make_room('fortnite.ccu', p_ts);
  if p_ts > v_newest_now then
    update engine.series as s set newest = p_ts where s.relation = 'fortnite.ccu';
  elsif p_ts < v_newest_now and p_ts = v_newest then
    raise exception 'CCU cycle % was overtaken while a batch of it waited: send the batch again', p_ts
      using errcode = 'serialization_failure';
  elsif p_ts < v_newest_now then
    return 'late';
  end if;
  return 'newest';
end
$$;

comment on function fortnite.enter_ccu(timestamptz) is
'Takes the lock a batch of CCU needs, until the transaction ends, and says what its cycle is: newest, late, '
'or refused because it is older than the floor of the series.';

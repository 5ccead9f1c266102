create function engine.settle_late(p_relation text, p_ts timestamptz, p_late_ids bigint[]) returns void
language plpgsql
as $$
begin
  insert into engine.late (relation, ts, keys)
  select
    s.relation,
    date_bin(s.bucket, p_ts, '2000-01-01 00:00:00+00'),
    array(
      select distinct k.key
      from engine.late as l
      cross join unnest(l.keys) as k (key)
      where l.late_id = any(p_late_ids)
    )
  from engine.series as s
  where s.source = p_relation and p_ts < s.refreshed_until;
  delete from engine.late as l where l.late_id = any(p_late_ids);
end
$$;

comment on function engine.settle_late(text, timestamptz, bigint[]) is
'Says that a bucket was computed again after these were logged: forgets them and logs the bucket above.';

create function fortnite.prune_metrics(p_age interval, p_most integer) returns integer
language plpgsql
as $$
declare
  v_deleted integer;
begin
  delete from fortnite.island_metric as m
  using (
    select o.island_id, o.ts, o.bucket_minutes
    from fortnite.island_metric as o
    where o.bucket_minutes in (10, 60) and o.ts < now() - p_age
    order by o.ts
    limit p_most
  ) as o
  where m.island_id = o.island_id and m.ts = o.ts and m.bucket_minutes = o.bucket_minutes;
  get diagnostics v_deleted = row_count;
  return v_deleted;
end
$$;

comment on function fortnite.prune_metrics(interval, integer) is
'Deletes at most so many hours and ten minutes of metrics older than an age, the oldest first; days stay. Gives how
many';

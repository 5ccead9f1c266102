create function raw.prune_rejected(p_age interval, p_most integer) returns integer
language sql
as $$
  with old as (
    select r.rejected_id
    from raw.rejected as r
    where r.rejected_at < now() - p_age
    order by r.rejected_id
    limit p_most
    for update skip locked
  ),

  gone as (
    delete from raw.rejected as r
    using old as o
    where r.rejected_id = o.rejected_id
    returning r.rejected_id
  )

  select count(*)::integer from gone;
$$;

comment on function raw.prune_rejected(interval, integer) is
'Deletes what was set aside longer ago than an age, landed since or not, at most so many; gives how many';

create function search.disposable(p_index text, p_lease interval, p_keep interval)
returns table (physical text)
language sql stable
begin atomic
  select t.physical
  from search.target as t
  where
    t.index = p_index and t.state = 'retired' and t.retired_at < clock_timestamp() - p_lease
    and (
      t.live_at is null
      or t.retired_at < clock_timestamp() - p_keep
      or exists (
        select from search.target as l
        where l.index = p_index and l.state = 'retired' and l.live_at is not null and l.retired_at > t.retired_at
      )
    );
end;

comment on function search.disposable(text, interval, interval) is
'Physical indices that may be deleted: retired longer than a lease ago. The last one that was live is kept for
the given time, to roll back to';

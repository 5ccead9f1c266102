create function search.register(p_index text, p_alias text, p_hash text)
returns setof search.target
language plpgsql
as $$
begin
  if not exists (
    select from search.target as t
    where t.index = p_index and t.state = 'live' and t.content_hash = p_hash
  ) or exists (
    select from search.target as t
    where t.index = p_index and t.state = 'building'
  ) then
    lock table search.target in share row exclusive mode;
    update search.target as t
    set state = 'retired', retired_at = clock_timestamp()
    where
      t.index = p_index and t.state = 'building'
      and (
        t.content_hash <> p_hash
        or exists (
          select from search.target as l
          where l.index = p_index and l.state = 'live' and l.content_hash = p_hash
        )
      );
    insert into search.target (index, physical, state, content_hash, fill_after, live_at)
    select
      p_index,
      -- Named by the clock, which a restored database does not turn back.
      concat_ws('-', p_alias, left(p_hash, 8), to_char(clock_timestamp() at time zone 'utc', 'yyyymmddhh24missus')),
      case when count(*) filter (where t.state = 'live') = 0 then 'live' else 'building' end,
      p_hash,
      '',
      case when count(*) filter (where t.state = 'live') = 0 then clock_timestamp() end
    from search.target as t
    where t.index = p_index
    having count(*) filter (where t.state in ('live', 'building') and t.content_hash = p_hash) = 0;
  end if;
  return query select t.* from search.target as t where t.index = p_index order by t.physical;
end
$$;

comment on function search.register(text, text, text) is
'Physical indices an index has, after making sure that one of them, live or building, is for this hash
of mapping, settings and view. The first one is live at once. One that was being built for another hash
is retired';

-- requires: fortnite.ccu_moved, fortnite.average_moved, search.mark
create function fortnite.tell_creators(p_most integer default 5000) returns integer
language plpgsql
set jit = off
as $$
declare
  v_told text[];
begin
  with told as (
    insert into fortnite.creator_told as t (
      creator_id, followers, islands, ccu, minutes_24h, minutes_7d, creator_code
    )
    select
      n.creator_id,
      n.followers,
      n.islands,
      n.ccu,
      n.minutes_24h,
      n.minutes_7d,
      n.creator_code
    from fortnite.creator_now as n
    left join fortnite.creator_told as o on n.creator_id = o.creator_id
    where
      n.computed_at is not null
      and (
        o.creator_id is null
        or (n.followers, n.islands, n.creator_code) is distinct from (o.followers, o.islands, o.creator_code)
        or fortnite.ccu_moved(least(o.ccu, 2147483647)::integer, least(n.ccu, 2147483647)::integer)
        or fortnite.average_moved(o.minutes_24h, n.minutes_24h)
        or fortnite.average_moved(o.minutes_7d, n.minutes_7d)
      )
    order by n.creator_id
    limit p_most
    on conflict (creator_id) do update
      set
        followers = excluded.followers,
        islands = excluded.islands,
        ccu = excluded.ccu,
        minutes_24h = excluded.minutes_24h,
        minutes_7d = excluded.minutes_7d,
        creator_code = excluded.creator_code
    returning t.creator_id
  )

  select array_agg(c.account_id) into v_told
  from told as t
  inner join fortnite.creator as c on t.creator_id = c.creator_id;
  perform search.mark('creator', v_told);
  return coalesce(cardinality(v_told), 0);
end
$$;

comment on function fortnite.tell_creators(integer) is
'Has the documents of creators tell what their islands add up to and who follows them, of up to so many where that is '
'new, another or moved enough, and marks them. Gives how many; 0 once every document is near enough';

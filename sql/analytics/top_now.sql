create function analytics.top_now(p_limit integer default 100)
returns table (rank integer, code text, title text, creator_name text, ccu integer, ccu_changed_at timestamptz)
language sql stable
begin atomic
  select
    n.nth::integer,
    i.code,
    coalesce(i.title, i.display_name, i.code),
    i.creator_name,
    n.ccu,
    n.ts
  from (
    select
      o.*,
      row_number() over (order by o.ccu desc, o.island_id asc) as nth
    from (
      select
        w.island_id,
        w.ccu,
        w.ts
      from fortnite.island_now as w
      order by w.ccu desc, w.island_id asc
      limit p_limit
    ) as o
  ) as n
  inner join fortnite.island as i on n.island_id = i.island_id
  order by n.nth;
end;

comment on function analytics.top_now(integer) is
'Islands by players in their latest sample. Ccu_changed_at is the cycle that brought that count; later ones saw '
'the same, or did not sample it any more';

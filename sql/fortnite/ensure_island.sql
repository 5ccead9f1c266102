-- requires: engine.discover, search.mark
create function fortnite.ensure_island(p_codes text[], p_source text, p_seen_at timestamptz)
returns table (code text, island_id integer)
language plpgsql
as $$
declare
  v_added text[];
begin
  with added as (
    insert into fortnite.island as a (code, source, first_seen_at)
    select
      u.code,
      p_source,
      p_seen_at
    from unnest(p_codes) as u (code)
    where u.code is not null
    group by u.code
    order by u.code collate "C"
    on conflict on constraint island_code_key do nothing
    returning a.code
  )

  select array_agg(a.code) into v_added
  from added as a;
  if v_added is not null then
    perform engine.discover('fortnite.island', v_added);
    perform search.mark('island', v_added);
  end if;
  return query
  select
    i.code,
    i.island_id
  from fortnite.island as i
  where i.code = any(p_codes);
end
$$;

comment on function fortnite.ensure_island(text[], text, timestamptz) is
'Adds the islands that are not known yet, with where and when they were met, to be crawled first; gives the '
'keys of all.';

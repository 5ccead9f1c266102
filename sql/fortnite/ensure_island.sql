-- requires: engine.discover
create function fortnite.ensure_island(p_codes text[], p_source text, p_seen_at timestamptz)
returns table (code text, island_id integer)
language plpgsql
as $$
begin
  insert into fortnite.island (code, source, first_seen_at)
  select
    u.code,
    p_source,
    p_seen_at
  from unnest(p_codes) as u (code)
  where u.code is not null
  group by u.code
  order by u.code collate "C"
  on conflict on constraint island_code_key do nothing;

  perform engine.discover('fortnite.island', p_codes);
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

-- requires: fortnite.ensure_island
create function fortnite.meet_islands(p_codes text[], p_source text, p_seen_at timestamptz) returns integer
language plpgsql
as $$
declare
  v_unknown text[];
begin
  -- only those that are unknown: an insert that meets a conflict uses up a key all the same
  select array_agg(distinct u.code) into v_unknown
  from unnest(p_codes) as u (code)
  where not exists (select from fortnite.island as i where i.code = u.code);
  if v_unknown is null then
    return 0;
  end if;
  perform e.island_id from fortnite.ensure_island(v_unknown, p_source, p_seen_at) as e;
  return cardinality(v_unknown);
end
$$;

comment on function fortnite.meet_islands(text[], text, timestamptz) is
'Adds the islands among these that are not known yet, to be crawled first; those that are known cost a look. Gives how
many were new';

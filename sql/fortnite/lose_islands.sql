create function fortnite.lose_islands(
  p_resource text,
  p_fetched_at timestamptz[],
  p_keys text[],
  p_bodies jsonb[]
)
returns text[]
language plpgsql
set timezone = 'UTC'
as $$
declare
  v_lost text[];
begin
  with lost as (
    update fortnite.island as i
    set gone_at = k.fetched_at
    from unnest(p_keys, p_fetched_at, p_bodies) as k (code, fetched_at, body)
    where i.code = k.code and k.body = 'null' and i.gone_at is null
    returning i.island_id, i.code, i.version, i.activated_at, i.gone_at, i.detailed_at
  ),

  logged as (
    insert into fortnite.island_change (island_id, changed_at, resource, version, activated_at, fields, old, new)
    select
      l.island_id,
      l.gone_at,
      p_resource,
      l.version,
      l.activated_at,
      array['gone_at'],
      '{"gone_at": null}',
      jsonb_build_object('gone_at', l.gone_at)
    from lost as l
    where l.detailed_at is not null
    order by l.code
  )

  select array_agg(l.code) into v_lost
  from lost as l;
  return v_lost;
end
$$;

comment on function fortnite.lose_islands(text, timestamptz[], text[], jsonb[]) is
'Notes since when the islands whose body is a JSON null are gone, and logs it for those that were known with details. '
'The islands are locked. Gives the codes of what was written';

-- requires: fortnite.read_listed, engine.discover
create function fortnite.add_listed(
  p_places tid[],
  p_fetched_at timestamptz[],
  p_keys text[],
  p_bodies jsonb[]
)
returns integer
language plpgsql
set plan_cache_mode = force_generic_plan
set random_page_cost = 0
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
set jit = off
as $$
declare
  v_added text[];
begin
  with added as (
    insert into fortnite.island as i (
      code,
      source,
      first_seen_at,
      listed_at,
      title,
      tags,
      category,
      creator_code,
      created_in,
      display_name
    )
    select
      r.code,
      'catalogue',
      r.fetched_at,
      r.fetched_at,
      r.title,
      r.tags,
      r.category,
      r.creator_code,
      r.created_in,
      r.display_name
    from fortnite.read_listed(p_places, p_fetched_at, p_keys, p_bodies) as r
    where r.place is null
    returning i.code
  )

  select array_agg(a.code) into v_added
  from added as a;
  perform engine.discover('fortnite.island', v_added);
  return coalesce(cardinality(v_added), 0);
exception when unique_violation then
  -- Somebody added one of them meanwhile: whoever called starts again and finds it.
  raise serialization_failure using message = 'an island was added twice at once';
end
$$;

comment on function fortnite.add_listed(tid[], timestamptz[], text[], jsonb[]) is
'Adds the islands of these entries of the catalogue that are not there yet, to be crawled first. Gives how many';

-- requires: fortnite.read_listed
create function fortnite.change_listed(
  p_resource text,
  p_fetched_at timestamptz[],
  p_keys text[],
  p_bodies jsonb[]
)
returns text[]
language plpgsql
set plan_cache_mode = force_generic_plan
set random_page_cost = 0
set cpu_index_tuple_cost = 100
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
set jit = off
set timezone = 'UTC'
as $$
declare
  v_changed text[];
begin
  with t as (
    select
      o.ctid as place,
      o.island_id,
      r.code,
      r.fetched_at,
      o.listed_at is not null as known,
      o.version,
      o.activated_at,
      o.category as old_category,
      o.created_in as old_created_in,
      o.creator_code as old_creator_code,
      o.display_name as old_display_name,
      o.tags as old_tags,
      o.title as old_title,
      -- What the details say stands; the catalogue fills in what they leave open.
      case when o.detailed_at is null then coalesce(r.category, o.category) else coalesce(o.category, r.category) end as category,
      coalesce(r.created_in, o.created_in) as created_in,
      case when o.detailed_at is null then coalesce(r.creator_code, o.creator_code) else coalesce(o.creator_code, r.creator_code) end as creator_code,
      r.display_name,
      case when o.detailed_at is null then coalesce(r.tags, o.tags) else coalesce(o.tags, r.tags) end as tags,
      case when o.detailed_at is null then coalesce(r.title, o.title) else coalesce(o.title, r.title) end as title
    from fortnite.read_listed(p_fetched_at, p_keys, p_bodies) as r
    cross join lateral (
      select
        i.ctid,
        i.*
      from fortnite.island as i
      where i.code = r.code
      offset 0
    ) as o
  ),

  d as materialized (
    select
      t.*,
      array_remove(array[
        case when t.category is distinct from t.old_category then 'category' end,
        case when t.created_in is distinct from t.old_created_in then 'created_in' end,
        case when t.creator_code is distinct from t.old_creator_code then 'creator_code' end,
        case when t.display_name is distinct from t.old_display_name then 'display_name' end,
        case when t.tags is distinct from t.old_tags then 'tags' end,
        case when t.title is distinct from t.old_title then 'title' end
      ], null) as fields
    from t
  ),

  written as (
    update fortnite.island as i
    set
      listed_at = coalesce(i.listed_at, d.fetched_at),
      category = d.category,
      created_in = d.created_in,
      creator_code = d.creator_code,
      display_name = d.display_name,
      tags = d.tags,
      title = d.title
    from d
    where i.ctid = d.place and (d.fields <> '{}' or not d.known)
    returning i.code
  ),

  logged as (
    insert into fortnite.island_change (island_id, changed_at, resource, version, activated_at, fields, old, new)
    select
      d.island_id,
      d.fetched_at,
      p_resource,
      d.version,
      d.activated_at,
      d.fields,
      ('{' || concat_ws(
        ',',
        case when d.category is distinct from d.old_category then '"category":' || coalesce(to_json(d.old_category)::text, 'null') end,
        case when d.created_in is distinct from d.old_created_in then '"created_in":' || coalesce(to_json(d.old_created_in)::text, 'null') end,
        case when d.creator_code is distinct from d.old_creator_code then '"creator_code":' || coalesce(to_json(d.old_creator_code)::text, 'null') end,
        case when d.display_name is distinct from d.old_display_name then '"display_name":' || coalesce(to_json(d.old_display_name)::text, 'null') end,
        case when d.tags is distinct from d.old_tags then '"tags":' || coalesce(to_json(d.old_tags)::text, 'null') end,
        case when d.title is distinct from d.old_title then '"title":' || coalesce(to_json(d.old_title)::text, 'null') end
      ) || '}')::jsonb,
      ('{' || concat_ws(
        ',',
        case when d.category is distinct from d.old_category then '"category":' || coalesce(to_json(d.category)::text, 'null') end,
        case when d.created_in is distinct from d.old_created_in then '"created_in":' || coalesce(to_json(d.created_in)::text, 'null') end,
        case when d.creator_code is distinct from d.old_creator_code then '"creator_code":' || coalesce(to_json(d.creator_code)::text, 'null') end,
        case when d.display_name is distinct from d.old_display_name then '"display_name":' || coalesce(to_json(d.display_name)::text, 'null') end,
        case when d.tags is distinct from d.old_tags then '"tags":' || coalesce(to_json(d.tags)::text, 'null') end,
        case when d.title is distinct from d.old_title then '"title":' || coalesce(to_json(d.title)::text, 'null') end
      ) || '}')::jsonb
    from d
    where d.known and d.fields <> '{}'
  )

  select array_agg(w.code) into v_changed
  from written as w;
  return v_changed;
end
$$;

comment on function fortnite.change_listed(text, timestamptz[], text[], jsonb[]) is
'Writes entries of the catalogue over islands that are there and locked, where they differ and the details do not say '
'otherwise, and what changed into the change log; the first listing of an island is no change. Gives the codes of what '
'was written';

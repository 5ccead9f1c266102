-- requires: fortnite.read_listed
create function fortnite.change_listed(
  p_resource text,
  p_places tid[],
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
  with d as materialized (
    select
      r.place,
      o.island_id,
      r.fetched_at,
      o.listed_at is not null as known,
      o.version,
      o.activated_at,
      n.*,
      string_to_array(concat_ws(
        ',',
        case when n.category is distinct from o.category then 'category' end,
        case when n.created_in is distinct from o.created_in then 'created_in' end,
        case when n.creator_code is distinct from o.creator_code then 'creator_code' end,
        case when n.display_name is distinct from o.display_name then 'display_name' end,
        case when n.tags is distinct from o.tags then 'tags' end,
        case when n.title is distinct from o.title then 'title' end
      ), ',') as fields,
      jsonb_build_object(
        'category', o.category,
        'created_in', o.created_in,
        'creator_code', o.creator_code,
        'display_name', o.display_name,
        'tags', o.tags,
        'title', o.title
      ) as old,
      to_jsonb(n) as new
    from (select * from fortnite.read_listed(p_places, p_fetched_at, p_keys, p_bodies) offset 0) as r
    cross join lateral (select * from fortnite.island as i where i.ctid = r.place offset 0) as o
    -- What the details say stands; the catalogue fills in what they leave open.
    cross join lateral (
      select
        case when o.detailed_at is null then coalesce(r.category, o.category) else coalesce(o.category, r.category) end
          as category,
        coalesce(r.created_in, o.created_in) as created_in,
        case
          when o.detailed_at is null then coalesce(r.creator_code, o.creator_code)
          else coalesce(o.creator_code, r.creator_code)
        end as creator_code,
        r.display_name,
        case when o.detailed_at is null then coalesce(r.tags, o.tags) else coalesce(o.tags, r.tags) end as tags,
        case when o.detailed_at is null then coalesce(r.title, o.title) else coalesce(o.title, r.title) end as title
    ) as n
  ),

  written as (
    update fortnite.island as i
    set
      listed_at = coalesce(i.listed_at, d.fetched_at), category = d.category, created_in = d.created_in,
      creator_code = d.creator_code, display_name = d.display_name, tags = d.tags, title = d.title
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
      (select jsonb_object_agg(f.field, d.old -> f.field) from unnest(d.fields) as f (field)),
      (select jsonb_object_agg(f.field, d.new -> f.field) from unnest(d.fields) as f (field))
    from d
    where d.known and d.fields <> '{}'
  )

  select array_agg(w.code) into v_changed
  from written as w;
  return v_changed;
end
$$;

comment on function fortnite.change_listed(text, tid[], timestamptz[], text[], jsonb[]) is
'Writes entries of the catalogue over islands that are there and locked, where they differ and the details do not say '
'otherwise, and what changed into the change log; the first listing of an island is no change. Gives the codes of what '
'was written';

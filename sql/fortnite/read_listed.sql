create function fortnite.read_listed(
  p_places tid[],
  p_fetched_at timestamptz[],
  p_keys text[],
  p_bodies jsonb[]
)
returns table (
  place tid,
  code text,
  fetched_at timestamptz,
  title text,
  tags text[],
  category text,
  creator_code text,
  created_in text,
  display_name text
)
language sql
stable
as $$
select
  k.place,
  k.code,
  k.fetched_at,
  l.title,
  l.tags,
  l.category,
  l."creatorCode",
  l."createdIn",
  l."displayName"
from (
  select
    unnest(p_places) as place,
    unnest(p_keys) as code,
    unnest(p_fetched_at) as fetched_at,
    unnest(p_bodies) as body
) as k
cross join lateral jsonb_to_record(k.body)
  as l (
    title text,
    tags text[],
    category text,
    "creatorCode" text,
    "createdIn" text,
    "displayName" text
  )
where k.body <> 'null';
$$;

comment on function fortnite.read_listed(tid[], timestamptz[], text[], jsonb[]) is
'Columns of fortnite.island out of entries of the catalogue. Planned as a part of the statement that calls it';

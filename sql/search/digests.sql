-- requires: search.rows, search.bucket
create function search.digests(p_index text, p_buckets integer[], p_after text, p_n integer)
returns table (id text, digest bigint)
language plpgsql stable
set jit = off
set timezone = 'UTC'
as $$
begin
  return query execute format(
    'select d.id, d.digest from (%s) as d',
    search.rows(p_index, 'where d.id > $1 and search.bucket(d.id) = any($3) order by d.id limit $2')
  ) using p_after, p_n, p_buckets;
end
$$;

comment on function search.digests(text, integer[], text, integer) is
'The next so many documents of an index after an id that are in these buckets, in the order of their ids';

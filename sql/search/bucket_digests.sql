-- requires: search.rows, search.bucket
create function search.bucket_digests(p_index text, p_after text, p_n integer)
returns table (bucket integer, documents bigint, digests bigint, upto text)
language plpgsql stable
set jit = off
set timezone = 'UTC'
as $$
begin
  return query execute format(
    $query$
    select search.bucket(d.id), count(*), sum(d.digest)::bigint, max(max(d.id)) over ()
    from (%s) as d
    group by search.bucket(d.id)
    $query$,
    search.rows(p_index, 'where d.id > $1 order by d.id limit $2')
  ) using p_after, p_n;
end
$$;

comment on function search.bucket_digests(text, text, integer) is
'Counts and digests, added up by bucket, of the next so many documents of an index after an id; with each
the last of these ids. No row after the last document';

-- requires: search.pending, search.rows
create function search.state(p_index text, p_ids text[], p_bodies boolean)
returns table (id text, digest bigint, body json, pending boolean)
language plpgsql stable
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set jit = off
set timezone = 'UTC'
as $$
begin
  return query execute format(
    $query$
    select
      s.*,
      s.id in (select p.id from search.pending as p where p.index = $3)
      or exists (select from search.rejected as r where r.index = $3 and r.id = s.id)
    from (
      select d.id, d.digest, case when $2 then d.body::json end from (%s) as d
      union all
      select u.id, null, null
      from unnest($1) as u (id)
      where not exists (select from search.%I as v where v.id = u.id)
    ) as s
    $query$,
    search.rows(p_index, 'where d.id = any($1)'),
    p_index || '_document'
  ) using p_ids, p_bodies, p_index;
end
$$;

comment on function search.state(text, text[], boolean) is
'Documents of an index as its view has them in one instant: digest (null: it has none), body if asked for, and
whether it is pending or refused, so that Elasticsearch may have another';

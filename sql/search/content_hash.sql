-- requires: search.fold_unicode, search.bucket, search.digest
create function search.content_hash(p_index text, p_mapping text) returns text
language sql stable
as $$
  select md5(concat_ws(
    e'\n',
    p_mapping,
    pg_get_viewdef(v.oid),
    (
      select string_agg(pg_get_functiondef(p.oid), e'\n' order by p.oid::regprocedure::text)
      from pg_proc as p
      where
        p.oid = any('{search.fold_unicode(text),search.bucket(text),"search.digest(text,text)"}'::regprocedure[])
        or p.oid in (
          select d.refobjid
          from pg_rewrite as r
          inner join pg_depend as d on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
          where r.ev_class = v.oid and d.refclassid = 'pg_proc'::regclass
        )
    )
  ))
  from (select format('search.%I', p_index || '_document')::regclass as oid) as v
$$;

comment on function search.content_hash(text, text) is
'Hash of all that shapes the documents of an index: its mapping and settings, as given, its view and the functions '
'that calls, how it is compared';

create function search.content_hash(p_index text, p_mapping text) returns text
language sql stable
as $$
  select md5(concat_ws(
    e'\n',
    p_mapping,
    pg_get_viewdef(format('search.%I', p_index || '_document')::regclass),
    (
      select string_agg(p.prosrc, e'\n' order by p.proname)
      from pg_proc as p
      where p.pronamespace = 'search'::regnamespace and p.proname in ('bucket', 'digest', 'fold', 'fold_unicode')
    )
  ))
$$;

comment on function search.content_hash(text, text) is
'Hash of all that shapes the documents of an index: its mapping and settings, as given, its view, how
text is folded and how digests are made';

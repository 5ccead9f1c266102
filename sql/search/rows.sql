-- requires: search.digest
create function search.rows(p_index text, p_which text) returns text
language sql immutable
return format(
  -- The fence has a row made into text once, not once for the body and once for its digest.
  'select d.id, d.body, search.digest(d.id, d.body) as digest'
  ' from (select d.id, d.body::text as body from search.%I as d %s offset 0) as d',
  p_index || '_document',
  p_which
);

comment on function search.rows(text, text) is
'Query for the documents of an index with their digests: id, body as text, digest. The second argument says which, as '
'the clauses after "from search.<index>_document as d"';

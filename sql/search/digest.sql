create function search.digest(p_id text, p_body text) returns bigint
language sql immutable parallel safe
return ('x' || left(md5(p_id || e'\n' || p_body), 10))::bit(40)::bigint;

comment on function search.digest(text, text) is
'Digest of a document, by which it is compared without being read. 40 bits, so that Elasticsearch adds up 8,192 of '
'them exactly';

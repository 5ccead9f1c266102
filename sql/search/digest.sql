create function search.digest(p_id text, p_body text) returns bigint
language sql immutable parallel safe
return hashtextextended(p_body, hashtextextended(p_id, 0)) & 1099511627775;

comment on function search.digest(text, text) is
'Digest of a document, by which it is compared without being read. 40 bits, so that Elasticsearch adds up 8,192 of '
'them exactly. PostgreSQL partitions tables by this hash, so that it stays the same over versions; on a machine of '
'another byte order it is another, and a reconcile there sends every document once';

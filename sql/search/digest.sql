create function search.digest(p_id text, p_body text, p_stamp text) returns bigint
language sql immutable parallel safe
return (
  'x' || left(md5(
    p_id || e'\n' || case when p_stamp is null then p_body else split_part(p_body, ',"ccu":', 1) || e'\n' || p_stamp end
  ), 10)
)::bit(40)::bigint;

comment on function search.digest(text, text, text) is
'Digest of a document. Where its view has a stamp, fields from ccu on move without a mark as long as they
move little: the stamp stands for them. 40 bits, so that Elasticsearch adds up 8,192 of them exactly';

create function search.bucket(p_id text) returns integer
language sql immutable parallel safe
return hashtextextended(p_id, 0) & 4095;

comment on function search.bucket(text) is
'Which of 4,096 buckets a document is compared in: by its id alone, so that it stays there whatever becomes of it';

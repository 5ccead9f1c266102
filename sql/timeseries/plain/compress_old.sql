create function engine.compress_old(p_relation text, p_before timestamptz) returns integer
language sql immutable
return 0;

comment on function engine.compress_old(text, timestamptz) is
'Partitions of this foundation are not compressed: 0.';

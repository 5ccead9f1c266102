create function fortnite.peak_ccu(p_peak_key bigint) returns integer
language sql immutable parallel safe
return ((p_peak_key + 4294967295) >> 32)::integer;

comment on function fortnite.peak_ccu(bigint) is
'The count in a peak_key (count * 2^32 - epoch second of the first cycle that had it), of which the highest is the '
'highest count and, among equals, the first';

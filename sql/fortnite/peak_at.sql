-- requires: fortnite.peak_ccu
create function fortnite.peak_at(p_peak_key bigint) returns timestamptz
language sql immutable parallel safe
return to_timestamp((fortnite.peak_ccu(p_peak_key)::bigint << 32) - p_peak_key);

comment on function fortnite.peak_at(bigint) is
'The instant in a peak_key: the first cycle that had the count of fortnite.peak_ccu';

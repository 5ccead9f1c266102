create function fortnite.metric_kept_from(p_at timestamptz) returns date
language sql immutable parallel safe
return ((p_at - interval '7 days') at time zone 'UTC')::date + 1;

comment on function fortnite.metric_kept_from(timestamptz) is
'First UTC day that the Data API surely tells at an instant: it keeps seven days, and is not asked for a part of one';

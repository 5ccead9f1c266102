create function fortnite.metric_lag() returns interval
language sql immutable parallel safe
return interval '30 minutes';

comment on function fortnite.metric_lag() is
'How long after its end a bucket of the Data API may still be incomplete: the newest ones lag 20 to 30 minutes';

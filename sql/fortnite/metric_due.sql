-- requires: fortnite.metric_lag
create function fortnite.metric_due(p_key text, p_at timestamptz, p_every interval) returns timestamptz
language sql immutable
begin atomic
  select s.phase + date_bin(p_every, p_at - s.phase, '2000-01-01 00:00:00+00') + p_every
  from (
    select
      fortnite.metric_lag()
      + (hashtext(p_key) & 65535) / 65536.0::float8
      * case when p_every <= interval '1 day' then least(p_every, interval '8 hours') else p_every end as phase
  ) as s;
end;

comment on function fortnite.metric_due(text, timestamptz, interval) is
'First turn of an island after an instant. Turns come at an even pace counted from midnight UTC; each island has its own
place within the pace, within 8 hours of the midnight where the pace is a day: soon after a day has closed, but not all
at once';

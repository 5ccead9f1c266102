create function fortnite.days_landed(p_watermark text, p_until timestamptz) returns setof date
language sql stable
begin atomic
  select distinct (h.ts at time zone 'UTC')::date
  from fortnite.ccu_group_hourly as h
  where
    h.kind = 'total'
    and h.ts < p_until
    and not exists (
      select from engine.watermark as w
      where w.name = p_watermark
    );
end;

comment on function fortnite.days_landed(text, timestamptz) is
'UTC days before an instant that have CCU, while a watermark was never set: what was landed before its first tick was '
'stored without being late. None once it is set';

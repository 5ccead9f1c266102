create function fortnite.metrics_until(p_minutes integer, p_code text) returns timestamptz
language sql stable
begin atomic
  select m.ts
  from fortnite.island as i
  inner join fortnite.island_metric as m on i.island_id = m.island_id
  where i.code = p_code and m.bucket_minutes = p_minutes and not m.partial
  order by m.ts desc
  limit 1;
end;

comment on function fortnite.metrics_until(integer, text) is
'Start of the latest closed bucket of this width that is stored of an island; null: none';

create function engine.next_late(p_relation text)
returns table (ts timestamptz, late_ids bigint[], kept boolean)
language sql stable
begin atomic
  select
    l.ts,
    array_agg(l.late_id),
    l.ts >= max(greatest(o.kept_from, s.kept_from))
  from engine.late as l
  inner join engine.series as s on l.relation = s.relation
  inner join engine.series as o on s.source = o.relation
  where
    l.relation = p_relation
    and l.ts = (select min(m.ts) from engine.late as m
where m.relation = p_relation)
  group by l.ts;
end;

comment on function engine.next_late(text) is
'The earliest stored bucket of a roll-up whose source rows changed, what was logged about it so far, and '
'whether its own and its source rows are still kept.';

create function engine.settle_bucket(p_relation text, p_bucket timestamptz) returns void
language sql
begin atomic
  update engine.series as s
  set
    revision = s.revision + (p_bucket is not null)::integer,
    refreshed_until = least(s.closing_until, p_bucket + s.bucket)
  where s.relation = p_relation and s.refreshed_until < s.closing_until;
end;

comment on function engine.settle_bucket(text, timestamptz) is
'Says that every closed bucket of a roll-up is stored up to the end of this one; with null, that all are.';

create function engine.next_due(p_key text, p_from timestamptz, p_every interval) returns timestamptz
language sql
stable
return p_from + p_every * (0.9::float8 + (hashtext(p_key) & 65535) * (0.2 / 65535)::float8);

comment on function engine.next_due(text, timestamptz, interval) is
'When an entity is due again: an interval after an instant, a tenth more or less, always the same for the same key, '
'so that what was fetched together drifts apart';

create function fortnite.miss_surface(p_surface text, p_region text, p_tried_at timestamptz, p_trouble text)
returns void
language sql
begin atomic
  insert into fortnite.surface as s (surface, region, tried_at, trouble)
  values (p_surface, p_region, p_tried_at, p_trouble)
  on conflict (surface, region) do update
  set
    tried_at = excluded.tried_at,
    trouble = excluded.trouble
  where
    s.tried_at < excluded.tried_at
    or (s.tried_at = excluded.tried_at and s.taken_at is distinct from excluded.tried_at);
end;

comment on function fortnite.miss_surface(text, text, timestamptz, text) is
'Notes that a surface could not be read at an instant, and why. Nothing is said of what was on it';

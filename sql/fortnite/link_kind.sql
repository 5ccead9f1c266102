create function fortnite.link_kind(p_code text) returns text
language sql
immutable parallel safe
return case
  when p_code ~ '^\d{4}-\d{4}-\d{4}$' then 'island'
  when p_code like 'playlist\_%' then 'playlist'
  when p_code like 'set\_%' then 'set'
  when p_code ~ '^(reference|ref|CreativeDiscoverySurface)_' then 'reference'
  else 'other'
end;

comment on function fortnite.link_kind(text) is
'What a link code stands for: island (twelve digits), playlist, set (of playlists), reference (to another panel or '
'surface) or other, by its form alone';

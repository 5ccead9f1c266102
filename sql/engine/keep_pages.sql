create function raw.keep_pages(
  p_resource text,
  p_taken_at timestamptz,
  p_keys text[],
  p_pages integer[],
  p_bodies text[]
)
returns integer
language plpgsql
as $$
declare
  v_kept integer;
begin
  perform engine.lock_series('raw.snapshot', false);
  if p_taken_at < (select s.floor from engine.series as s where s.relation = 'raw.snapshot') then
    return 0;
  end if;
  perform engine.make_room('raw.snapshot', p_taken_at);
  update engine.series as s
  set newest = p_taken_at
  where s.relation = 'raw.snapshot' and s.newest < p_taken_at;
  insert into raw.snapshot as s (resource, taken_at, key, page, body)
  select
    p_resource,
    p_taken_at,
    u.key,
    u.page,
    u.body::jsonb
  from unnest(p_keys, p_pages, p_bodies) as u (key, page, body)
  order by u.key collate "C", u.page
  on conflict (taken_at, resource, key, page) do update
    set body = excluded.body
    where s.body <> excluded.body;
  get diagnostics v_kept = row_count;
  return v_kept;
end
$$;

comment on function raw.keep_pages(text, timestamptz, text[], integer[], text[]) is
'Keeps pages of a periodic listing (JSON texts), each once: a listing that is repeated at its instant overwrites '
'itself. What is older than snapshots are kept is not written. Gives how many were written';

-- requires: fortnite.lock_islands, fortnite.add_listed, fortnite.change_listed, search.mark
create function fortnite.apply_catalogue(
  p_resource text,
  p_fetched_at timestamptz[],
  p_keys text[],
  p_bodies jsonb[]
)
returns void
language plpgsql
as $$
declare
  v_places tid[] := fortnite.lock_islands(p_keys);
  v_there integer := cardinality(array_remove(v_places, null));
  v_marked text[];
begin
  if v_there > 0 then
    v_marked := fortnite.change_listed(p_resource, v_places, p_fetched_at, p_keys, p_bodies);
  end if;
  if v_there < cardinality(p_keys) and fortnite.add_listed(v_places, p_fetched_at, p_keys, p_bodies) > 0 then
    v_marked := p_keys;
  end if;
  perform search.mark('island', v_marked);
end
$$;

comment on function fortnite.apply_catalogue(text, timestamptz[], text[], jsonb[]) is
'Entries of the Data API''s catalogue become islands: what is new is added and crawled first, what changed is logged, '
'and documents are marked. Keys come once each, in byte order';

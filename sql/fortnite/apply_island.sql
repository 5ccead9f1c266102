-- requires: fortnite.lock_islands, fortnite.add_detailed, fortnite.change_detailed, fortnite.lose_islands, search.mark
create function fortnite.apply_island(
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
    v_marked := fortnite.change_detailed(p_resource, v_places, p_fetched_at, p_keys, p_bodies);
    if 'null' = any(p_bodies) then
      v_marked := v_marked || fortnite.lose_islands(p_resource, p_fetched_at, p_keys, p_bodies);
    end if;
  end if;
  if v_there < cardinality(p_keys) and fortnite.add_detailed(v_places, p_fetched_at, p_keys, p_bodies) > 0 then
    v_marked := p_keys;
  end if;
  perform search.mark('island', v_marked);
end
$$;

comment on function fortnite.apply_island(text, timestamptz[], text[], jsonb[]) is
'Bodies of the Links service become islands with their details; what changed is logged, and documents are marked. A '
'JSON null is an island that the service has no more. Keys come once each, in byte order';

-- requires: search.mark
create function fortnite.mark_placements(p_counted text[], p_told integer[], p_panels integer[], p_codes text[])
returns void
language plpgsql
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
set jit = off
as $$
declare
  v_ids text[];
  v_nth integer;
begin
  v_ids := array(
    select i.code
    from unnest(p_counted) as u (code)
    inner join fortnite.island as i on u.code = i.code
    order by i.code
  );
  for v_nth in 1..cardinality(v_ids) by 5000 loop
    perform search.mark('island', v_ids[v_nth:v_nth + 4999]);
  end loop;
  v_ids := array(
    select k.panel_id::text || ':' || k.code as id
    from (
      select
        u.panel_id,
        u.code collate "C" as code
      from unnest(p_panels, p_codes) as u (panel_id, code)
      union
      select
        p.panel_id,
        p.code
      from fortnite.placement as p
      where p.panel_id = any(p_told)
    ) as k
    order by id
  );
  for v_nth in 1..cardinality(v_ids) by 5000 loop
    perform search.mark('placement', v_ids[v_nth:v_nth + 4999]);
  end loop;
end
$$;

comment on function fortnite.mark_placements(text[], integer[], integer[], text[]) is
'Marks what one read of a surface changed: islands that stand in more or fewer panels now, every placement in the '
'panels p_told, and the placements that entered, left or moved, as panel and code side by side. A surface has at most '
'5,000 entries: more than that are marked only where one read replaces most of them';

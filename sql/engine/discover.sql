create function engine.discover(p_resource text, p_keys text[]) returns integer
language plpgsql
as $$
declare
  v_found integer;
begin
  insert into engine.crawl (resource, key)
  select
    p_resource,
    u.key
  from unnest(p_keys) as u (key)
  where u.key is not null
  group by u.key
  order by u.key collate "C"
  on conflict do nothing;
  get diagnostics v_found = row_count;
  return v_found;
end
$$;

comment on function engine.discover(text, text[]) is
'Adds entities to the crawl schedule, due now and before all others; those it knows stay as they are. Gives how many '
'were new';

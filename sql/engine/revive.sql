create function engine.revive(p_resource text, p_key text default null) returns integer
language plpgsql
as $$
declare
  v_revived integer;
begin
  update engine.crawl as c
  set
    state = 'active',
    attempts = 0,
    due_at = now(),
    leased_until = '-infinity'
  from (
    select d.key
    from engine.crawl as d
    where d.resource = p_resource and d.state = 'dead' and (p_key is null or d.key = p_key)
    order by d.key
    for no key update
  ) as k
  where c.resource = p_resource and c.key = k.key;
  get diagnostics v_revived = row_count;
  return v_revived;
end
$$;

comment on function engine.revive(text, text) is
'Makes dead entities of a resource, or one of them, due now with all attempts before them. Gives how many';

-- requires: engine.revive
create function ops.revive(p_resource text, p_key text default null) returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from engine.crawl as c where c.resource = p_resource) then
    raise exception 'no resource named % is crawled', p_resource using
      errcode = 'undefined_object',
      hint = format(
        'There are %s.',
        (select coalesce(string_agg(r.name, ', ' order by r.name), 'none yet')
        from (select distinct c.resource as name from engine.crawl as c) as r)
      );
  end if;
  return engine.revive(p_resource, p_key);
end;
$$;

comment on function ops.revive(text, text) is
'Takes up again the entities of a resource that were given up (ops.dead), or one of them. Gives how many';

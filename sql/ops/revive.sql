-- requires: engine.revive
create function ops.revive(p_resource text, p_key text default null) returns integer
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
select engine.revive(p_resource, p_key);
$$;

comment on function ops.revive(text, text) is
'Takes up again the entities of a resource that were given up (ops.dead), or one of them. Gives how many';

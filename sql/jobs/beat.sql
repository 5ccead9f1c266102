create function jobs.beat(
  p_worker_id bigint, p_name text, p_host text, p_pid integer, p_queues text[], p_concurrency integer
)
returns bigint
language plpgsql
set search_path = public, pg_temp
as $$
declare
  v_worker_id bigint := p_worker_id;
begin
  if p_worker_id is null then
    insert into public.procrastinate_workers default values returning id into v_worker_id;
  else
    update public.procrastinate_workers as w set last_heartbeat = now() where w.id = p_worker_id;
    if found then
      return p_worker_id;
    end if;
    -- silent for so long that it was forgotten: it is back
    insert into public.procrastinate_workers (id) overriding system value values (p_worker_id);
  end if;
  insert into jobs.worker (worker_id, name, host, pid, queues, concurrency)
  values (v_worker_id, p_name, p_host, p_pid, p_queues, p_concurrency);
  return v_worker_id;
end;
$$;

comment on function jobs.beat(bigint, text, text, integer, text[], integer) is
'A sign of life of a worker; null draws an identity, and one that was forgotten meanwhile is known '
'again';

create function jobs.wake(p_queue text)
returns void
language sql
set search_path = public, pg_temp
as $$
  select
    pg_notify('procrastinate_any_queue_v1', '{"type": "job_inserted", "job_id": 0}'),
    pg_notify('procrastinate_queue_v1#' || p_queue, '{"type": "job_inserted", "job_id": 0}');
$$;

comment on function jobs.wake(text) is
'Makes workers look at a queue at once, where a job came back that no insert announces';

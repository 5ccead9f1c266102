create function jobs.declare(p_tasks jsonb)
returns void
language sql
set search_path = public, pg_temp
as $$
  delete from jobs.task as t
  where not exists (
    select from jsonb_array_elements(p_tasks) as d (task) where d.task ->> 'name' = t.name
  );

  insert into jobs.task as t (name, queue, priority, lock, queueing_lock, cron, about)
  select d.name, d.queue, d.priority, d.lock, d.queueing_lock, d.cron, d.about
  from jsonb_to_recordset(p_tasks) as d (
    name text, queue text, priority integer, lock text, queueing_lock text, cron text, about text
  )
  order by d.name
  on conflict (name) do update set
    queue = excluded.queue,
    priority = excluded.priority,
    lock = excluded.lock,
    queueing_lock = excluded.queueing_lock,
    cron = excluded.cron,
    about = excluded.about,
    declared_at = now()
  where
    (t.queue, t.priority, t.lock, t.queueing_lock, t.cron, t.about)
    is distinct from (
      excluded.queue, excluded.priority, excluded.lock, excluded.queueing_lock, excluded.cron,
      excluded.about
    );
$$;

comment on function jobs.declare(jsonb) is
'Makes jobs.task say what a worker that starts knows: array of name, queue, priority, lock, '
'queueing_lock, cron, about';

-- requires: jobs.lose
create function jobs.give_back(p_worker_id bigint, p_in_hand bigint[], p_most_attempts integer)
returns table (job_id bigint, task text, outcome text)
language plpgsql
set search_path = public, pg_temp
as $$
begin
  for job_id, task in
    select j.id, j.task_name
    from public.procrastinate_jobs as j
    where j.status = 'doing' and j.worker_id = p_worker_id and j.id <> all(p_in_hand)
    order by j.id
  loop
    outcome := jobs.lose(job_id, p_most_attempts, 'the connection to the database broke');
    return next;
  end loop;
end;
$$;

comment on function jobs.give_back(bigint, bigint[], integer) is
'Puts back the jobs that are down as a worker''s while it knows nothing of them: the answer that '
'gave them to it, or its word that they ended, was lost';

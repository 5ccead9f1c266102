-- requires: search.mark
create function search.settle(
  p_index text,
  p_ids text[],
  p_marks bigint[],
  p_waiting text[] default '{}',
  p_refused text[] default '{}',
  p_reasons text[] default '{}',
  p_physical text default '',
  p_gone text[] default '{}',
  p_overtaken text[] default '{}'
)
returns integer
language plpgsql
-- A plan kept from when the table was all but empty would compare each of its rows with each of the batch.
set plan_cache_mode = force_custom_plan
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
declare
  v_settled tid[];
  v_waiting tid[];
  v_done text[];
  v_lost text[];
  v_nth integer;
begin
  -- Held until the end of the transaction, so that their places stay theirs.
  select
    array_agg(m.place) filter (where l.id <> all(p_waiting)),
    array_agg(m.place) filter (where l.id = any(p_waiting))
  into v_settled, v_waiting
  from unnest(p_ids, p_marks) as l (id, mark)
  cross join lateral (
    select o.ctid as place
    from search.dirty as o
    where o.index = p_index and o.id = l.id and o.mark = l.mark
    -- A row that is locked is being marked again, or is sent once more after its lease.
    for update skip locked
  ) as m;

  with done as (
    delete from search.dirty as d
    where d.ctid = any(v_settled)
    returning d.id, d.mark
  ),

  parked as (
    insert into search.rejected as r (index, id, mark, reason, physical)
    select
      p_index,
      d.id,
      d.mark,
      p.reason,
      p_physical
    from unnest(p_refused, p_reasons) as p (id, reason)
    inner join done as d on p.id = d.id
    order by d.id collate "C"
    on conflict (index, id) do update
      set
        mark = excluded.mark,
        reason = excluded.reason,
        physical = excluded.physical,
        rejected_at = now()
  )

  select array_agg(d.id) into v_done from done as d;

  update search.dirty as d
  set leased_until = '-infinity'
  where d.ctid = any(v_waiting);

  if exists (select from search.rejected as r where r.index = p_index) then
    with healed as (
      select r.ctid
      from search.rejected as r
      where r.index = p_index and r.id = any(v_done) and r.id <> all(p_refused)
      order by r.id collate "C"
      for update
    )

    delete from search.rejected as r
    using healed as h
    where r.ctid = h.ctid;
  end if;

  if p_gone <> '{}' or exists (select from search.deleted as d where d.index = p_index) then
    with over as (
      select d.ctid
      from search.deleted as d
      where d.index = p_index and d.id = any(v_done) and (d.again or d.id <> all(p_gone))
      order by d.id collate "C"
      for update
    ),

    ended as (
      delete from search.deleted as d
      using over as o
      where d.ctid = o.ctid
      returning d.id
    )

    insert into search.deleted as d (index, id)
    select
      p_index,
      g.id
    from (
      (
        select unnest(p_gone) as id
        intersect
        select unnest(v_done)
      )
      except
      select e.id from ended as e
    ) as g
    order by g.id collate "C"
    on conflict (index, id) do update
      set
        deleted_at = clock_timestamp(),
        again = false;
  end if;

  if coalesce(cardinality(v_done), 0) < cardinality(p_ids) then
    v_lost := array(
      select k.id
      from (
        select unnest(p_ids) as id
        except
        select unnest(v_done)
        except
        select unnest(p_overtaken)
      ) as k
      where not exists (select from search.dirty as d where d.index = p_index and d.id = k.id)
      order by k.id collate "C"
    );
    for v_nth in 1..cardinality(v_lost) by 5000 loop
      perform search.mark(p_index, v_lost[v_nth:v_nth + 4999]);
    end loop;
  end if;
  return coalesce(cardinality(v_done), 0);
end
$$;

comment on function search.settle(
  text, text[], bigint[], text[], text[], text[], text, text[], text[]
) is
'Ends the lease of a batch. Deletes exactly the marks that were leased: a document marked again meanwhile stays '
'pending. Those waiting are free again at once; those refused are parked in search.rejected with their reasons and the '
'physical index that refused them; those gone are remembered in search.deleted until they were deleted once more. What '
'another worker has settled meanwhile, since the lease had ended, is marked again, but for those overtaken by a higher '
'version: an old request may have arrived after the newer one. Returns how many marks it deleted';

-- requires: search.mark_lost
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
-- A plan kept from when the tables were all but empty would compare each of their rows with each of the batch.
set plan_cache_mode = force_custom_plan
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
declare
  v_since timestamptz;
  v_ids text[];
  v_done text[];
begin
  with held as (
    delete from search.dirty as d
    where
      d.mark = any(array(
        select o.mark
        from search.dirty as o
        -- Of a lease that has ended nothing is settled: others may have sent what is newer.
        where o.mark = any(p_marks) and o.leased_until > clock_timestamp()
        -- In the order of search.take_over, which may have some of them in hand.
        order by o.mark
        for update
      ))
    returning d.marked_at, d.ids
  )

  select
    min(h.marked_at),
    coalesce(array_agg(distinct u.id collate "C"), '{}')
  into v_since, v_ids
  from held as h
  cross join lateral unnest(h.ids) as u (id);
  v_done := v_ids;

  if p_waiting <> '{}' then
    v_done := array(
      select unnest(v_ids)
      except
      select unnest(p_waiting)
    );
    insert into search.dirty (index, ids, marked_at)
    select
      p_index,
      array_agg(w.id order by w.id collate "C"),
      v_since
    from (
      select unnest(v_ids) as id
      except
      select unnest(v_done)
    ) as w
    having count(*) > 0;
  end if;

  if p_refused <> '{}' then
    insert into search.rejected as r (index, id, reason, physical)
    select
      p_index,
      p.id,
      p.reason,
      p_physical
    from unnest(p_refused, p_reasons) as p (id, reason)
    where p.id = any(v_done)
    order by p.id collate "C"
    on conflict (index, id) do update
      set
        reason = excluded.reason,
        physical = excluded.physical,
        rejected_at = now();
  end if;

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

  if cardinality(v_ids) < cardinality(p_ids) then
    perform search.mark_lost(p_index, array(
      select unnest(p_ids)
      except
      select unnest(v_ids)
      except
      select unnest(p_overtaken)
    ));
  end if;
  return cardinality(v_done);
end
$$;

comment on function search.settle(
  text, text[], bigint[], text[], text[], text[], text, text[], text[]
) is
'Ends the lease of a batch. Deletes exactly the marks that were leased: what was marked again meanwhile has a mark of '
'its own and stays pending. Those waiting are free again at once; those refused are parked in search.rejected with '
'their reasons and the physical index that refused them; those gone are remembered in search.deleted until they were '
'deleted once more. What was taken over by another lease that has ended, and all of a lease that has ended itself, is '
'marked again, but for those overtaken by a higher version: an old request may have arrived after the newer one. '
'Returns how many documents it settled';

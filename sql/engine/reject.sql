-- requires: engine.settle_failed
create function raw.reject(
  p_resource text,
  p_lease bigint,
  p_attempts integer,
  p_fetched_at timestamptz,
  p_keys text[],
  p_reasons text[],
  p_bodies bytea[]
)
returns integer
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_bitmapscan = off
set jit = off
as $$
declare
  v_kept integer;
begin
  insert into raw.rejected (resource, key, fetched_at, reason, body)
  select
    p_resource,
    k.key,
    p_fetched_at,
    k.reason,
    k.body
  from unnest(p_keys, p_reasons, p_bodies) as k (key, reason, body)
  -- What is fetched again and again and stays bad is kept once. Keys are looked up one by one: where upstream has
  -- spoiled all of them, all wait there with one reason.
  where
    not exists (
      select from raw.rejected as r
      where
        r.resource = p_resource
        and r.key = any(array[k.key])
        and r.replayed_at is null
        and r.reason = k.reason
        and r.body is not distinct from k.body
    )
    and (
      k.key is not null
      or not exists (
        select from raw.rejected as r
        where
          r.resource = p_resource
          and r.key is null
          and r.replayed_at is null
          and r.reason = k.reason
          and r.body is not distinct from k.body
      )
    );
  get diagnostics v_kept = row_count;
  if p_lease is not null then
    perform engine.settle_failed(p_resource, p_lease, p_attempts, p_keys, p_reasons);
  end if;
  return v_kept;
end
$$;

comment on function raw.reject(text, bigint, integer, timestamptz, text[], text[], bytea[]) is
'Sets items aside as bytes, each with its reason, and reschedules their entities where a lease holds them. An item '
'that waits there already is not kept twice. Gives how many were kept';

create function engine.move_backfill(
  p_backfill_id bigint,
  p_from bigint,
  p_until bigint,
  p_lines bigint,
  p_stored bigint,
  p_skipped bigint,
  p_discovered bigint,
  p_keys text[],
  p_reasons text[],
  p_bodies bytea[]
)
returns boolean
language plpgsql
as $$
begin
  update engine.backfill as b
  set
    position = p_until,
    lines = p_lines,
    stored = b.stored + p_stored,
    skipped = b.skipped + p_skipped,
    discovered = b.discovered + p_discovered,
    rejected = b.rejected + cardinality(p_keys),
    moved_at = now()
  where b.backfill_id = p_backfill_id and b.position = p_from;
  if not found then
    return exists (select from engine.backfill as b where b.backfill_id = p_backfill_id and b.position = p_until);
  end if;
  insert into raw.rejected (resource, key, fetched_at, reason, body)
  select
    b.series,
    u.key,
    now(),
    u.reason,
    u.body
  from unnest(p_keys, p_reasons, p_bodies) as u (key, reason, body)
  cross join engine.backfill as b
  where b.backfill_id = p_backfill_id;
  return true;
end
$$;

comment on function engine.move_backfill(
  bigint, bigint, bigint, bigint, bigint, bigint, bigint, text[], text[], bytea[]
) is
'Says that a file is landed from one position to the next, adds what that part had, and sets its bad lines '
'aside: once, however often it is called. False: somebody else has moved it elsewhere.';

create function fortnite.lose_creators(
  p_resource text,
  p_fetched_at timestamptz[],
  p_keys text[],
  p_bodies jsonb[]
)
returns text[]
language plpgsql
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
set jit = off
set timezone = 'UTC'
as $$
declare
  v_page boolean := p_resource = 'fortnite.player_page';
  v_lost text[];
begin
  with d as materialized (
    select
      c.creator_id,
      c.gone_at,
      k.fetched_at
    from unnest(p_keys, p_fetched_at, p_bodies) as k (account_id, fetched_at, body)
    inner join fortnite.creator as c on k.account_id = c.account_id
    where k.body = 'null' and case when v_page then c.page_gone_at else c.bulk_gone_at end is null
  ),

  lost as (
    update fortnite.creator as c
    set
      page_gone_at = case when v_page then d.fetched_at else c.page_gone_at end,
      bulk_gone_at = case when v_page then c.bulk_gone_at else d.fetched_at end
    from d
    where c.creator_id = d.creator_id
    returning c.account_id, c.creator_id, c.gone_at, c.bulk_at, c.page_at, d.gone_at as was_gone_at, d.fetched_at
  ),

  logged as (
    insert into fortnite.creator_change (
      creator_id, islands, followers, ccu, minutes_played, changed_at, resource, fields, old, new
    )
    select
      l.creator_id,
      y.islands,
      y.followers,
      y.ccu,
      y.minutes_played,
      l.fetched_at,
      p_resource,
      array['gone_at'],
      '{"gone_at": null}',
      jsonb_build_object('gone_at', l.gone_at)
    from lost as l
    left join fortnite.creator_daily as y
      on l.creator_id = y.creator_id and y.day = (l.fetched_at at time zone 'UTC')::date
    where l.was_gone_at is null and l.gone_at is not null and (l.bulk_at is not null or l.page_at is not null)
    order by l.creator_id
  )

  select array_agg(l.account_id) into v_lost
  from lost as l
  where l.was_gone_at is null and l.gone_at is not null;
  return v_lost;
end
$$;

comment on function fortnite.lose_creators(text, timestamptz[], text[], jsonb[]) is
'Notes since when a route does not know the creators whose body is a JSON null. Those whom no route knows any more are '
'gone from then on, which is logged for those that were once described. The creators are locked. Gives the accounts of '
'those that are gone from now on';

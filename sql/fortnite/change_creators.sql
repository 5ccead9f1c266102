-- requires: fortnite.read_creators, fortnite.own_image
create function fortnite.change_creators(
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
  v_changed text[];
begin
  with d as materialized (
    select
      o.creator_id,
      r.fetched_at,
      n.*,
      (
        o.display_name, o.bio, o.avatar_url, o.banner_url, o.surface_name,
        o.discord, o.instagram, o.tiktok, o.twitch, o.twitter, o.youtube
      ) is distinct from (
        n.display_name, n.bio, n.avatar_url, n.banner_url, n.surface_name,
        n.discord, n.instagram, n.tiktok, n.twitch, n.twitter, n.youtube
      )
      or case when v_page then o.page_at is null or o.page_gone_at is not null
        else o.bulk_at is null or o.bulk_gone_at is not null end as differs,
      -- What is told for the first time is no change; the bulk route tells but the name and the avatar.
      string_to_array(concat_ws(
        ',',
        case when t.any_route and n.avatar_url is distinct from o.avatar_url then 'avatar_url' end,
        case when t.page and n.banner_url is distinct from o.banner_url then 'banner_url' end,
        case when t.page and n.bio is distinct from o.bio then 'bio' end,
        case when t.page and n.discord is distinct from o.discord then 'discord' end,
        case when t.any_route and n.display_name is distinct from o.display_name then 'display_name' end,
        case when o.gone_at is not null and t.any_route then 'gone_at' end,
        case when t.page and n.instagram is distinct from o.instagram then 'instagram' end,
        case when t.page and n.surface_name is distinct from o.surface_name then 'surface_name' end,
        case when t.page and n.tiktok is distinct from o.tiktok then 'tiktok' end,
        case when t.page and n.twitch is distinct from o.twitch then 'twitch' end,
        case when t.page and n.twitter is distinct from o.twitter then 'twitter' end,
        case when t.page and n.youtube is distinct from o.youtube then 'youtube' end
      ), ',') as fields,
      jsonb_build_object(
        'avatar_url', o.avatar_url, 'banner_url', o.banner_url, 'bio', o.bio, 'discord', o.discord,
        'display_name', o.display_name, 'gone_at', o.gone_at, 'instagram', o.instagram,
        'surface_name', o.surface_name, 'tiktok', o.tiktok, 'twitch', o.twitch, 'twitter', o.twitter,
        'youtube', o.youtube
      ) as old,
      to_jsonb(n) || '{"gone_at": null}' as new
    from fortnite.read_creators(p_fetched_at, p_keys, p_bodies) as r
    inner join fortnite.creator as o on r.account_id = o.account_id
    cross join lateral (
      select
        o.bulk_at is not null or o.page_at is not null as any_route,
        o.page_at is not null as page
    ) as t
    cross join lateral (
      select
        coalesce(r.display_name, o.display_name) as display_name,
        case when v_page then r.bio else o.bio end as bio,
        case when r.avatar_url is null then o.avatar_url else fortnite.own_image(r.avatar_url) end as avatar_url,
        case when r.banner_url is null then o.banner_url else fortnite.own_image(r.banner_url) end as banner_url,
        case when v_page then r.surface_name else o.surface_name end as surface_name,
        case when v_page then r.discord else o.discord end as discord,
        case when v_page then r.instagram else o.instagram end as instagram,
        case when v_page then r.tiktok else o.tiktok end as tiktok,
        case when v_page then r.twitch else o.twitch end as twitch,
        case when v_page then r.twitter else o.twitter end as twitter,
        case when v_page then r.youtube else o.youtube end as youtube
    ) as n
  ),

  written as (
    update fortnite.creator as c
    set
      bulk_at = case when v_page then c.bulk_at else coalesce(c.bulk_at, d.fetched_at) end,
      bulk_gone_at = case when v_page then c.bulk_gone_at end,
      page_at = case when v_page then coalesce(c.page_at, d.fetched_at) else c.page_at end,
      page_gone_at = case when not v_page then c.page_gone_at end,
      display_name = d.display_name,
      bio = d.bio,
      avatar_url = d.avatar_url,
      banner_url = d.banner_url,
      surface_name = d.surface_name,
      discord = d.discord,
      instagram = d.instagram,
      tiktok = d.tiktok,
      twitch = d.twitch,
      twitter = d.twitter,
      youtube = d.youtube
    from d
    where c.creator_id = d.creator_id and d.differs
    returning c.account_id
  ),

  logged as (
    insert into fortnite.creator_change (
      creator_id, islands, followers, ccu, minutes_played, changed_at, resource, fields, old, new
    )
    select
      d.creator_id,
      y.islands,
      y.followers,
      y.ccu,
      y.minutes_played,
      d.fetched_at,
      p_resource,
      d.fields,
      (select jsonb_object_agg(f.field, d.old -> f.field) from unnest(d.fields) as f (field)),
      (select jsonb_object_agg(f.field, d.new -> f.field) from unnest(d.fields) as f (field))
    from d
    left join fortnite.creator_daily as y
      on d.creator_id = y.creator_id and y.day = (d.fetched_at at time zone 'UTC')::date
    where d.fields <> '{}'
    order by d.creator_id
  )

  select array_agg(w.account_id) into v_changed
  from written as w;
  return v_changed;
end
$$;

comment on function fortnite.change_creators(text, timestamptz[], text[], jsonb[]) is
'Writes what the bulk route or player pages tell over creators that are there and locked, where it differs, and what '
'changed into the change log, with the totals of its day where that is over. The bulk route says nothing of what it '
'leaves out; a page that leaves out a bio or a handle has none. Gives the accounts of what was written';
